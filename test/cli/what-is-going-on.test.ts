import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { commandLine, commandLineOf } from '../support/command-line.js';
import { addUser } from '../support/fixtures.js';
import { remote } from '../support/remote.js';
import { scratch } from '../support/scratch.js';
import { startServer } from '../support/server.js';

async function server(t: ExecutionContext) {
  const running = await startServer(t);
  return { server: running, ...commandLineOf(running, running.token) };
}

test('what was done is searched, and exported as it is', async (t) => {
  const { slipway } = await server(t);
  for (const name of ['north', 'south']) await slipway(['dc', 'create', name]);
  const { stdout } = await slipway(['audit', 'search', '--object', 'north']);
  t.regex(stdout, /^AT +WHO +FROM +WHAT +OBJECT +RESULT\n\S+Z +admin +127.0.0.1 +CreateDatacenter +north +done\n$/);
  t.regex((await slipway(['audit', 'search', '--dc', 'south', '--csv', '-H'])).stdout, /^\S+Z,admin,.*,south,done\n$/);
  t.is((await slipway(['audit', 'search', '--by', 'nobody', '-H'])).stdout, '');
  t.is((await slipway(['audit', 'list', '--object', 'north'])).stdout, stdout);
  t.is((await slipway(['audit', 'search', '--until', '2000-01-01', '-H'])).stdout, '');
  t.like(await slipway(['audit', 'search', '--since', 'soon']), { code: 1, stdout: '' });

  const exported = await slipway(['audit', 'export', '--object', 'north']);
  t.is(JSON.parse(exported.stdout).what, 'CreateDatacenter');
  const path = join(await scratch(t), 'audit.jsonl');
  t.deepEqual(await slipway(['audit', 'export', '-O', path]), { code: 0, stdout: '', stderr: '' });
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  t.is(lines.filter((line) => JSON.parse(line).what === 'CreateDatacenter').length, 2);
  const again = await slipway(['audit', 'export', '-O', path]);
  t.deepEqual(again, { code: 1, stdout: '', stderr: `slipway: ${path}: exists already\n` });
  t.is((await readFile(path, 'utf8')).trimEnd().split('\n').length, lines.length);
});

test('what is not there says where to look: the task of half an id, a server without data centers', async (t) => {
  const { slipway } = await server(t);
  t.regex((await slipway(['task', 'show', '7d0f'])).stderr, /no task "7d0f"\nhint: "slipway task list"/);
  const repository = await startServer(t, { mode: 'public' });
  const { stderr } = await commandLineOf(repository, repository.token).slipway(['repo', 'list']);
  t.regex(stderr, /does not exist\nhint: is this the server that you mean\?/);
});

