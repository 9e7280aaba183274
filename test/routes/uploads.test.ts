import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { uploads } from '../../server/model/upload.js';
import { ofOwner } from '../../server/model/usage.js';
import { ADMIN } from '../../server/model/user.js';
import { sweep } from '../../server/operations/sweep.js';
import { reopenUploads } from '../../server/operations/upload-turns.js';
import { UploadsUnderWay } from '../../server/operations/uploads-under-way.js';
import type { ResumedBlob } from '../../storage/blobs.js';
import { StorageDown } from '../../storage/errors.js';
import { contents } from '../../storage/holdings.js';
import { partials } from '../../storage/partials.js';
import { addDatacenter, grant, place } from '../support/datacenters.js';
import { ownBlobs } from '../support/engines.js';
import { addUser } from '../support/fixtures.js';
import { startServer, type TestServer } from '../support/server.js';
import { begun, metadataText, pathOf, sha256Of, tus } from '../support/tus.js';

async function collected<T>(list: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of list) all.push(one);
  return all;
}

const many = async (list: AsyncIterable<unknown>) => (await collected(list)).length;

/** What is kept, counted. */
async function kept({ deps }: TestServer) {
  const { catalog, blobs, reservations } = deps;
  const all = await collected(blobs.list());
  return {
    uploads: await many(catalog.list(uploads)),
    partials: await many(catalog.list(partials)),
    contents: await many(catalog.list(contents)),
    staged: all.filter(({ staged }) => staged).length,
    whole: all.filter(({ staged }) => !staged).length,
    reserved: await reservations.bytesBeside(catalog, ofOwner(ADMIN.uuid)),
    awaited: deps.uploads.awaited(),
  };
}

const nothing = { uploads: 0, partials: 0, contents: 0, staged: 0, whole: 0, reserved: 0, awaited: 0 };

async function holds(t: ExecutionContext, server: TestServer, uuid: string, bytes: Buffer, what?: string) {
  const image = await server.stored(uuid);
  t.like(image?.files[0], { size: bytes.length, sha256: sha256Of(bytes) }, what);
  const file = await server.ask('GET', `/images/${uuid}/file`, { as: 'admin' });
  t.true(file.bytes.equals(bytes), what);
}

/** A PATCH that stops in the middle, with so many bytes on their way. */
async function half(
  { port, token }: TestServer,
  path: string,
  bytes: Buffer,
  { sent, offset = 0 }: { sent: number; offset?: number },
) {
  const headers = {
    authorization: `Bearer ${token}`,
    'tus-resumable': '1.0.0',
    'content-type': 'application/offset+octet-stream',
    'upload-offset': String(offset),
    'content-length': String(bytes.length),
  };
  const patch = request({ host: '127.0.0.1', port, method: 'PATCH', path, headers });
  patch.on('error', () => {});
  patch.write(bytes.subarray(0, sent));
  return patch;
}

const offsetComes = async ({ deps }: TestServer, path: string, offset: number) => {
  const upload = (await deps.catalog.get(uploads, path.split('/').at(-1)!))!;
  while (deps.uploads.offsetOf(upload) < offset) await new Promise(setImmediate);
};

test('OPTIONS tells what the server knows of the protocol, and what can be asked', async (t) => {
  const { ask } = await startServer(t, { maxFileSize: 12_345 });
  const { status, headers, json } = await ask('OPTIONS', '/api/upload');
  t.is(status, 200);
  t.is(headers['tus-version'], '1.0.0');
  t.is(headers['tus-resumable'], '1.0.0');
  t.is(headers['tus-extension'], 'creation,creation-with-upload,expiration,termination,checksum');
  t.is(headers['tus-max-size'], '12345');
  t.is(headers.allow, 'GET, POST, OPTIONS');
  t.deepEqual(json.methods, ['GET', 'POST']);
  t.is((await ask('OPTIONS', `/api/upload/${randomUUID()}`)).headers.allow, 'HEAD, PATCH, DELETE, OPTIONS');
});

