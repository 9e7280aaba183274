import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { uuidOfChain } from '../../server/model/chain-uuid.js';
import { partials } from '../../storage/partials.js';
import { gate } from '../support/gate.js';
import { startFleet } from '../support/managed.js';
import { isMet } from '../support/needs.js';
import {
  digestOf,
  linesOf,
  startRegistry,
  type TestImage,
  type TestRegistry,
  testImage,
  types,
} from '../support/registry.js';
import { type ServerOptions, startServer, type TestServer } from '../support/server.js';
import { kept } from '../support/told.js';

type Query = Record<string, string>;
const registries = { insecure: [], lxd: {}, patience: 60_000, pauses: [1, 1, 1, 1] };

const start = (t: Parameters<typeof startServer>[0], options: ServerOptions = {}) =>
  startServer(t, { registries, ...options });

async function pull(
  { ask }: Pick<TestServer, 'ask'>,
  { host }: Pick<TestRegistry, 'host'>,
  repo: string,
  more: Query = { tag: 'latest' },
  headers: Record<string, string> = {},
) {
  const query = new URLSearchParams({ action: 'import-docker-image', repo: `${host}/${repo}`, ...more });
  const answer = await ask('POST', `/images?${query}`, { headers });
  const lines = linesOf(answer.bytes);
  const last = lines.at(-1) as { type?: string; error?: { code: string; message: string } } | undefined;
  return { ...answer, lines, error: last?.error };
}

/** Nothing is left but these images, whole. */
async function left(server: TestServer) {
  let begun = 0;
  for await (const _ of server.deps.catalog.list(partials)) begun += 1;
  const { images, whole, staged } = await kept(server);
  return { images: images.length, whole, staged, begun };
}

const nothing = { images: 0, whole: 0, staged: 0, begun: 0 };

test('one image for each layer, active, each on top of the one below it', async (t) => {
  const registry = await startRegistry(t);
  const image = testImage(['base', 'middle', 'top']);
  registry.put('team/app', '1.0', image);
  const server = await start(t);

  const { status, headers, bytes, lines } = await pull(server, registry, 'team/app', { tag: '1.0' });
  t.is(status, 200);
  t.is(headers['content-type'], 'application/json');
  t.is(headers['transfer-encoding'], 'chunked');
  t.true(bytes.toString().endsWith('}\r\n'));
  const id = `${registry.host}/team/app`;
  t.true(lines.every((line) => line.id === id));
  t.deepEqual([...new Set(lines.map(({ type }) => type))], ['status', 'progress', 'create-docker-image']);

  const created = lines.find(({ type }) => type === 'create-docker-image') ?? {};
  t.like(created, {
    config_digest: image.manifest.config.digest,
    head: true,
    image: image.config,
    manifest_digest: image.digest,
    manifest_str: image.text,
    size: image.layers.reduce((bytes, layer) => bytes + layer.length, 0),
    dockerImageVersion: '2.2',
  });

  let uuid: string | undefined = String(created.image_uuid);
  for (const layer of image.layers.toReversed()) {
    const { json } = await server.ask('GET', `/images/${uuid}`);
    t.like(json, { state: 'active', type: 'docker', os: 'linux', name: 'docker-layer', public: true });
    t.is(json.version, digestOf(layer).slice(7, 19));
    t.is(json.files?.[0]?.compression, 'gzip');
    t.deepEqual((await server.ask('GET', `/images/${uuid}/file`)).bytes, layer);
    const [file] = (await server.stored(json.uuid))?.files ?? [];
    t.is(file?.digest, digestOf(layer));
    t.true(image.manifest.layers.some(({ digest }) => digest === file?.digest));
    uuid = json.origin as string | undefined;
  }
  t.is(uuid, undefined);
  t.deepEqual(await left(server), { images: 3, whole: 3, staged: 0, begun: 0 });
});