test('verify finds what was changed, left out and cut off', async (t) => {
  const { slipway } = await server(t);
  for (const name of ['north', 'south', 'east']) await slipway(['dc', 'create', name]);
  const folder = await scratch(t);
  const [export_, heads, key] = ['audit.jsonl', 'heads.json', 'key.pem'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const told = (await slipway(['audit', 'heads', '--json'])).stdout;
  await writeFile(heads, told);
  await writeFile(key, JSON.parse(told).key);
  await slipway(['dc', 'create', 'west']);
  t.regex((await slipway(['audit', 'verify'])).stdout, /^all is whole: \d+ entries in (one chain|\d+ chains)\n$/);
  t.is(
    (await slipway(['audit', 'verify', '--heads', heads, '--signed-by', key])).code,
    0,
    'later entries are no fault',
  );

  await slipway(['audit', 'export', '-O', export_]);
  const lines = (await readFile(export_, 'utf8')).trimEnd().split('\n');
  const at = lines.findIndex((line) => line.includes('"south"'));
  const others = lines.filter((_, n) => n !== at);
  const cases: [what: string, lines: string[], fault: RegExp][] = [
    ['changed', lines.with(at, lines[at]!.replaceAll('south', 'North')), /^tampered: /],
    ['left out', others, /^missing: /],
    ['cut off', lines.slice(0, at), /cut off: /],
    ['turned round', [...others, lines[at]!], /reordered: /],
  ];
  const verify = (text: string, ...more: string[]) =>
    slipway(['audit', 'verify', '-', '--heads', heads, '--signed-by', key, ...more], { input: text });
  t.is((await verify(`${lines.join('\n')}\n`)).code, 0);
  for (const [what, left, fault] of cases) {
    const { code, stdout, stderr } = await verify(`${left.join('\n')}\n`);
    t.is(code, 1, what);
    t.regex(stdout, fault, what);
    t.regex(stderr, /^slipway: the record is not whole: \d+ faults in \d+ entries\nhint: /, what);
    t.true(JSON.parse((await verify(left.join('\n'), '--json')).stdout).faults.length > 0, what);
  }
  t.like(await verify(lines.join('\n').slice(0, -10)), { code: 1, stdout: '' }, 'half a line');
  t.like(await slipway(['audit', 'verify', '-', '--heads', export_], { input: lines.join('\n') }), {
    code: 1,
    stdout: '',
  });
});

test('events are followed, and gone on with from one that is known', async (t) => {
  const { slipway, start } = await server(t);
  const following = start(['events', '--json']);
  await following.written('"ready"');
  await slipway(['dc', 'create', 'north']);
  await slipway(['dc', 'create', 'south']);
  const lines = (await following.written('"south"'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  following.interrupt();
  t.is((await following.exited).code, 5);
  const first = lines.find(({ event, name }) => event === 'change' && name === 'north');
  t.like(first, { kind: 'datacenters', action: 'created' });

  const later = start(['events', '--after', first.id]);
  const text = await later.written('south');
  t.false(text.includes('north'), 'what is known does not come again');
  later.interrupt();
  t.is((await later.exited).code, 5);
});

test('a stream that ends is asked for again behind the last event, until the server lets nobody in', async (t) => {
  const heard: unknown[] = [];
  const stream = 'id: 1\nevent: change\ndata: {"name":"north"}\n\n: sign of life\n\nid: 2\nevent: change\ndata: {"na';
  const { url } = await remote(t, {
    'GET /api/events': (request, response) => {
      heard.push(request.headers['last-event-id']);
      if (heard.length === 1) return response.writeHead(200, { 'content-type': 'text/event-stream' }).end(stream);
      return response.writeHead(401).end('{"code":"UnauthorizedError","message":"the token is revoked"}');
    },
  });
  const { slipway } = commandLine({ SLIPWAY_URL: url });
  const { code, stdout, stderr } = await slipway(['events']);
  t.deepEqual({ code, stdout }, { code: 4, stdout: '1  change  name=north\n' }, 'half an event is none');
  t.regex(stderr, /^slipway: the stream has ended: asking again\nslipway: the token is revoked\n/);
  t.deepEqual(heard, [undefined, '1']);
});

test('tasks that there are not are told so, and the log of what was done is there for all', async (t) => {
  const { slipway, server: running } = await server(t);
  t.is((await slipway(['task', 'list', '-H'])).stdout, '');
  for (const command of ['show', 'wait', 'cancel']) {
    t.like(await slipway(['task', command, '00000000-0000-4000-8000-000000000001']), { code: 1, stdout: '' });
  }
  await slipway(['dc', 'create', 'north']);
  const log = await slipway(['task', 'log', '--type', 'dc']);
  t.regex(
    log.stdout,
    /^TIME +USERNAME +MSG +OBJECT_NAME +STATUS +DETAIL\n\S+Z +admin +CreateDatacenter +north +SUCCESS /,
  );
  const { headers } = await addUser(running, 'bob');
  const bob = commandLineOf(running, headers.authorization.slice('Bearer '.length));
  t.like(await bob.slipway(['task', 'log']), { code: 1, stdout: '' });
});
