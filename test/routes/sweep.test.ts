import test from 'ava';
import type { Image } from '../../imgapi/image.js';
import { images } from '../../server/model/image.js';
import { ADMIN } from '../../server/model/user.js';
import { sweep } from '../../server/operations/sweep.js';
import { numbered } from '../support/fixtures.js';
import { gate } from '../support/gate.js';
import { startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';
import { holders, kept } from '../support/told.js';

const HOUR = 3_600_000;

const placeholder: Image = {
  v: 2,
  uuid: numbered(1),
  owner: ADMIN.uuid,
  name: 'announced',
  version: '0',
  state: 'creating',
  disabled: false,
  activated: false,
  public: false,
  type: 'null',
  os: 'null',
  files: [],
};

const insert = ({ deps }: TestServer, image: Image) => deps.catalog.write((tx) => tx.insert(images, image));

const records = table<'state' | 'activated' | 'expires_at' | 'left'>(`
  state        activated  expires_at                left
  creating     false      2030-01-08T00:00:00.000Z  -
  creating     false      2030-01-07T23:59:59.999Z  -
  creating     false      2020-01-01T00:00:00.000Z  -
  creating     false      2030-01-08T00:00:00.001Z  yes
  creating     false      2040-01-01T00:00:00.000Z  yes
  creating     false      -                         yes
  creating     false      nonsense                  yes
  failed       false      2030-01-08T00:00:00.000Z  -
  failed       false      2030-01-08T00:00:00.001Z  yes
  failed       false      -                         yes
  unactivated  false      2020-01-01T00:00:00.000Z  yes
  active       true       2020-01-01T00:00:00.000Z  yes
  disabled     true       2020-01-01T00:00:00.000Z  yes
`);

test('placeholders that ran out are removed, and nothing else is', async (t) => {
  for (const { state, activated, expires_at, left } of records) {
    const server = await startServer(t, { now: () => new Date('2030-01-08T00:00:00.000Z') });
    const record: Image = {
      ...placeholder,
      state: state as Image['state'],
      activated: activated === 'true',
      ...(expires_at && { expires_at }),
    };
    await insert(server, record);
    await sweep(server.deps);
    t.deepEqual(await server.stored(record.uuid), left ? record : undefined, `${state} ${expires_at}`);
    const { status } = await server.ask('GET', `/images/${record.uuid}`, { as: 'admin' });
    t.is(status, left ? 200 : 404);
    const { list } = await server.ask('GET', '/images?state=all', { as: 'admin' });
    t.is(list.length, left ? 1 : 0, 'lists say the same');
  }
});

test('a placeholder that was imported or activated in time stays', async (t) => {
  let time = Date.parse('2030-01-01T00:00:00.000Z');
  const server = await startServer(t, { now: () => new Date(time) });
  const expires_at = '2030-01-02T00:00:00.000Z';
  await insert(server, { ...placeholder, uuid: numbered(1), expires_at });
  await insert(server, { ...placeholder, uuid: numbered(2), expires_at, name: 'left alone' });
  const body = { v: 2, uuid: numbered(1), owner: ADMIN.uuid, name: 'a', version: '1', os: 'linux', type: 'other' };
  await server.ask('POST', `/images/${numbered(1)}?action=import`, { body });
  time += 48 * HOUR;
  await sweep(server.deps);
  t.deepEqual((await kept(server)).images, [numbered(1)]);
});

test('the bytes of a placeholder go with it, after their grace', async (t) => {
  let time = Date.now();
  const server = await startServer(t, { now: () => new Date(time), blobGrace: 60 });
  const { uuid } = await server.image({}, { activate: false });
  await server.deps.catalog.write(async (tx) => {
    const image = (await tx.get(images, uuid))!;
    await tx.replace<Image>(images, { ...image, state: 'failed', expires_at: new Date(time).toISOString() });
  });
  await sweep(server.deps);
  t.deepEqual(await kept(server), { images: [], whole: 1, staged: 0 });
  t.deepEqual(await holders(server), [[]]);
  time += 60_000;
  await sweep(server.deps);
  t.deepEqual(await kept(server), { images: [], whole: 0, staged: 0 });
  t.deepEqual(await holders(server), []);
});

test('a sweep leaves alone what is in use', async (t) => {
  let time = Date.now();
  const server = await startServer(t, { now: () => new Date(time), blobGrace: 0 });
  const { uuid } = await server.image();
  await server.ask('PUT', `/images/${uuid}/icon`, { body: 'icon', headers: { 'content-type': 'image/png' } });
  time += 1000 * HOUR;
  await sweep(server.deps);
  await sweep(server.deps);
  t.deepEqual(await kept(server), { images: [uuid], whole: 2, staged: 0 });
  t.is((await server.ask('GET', `/images/${uuid}/file`)).bytes.toString(), 'the bytes');
  t.is((await server.ask('GET', `/images/${uuid}/icon`)).bytes.toString(), 'icon');
});

// Bytes that no record knows

const abandoned = table<'form' | 'age' | 'abandoned' | 'left'>(`
  form    age  abandoned  left
  staged  0    -          yes
  staged  0.9  -          yes
  staged  1.1  -          -
  staged  0.9  yes        -
  whole   0    -          yes
  whole   0.9  -          yes
  whole   1.1  -          -
  whole   0.9  yes        -
`);

test('uploads that were cut off, and bytes that were never published, go when their lease has run out', async (t) => {
  for (const { form, age, abandoned: isAbandoned, left } of abandoned) {
    let time = Date.now();
    const server = await startServer(t, { now: () => new Date(time) });
    const staged = await server.deps.blobs.stage();
    await new Promise<void>((resolve) => staged.writable.end('bytes', resolve));
    if (form === 'whole') await staged.commit();
    time += Number(age) * HOUR;
    await sweep(server.deps, isAbandoned ? { abandonedBefore: new Date(time - HOUR / 10) } : {});
    const { whole, staged: underWay } = await kept(server);
    // only who shares its catalog with nobody knows that what is not its own is nobody's
    const isLeft = left || (isAbandoned && !server.deps.catalog.members.only);
    t.is(form === 'whole' ? whole : underWay, isLeft ? 1 : 0, `${form} ${age} ${isAbandoned}`);
  }
});

test('sweeps beside each other, and beside uploads and deletions, do no harm', async (t) => {
  const server = await startServer(t, { blobGrace: 0 });
  const work = Array.from({ length: 10 }, async (_, n) => {
    const image = await server.image({ name: `image ${n}` }, { file: `file ${n % 3}` });
    if (n % 2 === 0) await server.ask('DELETE', `/images/${image.uuid}`);
    return image;
  });
  const sweeps = Array.from({ length: 10 }, () => sweep(server.deps));
  const made = await Promise.all(work);
  await Promise.all(sweeps);
  await sweep(server.deps);
  for (const [n, { uuid }] of made.entries()) {
    const { status, bytes } = await server.ask('GET', `/images/${uuid}/file`, { as: 'admin' });
    t.is(status, n % 2 === 0 ? 404 : 200);
    if (status === 200) t.is(bytes.toString(), `file ${n % 3}`);
  }
  t.deepEqual((await holders(server)).flat().length, 5);
});

test('an upload that begins while the first sweep is at work is not abandoned', async (t) => {
  let time = Date.now() - HOUR;
  const server = await startServer(t, { now: () => new Date(time) });
  await insert(server, { ...placeholder, expires_at: new Date(time).toISOString() });
  const start = new Date(time);
  const busy = gate();
  const work = server.deps.catalog.write(() => busy.opened);
  const sweeping = sweep(server.deps, { abandonedBefore: start });
  // the blob is touched by the machine's clock: after the start, and before the server has come so far
  time += 2 * HOUR;
  const staged = await server.deps.blobs.stage();
  await new Promise<void>((resolve) => staged.writable.end('bytes', resolve));
  busy.open();
  await Promise.all([work, sweeping]);
  t.is((await kept(server)).images.length, 0, 'the placeholder is gone');
  t.is((await kept(server)).staged, 1);
});
