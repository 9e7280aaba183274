import test, { type ExecutionContext } from 'ava';
import { type FollowedImage, followedId, followedImages } from '../../server/model/follow.js';
import { tasks } from '../../server/model/task.js';
import { refreshDue } from '../../server/operations/refresh-due.js';
import { followDue } from '../../server/operations/run-follow.js';
import { addDatacenter } from '../support/datacenters.js';
import { addUser, importImage, numbered } from '../support/fixtures.js';
import { type ServerOptions, startServer, type TestServer } from '../support/server.js';

const manifest = (number: number, more: object = {}) => ({
  uuid: numbered(number),
  name: `image-${number}`,
  os: 'linux',
  type: 'lx-dataset',
  owner: numbered(0),
  public: true,
  published_at: new Date(Date.UTC(2026, 0, number)).toISOString(),
  requirements: { min_platform: { '7.0': '20260101T000000Z' } },
  ...more,
});

interface World {
  /** Whose images are followed. */
  other: TestServer;
  server: TestServer;
  /** One run, until its task and its imports have ended. */
  run(name?: string): Promise<Result>;
  plan(name?: string): Promise<Plan>;
  told(path: string): Promise<unknown>;
}

interface Result {
  matched: number;
  stopped: string | null;
  images: { uuid: string; action: string; status: string; task?: string; detail?: string }[];
}

type Plan = Record<'import' | 'retire' | 'spared', { uuid: string; why: string }[]> & { stopped: string | null };

async function world(t: ExecutionContext, follow: object, options: ServerOptions = {}): Promise<World> {
  const other = await startServer(t, { mode: 'public', authType: 'none' });
  const server = await startServer(t, options);
  const { ask, deps } = server;
  t.is((await ask('POST', '/api/repository/rep', { body: { url: other.url } })).status, 201);
  const { status, bytes } = await ask('POST', '/api/follow/all', { body: { repository: 'rep', ...follow } });
  t.is(status, 201, bytes.toString());
  const ended = async (id: string) => {
    await deps.tasks.settled(id, new AbortController().signal);
    return deps.catalog.get(tasks, id);
  };
  return {
    other,
    server,
    run: async (name = 'all') => {
      const started = await ask('POST', `/api/follow/${name}/run`, { body: {} });
      t.is(started.status, 201, started.bytes.toString());
      const task = await ended(String(started.json.task_id));
      t.is(task?.status, 'SUCCESS', JSON.stringify(task?.result));
      const result = task?.result as Result;
      for (const { task: id } of result.images) if (id !== undefined) await ended(id);
      return result;
    },
    plan: async (name = 'all') =>
      (await ask('POST', `/api/follow/${name}/run`, { body: { dry_run: true } })).json.result as Plan,
    told: async (path) => (await ask('GET', path, { as: 'admin' })).json.result,
  };
}

const numbers = (rows: readonly { uuid: string }[]) => rows.map(({ uuid }) => Number(uuid.slice(-3)));

const publish = async (other: TestServer, ...all: Parameters<typeof manifest>[]) => {
  for (const [number, more] of all) await importImage(other, manifest(number, more), { file: `bytes of ${number}` });
};

const accessOf = async ({ server }: World, number: number) =>
  Object((await server.ask('GET', `/api/image/${numbered(number)}`, { as: 'admin' })).json.result).access;

test('what appears is imported, with what it builds on, and every second run finds nothing to do', async (t) => {
  const all = await world(t, {});
  const { other, server, run } = all;
  await publish(other, [1], [2, { origin: numbered(1) }], [3, { name: 'image-2', version: '2.0.0' }]);
  const first = await run();
  t.is(first.matched, 3);
  t.deepEqual(
    first.images.map(({ uuid, action, status }) => [Number(uuid.slice(-3)), action, status]),
    [
      [3, 'import', 'SUCCESS'],
      [2, 'import', 'SUCCESS'],
      [1, 'import', 'SUCCESS'],
    ],
    JSON.stringify(first),
  );
  for (const number of [1, 2, 3]) {
    const image = await server.stored(numbered(number));
    t.like(image, {
      state: 'active',
      registration: { access: 'private', datacenters: ['main'], provenance: { repository: 'rep' } },
    });
    t.is(
      (await server.ask('GET', `/images/${numbered(number)}/file`, { as: 'admin' })).bytes.toString(),
      `bytes of ${number}`,
    );
  }
  t.deepEqual((await run()).images, []);
  await publish(other, [4]);
  t.deepEqual(numbers((await run()).images), [4]);
  t.like(await all.told('/api/follow/all'), { imported: 1, retired: 0, error: null });
});