test('what is here already is not fetched again, and another tag of it is added', async (t) => {
  const registry = await startRegistry(t);
  registry.put('app', '1', testImage(['base', 'top']));
  registry.put('app', '2', testImage(['base', 'top']));
  registry.put('other', 'latest', testImage(['base', 'another top']));
  const server = await start(t);
  const first = await pull(server, registry, 'app', { tag: '1' });
  const head = String(first.lines.find(({ type }) => type === 'create-docker-image')?.image_uuid);

  registry.asked.splice(0);
  const again = await pull(server, registry, 'app', { tag: '2' });
  t.is(again.error, undefined);
  t.is(again.lines.filter(({ payload }) => Object(payload).status === 'Already exists').length, 2);
  t.regex(JSON.stringify(again.lines.at(-1)), /Image is up to date for .*app:2/);
  t.is(registry.asked.filter((asked) => asked.includes('/blobs/')).length, 1, 'the configuration only');
  const { json } = await server.ask('GET', `/images/${head}`);
  t.like(json.tags as object, { 'docker:tag:1': true, 'docker:tag:2': true });

  registry.asked.splice(0);
  const other = await pull(server, registry, 'other');
  t.is(other.lines.filter(({ payload }) => Object(payload).status === 'Already exists').length, 1);
  t.is(registry.asked.filter((asked) => asked.includes('/blobs/')).length, 2);
  t.deepEqual(await left(server), { images: 3, whole: 3, staged: 0, begun: 0 });
});

test('of a list, the image for linux on amd64; by digest as well', async (t) => {
  for (const mediaType of [types.index, types.list]) {
    const registry = await startRegistry(t);
    const [arm, amd] = [testImage(['arm']), testImage(['amd'])];
    registry.put('app', 'arm', arm);
    registry.put('app', 'amd', amd);
    const entry = (image: TestImage, architecture: string) => ({
      mediaType: types.docker,
      digest: image.digest,
      size: image.text.length,
      platform: { os: 'linux', architecture },
    });
    const list = { schemaVersion: 2, mediaType, manifests: [entry(arm, 'arm64'), entry(amd, 'amd64')] };
    const digest = registry.putText('app', 'latest', mediaType, JSON.stringify(list));
    for (const reference of [{ tag: 'latest' }, { digest }] as Query[]) {
      const server = await start(t);
      const { lines } = await pull(server, registry, 'app', reference);
      t.like(
        lines.find(({ type }) => type === 'create-docker-image'),
        { manifest_digest: amd.digest },
      );
    }
  }
});

const auth = (user: string, password: string) =>
  Buffer.from(JSON.stringify({ username: user, password })).toString('base64');

test('credentials: of the registry, in either header, as a token or as they are', async (t) => {
  for (const login of ['basic', 'token'] as const) {
    const registry = await startRegistry(t, { login, users: { alice: 'sesame' } });
    registry.put('app', 'latest', testImage(['base', 'top']));
    const config = Buffer.from(JSON.stringify({ [registry.host]: { username: 'alice', password: 'sesame' } }));
    const server = await start(t);
    for (const wrong of ['', auth('alice', 'wrong'), 'nonsense']) {
      const headers = { 'x-registry-auth': wrong };
      const { status, error } = await pull(server, registry, 'app', { tag: 'latest' }, headers);
      t.is(status, 200);
      t.is(error?.code, 'RemoteSourceError', `${login} ${wrong}`);
      t.false(JSON.stringify(error).includes('wrong'));
    }
    t.deepEqual(await left(server), nothing);
    t.is(
      (await pull(server, registry, 'app', { tag: 'latest' }, { 'x-registry-config': config.toString('base64') }))
        .error,
      undefined,
    );
    const other = await start(t);
    const headers = { 'x-registry-auth': auth('alice', 'sesame') };
    t.is((await pull(other, registry, 'app', { tag: 'latest' }, headers)).error, undefined);
    if (login === 'token') {
      const basic = registry.asked.filter((asked) => asked.endsWith(' Basic'));
      t.true(
        basic.every((asked) => asked.startsWith('GET /token?')),
        'the password goes to the realm only',
      );
    }
  }
  const server = await start(t);
  const token = Buffer.from(JSON.stringify({ identitytoken: 'x' })).toString('base64');
  const refused = await server.ask('POST', '/images?action=import-docker-image&repo=busybox&tag=latest', {
    headers: { 'x-registry-auth': token },
  });
  t.is(refused.status, 400);
  t.is(refused.json.code, 'NotImplemented');
});

test('a blob that lies elsewhere is fetched there, without credentials', async (t) => {
  const registry = await startRegistry(t, { login: 'basic', users: { alice: 'sesame' }, blobHost: '127.0.0.1' });
  registry.put('app', 'latest', testImage(['base', 'top']));
  const server = await start(t);
  const headers = { 'x-registry-auth': auth('alice', 'sesame') };
  t.is((await pull(server, registry, 'app', { tag: 'latest' }, headers)).error, undefined);
  t.is(registry.fetched.length, 3);
  t.true(registry.fetched.every(({ authorization }) => authorization === undefined));
});

