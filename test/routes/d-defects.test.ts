import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import test from 'ava';
import { type Image, type Mode, UNSET_OWNER } from '../../imgapi/image.js';
import { images } from '../../server/model/image.js';
import { ADMIN } from '../../server/model/user.js';
import type { openBlobs } from '../../storage/open.js';
import { ownBlobs } from '../support/engines.js';
import { importImage, numbered } from '../support/fixtures.js';
import { sample, startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';
import { holders, kept, told } from '../support/told.js';
import { watchedBlobs } from '../support/watched-blobs.js';

// Section 11 of the contract, defect by defect. The files of the endpoints have the details.

const modes: Mode[] = ['dc', 'public', 'private'];
const channels = [{ name: 'dev', description: '', default: true }];

const deadly = table<'method' | 'path' | 'body' | 'told'>(`
  method  path                          body              told
  GET     /images?public=perhaps        -                 422 InvalidParameter public:Invalid
  GET     /images?billing_tag=x         -                 200
  GET     /images?billing_tag=x&billing_tag=y  -          200
  GET     /images?sort=name&sort=name   -                 422 InvalidParameter sort:Invalid
  GET     /images?sort=published_at&sort=published_at  -  422 InvalidParameter sort:Invalid
  POST    /images                       {"name": "x"}     422 ValidationFailed owner:MissingParameter
  POST    /images                       {"owner": "x"}    422 ValidationFailed owner:Invalid
  POST    /images                       {"owner": 5}      422 ValidationFailed owner:Invalid
  POST    /images                       -                 422 ValidationFailed body:MissingParameter
  POST    /images                       []                422 ValidationFailed body:MissingParameter
  POST    /images                       null              422 ValidationFailed body:MissingParameter
  POST    /images?action=nonsense       {}                422 InvalidParameter action:Invalid
  POST    /images/NEW?action=import     -                 422 ValidationFailed body:MissingParameter
  POST    /images/NEW?action=import     []                422 ValidationFailed body:MissingParameter
  POST    /images/UUID?action=channel-add  -              422 ValidationFailed channel:MissingParameter
  POST    /images/UUID?action=update    -                 422 ValidationFailed body:MissingParameter
  DELETE  /images/UUID/icon             -                 404 ResourceNotFound
  GET     /images/UUID/jobs             -                 200
`);

for (const mode of modes) {
  test(`D-01 ${mode}: requests of which the reference dies are answered`, async (t) => {
    const server = await startServer(t, { mode, channels, trusts: () => true });
    const { uuid } = await server.image();
    for (const { method, path, body, told: expected } of deadly) {
      const answer = await server.ask(method, path.replace('UUID', uuid).replace('NEW', numbered(1)), {
        as: 'anonymous',
        ...(body && { body, headers: { 'content-type': 'application/json' } }),
      });
      t.is(told(answer), expected, `${method} ${path} ${body}`);
    }
    t.is((await server.ask('GET', '/ping')).status, 200);
    t.deepEqual((await kept(server)).images, [uuid]);
  });
}

test('D-01 images are found by their billing tags', async (t) => {
  const server = await startServer(t);
  const both = await server.image({ billing_tags: ['a', 'b'] });
  const one = await server.image({ billing_tags: ['a'] });
  await server.image();
  const found = async (query: string) => (await server.ask('GET', `/images?${query}`)).list.map(({ uuid }) => uuid);
  t.deepEqual((await found('billing_tag=a')).sort(), [both.uuid, one.uuid].sort());
  t.deepEqual(await found('billing_tag=a&billing_tag=b'), [both.uuid]);
  t.deepEqual(await found('billing_tag=c'), []);
});

test('D-02 bad booleans are refused by name', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image();
  for (const field of ['public', 'disabled', 'generate_passwords']) {
    for (const value of ['perhaps', '', 1, null, {}, []]) {
      const body = { ...sample('dc'), [field]: value };
      const why = `${field} ${JSON.stringify(value)}`;
      t.is(told(await server.ask('POST', '/images', { body })), `422 ValidationFailed ${field}:Invalid`, why);
      const manifest = { ...body, v: 2, uuid: numbered(1) };
      const imported = await server.ask('POST', `/images/${numbered(1)}?action=import`, { body: manifest });
      t.is(told(imported), `422 ValidationFailed ${field}:Invalid`, why);
      if (field === 'disabled' || value === null) continue;
      const update = await server.ask('POST', `/images/${uuid}?action=update`, { body: { [field]: value } });
      t.is(told(update), `422 ValidationFailed ${field}:Invalid`, why);
    }
  }
  t.deepEqual((await kept(server)).images, [uuid]);
});

