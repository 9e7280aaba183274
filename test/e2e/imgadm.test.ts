import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import ava, { type ExecutionContext } from 'ava';
import type { Wire } from '../support/ask.js';
import { type Daemon, startDaemon } from '../support/daemon.js';

// one process after the other
const test = ava.serial;

const trusting = 'trustedNetworks = ["127.0.0.0/8"]';

interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
  json: Wire;
  list: Wire[];
  /** Our end of the connection. */
  port: number | undefined;
}

type Send = (method: string, path: string, options?: { headers?: object; body?: string | Buffer }) => Promise<Reply>;

/** Sends what imgadm 3.9 sends: no credentials, old versions, kept connections, five at a time. */
function imgadm(t: ExecutionContext, { port }: Daemon, version = '~2'): Send {
  const agent = new Agent({ keepAlive: true, maxSockets: 5 });
  t.teardown(() => agent.destroy());
  return (method, path, { headers = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const request = httpRequest({
        host: '127.0.0.1',
        port,
        method,
        path,
        agent,
        headers: {
          accept: 'application/json',
          'user-agent': 'imgadm/3.9.1 (node/0.10.48; OpenSSL/1.0.1u)',
          'accept-version': version,
          'x-request-id': randomUUID(),
          ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
          ...headers,
        },
      });
      request.once('error', reject);
      request.once('response', async (response) => {
        try {
          const bytes = await buffer(response);
          const isJson = response.headers['content-type'] === 'application/json';
          const value = isJson && bytes.length > 0 ? JSON.parse(bytes.toString()) : {};
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            bytes,
            json: value,
            list: value,
            port: request.socket?.localPort,
          });
        } catch (error) {
          reject(error);
        }
      });
      request.end(body);
    });
}

const sha1 = (bytes: Buffer) => createHash('sha1').update(bytes).digest('hex');

/** As `imgadm publish -m MANIFEST -f FILE URL` does it. */
async function publish(send: Send, bytes: Buffer, extra: object = {}): Promise<Wire> {
  const uuid = randomUUID();
  const manifest = {
    v: 2,
    uuid,
    owner: '00000000-0000-0000-0000-000000000000',
    name: 'published',
    version: '1.0.0',
    state: 'active',
    disabled: false,
    public: true,
    published_at: '2024-01-01T00:00:00.000Z',
    type: 'zone-dataset',
    os: 'smartos',
    files: [{ sha1: sha1(bytes), size: bytes.length, compression: 'gzip' }],
    ...extra,
  };
  const body = JSON.stringify(manifest);
  const digest = createHash('md5').update(body).digest('base64');
  const imported = await send('POST', `/images/${uuid}?action=import`, {
    headers: { 'content-type': 'application/json', 'content-md5': digest },
    body,
  });
  if (imported.status !== 200) throw new Error(imported.bytes.toString());
  const added = await send('PUT', `/images/${uuid}/file?compression=gzip&sha1=${sha1(bytes)}`, {
    headers: { 'content-type': 'application/json' },
    body: bytes,
  });
  if (added.status !== 200) throw new Error(added.bytes.toString());
  return (await send('POST', `/images/${uuid}?action=activate`, { headers: { 'content-length': 0 } })).json;
}

test('a source is added: ping says that this is an image server', async (t) => {
  const send = imgadm(t, await startDaemon(t));
  const { status, headers, json } = await send('GET', '/ping');
  t.deepEqual([status, headers['content-type'], json.imgapi], [200, 'application/json', true]);
  const missing = await send('GET', `/images/${randomUUID()}`);
  t.deepEqual(
    [missing.status, missing.headers['content-type'], missing.json.code],
    [404, 'application/json', 'ResourceNotFound'],
  );
});

test('published without credentials from a trusted network, whatever the type that the file claims to have', async (t) => {
  const send = imgadm(t, await startDaemon(t, { config: trusting }), '*');
  // a file that would parse as JSON, and one that would not
  for (const bytes of [Buffer.from('{"uuid": "not the manifest"}'), randomBytes(200_000)]) {
    const image = await publish(send, bytes);
    t.like(image, { state: 'active', published_at: '2024-01-01T00:00:00.000Z' });
    t.deepEqual(image.files, [{ sha1: sha1(bytes), size: bytes.length, compression: 'gzip' }]);
    t.deepEqual((await send('GET', `/images/${image.uuid}/file`)).bytes, bytes);
  }
});

test('a publish that fails is taken back', async (t) => {
  const send = imgadm(t, await startDaemon(t, { config: trusting }), '*');
  const uuid = randomUUID();
  const body = JSON.stringify({
    v: 2,
    uuid,
    name: 'a',
    version: '1',
    type: 'zone-dataset',
    os: 'smartos',
    public: true,
  });
  const headers = { 'content-type': 'application/json' };
  const owned = { ...JSON.parse(body), owner: '00000000-0000-0000-0000-000000000000' };
  t.is((await send('POST', `/images/${uuid}?action=import`, { headers, body: JSON.stringify(owned) })).status, 200);
  const path = `/images/${uuid}/file?compression=gzip&sha1=${'0'.repeat(40)}`;
  const { status, json } = await send('PUT', path, { headers, body: 'damaged on the way' });
  t.deepEqual([status, json.code], [400, 'Download']);
  t.deepEqual((await send('GET', `/images/${uuid}`)).json.files, []);
  t.is((await send('DELETE', `/images/${uuid}`)).status, 204);
  t.is((await send('GET', `/images/${uuid}`)).status, 404);
});

