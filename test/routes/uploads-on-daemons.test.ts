import { once } from 'node:events';
import { type ClientRequest, request } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { uploads } from '../../server/model/upload.js';
import { ofOwner } from '../../server/model/usage.js';
import { ADMIN } from '../../server/model/user.js';
import { sweep } from '../../server/operations/sweep.js';
import { openMemoryBlobs } from '../../storage/blobs/memory.js';
import type { BlobStore } from '../../storage/blobs.js';
import { openMemoryCatalog } from '../../storage/catalog/leveldb.js';
import type { Catalog, Reader, Tx } from '../../storage/catalog.js';
import { StorageDown } from '../../storage/errors.js';
import { partials } from '../../storage/partials.js';
import { wrappedCatalog } from '../../storage/wrapped-catalog.js';
import { type Sharing, sharing } from '../support/members.js';
import { type ServerOptions, startServer, type TestServer } from '../support/server.js';
import { begun, sha256Of, tus } from '../support/tus.js';

interface Daemons {
  servers: TestServer[];
  members: Sharing[];
  blobs: BlobStore;
}

/** Several daemons on the same records and bytes. */
async function daemons(
  t: ExecutionContext,
  count = 2,
  options: ServerOptions = {},
  through = (catalog: Catalog) => catalog,
): Promise<Daemons> {
  const catalog = await openMemoryCatalog();
  const blobs = await openMemoryBlobs();
  const members = sharing(
    catalog,
    Array.from({ length: count }, (_, n) => `daemon-${n}`),
  );
  const servers: TestServer[] = [];
  t.teardown(() => catalog.close());
  for (const { catalog: shared } of members) {
    const own = wrappedCatalog(through(shared), { close: async () => {} });
    servers.push(await startServer(t, { ...options, catalog: own, blobs }));
  }
  return { servers, members, blobs };
}

async function holds(t: ExecutionContext, { servers }: Daemons, uuid: string, bytes: Buffer) {
  for (const server of servers) {
    t.like((await server.stored(uuid))?.files[0], { size: bytes.length, sha256: sha256Of(bytes) });
    const file = await server.ask('GET', `/images/${uuid}/file`, { as: 'admin' });
    t.true(file.bytes.equals(bytes));
  }
}

/** A PATCH that hangs when so many of its bytes have come. */
async function half(server: TestServer, path: string, bytes: Buffer, sent: number): Promise<ClientRequest> {
  const { port, token, deps } = server;
  const headers = {
    authorization: `Bearer ${token}`,
    'tus-resumable': '1.0.0',
    'content-type': 'application/offset+octet-stream',
    'upload-offset': '0',
    'content-length': String(bytes.length),
  };
  const patch = request({ host: '127.0.0.1', port, method: 'PATCH', path, headers });
  patch.on('error', () => {});
  patch.write(bytes.subarray(0, sent));
  const upload = (await deps.catalog.get(uploads, path.split('/').at(-1)!))!;
  while (deps.uploads.offsetOf(upload) < sent) await new Promise(setImmediate);
  return patch;
}

const reserved = ({ deps }: TestServer) => deps.reservations.bytesBeside(deps.catalog, ofOwner(ADMIN.uuid));

test('each part of an upload comes to another daemon', async (t) => {
  const all = await daemons(t, 3);
  const [one, two, three] = all.servers as [TestServer, TestServer, TestServer];
  const { uuid, bytes, path } = await begun(one, 300_000);
  t.is((await tus(two).patch(path, 0, bytes.subarray(0, 100_000))).headers['upload-offset'], '100000');
  t.is((await tus(three).head(path)).headers['upload-offset'], '100000');
  t.is((await tus(one).head(path)).headers['upload-offset'], '100000');
  t.is((await tus(three).patch(path, 0, bytes)).status, 409);
  t.is((await tus(one).patch(path, 100_000, bytes.subarray(100_000, 200_000))).status, 204);
  t.is((await tus(two).patch(path, 200_000, bytes.subarray(200_000))).status, 204);
  await holds(t, all, uuid, bytes);
  t.is((await tus(three).head(path)).headers['upload-offset'], '300000', 'it is known everywhere that it is done');
  t.deepEqual(await Promise.all(all.servers.map(reserved)), [0, 0, 0]);
  for await (const left of one.deps.catalog.list(partials)) t.fail(left.holder);
});

test('a file in one go, to another daemon than the one that knows of it', async (t) => {
  const all = await daemons(t);
  const [one, two] = all.servers as [TestServer, TestServer];
  const { uuid, bytes, path } = await begun(one, 300_000);
  t.is((await tus(two).patch(path, 0, bytes)).status, 204);
  await holds(t, all, uuid, bytes);
});

