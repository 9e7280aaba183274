import test from 'ava';
import { Interrupted, tell } from '../../cli/errors.js';
import { run } from '../../cli/run.js';
import { lineOfTask } from '../../cli/wait.js';
import { ImgapiError } from '../../imgapi/errors.js';
import { commandLineOf } from '../support/command-line.js';
import { numbered } from '../support/fixtures.js';
import { gate } from '../support/gate.js';
import { endOf } from '../support/imports.js';
import { BYTES, manifestOf } from '../support/lying-remote.js';
import { type Reply, remote } from '../support/remote.js';
import { rememberRepository } from '../support/repositories.js';
import { startServer } from '../support/server.js';
import { terminal } from '../support/terminal.js';

const UUID = numbered(1);

const sends: Reply = (_, response) => response.end(BYTES);

test('an image is imported by the URL of its manifest, and waited for', async (t) => {
  const server = await startServer(t);
  const from = await remote(t, { [`GET /images/${UUID}`]: manifestOf(BYTES), [`GET /images/${UUID}/file`]: sends });
  const { slipway } = commandLineOf(server, server.token);
  const url = `${from.url}/images/${UUID}`;
  const shown = await slipway(['import', url, '--show']);
  t.like(shown, { code: 0, stderr: '' });
  t.regex(shown.stdout, /name +remote\n/);
  t.regex((await slipway(['import', url, '--show', '--alias', 'x'])).stderr, /--show takes no "alias"/);
  t.regex((await slipway(['import', `rep/${UUID}`, '--show'])).stderr, /for the URL of a manifest/);
  t.is((await server.ask('GET', '/api/image/remote', { as: 'admin' })).status, 404);
  const unnamed = await slipway(['import', url]);
  t.is(unnamed.code, 1);
  t.regex(unnamed.stderr, /--name NAME/);
  t.deepEqual(await slipway(['import', url, '--name', 'ours', '--alias', 'our own', '--tags', 'a,b']), {
    code: 0,
    stdout: `${UUID}\n`,
    stderr: '',
  });
  const { json } = await server.ask('GET', '/api/image/ours', { as: 'admin' });
  t.like(json.result, { uuid: UUID, alias: 'our own', tags: ['a', 'b'], status: 1 });
  const again = await slipway(['import', url, '--name', 'again']);
  t.is(again.code, 1);
  t.regex(again.stderr, /manifest_url.*exists already/);
});

test('a bare file is imported by its URL and what is said of it', async (t) => {
  const server = await startServer(t);
  const disk = Buffer.alloc(4096);
  disk.write('\x55\xaa', 510, 'latin1');
  const from = await remote(t, { 'GET /disk.raw': (_, response) => response.end(disk) });
  const { slipway } = commandLineOf(server, server.token);
  const url = `${from.url}/disk.raw`;
  const said = ['--name', 'disk', '--os', 'bsd', '--type', 'zvol', '--size', String(disk.length), '--format', 'raw'];
  const refused = await slipway(['import', url, ...said, '--compression', 'xz']);
  t.is(refused.code, 1);
  t.regex(refused.stderr, /compression is xz/);
  const { code, stdout, stderr } = await slipway(['import', url, ...said]);
  t.is(code, 0, stderr);
  const { json } = await server.ask('GET', '/api/image/disk', { as: 'admin' });
  t.like(json.result, { uuid: stdout.trim(), os: 'bsd', type: 'zvol', status: 1 });
});

test('an image of a repository; who does not wait is told the task, and who stops waiting how to end it', async (t) => {
  const { opened, open } = gate();
  t.teardown(open);
  const server = await startServer(t);
  let asked = 0;
  const held: Reply = async (_, response) => {
    asked += 1;
    if (asked > 1) await opened;
    response.end(BYTES);
  };
  const other = numbered(2);
  const from = await remote(t, {
    [`GET /images/${UUID}`]: manifestOf(BYTES),
    [`GET /images/${UUID}/file`]: held,
    [`GET /images/${other}`]: manifestOf(BYTES, { uuid: other, name: 'other' }),
    [`GET /images/${other}/file`]: sends,
  });
  await rememberRepository(server, { name: 'rep', url: from.url }, []);
  const { slipway } = commandLineOf(server, server.token);
  const begun = await slipway(['import', `rep/${other}`, '--no-wait']);
  t.is(begun.code, 0, begun.stderr);
  t.like(await endOf(server, begun.stdout.trim()), { status: 'SUCCESS' });

  const screen = terminal();
  const interrupt = new AbortController();
  const env = { HOME: '/nonexistent', SLIPWAY_URL: server.url, SLIPWAY_TOKEN: server.token };
  const surroundings = { io: screen.io, env, signal: interrupt.signal, version: '0.0.0-test' };
  const waiting = run(['import', `rep/${UUID}`], surroundings);
  await screen.asked('task '); // by then it waits: the server knows of the task before that
  const running = async () => (await server.ask('GET', '/api/task?status=STARTED', { as: 'admin' })).json.result;
  let left: string[] = [];
  while (left.length === 0) left = (await running()) as string[];
  interrupt.abort(new Interrupted('SIGINT'));
  t.is(await waiting, 5);
  t.true(screen.err().includes(`slipway task cancel ${left[0]}`), screen.err());
  open();
  t.like(await endOf(server, left[0]), { status: 'SUCCESS' });
});

test('what is nothing that can be imported is refused before anybody is asked', async (t) => {
  const { slipway } = commandLineOf({ url: 'http://127.0.0.1:1' }, 'none');
  for (const what of ['ftp://x/y', 'rep/nonsense', 'nonsense']) {
    const { code, stderr } = await slipway(['import', what]);
    t.is(code, 1, what);
    t.regex(stderr, /can be imported|no such file/i, what);
  }
  t.regex((await slipway(['import', 'absent.tar'])).stderr, /there is no file absent\.tar/);
  const { code, stderr } = await slipway(['import', `rep/${UUID}`, '--file', 'http://x/']);
  t.is(code, 1);
  t.regex(stderr, /by a URL/);
});

test('a source that wants credentials: where they are kept is said', (t) => {
  const refused = new ImgapiError('InvalidInput', 'file_url: files.example.com answered 403');
  t.regex(String(tell(refused).hint), /slipway secret add/);
});

test('how far a task is', (t) => {
  const bytes = { done: 50 << 20, total: 100 << 20, unit: 'bytes', rate: 10 << 20, left: 5 };
  t.is(
    lineOfTask('1234567890', bytes, 3),
    'task 12345678  [########--------]  50% of 100.0 MiB  10.0 MiB/s  0:05 left',
  );
  t.is(lineOfTask('1', { done: 1, total: null, unit: 'bytes', rate: null }, 3), 'task 1  1 B  0 B/s');
  t.is(
    lineOfTask('1', { done: 1 << 20, total: 4 << 20, ceiling: true, unit: 'bytes', rate: 1 << 20 }, 3),
    'task 1  [####------------]  25% of at most 4.0 MiB  1.0 MiB/s  at most 0:03 left',
  );
  t.is(lineOfTask('1', { done: 1, total: 2, unit: 'things' }, 3), 'task 1, 1 of 2, 3 s');
  t.is(lineOfTask('1', null, 3), 'task 1, 3 s');
});