test('private addresses are closed to users, and to where an operator is led', async (t) => {
  const registry = await startRegistry(t, { login: 'token', realmHost: '127.0.0.2' });
  registry.put('app', 'latest', testImage(['base']));
  const closed = { outgoing: { allowedAddresses: [] } };
  const server = await start(t, closed);
  const led = await pull(server, registry, 'app');
  t.is(led.error?.code, 'RemoteSourceError');
  t.regex(led.error?.message ?? '', /127\.0\.0\.2/);
  t.false(registry.asked.some((asked) => asked.includes('/token')));
  t.deepEqual(await left(server), nothing);

  const open = await startRegistry(t);
  open.put('app', 'latest', testImage(['base']));
  const fleet = await startFleet(t, { registries, ...closed });
  const query = new URLSearchParams({
    action: 'import-docker-image',
    repo: `${open.host}/app`,
    tag: 'latest',
    public: 'false',
  });
  const refused = await fleet.eve('POST', `/images?${query}`);
  t.is(Object(linesOf(refused.bytes)[0]?.error).code, 'RemoteSourceError');
  t.deepEqual(open.asked, []);

  const allowed = await startFleet(t, { registries });
  const taken = await allowed.eve('POST', `/images?${query}`);
  t.is(linesOf(taken.bytes).at(-1)?.error, undefined);
  const [uuid = ''] = (await kept(allowed)).images;
  t.like((await allowed.stored(uuid)) ?? {}, { public: false, registration: { boundTo: 'east' } });
});

/** Every way in which a registry can fail: nothing is left of it. */
const failures: Record<string, { code?: string; image?: () => TestImage; meddle: TestRegistry['meddle'] }> = {
  'nothing there': { meddle: (_, response) => refuse(response, 404) },
  'a web page': { meddle: (_, response) => send(response, '<html><body>Welcome</body></html>') },
  'a manifest without end': { meddle: (_, response) => send(response, '['.repeat(5 << 20)) },
  'a list within a list': {
    meddle: (request, response) => {
      const list = (digest: string) =>
        JSON.stringify({
          schemaVersion: 2,
          manifests: [{ digest, size: 3, platform: { os: 'linux', architecture: 'amd64' } }],
        });
      const inner = list(digestOf('x'));
      return send(response, request.url?.endsWith('latest') ? list(digestOf(inner)) : inner);
    },
  },
  'too many requests': { meddle: (_, response) => refuse(response, 429) },
  'a configuration that is another': {
    meddle: ({ url = '' }, response) => url.includes('/blobs/') && send(response, '{}'),
  },
  'a layer that is another': {
    code: 'Download',
    meddle: layers((response, size) => send(response, 'x'.repeat(size))),
  },
  'a layer that is longer': {
    code: 'Download',
    meddle: layers((response, size) => {
      response.writeHead(200);
      response.end('x'.repeat(size + 1));
      return true;
    }),
  },
  'a layer that tells of another size': {
    code: 'Download',
    meddle: layers((response) => send(response, 'short')),
  },
  'a layer that is cut every time': {
    meddle: layers((response, size) => {
      response.writeHead(200, { 'content-length': size });
      response.write('x', () => response.destroy());
      return true;
    }),
  },
  'a layer behind a loop': {
    meddle: layers((response) => void response.writeHead(302, { location: '?' }).end() === undefined),
  },
  'a layer too large': {
    code: 'ImageFileTooBig',
    image: () => {
      const image = testImage(['base']);
      const [layer] = image.manifest.layers;
      if (layer) layer.size = 21 * 1024 ** 3;
      return { ...image, text: JSON.stringify(image.manifest) };
    },
    meddle: () => false,
  },
  'a layer of a kind that is not known': {
    code: 'NotImplemented',
    image: () => {
      const image = testImage(['base']);
      const [layer] = image.manifest.layers;
      if (layer) layer.mediaType = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
      return { ...image, text: JSON.stringify(image.manifest) };
    },
    meddle: () => false,
  },
  'a configuration of other layers': {
    code: 'NotImplemented',
    image: () => testImage(['base'], { rootfs: { type: 'layers', diff_ids: [] } }),
    meddle: () => false,
  },
};

type Sends = (response: Parameters<NonNullable<TestRegistry['meddle']>>[1], size: number) => boolean;

