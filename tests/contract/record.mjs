// Stands before prism, where the hub's address is expected, and writes a line of JSON for each exchange:
// method, target, status, and what prism found wrong with it. No header and no body is written.
//
//   node record.mjs RECORD PORT_FILE PRISM_PORT_FILE
//
// Listens on a port of its own choice, told in PORT_FILE. Where prism listens is read at the first request,
// because prism is started last.
import {appendFileSync, readFileSync, renameSync, writeFileSync} from 'node:fs';
import http from 'node:http';

const [record, portFile, prismFile] = process.argv.slice(2);
const PREFIX = '/api/v3'; // prism puts it in front again
const agent = new http.Agent({keepAlive: true});
const problems = {accept: /^application\/(vnd\.github(\.\w+)?\+json|vnd\.github\.sha)$/, 'x-github-api-version': /^2022-11-28$/, 'user-agent': /./};

/** What GitHub asks of the head of every request; the description has it in prose only. */
function headViolations(headers) {
  return Object.entries(problems)
    .filter(([name, good]) => !good.test(headers[name] ?? ''))
    .map(([name]) => ({location: ['request', 'header', name], severity: 'Error', message: `is '${headers[name] ?? ''}'`}));
}

function violations(headers) {
  const text = headers['sl-violations'];
  delete headers['sl-violations'];
  if (text === undefined) return [];
  try {
    return JSON.parse(text);
  } catch {
    return [{location: ['response'], severity: 'Error', message: text}]; // too many for a header
  }
}

function note(request, status, found) {
  const line = {method: request.method, target: request.url, status, violations: found};
  appendFileSync(record, JSON.stringify(line) + '\n');
}

function refuse(request, response, why) {
  note(request, 502, [{location: ['response'], severity: 'Error', message: why}]);
  response.writeHead(502, {'content-type': 'text/plain'}).end(why);
}

http.createServer((request, response) => {
  if (!request.url.startsWith(PREFIX + '/') && request.url !== PREFIX) return refuse(request, response, `outside of ${PREFIX}`);
  const options = {
    agent, host: '127.0.0.1', port: Number(readFileSync(prismFile, 'utf8')),
    method: request.method, path: request.url.slice(PREFIX.length) || '/', headers: request.headers,
  };
  const forward = http.request(options, reply => {
    const headers = {...reply.headers};
    const found = [...headViolations(request.headers), ...violations(headers)];
    if (headers['content-type'] === 'application/problem+json')
      found.push({location: ['response'], severity: 'Error', message: 'prism itself answered: no valid exchange'});
    note(request, reply.statusCode, found);
    response.writeHead(reply.statusCode, headers);
    reply.pipe(response);
  });
  forward.on('error', e => refuse(request, response, String(e)));
  request.pipe(forward);
}).listen(0, '127.0.0.1', function () {
  writeFileSync(portFile + '.new', String(this.address().port));
  renameSync(portFile + '.new', portFile);
});