test('publishing from an untrusted network is refused', async (t) => {
  const daemon = await startDaemon(t, { config: 'trustedNetworks = ["10.0.0.0/8"]' });
  const error = await t.throwsAsync(publish(imgadm(t, daemon), Buffer.from('bytes')));
  t.regex(error.message, /UnauthorizedError/);
});

test('a whole chain is installed by a node without credentials, through an origin that is disabled', async (t) => {
  const daemon = await startDaemon(t);
  const files = [1, 2, 3].map(() => randomBytes(150_000));
  const uuids: string[] = [];
  for (const [n, file] of files.entries()) {
    const body = {
      name: `layer${n}`,
      version: '1',
      type: 'zone-dataset',
      os: 'smartos',
      public: n > 0,
      origin: uuids[0],
    };
    const { json } = await daemon.ask('POST', '/images', { body });
    await daemon.ask('PUT', `/images/${json.uuid}/file?compression=none`, { body: file });
    await daemon.ask('POST', `/images/${json.uuid}?action=activate`);
    uuids.unshift(json.uuid);
  }
  await daemon.ask('POST', `/images/${uuids[1]}?action=disable`);

  const send = imgadm(t, daemon);
  const { list } = await send('GET', '/images');
  t.deepEqual(
    list.map(({ uuid }) => uuid),
    [uuids[0]],
    'only what can be imported is offered',
  );
  const walked: string[] = [];
  for (let next: unknown = uuids[0]; typeof next === 'string'; ) {
    const { status, json } = await send('GET', `/images/${next}`);
    t.is(status, 200);
    const [file] = json.files ?? [];
    const { headers, bytes } = await send('GET', `/images/${next}/file`);
    t.deepEqual([headers['content-length'], sha1(bytes)], [String(file?.size), file?.sha1]);
    t.is(headers['content-encoding'], undefined);
    walked.push(next);
    next = json.origin;
  }
  t.deepEqual(walked, uuids);
});

test('five files at a time over connections that are kept', async (t) => {
  const daemon = await startDaemon(t, { config: trusting });
  const send = imgadm(t, daemon);
  const files = Array.from({ length: 10 }, (_, n) => randomBytes(400_000 + n));
  const images = await Promise.all(files.map((file) => publish(send, file)));
  const replies = await Promise.all(images.map(({ uuid }) => send('GET', `/images/${uuid}/file`)));
  for (const [n, { status, headers, bytes }] of replies.entries()) {
    const file = files[n]!;
    t.is(status, 200);
    t.is(headers['content-length'], String(file.length));
    t.is(headers['content-md5'], createHash('md5').update(file).digest('base64'));
    t.true(bytes.equals(file));
  }
  const again = await Promise.all(images.map(({ uuid }) => send('GET', `/images/${uuid}/file`)));
  const ports = new Set([...replies, ...again].map(({ port }) => port));
  t.is(ports.size, 5, 'no connection was closed between');
});

test('a source of type dsapi, whose files are asked for in absolute form', async (t) => {
  const daemon = await startDaemon(t, { config: trusting });
  const send = imgadm(t, daemon);
  const file = randomBytes(100_000);
  const { uuid } = await publish(send, file);

  t.is((await send('GET', '/ping')).status, 200);
  const { status, list } = await send('GET', '/datasets');
  t.is(status, 200);
  t.deepEqual([list.length, list[0]?.uuid], [1, uuid]);
  const { json } = await send('GET', `/datasets/${uuid}`);
  t.is(typeof json.creator_uuid, 'string');
  t.false('owner' in json);
  t.is(json.files?.[0]?.sha1, sha1(file));
  const got = await send('GET', `${daemon.url}/datasets/${uuid}/file`);
  t.deepEqual([got.status, got.headers['content-length']], [200, String(file.length)]);
  t.deepEqual(got.bytes, file);
  // everything else in absolute form, too
  t.is((await send('GET', `${daemon.url}/images/${uuid}?channel=any`)).json.uuid, uuid);
  t.is((await send('GET', `${daemon.url}/datasets/${randomUUID()}/file`)).status, 404);
});

test('a repository with channels shows a node the channel of its source', async (t) => {
  const config = { mode: 'public', authType: 'none', channels: [{ name: 'dev', default: true }, { name: 'release' }] };
  const daemon = await startDaemon(t, { config });
  const send = imgadm(t, daemon);
  const base = await publish(send, Buffer.from('base'));
  const image = await publish(send, Buffer.from('image'), { origin: base.uuid });
  t.deepEqual(image.channels, ['dev']);
  const uuids = async (path: string) => (await send('GET', path)).list.map(({ uuid }) => uuid);
  t.deepEqual((await uuids('/images')).sort(), [base.uuid, image.uuid].sort());
  t.deepEqual(await uuids('/images?channel=release'), []);
  t.is((await send('GET', `/images/${image.uuid}/file?channel=release`)).status, 404);
  t.is((await send('GET', `/images/${image.uuid}/file?channel=dev`)).status, 200);
  const old = imgadm(t, daemon, '~1');
  t.false('channels' in (await old('GET', `/images/${image.uuid}`)).json);
});
