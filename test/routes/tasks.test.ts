import test, { type ExecutionContext } from 'ava';
import { startTask } from '../../server/operations/start-task.js';
import type { Work } from '../../server/operations/work.js';
import { addDatacenter, grant } from '../support/datacenters.js';
import { addUser, numbered } from '../support/fixtures.js';
import { gate } from '../support/gate.js';
import { startServer, type TestServer } from '../support/server.js';
import { told } from '../support/told.js';

type Person = Awaited<ReturnType<typeof addUser>>;

interface Office extends TestServer {
  /** Administers north, and may have tasks there. */
  anna: Person;
  /** Administers north too. */
  ben: Person;
  /** Administers south. */
  carl: Person;
  /** Starts a task of anna's in north. */
  start(what?: string): Promise<string>;
  go: ReturnType<typeof gate>;
}

/** A task reports, waits until it may go on, and ends as it is called. */
async function office(t: ExecutionContext): Promise<Office> {
  const go = gate();
  const perform = async (work: Work) => {
    work.report({ done: 1, total: 3 });
    await Promise.race([go.opened, new Promise((_, reject) => work.signal.addEventListener('abort', reject))]);
  };
  const server = await startServer(t, {
    kinds: {
      good: {
        resumes: false,
        perform: async (_, __, work) => {
          await perform(work);
          return { all: 'done' };
        },
      },
      bad: {
        resumes: false,
        perform: async (deps, _, work) => {
          await perform(work);
          await deps.catalog.write(async () => {
            throw new Error('broken');
          });
        },
      },
    },
  });
  t.teardown(go.open);
  for (const name of ['north', 'south']) await addDatacenter(server, name);
  const [anna, ben, carl] = await Promise.all(['anna', 'ben', 'carl'].map((name) => addUser(server, name)));
  await grant(server, anna!, 'north', 'admin');
  await grant(server, ben!, 'north', 'admin');
  await grant(server, carl!, 'south', 'admin');
  const start = async (what = 'good') => {
    const user = server.deps.directory.users.get(anna!.uuid)!;
    const caller = { kind: 'user', user, rights: server.deps.directory.rightsOf(user) } as const;
    const wish = {
      what,
      datacenter: 'north',
      objects: [{ kind: 'images', id: numbered(1), name: 'base' }],
      params: {},
    };
    return (await startTask(server.deps, caller, wish)).task.id;
  };
  return { ...server, anna: anna!, ben: ben!, carl: carl!, start, go };
}

const ends = async ({ ask, anna }: Office, id: string) => {
  const { status, json } = await ask('GET', `/api/task/${id}/status/`, { headers: anna.headers });
  return `${status} ${json.status}`;
};

test('a task is looked at while it runs, and when it has ended', async (t) => {
  const server = await office(t);
  const { ask, anna, start, go, deps } = server;
  const id = await start();
  t.regex(await ends(server, id), /^201 (PENDING|STARTED)$/);
  go.open();
  await deps.tasks.settled(id, new AbortController().signal);
  const { status, json } = await ask('GET', `/api/task/${id}/status`, { headers: anna.headers });
  t.deepEqual([status, json], [200, { task_id: id, status: 'SUCCESS', result: { all: 'done' } } as never]);
  const { result } = (await ask('GET', `/api/task/${id}`, { headers: anna.headers })).json;
  t.like(result, { id, name: 'good', object: 'base', status: 'SUCCESS', user: 'anna', dc: 'north' });
});

test('one that fails says 400, one that is cancelled 410, and neither is cancelled again', async (t) => {
  const server = await office(t);
  const { ask, anna, start, go, deps } = server;
  const [failed, cancelled] = [await start('bad'), await start()];
  const cancel = (id: string) => ask('PUT', `/api/task/${id}/cancel/`, { headers: anna.headers, body: {} });
  const answer = await cancel(cancelled);
  t.is(`${answer.status} ${answer.json.status}`, '410 REVOKED');
  go.open();
  await deps.tasks.settled(failed, new AbortController().signal);
  t.is(await ends(server, failed), '400 FAILURE');
  t.is(await ends(server, cancelled), '410 REVOKED');
  for (const id of [failed, cancelled]) {
    t.is(told(await cancel(id)), '409 AlreadyDone');
    const { result } = (await ask('GET', `/api/task/${id}`, { headers: anna.headers })).json;
    t.like(result, { may: [], steps: [] });
  }
});

