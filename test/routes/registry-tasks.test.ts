import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { tasks } from '../../server/model/task.js';
import { forgetStreams } from '../../server/operations/forget-streams.js';
import { sweep } from '../../server/operations/sweep.js';
import { partials } from '../../storage/partials.js';
import { gate } from '../support/gate.js';
import { type Fleet, resultOf, said, startFleet } from '../support/managed.js';
import { digestOf, startRegistry, testImage } from '../support/registry.js';
import { remote } from '../support/remote.js';
import { kept } from '../support/told.js';

const registries = { insecure: [], lxd: {}, patience: 60_000, pauses: [1] };

const start = (t: ExecutionContext, lxd: Record<string, string> = {}) =>
  startFleet(t, { registries: { ...registries, lxd } });

/** The task when it has ended. */
async function ended({ deps, root }: Fleet, id: unknown) {
  await deps.tasks.settled(String(id), AbortSignal.timeout(60_000));
  return resultOf<{ status: string; result: Record<string, unknown> | null; progress: object | null }>(
    await root('GET', `/api/task/${id}`),
  );
}

async function left(server: Fleet) {
  let begun = 0;
  for await (const _ of server.deps.catalog.list(partials)) begun += 1;
  const { images, whole, staged } = await kept(server);
  return { images: images.length, whole, staged, begun };
}

const nothing = { images: 0, whole: 0, staged: 0, begun: 0 };

test('an image of a container is imported as a task, into a data center', async (t) => {
  const registry = await startRegistry(t);
  registry.put('app', '1', testImage([randomBytes(100_000), 'top']));
  const fleet = await start(t);
  const begun = await fleet.eve('POST', '/api/registry/docker', { image: `${registry.host}/app:1` });
  t.is(begun.status, 201);
  const task = await ended(fleet, begun.json.task_id);
  t.is(task.status, 'SUCCESS', JSON.stringify(task));
  t.like(task.progress ?? {}, { unit: 'bytes' });
  const { uuid, images } = task.result as { uuid: string; images: string[] };
  t.is(images.length, 2);
  t.like((await fleet.stored(uuid)) ?? {}, {
    state: 'active',
    public: false,
    origin: images[0],
    tags: { 'docker:tag:1': true },
    registration: { boundTo: 'east', access: 'private', provenance: { by: 'eve' } },
  });
  t.deepEqual(await left(fleet), { images: 2, whole: 2, staged: 0, begun: 0 });
  t.is(said(await fleet.will('GET', `/api/image/${uuid}`)), '404 ResourceNotFound');
});

test('what can be refused is refused at once', async (t) => {
  const registry = await startRegistry(t);
  registry.put('app', '1', testImage(['base']));
  const fleet = await start(t);
  const image = `${registry.host}/app:1`;
  const ask = (who: keyof Pick<Fleet, 'eve' | 'will' | 'mia'>, kind: string, body: object) =>
    fleet[who]('POST', `/api/registry/${kind}`, body).then(said);
  t.is(await ask('mia', 'docker', { image }), '403 NotPermitted');
  t.is(await ask('will', 'docker', { image }), '403 NotPermitted');
  t.is(await ask('eve', 'docker', { image, dc: 'west' }), '400 InvalidInput dc');
  t.is(await ask('eve', 'docker', {}), '400 InvalidInput image');
  t.is(await ask('eve', 'docker', { image: 'A:B' }), '400 InvalidInput image');
  t.is(await ask('eve', 'docker', { image, secret: 'none' }), '400 InvalidInput secret');
  t.is(await ask('eve', 'docker', { image: `${registry.host}/app:2` }), '503 RemoteSourceError');
  t.is(await ask('eve', 'lxd', { image: 'none' }), '400 InvalidInput image');
  t.is(await ask('eve', 'lxd', { image: 'none:a' }), '503 RemoteSourceError');
  t.deepEqual(await left(fleet), nothing);
  t.deepEqual(resultOf(await fleet.root('GET', '/api/task')), []);
});

test('who cancels it keeps what is active, and nothing else', async (t) => {
  const image = testImage(['base', 'top']);
  const reached = gate();
  const registry = await startRegistry(t, {
    meddle: ({ url = '' }, response) => {
      if (!url.endsWith(digestOf(image.layers[1] ?? ''))) return false;
      response.writeHead(200, { 'content-length': image.layers[1]?.length }).write('x');
      reached.open();
      return true;
    },
  });
  registry.put('app', '1', image);
  const fleet = await start(t);
  const { json } = await fleet.eve('POST', '/api/registry/docker', { image: `${registry.host}/app:1` });
  await reached.opened;
  await fleet.eve('PUT', `/api/task/${json.task_id}/cancel`);
  t.is((await ended(fleet, json.task_id)).status, 'REVOKED');
  await fleet.deps.tasks.close();
  const { images, ...bytes } = await left(fleet);
  t.true(images <= 1);
  t.deepEqual(bytes, { whole: images, staged: 0, begun: 0 });
});

