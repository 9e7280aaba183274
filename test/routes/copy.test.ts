import { createHash, randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { type Fleet, resultOf, said, startFleet } from '../support/managed.js';
import { startServer, type TestServer } from '../support/server.js';

const file = randomBytes(300_000);
const sha1 = createHash('sha1').update(file).digest('hex');
const icon = Buffer.from('an icon');

/** A site, and another one that it knows as the repository "harbour", where its credentials are good for writing. */
async function sites(t: ExecutionContext): Promise<{ here: Fleet; there: TestServer }> {
  const there = await startServer(t);
  const here = await startFleet(t);
  const { root } = here;
  t.is((await root('POST', '/api/secret/key', { host: there.url, type: 'bearer', value: there.token })).status, 201);
  t.is((await root('POST', '/api/repository/harbour', { url: there.url, enabled: true, secret: 'key' })).status, 201);
  return { here, there };
}

async function ended({ deps, root }: Fleet, task: unknown) {
  await deps.tasks.settled(String(task), AbortSignal.timeout(60_000));
  return resultOf<{ status: string; result: Record<string, unknown>; progress: object }>(
    await root('GET', `/api/task/${task}`),
  );
}

async function whole(server: TestServer, manifest: object = {}) {
  const image = await server.image({ ...manifest, tags: { role: 'db' } }, { file: file.toString('latin1') });
  await server.ask('PUT', `/images/${image.uuid}/icon`, { body: icon, headers: { 'content-type': 'image/png' } });
  return image;
}

test('an image arrives on the other server with what it builds on, byte by byte', async (t) => {
  const { here, there } = await sites(t);
  const base = await here.image({ name: 'base' });
  const top = await here.image({ name: 'top', origin: base.uuid, tags: { role: 'db' } }, { file: 'the top' });
  await here.ask('PUT', `/images/${top.uuid}/icon`, { body: icon, headers: { 'content-type': 'image/png' } });
  const started = await here.root('POST', '/api/image/top/copy', { to: 'harbour', name: 'top-of-here' });
  t.is(started.status, 201);
  const task = await ended(here, started.json.task_id);
  t.like(task, { status: 'SUCCESS', result: { to: 'harbour', images: [base.uuid, top.uuid] } });
  const bytes = [base, top].reduce((sum, { files }) => sum + (files?.[0]?.size ?? 0), 0);
  t.like(task.progress, { done: bytes, total: bytes, unit: 'bytes' });
  for (const { uuid } of [base, top]) {
    const [one, other] = await Promise.all([here, there].map((server) => server.ask('GET', `/images/${uuid}`)));
    for (const field of ['name', 'version', 'files', 'origin', 'state', 'published_at', 'icon']) {
      t.deepEqual(other!.json[field], one!.json[field], field);
    }
    t.is(Object(other!.json.tags).role, Object(one!.json.tags).role);
    const files = await Promise.all([here, there].map((server) => server.ask('GET', `/images/${uuid}/file`)));
    t.true(files[0]!.bytes.equals(files[1]!.bytes));
  }
  t.true((await there.ask('GET', `/images/${top.uuid}/icon`)).bytes.equals(icon));
  t.like((await there.ask('GET', '/api/image/top-of-here', { as: 'admin' })).json.result, { uuid: top.uuid });
});

test('what can be refused at once is, by the field, and leaves nothing', async (t) => {
  const { here, there } = await sites(t);
  await here.image({ name: 'idle' }, { activate: false });
  await here.image({ name: 'here' });
  const taken = await there.image({ name: 'there' });
  const copy = async (name: string, body: object) => said(await here.root('POST', `/api/image/${name}/copy`, body));
  t.is(await copy('absent', { to: 'harbour' }), '404 ResourceNotFound');
  t.is(await copy('here', {}), '400 InvalidInput to');
  t.is(await copy('here', { to: 'nowhere' }), '400 InvalidInput to');
  t.is(await copy('here', { to: 'harbour', name: '-' }), '400 InvalidInput name');
  t.is(await copy('here', { to: 'harbour', name: 'there' }), '400 InvalidInput name');
  t.is(await copy('idle', { to: 'harbour' }), '400 InvalidInput image');
  for (const caller of [here.eve, here.dora, here.sam]) {
    t.is(said(await caller('POST', '/api/image/here/copy', { to: 'harbour' })), '403 NotPermitted');
  }
  t.deepEqual(
    [...there.deps.listing.sorted].map(({ uuid }) => uuid),
    [taken.uuid],
  );
  t.deepEqual(resultOf(await here.root('GET', '/api/task')), []);
  await here.root('PUT', '/api/repository/harbour', { url: 'http://127.0.0.1:1', secret: null });
  t.is(await copy('here', { to: 'harbour' }), '503 RemoteSourceError');
});

test('an image that is there already, is named so', async (t) => {
  const { here } = await sites(t);
  await whole(here, { name: 'twice' });
  const first = await here.root('POST', '/api/image/twice/copy', { to: 'harbour' });
  t.is((await ended(here, first.json.task_id)).status, 'SUCCESS');
  const again = await here.root('POST', '/api/image/twice/copy', { to: 'harbour' });
  t.is(said(again), '400 InvalidInput to');
  t.regex(String(again.json.detail), /harbour has image .* already/);
});

test('what the other side refuses is told, and nothing half done stays there', async (t) => {
  const { here, there } = await sites(t);
  await whole(here, { name: 'large' });
  there.deps.policy.maxFileSize = 1000;
  const started = await here.root('POST', '/api/image/large/copy', { to: 'harbour' });
  const task = await ended(here, started.json.task_id);
  t.is(task.status, 'FAILURE');
  t.like(task.result, { code: 'Upload' });
  t.is(there.deps.listing.size, 0);
  t.is(sha1.length, 40);
});

test('a server that wants credentials is named, so that nobody takes its words for ours', async (t) => {
  const { here, there } = await sites(t);
  await whole(here, { name: 'large' });
  t.is((await here.root('PUT', '/api/repository/harbour', { secret: null })).status, 200);
  const started = await here.root('POST', '/api/image/large/copy', { to: 'harbour' });
  const { status, result } = await ended(here, started.json.task_id);
  t.is(status, 'FAILURE');
  t.like(result, { code: 'UnauthorizedError' });
  t.regex(String(result.message), /^repository harbour wants credentials/);
  t.is(there.deps.listing.size, 0);
});
