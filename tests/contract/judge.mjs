// Reads what record.mjs wrote. Ends with 1, and says why, when there was a violation, when an operation of
// the description was never called with success, or when an allowance was never needed.
//
//   node judge.mjs CUT.JSON ALLOWED.TSV RECORD.jsonl...     both
//   node judge.mjs --violations CUT.JSON RECORD.jsonl       violations alone; ends with 1 when there is none
import {readFileSync} from 'node:fs';
import {basename} from 'node:path';
import {allowances} from './tables.mjs';

const NEVER_GOOD = ['GET /repos/{owner}/{repo}/pages']; // no repository of the hub has a site

const only = process.argv[2] === '--violations';
const [cutFile, ...rest] = process.argv.slice(only ? 3 : 2);
const allowed = only ? undefined : rest.shift();
const cut = JSON.parse(readFileSync(cutFile, 'utf8'));

/** The operation that a request is, as "GET /repos/{owner}/{repo}": the one with the most fixed segments. */
const templates = Object.keys(cut.paths).map(path => ({
  path, fixed: path.replace(/\{[^}]*\}/g, '').length,
  match: new RegExp('^' + path.replace(/\{[^}]*\}/g, '[^/]+') + '$'),
}));
templates.sort((a, b) => b.fixed - a.fixed);
const plain = path => path.replace(/(\/\{\w+_\d\})+$/, '').replace(/^\/repositories\/\{repository_id\}/, '/repos/{owner}/{repo}');
function operation({method, target}) {
  const path = target.replace(/^\/api\/v3/, '').replace(/\?.*/, '') || '/';
  const found = templates.find(t => t.match.test(path) && cut.paths[t.path][method.toLowerCase()]);
  return found && {method, path: plain(found.path)};
}

const exchanges = rest.flatMap(file => readFileSync(file, 'utf8').split('\n').filter(Boolean)
  .map(line => ({client: basename(file, '.jsonl'), ...JSON.parse(line)})));
const wrong = exchanges.filter(x => x.violations.length > 0);
for (const {client, method, target, status, violations} of wrong)
  for (const {location, message} of violations)
    console.log(`${client}: ${method} ${target} ${status}: ${location.join('.')} ${message}`);
if (only) process.exit(wrong.length > 0 ? 0 : 1);

const called = exchanges.map(x => ({...x, operation: operation(x)})).filter(x => x.operation);
const good = new Set(called.filter(x => x.status < 300).map(x => `${x.operation.method} ${x.operation.path}`));
const never = cut['x-operations'].filter(o => !good.has(o) && !NEVER_GOOD.includes(o));
for (const o of never) console.log(`never called with success: ${o}`);

const idle = allowances(allowed).filter(row => !called.some(x =>
  String(x.status) === row.status && row.covers(x.operation.method, x.operation.path)));
for (const row of idle) console.log(`allowed and never needed: ${row.method} ${row.path} ${row.status}`);

for (const client of new Set(exchanges.map(x => x.client))) {
  const own = called.filter(x => x.client === client);
  const kinds = new Set(own.map(x => `${x.operation.method} ${x.operation.path}`));
  console.log(`${client}: ${own.length} exchanges, ${kinds.size} operations`);
}
process.exit(wrong.length + never.length + idle.length > 0 ? 1 : 0);
