import { createHash, randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { partials } from '../../storage/partials.js';
import { linesOf } from '../support/registry.js';
import { type Reply, remote } from '../support/remote.js';
import { startServer, type TestServer } from '../support/server.js';
import { holders, kept } from '../support/told.js';

const sha256 = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest('hex');
const [meta, root, squash, whole] = [300, 70_000, 50_000, 60_000].map((size) => randomBytes(size)) as [
  Buffer,
  Buffer,
  Buffer,
  Buffer,
];

const file = (ftype: string, path: string, bytes: Buffer, more = {}) => ({
  ftype,
  path: `images/${path}`,
  sha256: sha256(bytes),
  size: bytes.length,
  ...more,
});
const covering = {
  combined_sha256: sha256(meta, root),
  combined_rootxz_sha256: sha256(meta, root),
  combined_squashfs_sha256: sha256(meta, squash),
};
const described = file('lxd.tar.xz', 'lxd.tar.xz', meta, covering);
const rooted = file('root.tar.xz', 'root.tar.xz', root);
const squashed = file('squashfs', 'root.squashfs', squash);
const combined = file('lxd_combined.tar.gz', 'combined.tar.gz', whole);

const product = (arch: string, aliases: string, versions: Record<string, object[]>, more = {}) => ({
  arch,
  aliases,
  os: 'Alpine',
  release: '3.18',
  release_title: '3.18',
  versions: Object.fromEntries(
    Object.entries(versions).map(([version, items]) => [
      version,
      { items: Object.fromEntries(items.entries()), ...more },
    ]),
  ),
});

const bytesOf: Record<string, Buffer> = {
  '/images/lxd.tar.xz': meta,
  '/images/root.tar.xz': root,
  '/images/root.squashfs': squash,
  '/images/combined.tar.gz': whole,
};

const index = {
  format: 'index:1.0',
  index: {
    clouds: { datatype: 'image-ids', path: 'streams/v1/clouds.json' },
    images: { datatype: 'image-downloads', path: 'streams/v1/images.json' },
  },
};

/** A server that does nothing but hand out files. */
async function streams(t: ExecutionContext, products: object, more: Record<string, object | Reply> = {}) {
  const files = Object.entries(bytesOf).map(([path, bytes]): [string, Reply] => [
    `GET ${path}`,
    (_, response) => response.writeHead(200, { 'content-length': bytes.length }).end(bytes),
  ]);
  return remote(t, {
    'GET /streams/v1/index.json': index,
    'GET /streams/v1/images.json': { format: 'products:1.0', products },
    ...Object.fromEntries(files),
    ...more,
  });
}

const start = (t: ExecutionContext, url: string) =>
  startServer(t, { registries: { insecure: [], lxd: { images: url }, patience: 60_000, pauses: [1, 1] } });

async function pull({ ask }: TestServer, alias: string, more = '') {
  const answer = await ask('POST', `/images?action=import-lxd-image&alias=${encodeURIComponent(alias)}${more}`);
  const lines = linesOf(answer.bytes);
  return { ...answer, lines, error: lines.at(-1)?.error as { code: string; message: string } | undefined };
}

async function left(server: TestServer) {
  let begun = 0;
  for await (const _ of server.deps.catalog.list(partials)) begun += 1;
  const { images, whole, staged } = await kept(server);
  return { images: images.length, whole, staged, begun };
}

const nothing = { images: 0, whole: 0, staged: 0, begun: 0 };

test('metadata and root filesystem are the two files of one image', async (t) => {
  const { url } = await streams(t, {
    arm: product('arm64', 'alpine/3.18', { '20250101_13:00': [combined] }),
    'alpine:3.18:amd64:default': product('amd64', 'alpine/3.18/default, alpine/3.18', {
      '20240101_13:00': [combined],
      '20240302_13:00': [described, rooted],
      '20240401_13:00': [described],
    }),
  });
  const server = await start(t, url);
  const { status, headers, bytes, lines, error } = await pull(server, 'images:alpine/3.18');
  t.is(status, 200);
  t.is(headers['content-type'], 'application/json');
  t.true(bytes.toString().endsWith('}\r\n'));
  t.true(lines.every(({ alias }) => alias === 'images:alpine/3.18'));
  t.is(error, undefined, error?.message);

  const uuid = covering.combined_rootxz_sha256.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  const { json } = await server.ask('GET', `/images/${uuid}`, { as: 'admin' });
  t.like(json, {
    state: 'active',
    type: 'lxd',
    os: 'linux',
    public: false,
    version: '20240302_13_00',
    published_at: '2024-03-02T00:00:00.000Z',
    requirements: { brand: 'lx' },
  });
  t.like(json.tags as object, {
    'lxd:ftype': 'root.tar.xz',
    'lxd:repo': 'images',
    'lxd:arch': 'amd64',
    'lxd:sha256': sha256(meta),
  });
  t.deepEqual(
    json.files?.map(({ size, compression }) => [size, compression]),
    [
      [meta.length, 'xz'],
      [root.length, 'xz'],
    ],
  );
  t.deepEqual((await server.ask('GET', `/images/${uuid}/file`, { as: 'admin' })).bytes, meta);
  t.deepEqual((await server.ask('GET', `/images/${uuid}/file?index=1`, { as: 'admin' })).bytes, root);
  t.is((await server.ask('GET', `/images/${uuid}/file?index=2`, { as: 'admin' })).status, 404);
  t.deepEqual(await left(server), { images: 1, whole: 2, staged: 0, begun: 0 });

  const again = await pull(server, 'images:alpine/3.18');
  t.true(again.lines.some(({ payload }) => Object(payload).status === 'Already exists'));
  t.deepEqual(await left(server), { images: 1, whole: 2, staged: 0, begun: 0 });

  t.is((await server.ask('DELETE', `/images/${uuid}`)).status, 204);
  t.deepEqual(await holders(server), [[], []]);
});

const picked: [string, object, (string | undefined)[], string][] = [
  ['combined, in one file', product('amd64', 'a', { '20240101': [combined] }), ['gzip'], combined.sha256],
  [
    'squashfs before a tarball',
    product('amd64', 'a', { '20240101': [described, rooted, squashed] }),
    ['xz', 'none'],
    covering.combined_squashfs_sha256,
  ],
  ['of another architecture, by name', product('arm64', 'b, a', { '20240101': [combined] }), ['gzip'], combined.sha256],
];

for (const [what, offered, packed, fingerprint] of picked) {
  test(`picked: ${what}`, async (t) => {
    const { url } = await streams(t, { offered });
    const server = await start(t, url);
    const alias = what.includes('architecture') ? 'images:a/arm64' : 'images:a';
    t.is((await pull(server, alias, '&public=true')).error, undefined);
    const [uuid = ''] = (await kept(server)).images;
    const image = await server.stored(uuid);
    t.is(uuid.replaceAll('-', ''), fingerprint.slice(0, 32));
    t.true(image?.public);
    t.deepEqual(
      image?.files.map(({ compression }) => compression),
      packed,
    );
  });
}

const good = { 'a:b': product('amd64', 'a', { '20240101': [described, rooted] }) };
const escaping = (path: string) => ({ 'a:b': product('amd64', 'a', { '20240101': [{ ...combined, path }] }) });

const failures: [string, object, Record<string, object | Reply>, string][] = [
  ['no such image', {}, {}, 'RemoteSourceError'],
  ['nothing for containers', { 'a:b': product('amd64', 'a', { '20240101': [described] }) }, {}, 'RemoteSourceError'],
  [
    'no index',
    good,
    { 'GET /streams/v1/index.json': (_, response) => response.writeHead(404).end() },
    'RemoteSourceError',
  ],
  ['a web page', good, { 'GET /streams/v1/images.json': (_, response) => response.end('<html>') }, 'RemoteSourceError'],
  ['a list', good, { 'GET /streams/v1/index.json': [] }, 'RemoteSourceError'],
  [
    'an index without end',
    good,
    { 'GET /streams/v1/index.json': (_, response) => response.end('['.repeat(5 << 20)) },
    'RemoteSourceError',
  ],
  ['a path out of it', escaping('../secret'), {}, 'RemoteSourceError'],
  ['a path to elsewhere', escaping('http://127.0.0.1:1/x'), {}, 'RemoteSourceError'],
  ['a path from the root', escaping('//127.0.0.1/x'), {}, 'RemoteSourceError'],
  [
    'a file that is another',
    good,
    { 'GET /images/root.tar.xz': (_, response) => response.end(randomBytes(root.length)) },
    'Download',
  ],
  [
    'a file that is shorter',
    good,
    { 'GET /images/root.tar.xz': (_, response) => response.end(root.subarray(1)) },
    'Download',
  ],
  [
    'a file that is not there',
    good,
    { 'GET /images/root.tar.xz': (_, response) => response.writeHead(404).end() },
    'RemoteSourceError',
  ],
  [
    'a redirect in a circle',
    good,
    { 'GET /images/root.tar.xz': (_, response) => response.writeHead(302, { location: '/images/root.tar.xz' }).end() },
    'RemoteSourceError',
  ],
  [
    'a file too large',
    { 'a:b': product('amd64', 'a', { '20240101': [{ ...combined, size: 21 * 1024 ** 3 }] }) },
    {},
    'ImageFileTooBig',
  ],
];

for (const [what, products, more, code] of failures) {
  test(`${what}: an error line, and nothing is left`, async (t) => {
    const { url } = await streams(t, products, more);
    const server = await start(t, url);
    const { status, error } = await pull(server, 'images:a');
    t.is(status, 200);
    t.is(error?.code, code, error?.message);
    t.deepEqual(await left(server), nothing);
  });
}

test('only registries that are configured are asked', async (t) => {
  const server = await start(t, 'http://127.0.0.1:1');
  t.like((await pull(server, 'nowhere:a')).error ?? {}, { code: 'RemoteSourceError' });
  t.like((await pull(server, 'toString:a')).error ?? {}, { code: 'RemoteSourceError' });
});

test('an image that somebody has put under the uuid of one of LXD is not taken for it', async (t) => {
  const { url } = await streams(t, { alpine: product('amd64', 'alpine', { '20240302_13:00': [combined] }) });
  const server = await start(t, url);
  const uuid = sha256(whole)
    .slice(0, 32)
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  const owner = '00000000-0000-0000-0000-000000000000';
  const body = { v: 2, uuid, owner, name: 'alpine', version: '1', type: 'lxd', os: 'linux', public: true };
  t.is((await server.ask('POST', `/images/${uuid}?action=import`, { body })).status, 200);
  await server.ask('PUT', `/images/${uuid}/file?compression=none`, { body: 'something else' });
  t.is((await server.ask('POST', `/images/${uuid}?action=activate`)).status, 200);
  t.is((await pull(server, 'images:alpine')).error?.code, 'ImageUuidAlreadyExists');
  t.deepEqual(await left(server), { ...nothing, images: 1, whole: 1 });
});