test('a file in one go: created, sent, attached', async (t) => {
  const server = await startServer(t);
  const { uuid, bytes, path } = await begun(server, 300_000, { dataset_guid: '77', filename: 'disk.raw', type: 'x/y' });
  const before = await tus(server).head(path);
  t.is(before.status, 200);
  t.like(before.headers, { 'upload-offset': '0', 'upload-length': '300000', 'cache-control': 'no-store' });
  t.regex(String(before.headers['upload-metadata']), /^image \S+,sha256 /);
  t.true(Date.parse(String(before.headers['upload-expires'])) > Date.now());
  t.like((await tus(server).list())[0], {
    image: uuid,
    status: 'waiting',
    size: 300_000,
    offset: 0,
    filename: 'disk.raw',
    dataset_guid: '77',
    user: 'admin',
  });

  const { status, headers } = await tus(server).patch(path, 0, bytes);
  t.is(status, 204);
  t.is(headers['upload-offset'], '300000');
  t.is(headers['upload-expires'], undefined);
  await holds(t, server, uuid, bytes);
  t.like((await server.stored(uuid))?.files[0], { compression: 'none', dataset_guid: '77' });
  t.like((await server.ask('GET', `/images/${uuid}`, { as: 'admin' })).json, { state: 'unactivated' });
  t.deepEqual(await kept(server), { ...nothing, uploads: 1, contents: 1, whole: 1 });

  t.is((await tus(server).head(path)).headers['upload-offset'], '300000', 'whoever was cut off learns that it is done');
  t.is((await tus(server).patch(path, 300_000, Buffer.alloc(0))).status, 204);
  t.is((await tus(server).patch(path, 0, bytes)).status, 409);
  t.like((await tus(server).list())[0], { status: 'attached', offset: 300_000 });
  t.is((await server.ask('POST', `/images/${uuid}?action=activate`)).json.state, 'active');
});

test('a file in parts, the first with its creation, is verified at the end', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({}, { file: null });
  const bytes = randomBytes(250_000);
  const told = {
    image: uuid,
    sha256: sha256Of(bytes).toUpperCase(),
    compression: 'gzip',
    sha1: createHash('sha1').update(bytes).digest('hex'),
  };
  const created = await tus(server).create(bytes.length, told, { body: bytes.subarray(0, 100_000) });
  t.is(created.status, 201);
  t.is(created.headers['upload-offset'], '100000');
  const path = pathOf(created.headers.location);
  t.is((await tus(server).patch(path, 100_000, bytes.subarray(100_000, 100_001))).headers['upload-offset'], '100001');
  t.is((await server.stored(uuid))?.files.length, 0);
  t.is((await tus(server).patch(path, 100_001, bytes.subarray(100_001))).status, 204);
  await holds(t, server, uuid, bytes);
  t.deepEqual(await kept(server), { ...nothing, uploads: 1, contents: 1, whole: 1 });
});

test('a file whole with its creation', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({}, { file: null });
  const bytes = randomBytes(100_000);
  const told = { image: uuid, sha256: sha256Of(bytes), compression: 'none' };
  const { status, headers } = await tus(server).create(bytes.length, told, { body: bytes });
  t.deepEqual([status, headers['upload-offset']], [201, '100000']);
  await holds(t, server, uuid, bytes);
});

test('a file whose digest its sender does not know', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({}, { file: null });
  const bytes = randomBytes(100_000);
  const { headers } = await tus(server).create(bytes.length, { image: uuid, compression: 'none' });
  const path = pathOf(headers.location);
  t.is((await tus(server).patch(path, 0, bytes.subarray(0, 60_000))).status, 204);
  t.like((await tus(server).list())[0], { sha256: null, offset: 60_000 });
  t.is((await tus(server).patch(path, 60_000, bytes.subarray(60_000))).status, 204);
  await holds(t, server, uuid, bytes);
});

test('the location is good below any prefix, with and without a slash', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({}, { file: null });
  const told = metadataText({ image: uuid, sha256: 'a'.repeat(64), compression: 'none' });
  const headers = { 'tus-resumable': '1.0.0', 'upload-length': '5', 'upload-metadata': told };
  for (const path of ['/api/upload', '/api/upload/']) {
    const { location } = (await server.ask('POST', path, { headers })).headers;
    const there = new URL(location!, `http://host/prefix${path}`).pathname;
    t.regex(there, /^\/prefix\/api\/upload\/[0-9a-f-]{36}$/);
    t.is((await tus(server).head(there.replace('/prefix', ''))).status, 200);
  }
});

// --- what is cut off

test('what is cut in the middle goes on where it was', async (t) => {
  const server = await startServer(t);
  const { uuid, bytes, path } = await begun(server, 3_000_000);
  const first = await half(server, path, bytes, { sent: 1_000_000 });
  await offsetComes(server, path, 1_000_000);
  t.like((await tus(server).list())[0], { status: 'receiving', offset: 1_000_000 });
  first.destroy();
  t.is((await tus(server).head(path)).headers['upload-offset'], '1000000');
  const second = await half(server, path, bytes.subarray(1_000_000), { sent: 1_500_000, offset: 1_000_000 });
  await offsetComes(server, path, 2_500_000);
  second.destroy();
  t.is((await tus(server).head(path)).headers['upload-offset'], '2500000');
  t.is((await kept(server)).awaited, 500_000);
  t.is((await tus(server).patch(path, 2_500_000, bytes.subarray(2_500_000))).status, 204);
  await holds(t, server, uuid, bytes);
});