function layers(sends: Sends): TestRegistry['meddle'] {
  const [first, second] = testImage(['base', 'top']).layers;
  const sizes = new Map([first, second].map((bytes) => [digestOf(bytes ?? ''), bytes?.length ?? 0]));
  return ({ url = '' }, response) => {
    const size = sizes.get(url.split('/').at(-1)?.replace(/\?.*/, '') ?? '');
    return size !== undefined && sends(response, size);
  };
}

function send(response: Parameters<Sends>[0], text: string): boolean {
  response.writeHead(200, { 'content-length': Buffer.byteLength(text) });
  response.end(text);
  return true;
}

function refuse(response: Parameters<Sends>[0], status: number): boolean {
  response.writeHead(status).end('{"code":"NotPermitted","message":"in the words of an image server"}');
  return true;
}

for (const [what, { code = 'RemoteSourceError', image, meddle }] of Object.entries(failures)) {
  test(`${what}: an error line, and nothing is left`, async (t) => {
    const registry = await startRegistry(t, { ...(meddle && { meddle }) });
    registry.put('app', 'latest', image?.() ?? testImage(['base', 'top']));
    const server = await start(t);
    const { status, lines, error } = await pull(server, registry, 'app');
    t.is(status, 200);
    t.is(error?.code, code, error?.message);
    t.is(lines.at(-1)?.id, `${registry.host}/app`);
    t.deepEqual(await left(server), nothing);
  });
}

test('five attempts at a layer, each going on where the last one was cut', async (t) => {
  const layer = randomBytes(50_000);
  const image = testImage([layer]);
  const [bytes = Buffer.alloc(0)] = image.layers;
  const ranges: (string | undefined)[] = [];
  const registry = await startRegistry(t, {
    meddle: ({ url = '', headers }, response) => {
      if (!url.endsWith(digestOf(bytes))) return false;
      ranges.push(headers.range);
      if (ranges.length === 5) return false;
      const from = Number(/\d+/.exec(headers.range ?? '')?.[0] ?? 0);
      const total = bytes.length;
      response.writeHead(from > 0 ? 206 : 200, {
        'content-length': total - from,
        ...(from > 0 && { 'content-range': `bytes ${from}-${total - 1}/${total}` }),
      });
      response.write(bytes.subarray(from, from + 10_000), () => response.destroy());
      return true;
    },
  });
  registry.put('app', 'latest', image);
  const server = await start(t);
  const { error } = await pull(server, registry, 'app');
  t.is(error, undefined);
  t.is(ranges.length, 5);
  t.is(ranges[0], undefined);
  t.true(ranges.slice(1).every((range) => range !== undefined));
  t.deepEqual(await left(server), { images: 1, whole: 1, staged: 0, begun: 0 });
});

test('a layer that falls silent is asked for again', async (t) => {
  const image = testImage(['base']);
  const [layer = Buffer.alloc(0)] = image.layers;
  const ranges: (string | undefined)[] = [];
  const registry = await startRegistry(t, {
    meddle: ({ url = '', headers }, response) => {
      if (!url.endsWith(digestOf(layer))) return false;
      ranges.push(headers.range);
      if (ranges.length > 1) return false;
      response.writeHead(200, { 'content-length': layer.length }).write(layer.subarray(0, 3));
      return true;
    },
  });
  registry.put('app', 'latest', image);
  const server = await start(t, { registries: { ...registries, patience: 4000 } });
  t.is((await pull(server, registry, 'app')).error, undefined);
  t.deepEqual(ranges.slice(0, 2), [undefined, 'bytes=3-']);
  t.deepEqual(await left(server), { images: 1, whole: 1, staged: 0, begun: 0 });
});