test('the login at a registry is a secret, which is named', async (t) => {
  const registry = await startRegistry(t, { login: 'token', users: { alice: 'sesame' } });
  registry.put('app', '1', testImage(['base']));
  const fleet = await start(t);
  const stored = await fleet.eve('POST', '/api/secret/registry', {
    dc: 'east',
    host: `http://${registry.host}`,
    type: 'basic',
    username: 'alice',
    value: 'sesame',
  });
  t.is(stored.status, 201, JSON.stringify(stored.json));
  const image = `${registry.host}/app:1`;
  t.is(said(await fleet.eve('POST', '/api/registry/docker', { image })), '503 RemoteSourceError');
  const { json } = await fleet.eve('POST', '/api/registry/docker', { image, secret: 'registry' });
  const task = await ended(fleet, json.task_id);
  t.is(task.status, 'SUCCESS', JSON.stringify(task));
  t.false(JSON.stringify(task).includes('sesame'));
});

test('an image of LXD is imported as a task', async (t) => {
  const bytes = randomBytes(5000);
  const sha256 = digestOf(bytes).slice('sha256:'.length);
  const item = { ftype: 'lxd_combined.tar.gz', path: 'a.tar.gz', sha256, size: bytes.length };
  const { url } = await remote(t, {
    'GET /streams/v1/index.json': {
      index: { images: { datatype: 'image-downloads', path: 'streams/v1/images.json' } },
    },
    'GET /streams/v1/images.json': {
      products: { 'alpine:3': { arch: 'amd64', aliases: 'alpine/3', versions: { '20240101': { items: { item } } } } },
    },
    'GET /a.tar.gz': (_, response) => response.writeHead(200, { 'content-length': bytes.length }).end(bytes),
  });
  const fleet = await start(t, { images: url });
  const { json } = await fleet.eve('POST', '/api/registry/lxd', { image: 'images:alpine/3' });
  const task = await ended(fleet, json.task_id);
  t.is(task.status, 'SUCCESS', JSON.stringify(task));
  t.like((await fleet.stored(String(task.result?.uuid))) ?? {}, {
    state: 'active',
    type: 'lxd',
    registration: { boundTo: 'east' },
  });
});

test('layers count against the limits of the data center', async (t) => {
  const registry = await startRegistry(t);
  registry.put('app', '1', testImage(['base', 'top']));
  const fleet = await start(t);
  const set = await fleet.root('PUT', '/api/dc/east/settings', { VMS_IMAGE_LIMIT: 1 });
  t.is(set.status, 200, JSON.stringify(set.json));
  const { json } = await fleet.eve('POST', '/api/registry/docker', { image: `${registry.host}/app:1` });
  const task = await ended(fleet, json.task_id);
  t.is(task.status, 'FAILURE');
  t.is(task.result?.code, 'QuotaExceeded');
  t.deepEqual(await left(fleet), { images: 1, whole: 1, staged: 0, begun: 0 });
});

test('what streams had begun is forgotten at a start, and what tasks had is not', async (t) => {
  const { deps } = await start(t);
  await deps.catalog.write(async (tx) => {
    for (const holder of ['stream/1/images/a/file0', 'tasks/1/images/a/file0']) {
      await tx.insert(partials, { holder, key: holder });
    }
  });
  await forgetStreams(deps.catalog);
  const known: string[] = [];
  for await (const { holder } of deps.catalog.list(partials)) known.push(holder);
  t.deepEqual(known, ['tasks/1/images/a/file0']);
});

test('the sweep removes what a task has left that was cancelled as the server was killed', async (t) => {
  const { opened, open } = gate();
  t.teardown(open);
  const registry = await startRegistry(t);
  registry.put('app', '1', testImage([randomBytes(50_000)]));
  let begun = () => {};
  const came = new Promise<void>((resolve) => {
    begun = resolve;
  });
  registry.meddle = async ({ url = '' }, response) => {
    if (!url.includes('/blobs/') || registry.asked.filter((one) => one.includes('/blobs/')).length < 3) return false;
    begun();
    await opened;
    response.destroy();
    return true;
  };
  const fleet = await start(t);
  const { json } = await fleet.eve('POST', '/api/registry/docker', { image: `${registry.host}/app:1` });
  await came;
  t.like(await left(fleet), { staged: 1, begun: 1 });
  await sweep(fleet.deps);
  t.like(await left(fleet), { begun: 1 }, 'somebody will come for it');
  // as a kill finds it: that it is over is written, and nobody has tidied up
  await fleet.deps.catalog.write(async (tx) => {
    const task = await tx.get(tasks, String(json.task_id));
    if (task) await tx.replace(tasks, { ...task, status: 'REVOKED' });
  });
  await sweep(fleet.deps);
  t.like(await left(fleet), { begun: 0 });
});