test('one part at a time; who asks where to go on ends the one that hangs', async (t) => {
  const server = await startServer(t);
  const { uuid, bytes, path } = await begun(server, 2_000_000);
  const hanging = await half(server, path, bytes, { sent: 500_000 });
  await offsetComes(server, path, 500_000);
  const busy = await tus(server).patch(path, 500_000, bytes.subarray(500_000));
  t.is(busy.status, 423);
  t.is(busy.json.code, 'Busy');
  t.is((await tus(server).head(path)).headers['upload-offset'], '500000');
  hanging.destroy();
  t.is((await tus(server).patch(path, 500_000, bytes.subarray(500_000))).status, 204);
  await holds(t, server, uuid, bytes);
});

test('a server that stops takes no more, and keeps what has come', async (t) => {
  const server = await startServer(t);
  const { bytes, path } = await begun(server, 1_000_000);
  const sending = await half(server, path, bytes, { sent: 300_000 });
  await offsetComes(server, path, 300_000);
  server.deps.uploads.stop();
  const [response] = await once(sending, 'response');
  t.deepEqual([response.statusCode, response.headers['upload-offset']], [204, '300000']);
  sending.destroy();
  const { status, json } = await tus(server).patch(path, 300_000, bytes.subarray(300_000));
  t.deepEqual([status, json.code], [503, 'ServiceUnavailableError']);
  t.is((await tus(server).head(path)).headers['upload-offset'], '300000');
});

test('a disk that fails in the middle keeps what it has taken', async (t) => {
  const blobs = await ownBlobs();
  let room = Number.POSITIVE_INFINITY;
  const narrow = (blob: ResumedBlob): ResumedBlob => {
    // some stores write what has gathered in one go
    Object.assign(blob.writable, { _writev: null });
    blob.writable._write = new Proxy(blob.writable._write, {
      apply: (write, self, [chunk, encoding, done]) => {
        room -= chunk.length;
        if (room < 0) done(new StorageDown('writing', new Error('ENOSPC')));
        else Reflect.apply(write, self, [chunk, encoding, done]);
      },
    });
    return blob;
  };
  const server = await startServer(t, {
    blobs: {
      stage: () => blobs.stage(),
      resume: async (key) => {
        const blob = await blobs.resume(key);
        return blob && narrow(blob);
      },
      stat: (key) => blobs.stat(key),
      read: (key, range) => blobs.read(key, range),
      delete: (key) => blobs.delete(key),
      list: () => blobs.list(),
      close: () => blobs.close(),
    },
  });
  for (const first of [0, 1000]) {
    const { uuid, bytes, path } = await begun(server, 500_000);
    if (first > 0) await tus(server).patch(path, 0, bytes.subarray(0, first));
    room = 200_000;
    const { status, json } = await tus(server).patch(path, first, bytes.subarray(first));
    t.deepEqual([status, json.code], [503, 'StorageIsDown']);
    room = Number.POSITIVE_INFINITY;
    const offset = Number((await tus(server).head(path)).headers['upload-offset']);
    t.true(offset >= first && offset <= first + 200_000, `${offset}`);
    t.is((await kept(server)).awaited, 500_000 - offset);
    t.is((await tus(server).patch(path, offset, bytes.subarray(offset))).status, 204);
    await holds(t, server, uuid, bytes);
  }
});

test('after a restart it goes on, with its room kept', async (t) => {
  const server = await startServer(t);
  const { deps } = server;
  const { uuid, bytes, path } = await begun(server, 1_000_000);
  await tus(server).patch(path, 0, bytes.subarray(0, 400_000));
  // what a daemon keeps in memory is gone with it
  Object.assign(deps, { uploads: new UploadsUnderWay() });
  await reopenUploads(deps);
  await sweep(deps, { abandonedBefore: new Date(Date.now() + 1000) });
  t.like(await kept(server), { uploads: 1, partials: 1, staged: 1, reserved: 1_000_000, awaited: 600_000 });
  t.is((await tus(server).head(path)).headers['upload-offset'], '400000');
  t.is((await tus(server).patch(path, 400_000, bytes.subarray(400_000))).status, 204);
  await holds(t, server, uuid, bytes);
});

