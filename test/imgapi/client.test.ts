import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { type ClientOptions, ImgapiClient } from '../../imgapi/client.js';
import { ImgapiError } from '../../imgapi/errors.js';
import { Exchange, type Signable } from '../../imgapi/exchange.js';
import { AnsweredBadly, Unreachable } from '../../imgapi/exchange-errors.js';
import { OTHER, OWNER, UUID } from './manifests.js';

/** A server for one test, and its address. */
async function serve(t: ExecutionContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const client = async (t: ExecutionContext, listener: RequestListener, options: Partial<ClientOptions> = {}) =>
  new ImgapiClient({ url: await serve(t, listener), ...options });

function answer(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

const refusal = async (t: ExecutionContext, act: Promise<unknown>): Promise<ImgapiError> =>
  (await t.throwsAsync(act, { instanceOf: ImgapiError }))!;

const manifest = { uuid: UUID, name: 'base' };
const stream = () => Readable.from([Buffer.from('hel'), Buffer.from('lo\n')]);

type Call = (client: ImgapiClient) => Promise<unknown>;
const calls: [what: string, call: Call, request: string, body?: string][] = [
  ['ping', (c) => c.ping(), 'GET /ping'],
  ['getImage', (c) => c.getImage(UUID), `GET /images/${UUID}`],
  [
    'getImage of a channel for an account',
    (c) => c.getImage(UUID, { channel: '*', account: OWNER }),
    `GET /images/${UUID}?channel=*&account=${OWNER}`,
  ],
  ['getImage of what is no uuid', (c) => c.getImage('../ping?x'), 'GET /images/..%2Fping%3Fx'],
  ['getImageFile', (c) => c.getImageFile(UUID).then(({ body }) => body.resume()), `GET /images/${UUID}/file`],
  ['createImage', (c) => c.createImage(manifest), 'POST /images', JSON.stringify(manifest)],
  ['importImage', (c) => c.importImage(UUID, manifest), `POST /images/${UUID}?action=import`, JSON.stringify(manifest)],
  [
    'importImage, whoever owns it',
    (c) => c.importImage(UUID, manifest, { skipOwnerCheck: true }),
    `POST /images/${UUID}?skip_owner_check=true&action=import`,
    JSON.stringify(manifest),
  ],
  [
    'addImageFile',
    (c) => c.addImageFile(UUID, stream(), { compression: 'gzip', sha1: 'abc', dataset_guid: '1' }),
    `PUT /images/${UUID}/file?compression=gzip&sha1=abc&dataset_guid=1`,
    'hello\n',
  ],
  ['activate', (c) => c.activate(UUID), `POST /images/${UUID}?action=activate`],
  ['disable', (c) => c.disable(UUID), `POST /images/${UUID}?action=disable`],
  ['enable', (c) => c.enable(UUID, { account: OWNER }), `POST /images/${UUID}?action=enable&account=${OWNER}`],
  ['update', (c) => c.update(UUID, { tags: null }), `POST /images/${UUID}?action=update`, '{"tags":null}'],
  ['addToAcl', (c) => c.addToAcl(UUID, [OTHER]), `POST /images/${UUID}/acl?action=add`, `["${OTHER}"]`],
  ['removeFromAcl', (c) => c.removeFromAcl(UUID, [OTHER]), `POST /images/${UUID}/acl?action=remove`, `["${OTHER}"]`],
  [
    'putIcon',
    (c) => c.putIcon(UUID, stream(), { contentType: 'image/png', sha1: 'abc' }),
    `PUT /images/${UUID}/icon?sha1=abc`,
    'hello\n',
  ],
  ['getIcon', (c) => c.getIcon(UUID).then(({ body }) => body.resume()), `GET /images/${UUID}/icon`],
  ['deleteIcon', (c) => c.deleteIcon(UUID), `DELETE /images/${UUID}/icon`],
  [
    'channelAdd',
    (c) => c.channelAdd(UUID, 'release', { channel: 'dev' }),
    `POST /images/${UUID}?action=channel-add&channel=dev`,
    '{"channel":"release"}',
  ],
  ['cloneImage', (c) => c.cloneImage(UUID, { account: OTHER }), `POST /images/${UUID}/clone?account=${OTHER}`],
  ['deleteImage', (c) => c.deleteImage(UUID), `DELETE /images/${UUID}`],
  [
    'deleteImage everywhere',
    (c) => c.deleteImage(UUID, { forceAllChannels: true }),
    `DELETE /images/${UUID}?force_all_channels=true`,
  ],
];

for (const [what, call, request, body = ''] of calls) {
  test(`asks: ${what}`, async (t) => {
    const asked: string[] = [];
    await call(
      await client(t, async (req, res) => {
        asked.push(`${req.method} ${req.url}`, await text(req));
        answer(res, { imgapi: true });
      }),
    );
    t.deepEqual(asked, [request, body]);
  });
}

test('says who asks, and for what', async (t) => {
  const headers: IncomingMessage['headers'][] = [];
  const options = { token: 'secret', userAgent: 'slipway/1', acceptVersion: '*' };
  const remote = await client(t, (req, res) => answer(res, { v: headers.push(req.headers) }), options);
  await remote.getImage(UUID);
  await remote.addImageFile(UUID, stream(), { compression: 'none', size: 6 });
  await remote.putIcon(UUID, stream(), { contentType: 'image/gif' });
  const [get, file, icon] = headers;
  t.like(get, {
    authorization: 'Bearer secret',
    'user-agent': 'slipway/1',
    'accept-version': '*',
    accept: 'application/json',
  });
  t.is(get?.['accept-encoding'], undefined);
  t.like(file, { 'content-length': '6', 'content-type': 'application/octet-stream' });
  t.like(icon, { 'transfer-encoding': 'chunked', 'content-type': 'image/gif' });
});

test('keeps the path of its url, and its channel', async (t) => {
  const asked: string[] = [];
  const origin = await serve(t, (req, res) => answer(res, { v: asked.push(req.url!) }));
  const remote = new ImgapiClient({ url: `${origin}/n/token/?channel=staging` });
  await remote.getImage(UUID);
  await remote.getImage(UUID, { channel: 'dev' });
  t.deepEqual(asked, [`/n/token/images/${UUID}?channel=staging`, `/n/token/images/${UUID}?channel=dev`]);
});

test('signs every request as it stands on the wire', async (t) => {
  const signed: Signable[] = [];
  const asked: unknown[] = [];
  const origin = await serve(t, (req, res) => {
    asked.push([req.method, req.url, req.headers.host, req.headers.authorization, req.headers.date]);
    answer(res, { v: 2 });
  });
  const remote = new ImgapiClient({
    url: `${origin}/n/token/?channel=staging`,
    token: 'replaced',
    sign: async (request) => {
      signed.push(request);
      return { authorization: 'Signature x', date: 'today' };
    },
  });
  await remote.update(UUID, { tags: { a: "it's" } }, { account: OWNER });
  const path = `/n/token/images/${UUID}?action=update&channel=staging&account=${OWNER}`;
  const { host } = new URL(origin);
  t.deepEqual(asked, [['POST', path, host, 'Signature x', 'today']]);
  t.like(signed[0], { method: 'POST', path, host, headers: { 'content-type': 'application/json' } });
});

test('who can not sign does not ask, and gives up what was to be sent', async (t) => {
  const broken = new Error('no agent');
  const remote = await client(t, () => t.fail(), { sign: () => Promise.reject(broken) });
  const source = new Readable({ read() {} });
  t.is(await t.throwsAsync(remote.addImageFile(UUID, source, { compression: 'none' })), broken);
  t.true(source.destroyed);
});

test('asks for what is not IMGAPI, and takes an answer without content', async (t) => {
  const asked: string[] = [];
  const url = await serve(t, async (req, res) => {
    asked.push(`${req.method} ${req.url} ${await text(req)}`);
    if (req.method === 'DELETE') res.writeHead(204).end();
    else answer(res, [1], 201);
  });
  const exchange = new Exchange({ url: `${url}/?channel=staging` });
  t.deepEqual(await exchange.json('POST', '/api/tokens', { json: { name: 'ci' }, query: { full: '1' } }), [1]);
  t.is(await exchange.json('DELETE', '/api/tokens/ci'), undefined);
  t.deepEqual(asked, ['POST /api/tokens?full=1 {"name":"ci"}', 'DELETE /api/tokens/ci ']);
});

test('tells channels', async (t) => {
  const channels = [{ name: 'dev', description: 'x', default: true }];
  t.deepEqual(await (await client(t, (_, res) => answer(res, channels))).channels(), channels);
  t.is((await refusal(t, (await client(t, (_, res) => answer(res, [{}]))).channels())).code, 'RemoteSourceError');
});

test('a ping of something else fails', async (t) => {
  t.is(
    (await refusal(t, (await client(t, (_, res) => answer(res, { ping: 'pong' }))).ping())).code,
    'RemoteSourceError',
  );
});

test('gives the file as it comes', async (t) => {
  const bytes = gzipSync('hello');
  const remote = await client(t, (req, res) => {
    const headers = {
      'content-length': bytes.length,
      etag: 'abc',
      'x-range': `${req.headers.range} ${req.headers['if-range']}`,
    };
    res.writeHead(req.headers.range ? 206 : 200, headers).end(bytes);
  });
  const whole = await remote.getImageFile(UUID);
  t.like(whole, { status: 200, headers: { 'content-length': String(bytes.length), etag: 'abc' } });
  t.deepEqual(await buffer(whole.body), bytes);
  const rest = await remote.getImageFile(UUID, { range: { start: 5 }, ifRange: 'abc' });
  t.like(rest, { status: 206, headers: { 'x-range': 'bytes=5- abc' } });
  rest.body.destroy();
  const part = await remote.getImageFile(UUID, { range: { start: 5, end: 9 } });
  t.is(part.headers['x-range'], 'bytes=5-9 undefined');
  part.body.destroy();
});

const refusals: [what: string, listener: RequestListener, code: string, message: RegExp, status: number][] = [
  [
    'what the server refuses',
    (_, res) => answer(res, { code: 'ResourceNotFound', message: 'image x not found' }, 404),
    'ResourceNotFound',
    /^image x not found$/,
    404,
  ],
  [
    'a code nobody knows',
    (_, res) => answer(res, { code: 'Teapot', message: 'x' }, 418),
    'RemoteSourceError',
    /answered 418 Teapot/,
    503,
  ],
  [
    'what every object has',
    (_, res) => answer(res, { code: 'constructor' }, 400),
    'RemoteSourceError',
    /answered 400/,
    503,
  ],
  ['a page of HTML', (_, res) => void res.writeHead(502).end('<html>'), 'RemoteSourceError', /answered 502/, 503],
  ['nothing', (_, res) => void res.writeHead(500).end(), 'RemoteSourceError', /answered 500/, 503],
  [
    'a redirect',
    (_, res) => void res.writeHead(302, { location: '/ping' }).end(),
    'RemoteSourceError',
    /answered 302/,
    503,
  ],
  ['no JSON', (_, res) => void res.end('pong'), 'RemoteSourceError', /sent no JSON/, 503],
  ['no object', (_, res) => answer(res, []), 'RemoteSourceError', /sent no JSON object/, 503],
  [
    'an encoded body',
    (_, res) => void res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{}')),
    'RemoteSourceError',
    /encodes its answers as gzip/,
    503,
  ],
  ['a hang-up', (req) => req.socket.destroy(), 'RemoteSourceError', /failed/, 503],
  [
    'half a body',
    (_, res) => void res.writeHead(200, { 'content-length': 10 }).write('{', () => res.destroy()),
    'RemoteSourceError',
    /failed/,
    503,
  ],
];

for (const [what, listener, code, message, status] of refusals) {
  test(`fails: ${what}`, async (t) => {
    const err = await refusal(t, (await client(t, listener)).getImage(UUID));
    t.like(err, { code, status });
    t.regex(err.message, message);
  });
}

const strangers: [what: string, listener: RequestListener, answered: number][] = [
  ['a page of HTML', (_, res) => void res.writeHead(502).end('<html>'), 502],
  ['a code nobody knows', (_, res) => answer(res, { code: 'Teapot' }, 418), 418],
  ['no JSON', (_, res) => void res.end('pong'), 200],
  ['no image server', (_, res) => answer(res, { ping: 'pong' }), 200],
];

for (const [what, listener, answered] of strangers) {
  test(`an answer is not a broken connection: ${what}`, async (t) => {
    const err = await refusal(t, (await client(t, listener)).ping());
    t.true(err instanceof AnsweredBadly);
    t.like(err, { code: 'RemoteSourceError', answered });
  });
}

test('a connection that breaks in the middle is no answer', async (t) => {
  const half: RequestListener = (_, res) =>
    void res.writeHead(200, { 'content-length': 10 }).write('{', () => res.destroy());
  t.true((await refusal(t, (await client(t, half)).ping())) instanceof Unreachable);
});

test('keeps what was wrong with the fields, and only that', async (t) => {
  const errors = [{ field: 'name', code: 'Invalid', message: 'x' }];
  const body = { code: 'ValidationFailed', message: 'x', errors: [...errors, 'y', null, { field: 5 }] };
  const err = await refusal(t, (await client(t, (_, res) => answer(res, body, 422))).createImage(manifest));
  t.deepEqual(err.errors, errors as ImgapiError['errors']);
});

test('a server that is not there fails, and its path is not told', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  const err = await refusal(t, new ImgapiClient({ url: `http://127.0.0.1:${port}/n/secret` }).ping());
  t.true(err instanceof Unreachable);
  t.like(err, { code: 'RemoteSourceError', cause: { code: 'ECONNREFUSED' } });
  t.regex(err.message, /ECONNREFUSED/);
  t.false(inspect(err, { depth: 9 }).includes('secret'));
});

test('a file that ends too early fails', async (t) => {
  const remote = await client(
    t,
    (_, res) => void res.writeHead(200, { 'content-length': 10 }).write('12345', () => res.destroy()),
  );
  const { body } = await remote.getImageFile(UUID);
  t.is((await refusal(t, buffer(body))).code, 'RemoteSourceError');
});

test.serial('silence before an answer fails', async (t) => {
  const remote = await client(t, () => {}, { patience: 250 });
  t.regex((await refusal(t, remote.ping())).message, /nothing was heard for 250 ms/);
});

test.serial('silence in the middle of a file fails', async (t) => {
  const remote = await client(t, (_, res) => void res.writeHead(200, { 'content-length': 10 }).write('12345'), {
    // long enough for the answer to begin on a busy machine
    patience: 4000,
  });
  const { body } = await remote.getImageFile(UUID);
  t.regex((await refusal(t, buffer(body))).message, /nothing was heard/);
});

test('whoever cancels learns why, before and in the middle', async (t) => {
  const cancel = new AbortController();
  const remote = await client(t, (req, res) => void (req.url?.endsWith('/file') && res.writeHead(200).write('12345')));
  const reason = new Error('enough');
  const { body } = await remote.getImageFile(UUID, { signal: cancel.signal });
  const waiting = remote.getImage(UUID, { signal: cancel.signal });
  const chunks = body[Symbol.asyncIterator]();
  t.is(String((await chunks.next()).value), '12345');
  cancel.abort(reason);
  t.is(await t.throwsAsync(waiting), reason);
  t.is(await t.throwsAsync(chunks.next()), reason);
  t.is(await t.throwsAsync(remote.ping({ signal: cancel.signal })), reason);
});

test('the client as a whole can be cancelled', async (t) => {
  const remote = await client(t, () => t.fail(), { signal: AbortSignal.abort(new Error('closed')) });
  await t.throwsAsync(remote.ping(), { message: 'closed' });
});

test('a file that nobody wants any more is not sent any further', async (t) => {
  const server = new EventEmitter();
  const gone = once(server, 'gone');
  const remote = await client(t, (_, res) => {
    res
      .on('close', () => server.emit('gone'))
      .writeHead(200)
      .write('12345');
  });
  const { body } = await remote.getImageFile(UUID);
  body.destroy();
  await gone;
  t.pass();
});

test('a source that fails while it is sent fails as itself', async (t) => {
  const broken = new Error('disk on fire');
  const remote = await client(t, (req) => void req.resume());
  const source = Readable.from(
    (async function* () {
      yield Buffer.from('12345');
      throw broken;
    })(),
  );
  t.is(await t.throwsAsync(remote.addImageFile(UUID, source, { compression: 'none' })), broken);
});

test('a server that hangs up in the middle of an upload is not taken for a source that failed', async (t) => {
  const remote = await client(t, (req) => req.once('data', () => req.socket.destroy()));
  const source = Readable.from(Array.from({ length: 64 }, () => Buffer.alloc(1024 ** 2)));
  const err = await refusal(t, remote.addImageFile(UUID, source, { compression: 'none' }));
  t.true(err instanceof Unreachable);
  t.is(source.errored, null);
  t.true(source.destroyed);
});

test('a source that is refused is not read any further', async (t) => {
  const remote = await client(t, (_, res) => answer(res, { code: 'ImageFilesImmutable', message: 'x' }, 422));
  const source = new Readable({ read() {} });
  source.push('12345');
  const err = await refusal(t, remote.addImageFile(UUID, source, { compression: 'none' }));
  t.is(err.code, 'ImageFilesImmutable');
  t.true(source.destroyed);
});

/** So many images, and how a server lists them. */
const images = (count: number) => Array.from({ length: count }, (_, index) => ({ uuid: `${index}` }));
const uuids = async (list: AsyncIterable<Record<string, unknown>>) => {
  const seen: unknown[] = [];
  for await (const { uuid } of list) seen.push(uuid);
  return seen;
};

const servers: [what: string, count: number, cap: number, knowsMarkers: boolean, requests: number][] = [
  ['an empty one', 0, 1000, true, 1],
  ['a small one', 999, 1000, true, 1],
  ['a full page', 1000, 1000, true, 2],
  ['a large one', 2500, 1000, true, 3],
  ['one whose last page holds the marker only', 1999, 1000, true, 3],
  ['one that gives all at once', 2500, Number.POSITIVE_INFINITY, true, 2],
  ['one that knows neither limits nor markers', 2500, Number.POSITIVE_INFINITY, false, 2],
];

for (const [what, count, cap, knowsMarkers, requests] of servers) {
  test(`lists ${what}`, async (t) => {
    const asked: string[] = [];
    const all = images(count);
    const remote = await client(t, (req, res) => {
      asked.push(req.url!);
      const query = new URL(req.url!, 'http://x').searchParams;
      const start = knowsMarkers ? Number(query.get('marker') ?? 0) : 0;
      const limit = knowsMarkers ? Number(query.get('limit') ?? cap) : cap;
      answer(res, all.slice(start, start + Math.min(limit, cap)));
    });
    t.deepEqual(
      await uuids(remote.listImages({ state: 'all' })),
      all.map(({ uuid }) => uuid),
    );
    t.is(asked.length, requests);
    t.is(asked[0], '/images?state=all');
    if (asked[1]) t.is(asked[1], `/images?state=all&limit=1000&marker=${Math.min(count, cap) - 1}`);
  });
}

test('a list with a limit is one page', async (t) => {
  const asked: string[] = [];
  const remote = await client(t, (req, res) => {
    asked.push(req.url!);
    answer(res, images(1000));
  });
  const query = { limit: '1000', billing_tag: ['a', 'b'], name: undefined };
  t.is((await uuids(remote.listImages(query, { channel: '*' }))).length, 1000);
  t.deepEqual(asked, ['/images?limit=1000&billing_tag=a&billing_tag=b&channel=*']);
});

test('a list of something else fails', async (t) => {
  const remote = await client(t, (_, res) => answer(res, [5]));
  t.is((await refusal(t, uuids(remote.listImages()))).code, 'RemoteSourceError');
});

test('images without uuid do not go round for ever', async (t) => {
  const remote = await client(t, (_, res) =>
    answer(
      res,
      Array.from({ length: 1000 }, () => ({})),
    ),
  );
  t.is((await uuids(remote.listImages())).length, 1000);
});

test('pages that come again do not go round for ever', async (t) => {
  const page = (letter: string) => Array.from({ length: 1000 }, (_, index) => ({ uuid: `${letter}${index}` }));
  const remote = await client(t, (req, res) => answer(res, page(req.url?.endsWith('=a999') ? 'b' : 'a')));
  t.is((await uuids(remote.listImages())).length, 2000);
});

test('what a server adds to a deletion is not waited for, and its end does no harm', async (t) => {
  const hungUp = new EventEmitter();
  const remote = await client(t, (_, res) => {
    res.on('close', () => hungUp.emit('close'));
    res.writeHead(200, { 'content-length': '100' }).write('x');
  });
  const closed = once(hungUp, 'close');
  await remote.deleteImage(UUID);
  await closed;
  const cut = await client(t, (_, res) => {
    res.writeHead(200, { 'content-length': '100' }).write('x', () => res.destroy());
    res.on('close', () => hungUp.emit('close'));
  });
  const gone = once(hungUp, 'close');
  await cut.deleteImage(UUID);
  await gone;
  t.pass();
});
