// What cut.mjs and judge.mjs both read.
import {readFileSync} from 'node:fs';

/** A path with every parameter made the same, to compare paths that call their parameters otherwise. */
export const slots = path => path.replace(/\{[^}]*\}/g, '{}');

/** The rows of allowed.tsv: method, path ("*" stands for anything), status, reason. */
export function allowances(file) {
  const rows = readFileSync(file, 'utf8').split('\n').filter(line => line !== '' && !line.startsWith('#'));
  return rows.map(line => {
    const [method, path, status, reason] = line.split('\t');
    if (!reason) throw new Error(`${file}: a row needs method, path, status and reason: ${line}`);
    const glob = text => new RegExp('^' + text.replace(/[.*+?^${}()|[\]\\]/g, c => (c === '*' ? '.*' : '\\' + c)) + '$');
    return {
      method, path, status, reason,
      covers: (m, p) => glob(method).test(m) && glob(path).test(p),
    };
  });
}