test('D-03 a manifest may say that there is an icon', async (t) => {
  for (const mode of modes) {
    const server = await startServer(t, { mode });
    const created = await server.ask('POST', '/images', { body: { ...sample(mode), icon: true } });
    t.is(created.status, 200);
    t.false('icon' in created.json);
    const uuid = numbered(1);
    const body = { ...sample(mode), v: 2, uuid, icon: true };
    t.is((await server.ask('POST', `/images/${uuid}?action=import`, { body })).status, 200);
    t.is((await server.ask('GET', `/images/${uuid}/icon`, { as: 'admin' })).status, 404);
  }
});

test('D-03 an icon without bytes is refused, and the image lives on', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image();
  const headers = { 'content-type': 'image/png' };
  t.is(told(await server.ask('PUT', `/images/${uuid}/icon`, { body: '', headers })), '400 Upload');
  t.is((await server.ask('GET', `/images/${uuid}`)).status, 200);
  t.is((await server.ask('GET', `/images/${uuid}/icon`)).status, 404);
});

test('D-04 old manifests are imported in every mode', async (t) => {
  for (const mode of modes) {
    const server = await startServer(t, { mode });
    const uuid = numbered(1);
    const body = {
      uuid,
      name: 'old',
      version: '1.0.0',
      os: 'smartos',
      type: 'zone-dataset',
      creator_uuid: ADMIN.uuid,
      published_at: '2011-01-01T00:00Z',
      files: [{ path: 'old.zfs.gz', sha1: 'x', size: 1 }],
      ...(mode === 'private' && { restricted_to_uuid: numbered(2) }),
    };
    const { status, json } = await server.ask('POST', `/images/${uuid}?action=import`, { body });
    t.is(status, 200, json.message);
    t.is(json.owner, mode === 'dc' ? ADMIN.uuid : UNSET_OWNER);
    t.is(json.v, 2);
    t.false('creator_uuid' in json);
  }
});

test('D-05 files and icons are compared with the tags that they are given, quoted or not', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image();
  await server.ask('PUT', `/images/${uuid}/icon`, { body: 'icon', headers: { 'content-type': 'image/png' } });
  const ofManifest = String((await server.ask('GET', `/images/${uuid}`)).headers.etag);
  for (const path of ['file', 'icon']) {
    const get = (tag: string) => server.ask('GET', `/images/${uuid}/${path}`, { headers: { 'if-none-match': tag } });
    const { headers } = await get('other');
    const tag = String(headers.etag);
    t.regex(tag, /^"[0-9a-f]{40}"$/);
    t.is((await get(tag)).status, 304);
    t.is((await get(tag.replaceAll('"', ''))).status, 304);
    t.is((await get(ofManifest)).status, 200);
  }
});

test('D-06 HEAD where there is GET, single ranges of files', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image();
  for (const path of ['/ping', '/images', `/images/${uuid}`, `/images/${uuid}/file`, `/images/${uuid}/jobs`]) {
    const { status, bytes, headers } = await server.ask('HEAD', path, { as: 'anonymous' });
    t.is(status, 200, path);
    t.is(bytes.length, 0, path);
    t.truthy(headers['content-length'], path);
  }
  const range = await server.ask('GET', `/images/${uuid}/file`, { headers: { range: 'bytes=4-' } });
  t.is(range.status, 206);
  t.is(range.bytes.toString(), 'bytes');
  t.is((await server.ask('GET', `/images/${uuid}/file`)).headers['accept-ranges'], 'bytes');
});

test('D-07 JSON, whatever a client would rather have', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image();
  for (const accept of ['text/html', 'image/png', 'text/plain', 'application/octet-stream', 'nonsense']) {
    for (const path of ['/ping', '/images', `/images/${uuid}`]) {
      const { status, headers } = await server.ask('GET', path, { headers: { accept } });
      t.is(status, 200, accept);
      t.is(headers['content-type'], 'application/json', accept);
    }
    const created = await server.ask('POST', '/images', { body: sample('dc'), headers: { accept } });
    t.is(created.headers['content-type'], 'application/json', accept);
  }
});

test('D-08 passwords that are not to be generated are told of', async (t) => {
  const server = await startServer(t);
  for (const value of [true, false]) {
    const { uuid, generate_passwords } = await server.image({ generate_passwords: value });
    t.is(generate_passwords, value);
    const { list } = await server.ask('GET', '/images');
    t.is(list.find((image) => image.uuid === uuid)?.generate_passwords, value);
  }
  t.false('generate_passwords' in (await server.image()));
});

test('D-09 bytes that are missing are found out before any header is sent', async (t) => {
  const blobs = await ownBlobs();
  const server = await startServer(t, { blobs });
  const { uuid } = await server.image();
  for await (const { key } of blobs.list()) await blobs.delete(key);
  const answer = await server.ask('GET', `/images/${uuid}/file`);
  t.is(told(answer), '503 StorageIsDown');
  t.is(answer.headers['content-type'], 'application/json');
  t.is(answer.headers['content-md5'], undefined);
});