test('after a restart an upload without its bytes or its image has ended', async (t) => {
  const server = await startServer(t);
  const { deps } = server;
  const one = await begun(server);
  const two = await begun(server);
  for await (const { key } of deps.blobs.list()) await deps.blobs.delete(key);
  await server.ask('DELETE', `/images/${two.uuid}`);
  Object.assign(deps, { uploads: new UploadsUnderWay() });
  await reopenUploads(deps);
  t.deepEqual(await kept(server), nothing);
  t.is((await tus(server).head(one.path)).status, 404);
});

test('a crash between the last byte and the image is made good by whoever asks', async (t) => {
  const server = await startServer(t);
  const { uuid, bytes, path } = await begun(server, 100_000);
  await tus(server).patch(path, 0, bytes.subarray(0, 50_000));
  const upload = (await server.deps.catalog.get(uploads, path.split('/').at(-1)!))!;
  const staged = (await server.deps.blobs.resume(upload.key))!;
  staged.skip();
  await new Promise((resolve) => staged.writable.write(bytes.subarray(50_000), resolve));
  await staged.suspend();
  server.deps.uploads.advance(upload, 100_000);
  const { status, headers } = await tus(server).head(path);
  t.deepEqual([status, headers['upload-offset']], [200, '100000']);
  await holds(t, server, uuid, bytes);
});

// --- what is refused

const missing = /is missing/;
const refusedCreations: [
  what: string,
  headers: Record<string, string | undefined>,
  status: number,
  code: string,
  message?: RegExp,
][] = [
  ['without a version', { 'tus-resumable': undefined }, 412, 'PreconditionFailed', /speaks 1\.0\.0/],
  ['in another version', { 'tus-resumable': '0.2.2' }, 412, 'PreconditionFailed'],
  ['without a length', { 'upload-length': undefined }, 400, 'InvalidInput', missing],
  [
    'of a length that comes later',
    { 'upload-length': undefined, 'upload-defer-length': '1' },
    400,
    'InvalidInput',
    missing,
  ],
  ['of a length that is no number', { 'upload-length': '-1' }, 400, 'InvalidInput'],
  ['of nothing', { 'upload-length': '0' }, 400, 'InvalidInput', /1 at least is needed/],
  ['of too much', { 'upload-length': '1000001' }, 413, 'RequestEntityTooLarge', /1000001 bytes, of which 1000000/],
  ['without metadata', { 'upload-metadata': undefined }, 400, 'InvalidInput'],
  ['with metadata that is none', { 'upload-metadata': 'a b c' }, 400, 'InvalidInput'],
  ['with bytes that are no text', { 'upload-metadata': 'image /w==' }, 400, 'InvalidContent'],
  ['with a body of another type', { 'content-type': 'text/plain', 'content-length': '5' }, 415, 'UnsupportedMediaType'],
  ['with an unknown checksum', { 'upload-checksum': 'crc32 AAAA' }, 400, 'InvalidInput', /none of sha1, md5, sha256/],
];

for (const [what, change, status, code, message = /./] of refusedCreations) {
  test(`an upload ${what} is refused, and nothing is left`, async (t) => {
    const server = await startServer(t, { maxFileSize: 1_000_000 });
    const { uuid } = await server.image({}, { file: null });
    const told = metadataText({ image: uuid, sha256: 'a'.repeat(64), compression: 'none' });
    const all = { 'tus-resumable': '1.0.0', 'upload-length': '5', 'upload-metadata': told, ...change };
    const headers = Object.fromEntries(
      Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    const answer = await server.ask('POST', '/api/upload', {
      headers,
      ...(change['content-length'] && { body: 'bytes' }),
    });
    t.deepEqual([answer.status, answer.json.code], [status, code]);
    t.regex(String(answer.json.message), message);
    t.is(answer.headers['tus-resumable'], '1.0.0');
    if (status === 412) t.is(answer.headers['tus-version'], '1.0.0');
    t.deepEqual(await kept(server), nothing);
  });
}

test('metadata that is wrong is named, field by field', async (t) => {
  const server = await startServer(t);
  const { status, json } = await tus(server).create(5, { sha256: 'x', sha1: 'y', compression: 'zip' });
  t.is(status, 400);
  t.deepEqual(Object.keys(json.result as object).sort(), ['compression', 'image', 'sha1', 'sha256']);
});

test('an image that is not there, or has its file for good, takes no upload', async (t) => {
  const server = await startServer(t);
  const active = await server.image();
  const told = { sha256: 'a'.repeat(64), compression: 'none' };
  const absent = await tus(server).create(5, { image: randomUUID(), ...told });
  t.deepEqual([absent.status, absent.json.code], [404, 'ResourceNotFound']);
  t.is((await tus(server).create(5, { image: 'nothing', ...told })).status, 404);
  const late = await tus(server).create(5, { image: active.uuid, ...told });
  t.deepEqual([late.status, late.json.code], [422, 'ImageFilesImmutable']);
  t.like(await kept(server), { uploads: 0, partials: 0, staged: 0, reserved: 0 });
});

test('an image is known by its name too', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({ name: 'by-name' }, { file: null });
  const { status, headers } = await tus(server).create(5, {
    image: 'by-name',
    sha256: sha256Of(Buffer.from('bytes')),
    compression: 'none',
  });
  t.is(status, 201);
  t.is((await tus(server).patch(pathOf(headers.location), 0, 'bytes')).status, 204);
  await holds(t, server, uuid, Buffer.from('bytes'));
});