test('who asks another daemon where to go on ends what hangs on the first; who only sends waits', async (t) => {
  const all = await daemons(t);
  const [one, two] = all.servers as [TestServer, TestServer];
  const { uuid, bytes, path } = await begun(one, 1_000_000);
  const hanging = await half(one, path, bytes, 300_000);
  const refused = await tus(two).patch(path, 0, bytes);
  t.deepEqual([refused.status, refused.json.code], [423, 'Busy']);
  const answer = once(hanging, 'response');
  t.is((await tus(two).head(path)).headers['upload-offset'], '300000');
  const [response] = await answer;
  t.is(response.headers['upload-offset'], '300000');
  hanging.destroy();
  t.is((await tus(two).patch(path, 300_000, bytes.subarray(300_000))).status, 204);
  await holds(t, all, uuid, bytes);
});

test('every daemon shows how far an upload has come', async (t) => {
  const { servers } = await daemons(t);
  const [one, two] = servers as [TestServer, TestServer];
  const { bytes, path } = await begun(one, 1_000_000);
  const shown = async (status: string, offset: number) => {
    for (;;) {
      const [upload] = await tus(two).list();
      if (upload?.status === status && Number(upload.offset) >= offset) return;
      await new Promise(setImmediate);
    }
  };
  const hanging = await half(one, path, bytes, 300_000);
  await shown('receiving', 0);
  hanging.destroy();
  await shown('waiting', 300_000);
  t.pass();
});

test('a daemon that is lost in the middle of a part: the next one goes on from what is there, and keeps its room', async (t) => {
  const all = await daemons(t);
  const [one, two] = all.servers as [TestServer, TestServer];
  const { uuid, bytes, path } = await begun(one, 1_000_000);
  const hanging = await half(one, path, bytes, 300_000);
  t.is(await reserved(two), 1_000_000);
  all.members[0]!.die();
  t.is(await reserved(two), 1_000_000);
  const offset = Number((await tus(two).head(path)).headers['upload-offset']);
  t.true(offset > 0 && offset <= 300_000, 'what was held back for the next block is lost with it');
  t.is((await tus(two).patch(path, offset, bytes.subarray(offset))).status, 204);
  await holds(t, { ...all, servers: [two] }, uuid, bytes);
  hanging.destroy();
});

test('what a lost daemon has still sent is found before an image has it', async (t) => {
  const all = await daemons(t);
  const [one, two] = all.servers as [TestServer, TestServer];
  const { uuid, bytes, path } = await begun(one, 100_000);
  all.members[0]!.die();
  t.is((await tus(two).head(path)).headers['upload-offset'], '0');
  const { read } = all.blobs;
  t.teardown(() => Object.assign(all.blobs, { read }));
  Object.assign(all.blobs, {
    read: async () =>
      (async function* () {
        yield Buffer.alloc(100_000);
      })(),
  });
  const { status, json } = await tus(two).patch(path, 0, bytes);
  t.deepEqual([status, json.code], [400, 'Download']);
  t.is((await two.stored(uuid))?.files.length, 0);
  t.is((await tus(two).head(path)).status, 404);
});

test('a daemon that was lost, and does not know, attaches nothing and harms nothing', async (t) => {
  const all = await daemons(t);
  const [one, two] = all.servers as [TestServer, TestServer];
  const { uuid, bytes, path } = await begun(one, 1_000_000);
  const late = await half(one, path, bytes, 300_000);
  all.members[0]!.die();
  const offset = Number((await tus(two).head(path)).headers['upload-offset']);
  t.is((await tus(two).patch(path, offset, bytes.subarray(offset))).status, 204);
  const answer = once(late, 'response');
  late.end(bytes.subarray(300_000));
  const [{ statusCode }] = await answer;
  t.true(statusCode >= 400, String(statusCode));
  all.members[0]!.comeBack();
  await holds(t, all, uuid, bytes);
  t.is((await tus(one).head(path)).headers['upload-offset'], '1000000');
});

interface Doubtful {
  catalog: Catalog;
  /** The next write that attaches an upload is committed, but its answer is lost, and the database with it. */
  lose(): void;
  /** The database is back. Reads are what they were until something is written. */
  back(): void;
}

