// Cuts what the hub serves out of GitHub's own description of its REST API, and makes it strict.
//
//   node cut.mjs DESCRIPTION ROUTES.C ALLOWED.TSV URL >cut.json
//
// A route of the hub that GitHub does not describe ends it with an error.
import {readFileSync} from 'node:fs';
import {allowances, slots} from './tables.mjs';

const [description, routes, allowed, url] = process.argv.slice(2);
const github = JSON.parse(readFileSync(description, 'utf8'));
const REPO = '/repos/{owner}/{repo}';
const ALIAS = '/repositories/{repository_id}';
const DEEPEST = 3; // how many segments a parameter such as a ref or a path may have here

// ---- The routes of the hub: {"GET", "R/actions/secrets/:name", ... ----

const known = new Map(Object.keys(github.paths).map(path => [slots(path), path]));
const operations = [];
const unknown = [];
for (const [, method, route] of readFileSync(routes, 'utf8').matchAll(/^ *\{"([A-Z]+)", "([^"]*)", \w+,/gm)) {
  const path = known.get(slots('/' + route.replace(/^R(?=\/|$)/, REPO.slice(1)).replace(/:\w+|\*/g, '{}')));
  if (github.paths[path]?.[method.toLowerCase()]) operations.push({method, path});
  else if (route !== 'R/contents') unknown.push(`${method} ${route}`); // the root folder: {path} is empty
}
if (operations.length === 0) unknown.push('no route at all in ' + routes);
if (unknown.length > 0) {
  console.error('GitHub does not describe: ' + unknown.join(', '));
  process.exit(1);
}

// ---- Everything they refer to, and nothing else ----

const components = {};
function carry(value) {
  if (Array.isArray(value)) return value.map(carry);
  if (value === null || typeof value !== 'object') return value;
  if (typeof value.$ref === 'string') {
    const [kind, name] = value.$ref.replace('#/components/', '').split('/');
    components[kind] ??= {};
    if (!(name in components[kind])) {
      components[kind][name] = null; // it may refer to itself
      components[kind][name] = carry(github.components[kind][name]);
    }
    return {$ref: value.$ref};
  }
  const copy = {};
  // Examples are sloppy in the description and would be used for nothing.
  for (const [name, inner] of Object.entries(value)) if (name !== 'examples') copy[name] = carry(inner);
  return copy;
}

// ---- Stricter than it is written ----

// Members that the description does not name are refused in requests and in good replies: an invented
// or misspelt one would go unnoticed otherwise. Alternatives and unions stay as they are.
const closed = new Set();
function close(schema) {
  if (schema === null || typeof schema !== 'object' || closed.has(schema)) return;
  closed.add(schema);
  if (schema.$ref) return close(components.schemas[schema.$ref.split('/').pop()]);
  if (schema.allOf || schema.anyOf || schema.oneOf) return;
  if (schema.properties && schema.additionalProperties === undefined) schema.additionalProperties = false;
  for (const inner of Object.values(schema.properties ?? {})) close(inner);
  close(schema.items);
}
function closeAll(operation) {
  for (const media of Object.values(operation.requestBody?.content ?? {})) close(media.schema);
  for (const [status, reply] of Object.entries(operation.responses))
    if (status.startsWith('2')) for (const media of Object.values(reply.content ?? {})) close(media.schema);
}

// What GitHub says in prose only: every error has a message and a pointer to the documentation.
const error = {
  description: 'Error',
  content: {'application/json': {schema: {
    type: 'object', required: ['message', 'documentation_url'],
    properties: {
      message: {type: 'string'}, documentation_url: {type: 'string'}, url: {type: 'string'}, status: {type: 'string'},
    },
  }}},
};

// Text in a path that is a number is a text too, so that "one of integer and string" never holds.
function loosen(operation) {
  for (const p of operation.parameters ?? []) {
    const {in: where, schema} = p.$ref ? components.parameters[p.$ref.split('/').pop()] : p;
    if (where === 'path' && schema.oneOf) {
      schema.anyOf = schema.oneOf;
      delete schema.oneOf;
    }
  }
}
function allow({method, path}, operation) {
  for (const row of allowances(allowed))
    if (row.covers(method, path))
      operation.responses[row.status] ??= row.status === '304' ? {description: 'Not modified'} : error;
}

// ---- Paths ----

const paths = {};
function add(path, method, operation) {
  paths[path] ??= {};
  paths[path][method.toLowerCase()] = operation;
}
const parameter = (name, type) => ({name, in: 'path', required: true, schema: {type}});

for (const {method, path} of operations) {
  const operation = carry(github.paths[path][method.toLowerCase()]);
  closeAll(operation);
  loosen(operation);
  allow({method, path}, operation);
  const named = operation.parameters?.map(p => (p.$ref ? components.parameters[p.$ref.split('/').pop()] : p)) ?? [];
  add(path, method, operation);
  // A parameter that may contain slashes, as a path or a ref: one path for each number of them.
  const last = /\{(\w+)\}$/.exec(path)?.[1];
  if (named.some(p => p.name === last && p['x-multi-segment']))
    for (let i = 2, deep = path, parameters = operation.parameters; i <= DEEPEST; i++) {
      deep += `/{${last}_${i}}`;
      parameters = [...parameters, parameter(`${last}_${i}`, 'string')];
      add(deep, method, {...operation, operationId: `${operation.operationId}-${i}`, parameters});
    }
  // Link headers and redirects name a repository by its number; the description does not know that form.
  if (method === 'GET' && path.startsWith(REPO) && operation.responses['200']?.headers?.Link)
    add(ALIAS + path.slice(REPO.length), method, {
      ...operation, operationId: operation.operationId + '-by-id',
      parameters: [parameter('repository_id', 'integer'), ...operation.parameters.filter(p => !/\/(owner|repo)$/.test(p.$ref))],
    });
}

console.log(JSON.stringify({
  openapi: github.openapi, info: github.info, servers: [{url}], paths, components,
  'x-operations': operations.map(o => `${o.method} ${o.path}`),
}));