test('a task is known to its user, to the administrators of its data center and to SuperAdmins; a stranger is told what is told of none', async (t) => {
  const server = await office(t);
  const { ask, anna, ben, carl, start } = server;
  const id = await start();
  const lists = async (headers: Record<string, string>) =>
    (await ask('GET', '/api/task', { headers })).json.result as string[];
  t.deepEqual(await lists(anna.headers), [id]);
  t.deepEqual(await lists(ben.headers), [id]);
  t.deepEqual(await lists(carl.headers), []);
  t.deepEqual((await ask('GET', '/api/task', { as: 'admin' })).json.result, [id]);
  const may = async (headers: Record<string, string>) =>
    ((await ask('GET', `/api/task/${id}`, { headers })).json.result as { may: string[] }).may;
  t.deepEqual([await may(anna.headers), await may(ben.headers)], [['cancel'], []]);

  for (const [method, path] of [
    ['GET', ''],
    ['GET', '/status'],
    ['PUT', '/cancel'],
  ] as const) {
    const hidden = await ask(method, `/api/task/${id}${path}`, { headers: carl.headers });
    const absent = await ask(method, `/api/task/${numbered(9)}${path}`, { headers: carl.headers });
    t.is(told(hidden), '404 ResourceNotFound');
    t.is(String(hidden.bytes).replaceAll(id, '-'), String(absent.bytes).replaceAll(numbered(9), '-'));
  }
  t.is(told(await ask('PUT', `/api/task/${id}/cancel`, { headers: ben.headers })), '403 NotPermitted');
  t.is((await ask('PUT', `/api/task/${id}/cancel`)).status, 410);
});

test('lists are filtered, and refuse what they do not know', async (t) => {
  const { ask, anna, start, go, deps } = await office(t);
  const first = await start();
  const second = await start('bad');
  go.open();
  for (const id of [first, second]) await deps.tasks.settled(id, new AbortController().signal);
  const found = async (query: string) => (await ask('GET', `/api/task?${query}`, { headers: anna.headers })).json;
  t.deepEqual((await found('status=FAILURE')).result, [second]);
  t.deepEqual((await found('search=GOOD')).result, [first]);
  t.like(await found('full=True&order_by=name&limit=1'), { total: 2, result: [{ id: second }] as never });
  t.deepEqual((await found('order_by=ended&status=SUCCESS')).result, [first]);
  t.is((await found('order_by=colour')).code, 'InvalidInput');
  t.is((await found('status=DONE')).code, 'InvalidInput');
  t.is((await found('dc=south')).code, 'ResourceNotFound');
  t.is((await found('dc=nowhere')).code, 'ResourceNotFound');
});

test('who asks to wait is told the end in the answer itself', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({ name: 'base' });
  const body = { action: 'label', images: [uuid, numbered(9)], label: 'red' };
  const asked = await server.ask('POST', '/api/bulk/image/', { body, headers: { 'es-stream': 'es' } });
  t.is(asked.status, 201);
  t.is(asked.headers.es_stream, 'True');
  const id = String(asked.headers.es_task_id);
  const [, spaces, status, json = ''] = /^( *)(\d{3})\n(.*)$/s.exec(String(asked.bytes)) ?? [];
  t.true(spaces!.length > 0);
  t.is(status, '200');
  const { result, ...rest } = JSON.parse(json);
  t.deepEqual(rest, { task_id: id, status: 'SUCCESS' });
  t.deepEqual(
    result.map(({ image, status }: Record<string, string>) => [image, status]),
    [
      [uuid, 'SUCCESS'],
      [numbered(9), 'FAILURE'],
    ],
  );

  const plain = await server.ask('POST', '/api/bulk/image', { body });
  t.is(plain.status, 201);
  t.is(plain.headers.es_stream, undefined);
  t.like(plain.json, { task_id: String(plain.headers.es_task_id), result: null as never });
});

test('what is done at once is known by its entry in the audit', async (t) => {
  const { ask } = await startServer(t);
  const made = await ask('POST', '/api/token', { body: { name: 'ci' } });
  const id = String(made.json.task_id);
  t.is(made.headers.es_task_id, id);
  t.like((await ask('GET', `/api/task/${id}/status`, { as: 'admin' })).json, { task_id: id, status: 'SUCCESS' });
  const { result } = (await ask('GET', '/api/task/log', { as: 'admin' })).json;
  t.like((result as object[])[0], {
    task: id,
    status: 'SUCCESS',
    username: 'admin',
    msg: 'CreateToken',
    object_name: 'ci',
  });
  t.is((await ask('GET', '/api/token', { as: 'admin' })).headers.es_task_id, '');
});