test('of several that build on one image, one brings it along, and the others come with the next run', async (t) => {
  const { other, server, run } = await world(t, {});
  await publish(other, [1], [2, { origin: numbered(1) }], [3, { origin: numbered(2) }], [4, { origin: numbered(1) }]);
  const first = await run();
  const { action, status } = first.images[0]!;
  t.deepEqual([numbers(first.images), action, status], [[4, 3, 2, 1], 'import', 'SUCCESS'], JSON.stringify(first));
  t.true(
    first.images.every(({ status }) => status === 'SUCCESS'),
    JSON.stringify(first),
  );
  await run();
  t.deepEqual(numbers((await run()).images), []);
  for (const number of [1, 2, 3, 4]) t.like(await server.stored(numbered(number)), { state: 'active' });
});

test('what is meant: by name, system, type, newest of each name; where it goes, and for whom', async (t) => {
  const { other, server, plan, run, told } = await world(t, {});
  await addDatacenter(server, 'north');
  await publish(
    other,
    [1, { name: 'debian-11', version: '1' }],
    [2, { name: 'debian-11', version: '2' }],
    [3, { name: 'debian-11', version: '3' }],
    [4, { name: 'debian-12', version: '1' }],
    [5, { name: 'debian-9', version: '1' }],
    [6, { name: 'ubuntu', version: '1', os: 'smartos', type: 'zone-dataset' }],
    [7, { name: 'disabled', disabled: true }],
  );
  const asked: [body: object, found: number[]][] = [
    [{}, [6, 5, 4, 3, 2, 1]],
    [{ match: 'debian-1?' }, [4, 3, 2, 1]],
    [{ newest: 2 }, [4, 3, 2]],
    [{ match: '*-*' }, [5, 4, 3, 2]],
    [{ match: null, os: 'smartos' }, [6]],
    [{ os: null, type: 'lx-dataset', newest: 1 }, [5, 4, 3]],
    [{ channel: 'dev' }, []],
    [{ channel: null, type: null, newest: null, match: 'debian-12', dc: 'north', shared: false, access: 1 }, [4]],
  ];
  await server.ask('PUT', '/api/imagestore/rep', { body: {} });
  for (const [body, found] of asked) {
    t.is((await server.ask('PUT', '/api/follow/all', { body })).status, 200);
    t.deepEqual(numbers((await plan()).import), found, JSON.stringify(body));
  }
  t.like(await told('/api/follow/all'), { match: 'debian-12', dc: 'north', shared: false, access: 1, newest: null });
  t.is(await server.stored(numbered(4)), undefined, 'a plan does nothing');
  await run();
  t.like(await server.stored(numbered(4)), {
    public: true,
    registration: { access: 'public', boundTo: 'north', datacenters: ['north'], name: 'debian-12' },
  });
});

test('what vanishes is retired after three complete lists, unless it is used, changed or not ours', async (t) => {
  const all = await world(t, { retire: true });
  const { other, server, run } = all;
  await publish(other, ...Array.from({ length: 25 }, (_, at): [number] => [at + 1]));
  t.is((await run()).images.length, 25);
  await importImage(server, manifest(90), { file: 'by hand' });
  await publish(other, [90]);
  const vm = numbered(99);
  const body = { hostname: 'web.example', dc: 'main', images: [{ disk: 1, image: numbered(1) }] };
  t.is((await server.ask('PUT', `/api/vm/${vm}`, { body })).status, 200);
  t.is((await server.ask('PUT', `/api/image/${numbered(2)}`, { body: { desc: 'ours' } })).status, 200);
  t.is((await server.ask('POST', `/images/${numbered(3)}?action=update`, { body: { description: 'x' } })).status, 200);
  for (const number of [1, 2, 3, 4, 5, 90]) await other.ask('DELETE', `/images/${numbered(number)}`);
  for (const _ of [1, 2]) t.deepEqual((await run()).images, []);
  const third = await run();
  const done = (action: string) => numbers(third.images.filter((row) => row.action === action));
  t.deepEqual([done('retire'), done('spare'), third.stopped], [[4, 5], [1, 2, 3], null], JSON.stringify(third));
  for (const number of [1, 2, 3, 6]) t.is(await accessOf(all, number), 3, `${number}`);
  t.is(await accessOf(all, 90), 1);
  for (const number of [4, 5]) t.is(await accessOf(all, number), 4, `${number}`);
  t.deepEqual(numbers((await run()).images), [1, 2, 3], 'they are done with');
});