/** As a daemon sees its catalog that reads from a copy of its own. */
function doubtful(catalog: Catalog): Doubtful {
  let next: 'answered' | 'lost' | 'refused' = 'answered';
  let copy: Reader | undefined;
  const attaches = (tx: Tx) => tx.effects().some(({ after }) => Object(after).attached !== undefined);
  const down = () => new StorageDown('writing the catalog', new Error('the database is away'));
  return {
    catalog: wrappedCatalog(catalog, {
      get: (kind, id) => (copy ?? catalog).get(kind, id),
      find: (kind, key) => (copy ?? catalog).find(kind, key),
      range: (kind, index, options) => (copy ?? catalog).range(kind, index, options),
      list: (kind) => (copy ?? catalog).list(kind),
      write: async (change) => {
        if (next === 'refused') throw down();
        copy = undefined;
        const before = next === 'lost' ? await catalog.snapshot() : undefined;
        let isLost = false;
        const result = await catalog.write(async (tx) => {
          const changed = await change(tx);
          isLost = before !== undefined && attaches(tx);
          return changed;
        });
        if (!isLost) {
          await before?.close();
          return result;
        }
        next = 'refused';
        copy = before;
        throw down();
      },
    }),
    lose: () => {
      next = 'lost';
    },
    back: () => {
      next = 'answered';
    },
  };
}

test('bytes that an image has stay there, where nobody has answered the write that gave them to it', async (t) => {
  const doubts: Doubtful[] = [];
  const through = (catalog: Catalog) => {
    doubts.push(doubtful(catalog));
    return doubts.at(-1)!.catalog;
  };
  const all = await daemons(t, 2, {}, through);
  const [one, two] = all.servers as [TestServer, TestServer];
  for (const inParts of [false, true]) {
    const { uuid, bytes, path } = await begun(one, 100_000);
    if (inParts) await tus(one).patch(path, 0, bytes.subarray(0, 50_000));
    doubts[0]!.lose();
    const sent = inParts ? 50_000 : 0;
    t.is((await tus(one).patch(path, sent, bytes.subarray(sent))).status, 503);
    await holds(t, { ...all, servers: [two] }, uuid, bytes);
    t.is((await tus(one).head(path)).status, 503);
    doubts[0]!.back();
    while ((await tus(one).head(path)).headers['upload-offset'] !== '100000') await new Promise(setImmediate);
    await holds(t, all, uuid, bytes);
  }
});

test('whoever ends an upload ends it on all daemons', async (t) => {
  const all = await daemons(t);
  const [one, two] = all.servers as [TestServer, TestServer];
  const first = await begun(one, 1_000_000);
  const hanging = await half(one, first.path, first.bytes, 300_000);
  t.is((await tus(two).end(first.path)).status, 204);
  hanging.destroy();
  for (const server of all.servers) t.is((await tus(server).head(first.path)).status, 404);
  const second = await begun(one);
  t.is((await two.ask('DELETE', `/images/${second.uuid}`)).status, 204);
  t.deepEqual(await tus(one).list(), []);
  t.deepEqual(await Promise.all(all.servers.map(reserved)), [0, 0]);
  for await (const { key } of all.blobs.list()) t.fail(key);
});

test('what waits too long is swept, on whatever daemon it waits; what is being sent is not', async (t) => {
  let at = Date.now();
  const all = await daemons(t, 2, { now: () => new Date(at), uploadLifetime: 60 });
  const [one, two] = all.servers as [TestServer, TestServer];
  await begun(two);
  const busy = await begun(two, 1_000_000);
  const hanging = await half(two, busy.path, busy.bytes, 300_000);
  at += 61_000;
  t.like(await sweep(one.deps), { uploads: 1 });
  hanging.destroy();
  while (two.deps.uploads.isBusy({ id: busy.path.split('/').at(-1)! })) await new Promise(setImmediate);
  at += 61_000;
  t.like(await sweep(one.deps), { uploads: 1 });
});

test('a daemon that stops lets go of what it has: nothing is read twice', async (t) => {
  const all = await daemons(t);
  const [one, two] = all.servers as [TestServer, TestServer];
  const { uuid, bytes, path } = await begun(one, 100_000);
  await tus(one).patch(path, 0, bytes.subarray(0, 50_000));
  await one.close();
  all.members[0]!.die();
  t.is((await tus(two).patch(path, 50_000, bytes.subarray(50_000, 60_000))).status, 204);
  for await (const { isTorn } of two.deps.catalog.list(partials)) t.is(isTorn, undefined);
  t.is((await tus(two).patch(path, 60_000, bytes.subarray(60_000))).status, 204);
  await holds(t, { ...all, servers: [two] }, uuid, bytes);
});
