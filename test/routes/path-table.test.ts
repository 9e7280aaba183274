import test from 'ava';
import { PathTable } from '../../server/routes/path-table.js';
import { table } from '../support/table.js';

function paths(): PathTable<string> {
  const paths = new PathTable<string>();
  paths.add('GET', '/', 'root');
  paths.add('GET', '/images', 'list');
  paths.add('POST', '/images', 'create');
  paths.add('GET', '/images/:uuid', 'get');
  paths.add('GET', '/datasets/latest', 'latest');
  paths.add('GET', '/datasets/:urn', 'dataset');
  paths.add('PUT', '/datasets/:urn', 'replace');
  paths.add('GET', '/datasets/:uuid/file', 'file');
  paths.add('GET', '/docs/', 'docs');
  return paths;
}

const rows = table<'method' | 'path' | 'value' | 'params'>(`
  method  path              value    params
  GET     /                 root     {}
  GET     /images           list     {}
  POST    /images           create   {}
  GET     /images/a         get      {"uuid":"a"}
  GET     /images/a%2Fb     get      {"uuid":"a/b"}
  GET     /datasets/latest  latest   {}
  PUT     /datasets/latest  replace  {"urn":"latest"}
  GET     /datasets/a:b:1   dataset  {"urn":"a:b:1"}
  GET     /datasets/a/file  file     {"uuid":"a"}
  GET     /docs/            docs     {}
  GET     /docs             -        -
  GET     /images/          -        -
  GET     //images          -        -
  GET     /Images           -        -
  GET     /images/a/b       -        -
  GET     /:uuid            -        -
  GET     *                 -        -
  DELETE  /images           -        -
`);

for (const { method, path, value, params } of rows) {
  test(`${method} ${path} leads ${value ? `to ${value}` : 'nowhere'}`, (t) => {
    t.deepEqual(paths().find(method, path), value ? { value, params: JSON.parse(params ?? '') } : undefined);
  });
}

test('tells which methods a path has, whatever its rows are', (t) => {
  t.deepEqual(paths().methodsAt('/images'), ['GET', 'POST']);
  t.deepEqual(paths().methodsAt('/datasets/latest'), ['GET', 'PUT']);
  t.deepEqual(paths().methodsAt('/nowhere'), []);
});