test('D-10 an upload that is cut off leaves nothing', async (t) => {
  const { blobs, nextStaged, nextDiscarded } = await watchedBlobs();
  const server = await startServer(t, { blobs });
  const { uuid } = await server.image({}, { file: null });
  const [staged, discarded] = [nextStaged(), nextDiscarded()];
  const socket = connect(server.port, '127.0.0.1');
  socket.write(
    `PUT /images/${uuid}/file?compression=none HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${server.token}\r\n` +
      'Content-Length: 1000\r\n\r\nhello',
  );
  await staged;
  socket.destroy();
  await discarded;
  t.deepEqual(await kept(server), { images: [uuid], whole: 0, staged: 0 });
});

test('D-10 a deletion that the store of bytes fails is done all the same', async (t) => {
  const blobs = await ownBlobs();
  const failing = { ...methodsOf(blobs), delete: () => Promise.reject(new Error('EIO')) };
  const server = await startServer(t, { blobs: failing });
  const { uuid } = await server.image();
  t.is((await server.ask('DELETE', `/images/${uuid}`)).status, 204);
  t.deepEqual((await kept(server)).images, []);
  t.deepEqual(await holders(server), [[]], 'what is left is known, for the sweep');
});

test('D-10 an image does not move onto another', async (t) => {
  const server = await startServer(t);
  const [a, b] = [await server.image({}, { activate: false }), await server.image()];
  const answer = await server.ask('POST', `/images/${a.uuid}?action=update`, { body: { uuid: b.uuid } });
  t.is(told(answer), '409 ImageUuidAlreadyExists');
  t.deepEqual((await server.ask('GET', `/images/${b.uuid}`)).json, b);
});

test('D-11 where a dataset is redirected to is there', async (t) => {
  const server = await startServer(t);
  const { uuid, name } = await server.image();
  for (const path of ['/datasets', `/datasets/${uuid}`, `/datasets/sdc:admin:${name}:1.0.0`, `/datasets/${name}`]) {
    const { status, headers } = await server.ask('GET', path);
    t.is(status, 301, path);
    const target = await server.ask('GET', String(headers.location));
    t.is(target.status, 200, path);
    t.is(target.list[0]?.uuid ?? target.json.uuid, uuid, path);
  }
});

test('D-12 an import from afar whose source is not there says so, and makes no job', async (t) => {
  const server = await startServer(t);
  const answer = await server.ask('POST', `/images/${numbered(1)}?action=import-remote&source=http://127.0.0.1:1`);
  t.is(told(answer), '503 RemoteSourceError');
  t.is(answer.headers['workflow-api'], undefined);
  t.deepEqual((await kept(server)).images, []);
});

test('D-13 limit, order and markers of lists', async (t) => {
  const server = await startServer(t);
  const day = '2020-01-01T00:00:00Z';
  for (const number of [3, 1, 2]) {
    await importImage(server, { uuid: numbered(number), owner: ADMIN.uuid, public: true, published_at: day });
  }
  const list = async (query: string) =>
    (await server.ask('GET', `/images?${query}`)).list.map(({ uuid }) => Number(uuid.slice(-1)));
  t.is(told(await server.ask('GET', '/images?limit=x')), '422 InvalidParameter limit:Invalid');
  t.deepEqual(await list(''), [1, 2, 3], 'ties by uuid');
  t.deepEqual(await list('sort=published_at.desc&limit=2'), [3, 2], 'the newest, not the oldest');
  t.deepEqual(await list(`marker=${numbered(2)}`), [2, 3], 'neither skipped nor twice');
  t.deepEqual(await list(`sort=published_at.desc&marker=${numbered(2)}`), [2, 1]);
});

test('D-14 tags are removed, and refused clones name the right ones', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({ tags: { a: 1 } });
  const { status, json } = await server.ask('POST', `/images/${uuid}?action=update`, { body: { tags: null } });
  t.is(status, 200);
  t.false('tags' in json);
  t.deepEqual((await server.ask('GET', '/images?tag.a=1')).list, []);
  const refused = await server.ask('POST', `/images/${uuid}/clone?account=${numbered(8)}`);
  t.regex(String(refused.json.message), new RegExp(`image ${uuid}.*account ${numbered(8)}`));
});