test('servers without data centers take uploads as well, by uuid and by name', async (t) => {
  for (const mode of ['public', 'private'] as const) {
    const server = await startServer(t, { mode });
    const { uuid } = await server.image({ name: 'alone' }, { file: null });
    for (const image of [uuid, 'alone']) {
      const bytes = randomBytes(1000);
      const { headers } = await tus(server).create(1000, { image, sha256: sha256Of(bytes), compression: 'none' });
      t.is((await tus(server).patch(pathOf(headers.location), 0, bytes)).status, 204);
      await holds(t, server, uuid, bytes, mode);
    }
    await server.image({ name: 'alone' }, { file: null });
    const answer = await tus(server).create(5, { image: 'alone', sha256: 'a'.repeat(64), compression: 'none' });
    t.deepEqual([answer.status, answer.json.code], [400, 'InvalidInput']);
  }
});

test('a part elsewhere, of another type, of too much or to nothing is refused; the upload stays as it is', async (t) => {
  const server = await startServer(t);
  const { bytes, path } = await begun(server, 1000);
  const { patch, head } = tus(server);
  await patch(path, 0, bytes.subarray(0, 500));
  for (const offset of [0, 499, 501]) {
    const { status, json } = await patch(path, offset, bytes.subarray(500));
    t.deepEqual([status, json.code], [409, 'OffsetMismatch'], `${offset}`);
  }
  t.is((await patch(path, 'x', bytes)).status, 400);
  t.is((await patch(path, 500, bytes)).status, 413);
  t.is((await patch(path, 500, bytes.subarray(500), { 'content-type': 'text/plain' })).status, 415);
  t.is((await patch(path, 500, bytes.subarray(500), { 'tus-resumable': '2' })).status, 412);
  t.is((await patch(`/api/upload/${randomUUID()}`, 0, bytes)).status, 404);
  t.is((await head(`/api/upload/${randomUUID()}`)).status, 404);
  t.is((await head(path, { 'tus-resumable': '2' })).status, 412);
  t.is((await head(path)).headers['upload-offset'], '500');
  t.is((await patch(path, 500, bytes.subarray(500))).status, 204);
});

for (const inParts of [false, true]) {
  const how = inParts ? 'in parts' : 'in one go';
  for (const field of ['sha256', 'sha1'] as const) {
    test(`a wrong ${field} of what came ${how} ends the upload, says so, and leaves nothing`, async (t) => {
      const server = await startServer(t);
      const wrong = field === 'sha1' ? 'b'.repeat(40) : 'b'.repeat(64);
      const { uuid, bytes, path } = await begun(server, 1000, { [field]: wrong });
      if (inParts) await tus(server).patch(path, 0, bytes.subarray(0, 10));
      const { status, json } = await tus(server).patch(path, inParts ? 10 : 0, bytes.subarray(inParts ? 10 : 0));
      t.deepEqual([status, json.code], [400, 'Download']);
      t.regex(String(json.message), new RegExp(`has ended: ${field} is [0-9a-f]+ where b+ was expected`));
      t.deepEqual(await kept(server), nothing);
      t.deepEqual((await server.stored(uuid))?.files, []);
      t.is((await tus(server).head(path)).status, 404);
    });
  }
}

test('more bytes than were promised, by a sender that does not say how many, end the upload', async (t) => {
  const server = await startServer(t);
  for (const first of [0, 10]) {
    const { bytes, path } = await begun(server, 1000);
    if (first > 0) await tus(server).patch(path, 0, bytes.subarray(0, first));
    const body = (async function* () {
      yield bytes.subarray(first);
      yield Buffer.from('more');
    })();
    const { status, json } = await tus(server).patch(path, first, Readable.from(body));
    t.deepEqual([status, json.code], [413, 'RequestEntityTooLarge']);
    t.deepEqual(await kept(server), nothing);
  }
});

