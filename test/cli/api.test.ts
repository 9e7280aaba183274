import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { commandLine, commandLineOf } from '../support/command-line.js';
import { remote } from '../support/remote.js';
import { scratch } from '../support/scratch.js';
import { startServer } from '../support/server.js';
import { table } from '../support/table.js';

async function server(t: ExecutionContext) {
  const running = await startServer(t);
  return { server: running, ...commandLineOf(running, running.token) };
}

const done = (stdout: string) => ({ code: 0, stdout, stderr: '' });

test('get, create, set and delete reach any resource', async (t) => {
  const { slipway } = await server(t);
  t.regex((await slipway(['create', '/dc/north', '-alias', 'The North'])).stdout, /^name +north\nalias +The North\n/);
  t.deepEqual(await slipway(['get', '/dc']), done('main\nnorth\n'));
  t.deepEqual(await slipway(['get', '/api/dc/', '-limit', '1', '-order_by=-name']), done('north\n'));
  t.regex((await slipway(['get', '/dc', '-full'])).stdout, /^NAME +ALIAS +OWNER .*\nmain .*\nnorth +The North /);
  t.regex((await slipway(['get', '/dc', '-full', '--csv'])).stdout, /^name,alias,owner.*\nmain,.*\nnorth,The North,/);
  t.deepEqual(JSON.parse((await slipway(['get', '/dc', '--json'])).stdout), ['main', 'north']);
  t.is((await slipway(['set', '/dc/north', '-location', 'oslo'])).code, 0);
  t.like(JSON.parse((await slipway(['get', '/dc/north', '--json'])).stdout), { alias: 'The North', location: 'oslo' });
  t.is((await slipway(['delete', '/dc/north'])).code, 0);
  t.deepEqual(await slipway(['get', '/dc']), done('main\n'));
  t.deepEqual(await slipway(['api', 'get', '/dc']), done('main\n'), 'as it is spelled in full');
  t.regex((await slipway(['options', '/dc'])).stdout, /"description": "GET \/api\/dc: /);
});

/** What becomes of a word as the value of a parameter; PATH is a file that holds `{"a":1}`. */
const values = table(`
  word           sent
  true           true
  FALSE          false
  null           null
  5              "5"
  a,b            "a,b"
  json::["a"]    ["a"]
  json::5        5
  file::PATH     "{\\"a\\":1}\\n"
  -              "-"
  nullable       "nullable"
`);

test('values are what they are to the command line that they come from', async (t) => {
  const path = join(await scratch(t), 'file');
  await writeFile(path, '{"a":1}\n');
  for (const { word = '', sent } of values) {
    const bodies: string[] = [];
    const { url } = await remote(t, {
      'PUT /api/x': async (request, response) => {
        for await (const chunk of request) bodies.push(String(chunk));
        response.end(JSON.stringify({ task_id: null, status: 'SUCCESS', result: null }));
      },
    });
    // a dash alone is what a table calls empty
    const typed = (word || '-').replace('PATH', path);
    t.deepEqual(await commandLine({ SLIPWAY_URL: url }).slipway(['set', '/x', '-a', typed, '-b']), done(''), word);
    t.is(bodies.join(''), `{"a":${sent},"b":true}`, word);
  }
});

test('a password is what a file holds, without the end of its line', async (t) => {
  const path = join(await scratch(t), 'file');
  await writeFile(path, 'a secret\n');
  const bodies: string[] = [];
  const { url } = await remote(t, {
    'PUT /api/user/x': async (request, response) => {
      for await (const chunk of request) bodies.push(String(chunk));
      response.end(JSON.stringify({ task_id: null, status: 'SUCCESS', result: null }));
    },
  });
  const { slipway } = commandLine({ SLIPWAY_URL: url });
  t.deepEqual(await slipway(['set', '/user/x', '-password', `file::${path}`]), done(''));
  t.is(bodies.join(''), '{"password":"a secret"}');
});

test('what is no call is refused before anybody is asked', async (t) => {
  const { slipway } = commandLine({ SLIPWAY_URL: 'http://127.0.0.1:1' });
  const calls: [args: string[], message: RegExp][] = [
    [['api', 'get', 'image'], /"image" is no path\nhint: /],
    [['get', '/image', 'full'], /"full" belongs to no parameter\nhint: /],
    [['get', '/image', '-full', 'true', 'false'], /"false" belongs to no parameter/],
    [['get', '/image', '--ful'], /there is no option "--ful"\nhint: /],
    [['set', '/image/x', '-tags', 'json::['], /"json::\[" is no JSON/],
    [['set', '/image/x', '-desc', 'file::/nowhere'], /\/nowhere: does not exist/],
    [['set', '/user/x', '-password', 'secret'], /^slipway: a password is not taken from the command line/],
    [['create', '/user/x', '-password=secret'], /a password is not taken from the command line/],
    [['get', '/image', '--csv', '--json'], /cannot be used with/],
  ];
  for (const [args, message] of calls) {
    const { code, stdout, stderr } = await slipway(args);
    t.deepEqual({ code, stdout }, { code: 1, stdout: '' }, args.join(' '));
    t.regex(stderr, message);
  }
});

test('the exit code says what kind of failure it was', async (t) => {
  const { slipway, server: running } = await server(t);
  t.is((await slipway(['get', '/dc/nowhere'])).code, 1);
  t.is((await slipway(['get', '/dc'], { env: { SLIPWAY_TOKEN: 'guessed' } })).code, 4);
  t.is((await slipway(['get', '/dc'], { env: { SLIPWAY_URL: 'http://127.0.0.1:1' } })).code, 3);
  const { url } = await remote(t, {
    'GET /api/dc': (_request, response) => response.writeHead(500).end('{"code":"InternalError","message":"failed"}'),
    'GET /api/list': [],
  });
  t.is((await slipway(['get', '/dc'], { env: { SLIPWAY_URL: url } })).code, 2);
  t.is((await slipway(['get', '/list'], { env: { SLIPWAY_URL: url } })).code, 2, 'no answer of the management API');
  t.is((await slipway(['get', '/dc'], { env: { SLIPWAY_URL: running.url } })).code, 0);
});

test('a task is waited for, and what it came to is the answer', async (t) => {
  const statuses = [
    { task_id: 'a/b', status: 'STARTED', result: null },
    { task_id: 'a/b', status: 'SUCCESS', result: [{ image: 'base', status: 'SUCCESS' }] },
  ];
  const pending = { task_id: 'a/b', status: 'PENDING', result: null };
  const { url, asked } = await remote(t, {
    'POST /api/bulk/image': pending,
    'GET /api/task/a%2Fb/status': (_request, response) => response.end(JSON.stringify(statuses.shift())),
  });
  const { slipway } = commandLine({ SLIPWAY_URL: url });
  const call = ['create', '/bulk/image', '-action', 'deprecate', '-images', 'json::["base"]'];
  t.deepEqual(await slipway([...call, '--csv']), done('image,status\nbase,SUCCESS\n'));
  t.is(asked.length, 3);
  t.deepEqual(await slipway([...call, '--no-wait']), done('a/b\n'));
  t.deepEqual(JSON.parse((await slipway([...call, '--no-wait', '--json'])).stdout).status, 'PENDING');
  t.is(asked.length, 5);
});

const IMAGE = '3a1d2e7c-0f8b-4a52-9d1e-6f2f4f3b8c11';

const ends: [status: string, code: number, result: unknown, message: string][] = [
  ['FAILURE', 400, { detail: 'no space left' }, 'slipway: task 7 failed: no space left\n'],
  ['FAILURE', 400, 'no space left', 'slipway: task 7 failed: no space left\n'],
  ['FAILURE', 400, { name: ['is taken'] }, 'slipway: task 7 failed\n  is taken\n'],
  ['REVOKED', 410, null, 'slipway: task 7 was cancelled\n'],
  ['REVOKED', 410, [{ image: 'web', status: 'SUCCESS' }], 'slipway: task 7 was cancelled\n'],
];

for (const [status, code, result, message] of ends) {
  test(`a task that ends with ${status} and ${JSON.stringify(result)} is an error`, async (t) => {
    const { url } = await remote(t, {
      [`DELETE /api/image/${IMAGE}`]: { task_id: '7', status: 'PENDING', result: null },
      'GET /api/task/7/status': (_request, response) =>
        response.writeHead(code).end(JSON.stringify({ task_id: '7', status, result })),
    });
    const { slipway } = commandLine({ SLIPWAY_URL: url });
    for (const call of [
      ['delete', `/image/${IMAGE}`],
      ['image', 'delete', IMAGE, '--yes'],
      ['task', 'wait', '7'],
    ]) {
      const said = await slipway(call);
      t.deepEqual({ code: said.code, stdout: said.stdout }, { code: 1, stdout: '' });
      t.is(said.stderr, `${message}hint: "slipway task show 7" tells all that is known of it\n`);
    }
  });
}