test('an image that comes back in between is not retired, nor is anything by lists that failed', async (t) => {
  const all = await world(t, { retire: true });
  const { other, server, run, plan } = all;
  await publish(other, ...Array.from({ length: 12 }, (_, at): [number] => [at + 1]));
  await run();
  const refresh = async () => (await server.ask('PUT', '/api/imagestore/rep', { body: {} })).status;
  await other.ask('DELETE', `/images/${numbered(1)}`);
  t.deepEqual([await refresh(), await refresh()], [200, 200]);
  await publish(other, [1]);
  await refresh();
  await other.ask('DELETE', `/images/${numbered(1)}`);
  t.deepEqual([await refresh(), await refresh()], [200, 200]);
  t.deepEqual((await plan()).retire, []);
  const held = (await server.deps.catalog.get(followedImages, followedId('all', numbered(1)))) as FollowedImage;
  t.is(held.misses, 2);
  await other.close();
  t.is(await refresh(), 400);
  const started = await server.ask('POST', '/api/follow/all/run', { body: {} });
  const id = String(started.json.task_id);
  await server.deps.tasks.settled(id, new AbortController().signal);
  t.like(await server.deps.catalog.get(tasks, id), { status: 'FAILURE' });
  t.regex(String(Object(await all.told('/api/follow/all')).error), /failed/);
  t.deepEqual((await plan()).retire, []);
});

test('above a tenth nothing is retired', async (t) => {
  const all = await world(t, { retire: true });
  const { other, run, plan } = all;
  await publish(other, ...Array.from({ length: 12 }, (_, at): [number] => [at + 1]));
  await run();
  for (const number of [1, 2]) await other.ask('DELETE', `/images/${numbered(number)}`);
  await run();
  await run();
  const third = await run();
  t.regex(third.stopped ?? '', /2 of the 12 .* above a tenth/);
  t.deepEqual(
    third.images.map(({ action }) => action),
    ['spare', 'spare'],
  );
  t.is(await accessOf(all, 1), 3);
  t.regex(String(Object(await all.told('/api/follow/all')).error), /above a tenth/);
  t.truthy((await plan()).stopped);
});

test('retiring is off unless it is asked for', async (t) => {
  const all = await world(t, {});
  await publish(all.other, ...Array.from({ length: 10 }, (_, at): [number] => [at + 1]));
  await all.run();
  await all.other.ask('DELETE', `/images/${numbered(1)}`);
  for (const _ of [1, 2, 3, 4]) t.deepEqual((await all.run()).images, []);
  t.is(await accessOf(all, 1), 3);
});

test('one image that is refused harms no other', async (t) => {
  const { other, server, run, told } = await world(t, {});
  await publish(other, [1], [2], [3]);
  await server.ask('PUT', '/api/imagestore/rep', { body: {} });
  await other.ask('POST', `/images/${numbered(2)}?action=disable`);
  await server.ask('PUT', '/api/dc/main/settings', { body: { VMS_IMAGE_VM: '' } });
  const refused = await run();
  t.deepEqual(
    refused.images.map(({ status }) => status),
    ['FAILURE', 'FAILURE'],
    'this server takes no files',
  );
  t.regex(refused.images[0]?.detail ?? '', /records only/);
  t.regex(String(Object(await told('/api/follow/all')).error), /^2 images were refused/);
  for (const number of [1, 2, 3]) t.is(await server.stored(numbered(number)), undefined);
  await server.ask('PUT', '/api/dc/main/settings', { body: { VMS_IMAGE_VM: null } });
  t.deepEqual(numbers((await run()).images), [3, 1]);
});