test('a part that is not what its checksum says is thrown away, and sent again', async (t) => {
  const server = await startServer(t);
  const { uuid, bytes, path } = await begun(server, 200_000);
  const sum = (algorithm: string, part: Buffer) => ({
    'upload-checksum': `${algorithm} ${createHash(algorithm).update(part).digest('base64')}`,
  });
  const parts = [0, 70_000, 140_000].map((start) => bytes.subarray(start, start + 70_000));
  for (const [n, part] of parts.entries()) {
    const algorithm = ['sha1', 'md5', 'sha256'][n]!;
    const refused = await tus(server).patch(path, n * 70_000, randomBytes(part.length), sum(algorithm, part));
    t.deepEqual([refused.status, refused.json.code], [460, 'ChecksumMismatch']);
    t.is((await tus(server).head(path)).headers['upload-offset'], String(n * 70_000));
    t.like(await kept(server), { staged: 1, whole: 0 });
    t.is((await tus(server).patch(path, n * 70_000, part, sum(algorithm, part))).status, 204);
  }
  await holds(t, server, uuid, bytes);
});

// --- who may

test('an upload is its own user’s, and operators’; to others it is not there', async (t) => {
  const server = await startServer(t);
  await addDatacenter(server, 'D');
  const [ada, bob] = [await addUser(server, 'ada'), await addUser(server, 'bob')];
  for (const user of [ada, bob]) await grant(server, user, 'D', 'admin', 'image_admin');
  const { uuid } = await server.image({ public: false }, { file: null });
  await place(server, uuid, { datacenters: ['D'], boundTo: 'D', access: 'private' });
  const bytes = randomBytes(100);
  const told = { image: uuid, sha256: sha256Of(bytes), compression: 'none' };
  const { headers } = await tus(server, ada.headers).create(100, told);
  const path = pathOf(headers.location);
  const stranger = tus(server, bob.headers);
  const absent = await stranger.patch(`/api/upload/${numberless}`, 0, bytes);
  const hidden = await stranger.patch(path, 0, bytes);
  t.is(hidden.status, 404);
  t.is(hidden.json.message, String(absent.json.message).replace(numberless, path.split('/').at(-1)!));
  t.is((await stranger.head(path)).status, 404);
  t.is((await stranger.end(path)).status, 404);
  t.deepEqual(await stranger.list(), []);
  t.is((await tus(server, ada.headers).list()).length, 1);
  t.is((await tus(server).list()).length, 1);
  t.is((await tus(server, ada.headers).patch(path, 0, bytes)).status, 204);
  await holds(t, server, uuid, bytes);
});

const numberless = '00000000-0000-4000-8000-000000000000';

test('whoever may not upload is told so; an image that is hidden is answered like one that is absent', async (t) => {
  const server = await startServer(t);
  for (const name of ['D', 'E']) await addDatacenter(server, name);
  const [ada, eve] = [await addUser(server, 'ada'), await addUser(server, 'eve')];
  await grant(server, ada, 'D', 'admin', 'image_admin');
  const { uuid } = await server.image({ name: 'elsewhere', public: false }, { file: null });
  await place(server, uuid, { datacenters: ['E'], boundTo: 'E', access: 'private' });
  const told = { sha256: 'a'.repeat(64), compression: 'none' };
  for (const image of [uuid, 'elsewhere', numberless, 'nonsense']) {
    const refused = await tus(server, eve.headers).create(5, { image, ...told });
    t.deepEqual([refused.status, refused.json.code], [403, 'NotPermitted'], image);
    const hidden = await tus(server, ada.headers).create(5, { image, ...told });
    t.deepEqual([hidden.status, hidden.json.code], [404, 'ResourceNotFound'], image);
  }
  t.like(await kept(server), { uploads: 0, partials: 0, staged: 0 });
});

test('who has lost the right meanwhile attaches nothing, and nothing is left', async (t) => {
  const server = await startServer(t);
  await addDatacenter(server, 'D');
  const ada = await addUser(server, 'ada');
  await grant(server, ada, 'D', 'admin', 'image_admin');
  const { uuid } = await server.image({ public: false }, { file: null });
  await place(server, uuid, { datacenters: ['D'], boundTo: 'D', access: 'private' });
  const bytes = randomBytes(100_000);
  const told = { image: uuid, sha256: sha256Of(bytes), compression: 'none' };
  const path = pathOf((await tus(server, ada.headers).create(100_000, told)).headers.location);
  const { port } = server;
  const sending = request({
    host: '127.0.0.1',
    port,
    method: 'PATCH',
    path,
    headers: {
      ...ada.headers,
      'tus-resumable': '1.0.0',
      'content-type': 'application/offset+octet-stream',
      'upload-offset': '0',
      'content-length': '100000',
    },
  });
  sending.write(bytes.subarray(0, 50_000));
  await offsetComes(server, path, 50_000);
  await place(server, uuid, { datacenters: ['main'], boundTo: 'main' });
  sending.end(bytes.subarray(50_000));
  const [response] = await once(sending, 'response');
  t.is(response.statusCode, 404);
  response.resume();
  t.deepEqual(await kept(server), nothing);
  t.deepEqual((await server.stored(uuid))?.files, []);
});