test('D-15 lenient where real manifests need it: numbers as text, text as numbers', async (t) => {
  const server = await startServer(t);
  const zvol = { type: 'zvol', nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host' };
  const { json } = await server.ask('POST', '/images', {
    body: { ...sample('dc'), ...zvol, v: '2', image_size: '10' },
  });
  t.like(json as object, { v: 2, image_size: 10 });
  const negative = await server.ask('POST', '/images', { body: { ...sample('dc'), ...zvol, image_size: -1 } });
  t.is(told(negative), '422 ValidationFailed image_size:Invalid');
});

test('D-15 no image comes from itself', async (t) => {
  const server = await startServer(t);
  const base = await server.image({}, { activate: false });
  const middle = await server.image({ origin: base.uuid });
  const top = await server.image({ origin: middle.uuid });
  const update = (origin: string) =>
    server.ask('POST', `/images/${base.uuid}?action=update`, { body: { origin } }).then(told);
  for (const { uuid } of [base, middle, top]) t.is(await update(uuid), '422 OriginDoesNotExist');
  const other = await server.image();
  t.is(await update(other.uuid), '200');

  await change(server, base.uuid, { state: 'creating' });
  for (const origin of [base.uuid, top.uuid]) {
    const body = { ...sample('dc'), v: 2, uuid: base.uuid, origin };
    const answer = await server.ask('POST', `/images/${base.uuid}?action=import`, { body });
    t.is(told(answer), '422 OriginDoesNotExist');
  }
  t.is((await server.stored(base.uuid))?.origin, other.uuid);
});

test('D-15 no image comes from itself by way of a uuid that changes hands', async (t) => {
  const server = await startServer(t, { mode: 'public' });
  const base = await server.image({}, { activate: false });
  const middle = await server.image({ origin: base.uuid }, { activate: false });
  const moved = { uuid: randomUUID() };
  const move = (uuid: string, body: object) => server.ask('POST', `/images/${uuid}?action=update`, { body }).then(told);
  t.is(await move(base.uuid, moved), '422 ImageHasDependentImages');
  t.is(await server.stored(moved.uuid), undefined);
  t.is(await move(middle.uuid, moved), '200');
  t.is((await server.stored(moved.uuid))?.origin, base.uuid);
});

test('D-15 no image comes from itself by way of an origin that was deleted in one channel', async (t) => {
  const channels = [
    { name: 'dev', description: '', default: true },
    { name: 'rel', description: '' },
  ];
  const server = await startServer(t, { mode: 'public', channels });
  const base = await server.image();
  const body = { ...sample('public'), v: 2, origin: base.uuid };
  const built = { ...body, uuid: randomUUID() };
  const inRel = (uuid: string, manifest: object) =>
    server.ask('POST', `/images/${uuid}?action=import&channel=rel`, { body: manifest }).then(told);
  t.is(await inRel(built.uuid, built), '200');
  t.is((await server.ask('DELETE', `/images/${base.uuid}`)).status, 204);
  t.is(await inRel(base.uuid, { ...body, uuid: base.uuid, origin: built.uuid }), '422 OriginDoesNotExist');
  t.is(await server.stored(base.uuid), undefined);
});

test('D-15 origins that come from each other hang nothing', async (t) => {
  const server = await startServer(t);
  const [a, b] = [await server.image({ public: false }), await server.image({ public: false })];
  await change(server, a.uuid, { origin: b.uuid });
  await change(server, b.uuid, { origin: a.uuid });
  t.is((await server.ask('GET', `/images/${a.uuid}`)).status, 404);
  t.is((await server.ask('GET', `/images/${a.uuid}`, { as: 'admin' })).status, 200);
  t.is(told(await server.ask('DELETE', `/images/${a.uuid}`)), '422 ImageHasDependentImages');
});

test('D-16 lists keep up with writes, whatever comes at the same time', async (t) => {
  const server = await startServer(t);
  const made = await Promise.all(Array.from({ length: 20 }, (_, n) => server.image({ name: `image-${n}` })));
  const removed = made.slice(0, 10);
  await Promise.all(removed.map(({ uuid }) => server.ask('DELETE', `/images/${uuid}`)));
  const { list } = await server.ask('GET', '/images');
  t.deepEqual(
    list.map(({ uuid }) => uuid).sort(),
    made
      .slice(10)
      .map(({ uuid }) => uuid)
      .sort(),
  );
});

// Helpers

const change = ({ deps }: TestServer, uuid: string, changes: Partial<Image>) =>
  deps.catalog.write(async (tx) => {
    await tx.replace<Image>(images, { ...(await tx.get(images, uuid))!, ...changes });
  });

function methodsOf(blobs: Awaited<ReturnType<typeof openBlobs>>) {
  return {
    stage: () => blobs.stage(),
    resume: (key: string) => blobs.resume(key),
    stat: (key: string) => blobs.stat(key),
    read: (key: string, range?: { start: number; end: number }) => blobs.read(key, range),
    delete: (key: string) => blobs.delete(key),
    list: () => blobs.list(),
    close: () => blobs.close(),
  };
}
