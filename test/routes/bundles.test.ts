import { createHash, randomBytes } from 'node:crypto';
import { stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { pack } from 'tar-stream';
import { openKernel } from '../../server/kernel.js';
import { groups } from '../../server/model/group.js';
import { openFilesystemBlobs } from '../../storage/blobs/filesystem.js';
import type { BundledImage } from '../../storage/bundle.js';
import { contents } from '../../storage/holdings.js';
import { readTar, type TarFile, writeTar } from '../../storage/tar.js';
import { addDatacenter, grant, place } from '../support/datacenters.js';
import { addUser, importImage, numbered } from '../support/fixtures.js';
import { scratch } from '../support/scratch.js';
import { type ServerOptions, startServer, type TestServer } from '../support/server.js';

interface Row {
  image: string | null;
  status: string;
  code: string | null;
  detail: string | null;
}

const png = Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47]), randomBytes(500)]);
const [BASE, TOP] = [numbered(1), numbered(2)];
const files = { [BASE]: randomBytes(300_000), [TOP]: randomBytes(5000) };

/** Two images, the second of which comes from the first and has an icon. */
async function withImages(t: ExecutionContext, options: ServerOptions = {}): Promise<TestServer> {
  const server = await startServer(t, options);
  const own = { owner: numbered(99), public: true };
  await importImage(server, { uuid: BASE, name: 'base', ...own }, { file: files[BASE] as never });
  await importImage(server, { uuid: TOP, name: 'top', origin: BASE, ...own }, { file: files[TOP] as never });
  const path = `/images/${TOP}/icon`;
  await server.ask('PUT', path, { body: png, headers: { 'content-type': 'image/png' } });
  return server;
}

const exported = async (server: TestServer, name = 'top', query = '') => {
  const { status, bytes, headers } = await server.ask('GET', `/api/image/${name}/export${query}`, { as: 'admin' });
  if (status !== 200) throw new Error(`${status} ${bytes}`);
  if (headers['content-length'] !== String(bytes.length)) throw new Error('another length than was told');
  return bytes;
};

async function sent(server: TestServer, body: Buffer, query = ''): Promise<Row[]> {
  const { status, bytes, json } = await server.ask('POST', `/api/bundle${query}`, { body });
  if (status !== 200) throw new Error(`${status} ${bytes}`);
  return json.result as unknown as Row[];
}

async function membersOf(bytes: Buffer): Promise<[string, Buffer][]> {
  const found: [string, Buffer][] = [];
  for await (const { name, body } of readTar(Readable.from([bytes]))) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    found.push([name, Buffer.concat(chunks)]);
  }
  return found;
}