test('an image that was activated or deleted meanwhile takes nothing, and the sweep ends its upload', async (t) => {
  const server = await startServer(t);
  const one = await begun(server);
  const two = await begun(server);
  await server.ask('PUT', `/images/${one.uuid}/file?compression=none`, { body: 'other' });
  await server.ask('POST', `/images/${one.uuid}?action=activate`);
  await server.ask('DELETE', `/images/${two.uuid}`);
  t.is((await tus(server).patch(one.path, 0, one.bytes)).status, 422);
  t.is((await tus(server).patch(two.path, 0, two.bytes)).status, 404);
  t.like(await kept(server), { uploads: 1, partials: 1, staged: 1 }, 'with an image its uploads go at once');
  await sweep(server.deps);
  t.like(await kept(server), { uploads: 0, partials: 0, staged: 0, reserved: 0, awaited: 0 });
});

// --- room and time

test('the room for the whole file is kept until it ends', async (t) => {
  const server = await startServer(t);
  await addDatacenter(server, 'D', { settings: { imageBytesLimit: 1000 } });
  const images = await Promise.all([1, 2].map(() => server.image({ public: false }, { file: null })));
  for (const { uuid } of images) await place(server, uuid, { datacenters: ['D'], boundTo: 'D', access: 'private' });
  const told = (n: number) => ({ image: images[n]!.uuid, sha256: 'a'.repeat(64), compression: 'none' });
  const answers = await Promise.all([tus(server).create(600, told(0)), tus(server).create(600, told(1))]);
  t.deepEqual(answers.map(({ status }) => status).sort(), [201, 400]);
  const refused = answers.find(({ status }) => status === 400)!;
  t.is(refused.json.code, 'QuotaExceeded');
  t.regex(String(refused.json.message), /600 are needed, 400 are left/);
  t.like(await kept(server), { uploads: 1, partials: 1, staged: 1, reserved: 600 });
  const path = pathOf(answers.find(({ status }) => status === 201)!.headers.location);
  t.is((await tus(server).end(path)).status, 204);
  t.deepEqual(await kept(server), nothing);
  t.is((await tus(server).end(path)).status, 404);
  t.is((await tus(server).create(1000, told(1))).status, 201);
});

test('a disk without room is told of before a byte is written, and what is promised counts', async (t) => {
  const server = await startServer(t, { space: async () => ({ free: 1000, size: 10_000 }) });
  const { uuid } = await server.image({}, { file: null });
  const told = { image: uuid, sha256: 'a'.repeat(64), compression: 'none' };
  const first = await tus(server).create(1001, told);
  t.deepEqual([first.status, first.json.code], [400, 'InsufficientSpace']);
  t.is(first.json.message, '1001 bytes are needed on the disk, 1000 are available');
  t.deepEqual(await kept(server), nothing);
  const both = await Promise.all([tus(server).create(600, told), tus(server).create(600, told)]);
  t.deepEqual(both.map(({ status }) => status).sort(), [201, 400]);
  t.regex(String(both.find(({ status }) => status === 400)?.json.message), /400 are available/);
});

test('an upload that waits too long is gone, and the sweep takes what is left of it', async (t) => {
  let time = Date.now();
  const server = await startServer(t, { now: () => new Date(time), uploadLifetime: 3600 });
  const { bytes, path } = await begun(server, 1000);
  time += 3_000_000;
  await tus(server).patch(path, 0, bytes.subarray(0, 10));
  time += 3_000_000;
  t.is((await tus(server).head(path)).status, 200, 'a part makes it wait anew');
  time += 3_600_000;
  const late = await tus(server).patch(path, 10, bytes.subarray(10));
  t.deepEqual([late.status, late.json.code], [410, 'Gone']);
  t.is((await tus(server).head(path)).status, 410);
  t.deepEqual(await tus(server).list(), []);
  t.like(await kept(server), { uploads: 1, staged: 1, reserved: 1000 });
  await sweep(server.deps);
  t.deepEqual(await kept(server), nothing);
  t.is((await tus(server).head(path)).status, 404);
});