test('who leaves ends it: what is active by then stays, and nothing else', async (t) => {
  const image = testImage(['base', 'top']);
  const [base, top] = image.manifest.layers;
  const { opened, open } = gate();
  const begun = gate();
  const hung = gate();
  const registry = await startRegistry(t, {
    meddle: async ({ url = '' }, response) => {
      if (!url.endsWith(top?.digest ?? '')) return false;
      response.writeHead(200, { 'content-length': top?.size }).write(image.layers[1]?.subarray(0, 5));
      response.once('close', hung.open);
      begun.open();
      await opened;
      return true;
    },
  });
  registry.put('app', 'latest', image);
  const server = await start(t);
  const query = new URLSearchParams({ action: 'import-docker-image', repo: `${registry.host}/app`, tag: 'latest' });
  const request = httpRequest({
    port: server.port,
    method: 'POST',
    path: `/images?${query}`,
    headers: { authorization: `Bearer ${server.token}` },
  });
  request.once('error', () => {});
  request.end();
  await new Promise<void>((resolve) => {
    request.once('response', async (response) => {
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) {
        text += chunk;
        if (!text.includes('Pull complete')) continue;
        // the top need not have been asked for by then
        await begun.opened;
        break;
      }
      resolve();
    });
  });
  request.destroy();
  await hung.opened;
  open();
  while ((await left(server)).begun > 0) await setImmediate();
  t.deepEqual(await left(server), { images: 1, whole: 1, staged: 0, begun: 0 });
  const [uuid = ''] = (await kept(server)).images;
  t.like((await server.stored(uuid)) ?? {}, { state: 'active', tags: { 'docker:id': base?.digest } });
});

test('two at once that have layers in common both come to their end', async (t) => {
  const registry = await startRegistry(t);
  registry.put('one', 'latest', testImage(['base', 'middle', 'top of one']));
  registry.put('two', 'latest', testImage(['base', 'middle', 'top of two']));
  const server = await start(t);
  const both = await Promise.all([pull(server, registry, 'one'), pull(server, registry, 'two')]);
  t.deepEqual(
    both.map(({ error }) => error),
    [undefined, undefined],
  );
  t.deepEqual(await left(server), { images: 4, whole: 4, staged: 0, begun: 0 });
});

const withZstd = isMet.zstd ? test : test.skip;

withZstd('what is packed with zstd is packed anew, as clients know nothing of it (needs zstd)', async (t) => {
  const content = randomBytes(200_000);
  const image = testImage([content]);
  const packed = spawnSync('zstd', ['-c'], { input: content, maxBuffer: 1 << 24 }).stdout;
  const mediaType = 'application/vnd.oci.image.layer.v1.tar+zstd';
  const layers = [{ mediaType, digest: digestOf(packed), size: packed.length }];
  const text = JSON.stringify({ ...image.manifest, layers });
  const registry = await startRegistry(t);
  registry.put('app', 'latest', { ...image, text, layers: [packed] });
  const server = await start(t);
  t.is((await pull(server, registry, 'app')).error, undefined);
  const [uuid = ''] = (await kept(server)).images;
  const stored = await server.stored(uuid);
  t.like(stored?.files[0] ?? {}, {
    compression: 'gzip',
    digest: digestOf(packed),
    uncompressedDigest: digestOf(content),
  });
  t.deepEqual(gunzipSync((await server.ask('GET', `/images/${uuid}/file`)).bytes), content);
  t.deepEqual(await left(server), { images: 1, whole: 1, staged: 0, begun: 0 });

  registry.blobs.set(digestOf(packed), Buffer.from(packed).fill(0, 100, 200));
  const other = await start(t);
  t.is((await pull(other, registry, 'app')).error?.code, 'Download');
  t.deepEqual(await left(other), nothing);
});

test('an image that somebody has put under the uuid of a layer is not taken for it', async (t) => {
  const registry = await startRegistry(t);
  const image = testImage(['base', 'top']);
  registry.put('app', 'latest', image);
  const [base] = image.layers;
  const uuid = uuidOfChain([digestOf(base as Buffer)]);
  const planted = async (bytes: string | Buffer) => {
    const server = await start(t);
    const owner = '00000000-0000-0000-0000-000000000000';
    const body = { v: 2, uuid, owner, name: 'docker-layer', version: '1', type: 'docker', os: 'linux', public: true };
    t.is((await server.ask('POST', `/images/${uuid}?action=import`, { body })).status, 200);
    t.is((await server.ask('PUT', `/images/${uuid}/file?compression=gzip`, { body: bytes })).status, 200);
    t.is((await server.ask('POST', `/images/${uuid}?action=activate`)).status, 200);
    return server;
  };
  const server = await planted('something else');
  const { error } = await pull(server, registry, 'app');
  t.is(error?.code, 'ImageUuidAlreadyExists');
  t.deepEqual(await left(server), { ...nothing, images: 1, whole: 1 });

  const honest = await planted(base as Buffer);
  t.is((await pull(honest, registry, 'app')).error, undefined);
  t.deepEqual(await left(honest), { ...nothing, images: 2, whole: 2 });
});