async function tarOf(members: readonly [string, Buffer][]): Promise<Buffer> {
  const files = members.map(([name, bytes]): TarFile => ({ name, size: bytes.length, bytes: () => [bytes] }));
  const chunks: Buffer[] = [];
  for await (const chunk of writeTar(files)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Neither records nor bytes. */
async function holdsNothing(t: ExecutionContext, { deps }: TestServer, but: readonly string[] = []): Promise<void> {
  const held = new Set<string>();
  for await (const { key, holders } of deps.catalog.list(contents)) {
    if (holders.some((holder) => but.some((uuid) => holder.includes(uuid)))) held.add(key);
    else t.fail(`held: ${holders}`);
  }
  for await (const { key } of deps.blobs.list()) t.true(held.has(key), `blob ${key} was left behind`);
  t.deepEqual([...deps.listing.sorted].map(({ uuid }) => uuid).sort(), [...but].sort());
}

test('an image travels to another server with all that it comes from', async (t) => {
  const source = await withImages(t);
  const bytes = await exported(source);
  const names = (await membersOf(bytes)).map(([name]) => name);
  t.deepEqual(names, [
    'slipway-bundle.json',
    `images/${BASE}/manifest.json`,
    `images/${BASE}/file`,
    `images/${TOP}/manifest.json`,
    `images/${TOP}/file`,
    `images/${TOP}/icon`,
  ]);
  const target = await startServer(t);
  t.deepEqual(await sent(target, bytes), [
    { image: BASE, name: 'base', status: 'imported', code: null, detail: null },
    { image: TOP, name: 'top', status: 'imported', code: null, detail: null },
  ] as never);
  for (const uuid of [BASE, TOP]) {
    t.deepEqual((await target.ask('GET', `/images/${uuid}/file`, { as: 'admin' })).bytes, files[uuid]);
    const [was, is] = [
      await source.ask('GET', `/images/${uuid}`, { as: 'admin' }),
      await target.ask('GET', `/images/${uuid}`, { as: 'admin' }),
    ];
    const { owner: _, ...manifest } = is.json;
    t.like(was.json, manifest);
  }
  t.deepEqual((await target.ask('GET', `/images/${TOP}/icon`, { as: 'admin' })).bytes, png);
  await holdsNothing(t, target, [BASE, TOP]);

  t.deepEqual(
    (await sent(target, bytes)).map(({ status }) => status),
    ['present', 'present'],
    'a second time',
  );
  await holdsNothing(t, target, [BASE, TOP]);
  await target.deps.audit.flush();
  const { json } = await target.ask('GET', '/api/audit?what=ImportBundle', { as: 'admin' });
  t.is((json.result as unknown as object[]).length, 2, 'an entry for each, in the write that made it');
  await source.deps.audit.flush();
  const pulls = await source.ask('GET', `/api/audit?what=ExportImage&object=${TOP}`, { as: 'admin' });
  t.like((pulls.json.result as unknown as object[])[0], { result: 'whole', bytes: bytes.length });
});

test('without origins it is the image alone, which is refused where its origin is not', async (t) => {
  const source = await withImages(t);
  const alone = await exported(source, TOP, '?origins=false');
  const target = await startServer(t);
  t.like((await sent(target, alone))[0], { image: TOP, status: 'refused', code: 'OriginDoesNotExist' });
  await holdsNothing(t, target);
  await sent(target, await exported(source, 'base'));
  t.like((await sent(target, alone))[0], { image: TOP, status: 'imported' });
});

test('another image of the same uuid is not touched, and hidden ones are not told of', async (t) => {
  const source = await withImages(t);
  const bytes = await exported(source, 'base');
  const target = await startServer(t);
  await importImage(target, { uuid: BASE, name: 'other', owner: numbered(9) }, { file: 'something else' });
  t.like((await sent(target, bytes))[0], { status: 'refused', code: 'ImageUuidAlreadyExists' });
  t.is((await target.stored(BASE))?.name, 'other');

  await addDatacenter(target, 'east');
  const eve = await addUser(target, 'eve');
  await grant(target, eve, 'east', 'admin', 'image_admin', 'image_import_admin');
  await place(target, BASE, { access: 'private', datacenters: ['main'] });
  const { headers } = eve;
  const asEve = await target.ask('POST', '/api/bundle', { body: bytes, headers });
  const [row] = asEve.json.result as unknown as Row[];
  t.is(row?.detail, `uuid ${BASE} is already registered; a SuperAdmin can attach its image`);
});

test('who may not import, or does not see the image, is refused', async (t) => {
  const server = await withImages(t);
  await addDatacenter(server, 'east');
  const mia = await addUser(server, 'mia');
  await grant(server, mia, 'east', 'admin', 'image_admin');
  const bytes = await exported(server);
  const target = await startServer(t);
  const nobody = await addUser(target, 'nobody');
  t.is((await target.ask('POST', '/api/bundle', { body: bytes, headers: nobody.headers })).status, 403);
  t.is((await server.ask('GET', '/api/image/top/export', { headers: mia.headers })).status, 404);

  await place(server, TOP, { access: 'private', datacenters: ['east'], boundTo: 'east' });
  await place(server, BASE, { access: 'private', datacenters: ['main'] });
  const hidden = await server.ask('GET', '/api/image/top/export', { headers: mia.headers });
  t.like(hidden, { status: 400, json: { code: 'OriginDoesNotExist' } });
  t.is((await server.ask('GET', '/api/image/top/export?origins=false', { headers: mia.headers })).status, 200);
  await holdsNothing(t, target);
});

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
type Members = [string, Buffer][];

/** How a bundle can be wrong, what is said of each image, and what of it is here afterwards. */
const wrong: Record<string, [change: (members: Members) => Members, said: RegExp, here: readonly string[]]> = {
  'a file is something else': [
    (members) => changed(members, `images/${TOP}/file`, () => Buffer.alloc(5000)),
    /sha1 is|sha256 is/,
    [BASE],
  ],
  'the base is something else': [
    (members) => changed(members, `images/${BASE}/file`, () => Buffer.alloc(300_000)),
    /sha1 is|sha256 is/,
    [],
  ],
  'a size lies': [
    (members) => changed(members, `images/${TOP}/file`, (bytes) => bytes.subarray(1)),
    /has 4999 bytes, and 5000 by the index/,
    [BASE],
  ],
  'a manifest is another': [
    (members) =>
      changed(members, `images/${TOP}/manifest.json`, (bytes) => Buffer.from(`${bytes}`.replace('top', 'pot'))),
    /is not the one that the index tells of/,
    [BASE],
  ],
  'a file is missing': [(members) => without(members, `images/${BASE}/file`), /file is missing/, []],
  'a manifest is missing': [
    (members) => without(members, `images/${TOP}/manifest.json`),
    /manifest.json is missing/,
    [BASE],
  ],
  'the icon is missing': [(members) => without(members, `images/${TOP}/icon`), /icon is missing/, [BASE]],
  'a file comes twice': [
    (members) => members.flatMap((one): Members => (one[0] === `images/${BASE}/file` ? [one, one] : [one])),
    /comes twice/,
    [BASE],
  ],
  'something has no place in it': [
    (members) => [...members.slice(0, 3), ['images/README', Buffer.from('hello')], ...members.slice(3)],
    /"images\/README" has no place/,
    [BASE],
  ],
  'something stands behind it': [
    (members) => [...members, ['more', Buffer.from('x')]],
    /"more" has no place/,
    [BASE, TOP],
  ],
  'the icon is none': [
    (members) =>
      changed(members, 'slipway-bundle.json', (bytes) => Buffer.from(`${bytes}`.replace('image/png', 'text/html'))),
    /of no type that is taken/,
    [BASE],
  ],
};

const changed = (members: Members, name: string, change: (bytes: Buffer) => Buffer): Members =>
  members.map(([one, bytes]) => [one, one === name ? change(bytes) : bytes]);
const without = (members: Members, name: string): Members => members.filter(([one]) => one !== name);

for (const [what, [change, said, here]] of Object.entries(wrong)) {
  test(`${what}: said so, and nothing of it stays`, async (t) => {
    const source = await withImages(t);
    const bytes = await tarOf(change(await membersOf(await exported(source))));
    const target = await startServer(t);
    const rows = await sent(target, bytes);
    const first = rows.find(({ status }) => status === 'refused');
    t.regex(first?.detail ?? '', said);
    t.deepEqual(
      rows.filter(({ status }) => status === 'imported').map(({ image }) => image),
      here as never,
    );
    await holdsNothing(t, target, here);
  });
}

test('cut short: what was whole is here, the rest is told of', async (t) => {
  const source = await withImages(t);
  const bytes = await exported(source);
  const target = await startServer(t);
  const rows = await sent(target, bytes.subarray(0, 200_000));
  t.like(rows, [
    { image: BASE, code: 'InvalidContent', detail: 'the tar is cut short' },
    { image: TOP, status: 'refused' },
  ] as never);
  await holdsNothing(t, target);
  const later = await sent(target, bytes.subarray(0, 305_000));
  t.deepEqual(
    later.map(({ status }) => status),
    ['imported', 'refused'],
  );
  await holdsNothing(t, target, [BASE]);
});

test('what is no bundle is refused as a whole', async (t) => {
  const server = await startServer(t);
  const member = { manifest: { size: 1, sha256: 'a'.repeat(64) }, file: { size: 1, sha256: 'b'.repeat(64) } };
  const listed: BundledImage = { uuid: BASE, ...member };
  const index = (value: object) =>
    tarOf([['slipway-bundle.json', json({ format: 'slipway-bundle', version: 1, ...value })]]);
  const link = pack();
  link.entry({ name: 'slipway-bundle.json', type: 'symlink', linkname: '/etc/passwd' });
  link.finalize();
  const cases: [Buffer, RegExp][] = [
    [Buffer.from('no tar'), /cut short|no tar/],
    [randomBytes(100_000), /no tar/],
    [Buffer.alloc(10_240), /no bundle/],
    [await tarOf([['other', Buffer.from('x')]]), /does not begin with slipway-bundle.json/],
    [await tarOf([['slipway-bundle.json', Buffer.from('{')]]), /no JSON/],
    [await tarOf([['slipway-bundle.json', Buffer.alloc(2 << 20, ' ')]]), /of which 1048576 are allowed/],
    [await index({ images: [] }), /tells of 0 images/],
    [await index({ images: Array(300).fill(listed) }), /tells of 300 images/],
    [await index({ images: [listed, listed] }), /tells of an image twice/],
    [await index({ version: 7, images: [listed] }), /of version 7/],
    [await index({ images: [{ ...listed, uuid: '../../etc' }] }), /without a uuid/],
    [await index({ images: [{ ...listed, file: { size: -1, sha256: 'x' } }] }), /what its bytes are/],
    [await buffer(link as unknown as Readable), /is a symlink/],
  ];
  for (const [body, message] of cases) {
    const { status, json } = await server.ask('POST', '/api/bundle', { body });
    t.is(status, 400, String(message));
    t.is(json.code, 'InvalidContent');
    t.regex(json.message ?? '', message);
  }
  await holdsNothing(t, server);
});

test('limits hold: a file that is too large, and a quota', async (t) => {
  const source = await withImages(t);
  const bytes = await exported(source, 'base');
  const small = await startServer(t, { maxFileSize: 200_000 });
  t.like((await sent(small, bytes))[0], {
    status: 'refused',
    code: 'Download',
    detail: 'more than 200000 bytes have come',
  });
  await holdsNothing(t, small);
  const target = await startServer(t);
  await addDatacenter(target, 'east', { settings: { imageBytesLimit: 100_000 } });
  t.like((await sent(target, bytes, '?dc=east'))[0], { status: 'refused', code: 'QuotaExceeded' });
  await holdsNothing(t, target);
  t.like((await sent(target, bytes, '?dc=main&dc_bound=false&access=3'))[0], { status: 'imported' });
  t.like((await target.stored(BASE)) as never, { public: false });
});

test('the digest of an export does not change by what it travels with', async (t) => {
  const server = await withImages(t);
  const [one, other] = [await exported(server), await exported(server)];
  t.is(createHash('sha256').update(one).digest('hex'), createHash('sha256').update(other).digest('hex'));
});

test('whoever loses the right while a bundle comes brings no more of it', async (t) => {
  const bytes = await exported(await withImages(t));
  const server = await startServer(t);
  await addDatacenter(server, 'east');
  const eve = await addUser(server, 'eve');
  const group = await grant(server, eve, 'east', 'admin', 'image_admin', 'image_import_admin', 'share_public');
  const { stage } = server.deps.blobs;
  // the first bytes of the first image are what it costs her
  server.deps.blobs.stage = async () => {
    if ((await server.deps.catalog.get(groups, group)) !== undefined) {
      await server.deps.catalog.write((tx) => tx.delete(groups, group));
    }
    return stage.call(server.deps.blobs);
  };
  const { status, json } = await server.ask('POST', '/api/bundle', {
    as: 'anonymous',
    headers: eve.headers,
    body: bytes,
  });
  t.is(status, 200);
  const rows = json.result as unknown as Row[];
  t.deepEqual(
    rows.map(({ status, code }) => [status, code]),
    [
      ['refused', 'NotPermitted'],
      ['refused', 'OriginDoesNotExist'],
    ],
  );
  await holdsNothing(t, server);
});

test('what the kernel moves is the same bundle, byte by byte, and leaves nothing open', async (t) => {
  const blobs = await openFilesystemBlobs(await scratch(t));
  const kernel = await openKernel();
  const server = await withImages(t, { blobs, kernel });
  const moved = await exported(server);
  server.deps.kernel = undefined;
  t.true(moved.equals(await exported(server)));
  t.true((await membersOf(moved)).some(([name]) => name === `images/${BASE}/file`));
  t.is(server.deps.catalog.openSnapshots(), 0);
});

test('a blob that is shorter than it should be breaks the export off', async (t) => {
  const directory = await scratch(t);
  const blobs = await openFilesystemBlobs(directory);
  const server = await withImages(t, { blobs, kernel: await openKernel() });
  for await (const { key } of blobs.list()) {
    const path = join(directory, 'blobs', key.slice(0, 2), key);
    if ((await stat(path)).size === 300_000) await truncate(path, 200_000);
  }
  await t.throwsAsync(server.ask('GET', '/api/image/top/export', { as: 'admin' }));
  t.is((await server.ask('GET', '/ping')).status, 200);
});