test('what has ended is remembered for an hour', async (t) => {
  let time = Date.now();
  const server = await startServer(t, { now: () => new Date(time) });
  const { uuid, bytes, path } = await begun(server, 1000);
  await tus(server).patch(path, 0, bytes);
  time += 3_599_000;
  await sweep(server.deps);
  t.is((await tus(server).head(path)).status, 200);
  time += 2000;
  await sweep(server.deps);
  t.is((await tus(server).head(path)).status, 404);
  await holds(t, server, uuid, bytes);
});

test('ending an upload cuts off who sends, and leaves nothing', async (t) => {
  const server = await startServer(t);
  const { bytes, path } = await begun(server, 1_000_000);
  const sending = await half(server, path, bytes, { sent: 300_000 });
  await offsetComes(server, path, 300_000);
  t.is((await tus(server).end(path)).status, 204);
  t.deepEqual(await kept(server), nothing);
  sending.destroy();
});

test('of the uploads to an image the last one that has ended is remembered', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({}, { file: null });
  for (let n = 0; n < 3; n += 1) {
    const bytes = randomBytes(100);
    const told = { image: uuid, sha256: sha256Of(bytes), compression: 'none' };
    t.is((await tus(server).create(100, told, { body: bytes })).status, 201);
    await holds(t, server, uuid, bytes);
  }
  t.is((await tus(server).list()).length, 1);
  t.like(await kept(server), { uploads: 1, partials: 0, staged: 0 });
});

test('room that a failed write has left behind is free after the sweep', async (t) => {
  const server = await startServer(t);
  const { deps } = server;
  const { path } = await begun(server, 1000);
  const id = path.split('/').at(-1)!;
  await deps.catalog.write((tx) => tx.delete(uploads, id));
  t.like(await kept(server), { reserved: 0, awaited: 1000 });
  await sweep(deps);
  t.like(await kept(server), { reserved: 0, awaited: 0 });
});

test('credentials that are good for less than that upload nothing, and know of nothing elsewhere', async (t) => {
  const server = await startServer(t);
  const { ask } = server;
  for (const name of ['D', 'E']) await addDatacenter(server, name);
  const images = await Promise.all(['D', 'E'].map(() => server.image({ public: false }, { file: null })));
  for (const [n, dc] of ['D', 'E'].entries()) {
    await place(server, images[n]!.uuid, { datacenters: [dc], boundTo: dc, access: 'private' });
  }
  const limited = async (name: string, limits: object) => {
    const { json } = await ask('POST', `/api/token/${name}`, { body: limits });
    return { authorization: `Bearer ${(json.result as { token: string }).token}` };
  };
  const reading = await limited('reading', { scope: 'read' });
  const ofD = await limited('of-d', { dc: 'D' });
  const told = (n: number) => ({ image: images[n]!.uuid, sha256: 'a'.repeat(64), compression: 'none' });
  t.is((await tus(server, reading).create(5, told(0))).status, 403);
  t.is((await tus(server, ofD).create(5, told(1))).status, 404);
  const { headers } = await tus(server).create(5, told(1));
  t.is((await tus(server, ofD).head(pathOf(headers.location))).status, 404);
  t.deepEqual(await tus(server, ofD).list(), []);
  const own = pathOf((await tus(server, ofD).create(5, told(0))).headers.location);
  t.is((await tus(server, ofD).head(own)).status, 200);
  t.is((await tus(server, reading).head(own)).status, 403);
  t.is((await tus(server, reading).end(own)).status, 403);
  t.is((await tus(server, ofD).list()).length, 1);
});

test('a user may have so many uploads under way, and no more', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({}, { file: null });
  const told = { image: uuid, sha256: 'a'.repeat(64), compression: 'none' };
  for (let n = 0; n < 100; n += 1) t.is((await tus(server).create(5, told)).status, 201);
  const { status, json } = await tus(server).create(5, told);
  t.deepEqual([status, json.code], [400, 'QuotaExceeded']);
  t.like(await kept(server), { uploads: 100, partials: 100, staged: 100, reserved: 500 });
});

test('what was uploaded is in the audit, and how far it went is not', async (t) => {
  const server = await startServer(t);
  const { bytes, path } = await begun(server, 1000);
  await tus(server).patch(path, 0, bytes.subarray(0, 500));
  await tus(server).patch(path, 500, bytes.subarray(500));
  const { result } = (await server.ask('GET', '/api/audit', { as: 'admin' })).json;
  const whats = (result as { what: string }[]).map(({ what }) => what);
  t.deepEqual(whats.slice(0, 2), ['ContinueUpload', 'CreateUpload']);
});