test('by schedule: repositories and follows in their time, once, and failures are kept', async (t) => {
  let clock = Date.parse('2026-03-01T00:00:00Z');
  const all = await world(t, { every: 60 }, { now: () => new Date(clock) });
  const { other, server, told } = all;
  const { deps } = server;
  await server.ask('PUT', '/api/repository/rep', { body: { every: 30 } });
  await publish(other, [1]);
  const settled = async () => {
    const { task } = Object(await told('/api/follow/all'));
    await deps.tasks.settled(task, new AbortController().signal);
    const { result } = (await deps.catalog.get(tasks, task)) ?? {};
    for (const { task: id } of (result as Result).images)
      await deps.tasks.settled(id ?? '', new AbortController().signal);
    return task;
  };
  await refreshDue(deps);
  t.like(await told('/api/imagestore/rep'), { image_count: 1, last_update: new Date(clock).toISOString() });
  await followDue(deps);
  const first = await settled();
  t.like(await server.stored(numbered(1)), { state: 'active' });
  t.deepEqual((await deps.catalog.get(tasks, first))?.who, { name: 'slipway' });
  t.like(await server.stored(numbered(1)), { registration: { provenance: { by: 'slipway' } } });
  await followDue(deps);
  t.is(await settled(), first, 'it is not due');
  clock += 34 * 60_000;
  await refreshDue(deps);
  t.like(await told('/api/imagestore/rep'), { last_update: new Date(clock).toISOString() });
  await publish(other, [2]);
  clock += 27 * 60_000;
  await server.ask('PUT', '/api/follow/all', { body: { enabled: false } });
  await followDue(deps);
  t.is(await server.stored(numbered(2)), undefined);
  await server.ask('PUT', '/api/follow/all', { body: { enabled: true } });
  await followDue(deps);
  t.not(await settled(), first);
  t.like(await server.stored(numbered(2)), { state: 'active' });
  await other.close();
  clock += 200 * 60_000;
  await refreshDue(deps);
  t.regex(String(Object(await told('/api/imagestore/rep')).error), /failed/);
});

test('follows are the business of SuperAdmins, and say what is wrong with them', async (t) => {
  const { server, told } = await world(t, {});
  const { ask } = server;
  const { headers } = await addUser(server, 'bob');
  for (const [method, path] of [
    ['GET', '/api/follow'],
    ['GET', '/api/follow/all'],
    ['POST', '/api/follow/new'],
    ['PUT', '/api/follow/all'],
    ['DELETE', '/api/follow/all'],
    ['POST', '/api/follow/all/run'],
  ] as const) {
    const { status } = await ask(method, path, { as: 'anonymous', headers, ...(method !== 'GET' && { body: {} }) });
    t.is(status, 403, `${method} ${path}`);
  }
  for (const body of [
    {},
    { repository: 'none' },
    { repository: 'rep', dc: 'none' },
    { repository: 'rep', dc: 'main' },
    { repository: 'rep', newest: 0 },
    { repository: 'rep', access: 4 },
    { repository: 'rep', every: -1 },
    { repository: 'rep', colour: 'red' },
  ]) {
    t.is((await ask('POST', '/api/follow/new', { body })).status, 400, JSON.stringify(body));
  }
  t.is((await ask('POST', '/api/follow/all', { body: { repository: 'rep' } })).status, 406);
  for (const method of ['PUT', 'DELETE']) t.is((await ask(method, '/api/follow/none', { body: {} })).status, 404);
  t.is((await ask('POST', '/api/follow/none/run', { body: {} })).status, 404);
  t.deepEqual(await told('/api/follow'), ['all']);
  await ask('PUT', '/api/repository/rep', { body: { enabled: false } });
  t.is((await ask('POST', '/api/follow/all/run', { body: {} })).status, 404);
  t.is((await ask('DELETE', '/api/follow/all', { body: {} })).status, 200);
  t.deepEqual(await told('/api/follow'), []);
});

test('a repository that is followed stays until it is followed no more', async (t) => {
  const { server } = await world(t, {});
  const refused = await server.ask('DELETE', '/api/repository/rep');
  t.deepEqual([refused.status, refused.json.code], [428, 'RepositoryInUse']);
  t.regex(String(refused.json.detail), /followed by all: delete that first/);
  t.is((await server.ask('GET', '/api/repository/rep', { as: 'admin' })).status, 200);
  t.is((await server.ask('DELETE', '/api/follow/all')).status, 200);
  t.is((await server.ask('DELETE', '/api/repository/rep')).status, 200);
});
