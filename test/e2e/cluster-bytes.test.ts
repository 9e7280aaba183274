import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import anyTest, { type ExecutionContext } from 'ava';
import { restore } from '../../storage/backup.js';
import { openMemoryBlobs } from '../../storage/blobs/memory.js';
import { openMemoryCatalog } from '../../storage/catalog/leveldb.js';
import { contents } from '../../storage/holdings.js';
import { cli } from '../support/cli.js';
import { type Cluster, startCluster } from '../support/cluster.js';
import type { Daemon } from '../support/daemon.js';
import { isMet } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { sample } from '../support/server.js';
import { pathOf, sha256Of, tus } from '../support/tus.js';

const need = (['postgresql, to keep records', 'ceph, to keep bytes'] as const).find((each) => !isMet[each]);
const test = need ? anyTest.skip : anyTest;
const why = need ? ` (${need})` : '';

const MIB = 1 << 20;

async function begun(daemon: Daemon, size: number) {
  const { json: image } = await daemon.ask('POST', '/images', { body: sample('dc') });
  const bytes = randomBytes(size);
  const told = { image: image.uuid, sha256: sha256Of(bytes), compression: 'none' };
  const { headers } = await tus(daemon).create(size, told);
  return { uuid: image.uuid, bytes, path: pathOf(headers.location) };
}

const offsetAt = async (daemon: Daemon, path: string) =>
  Number((await tus(daemon).head(path)).headers['upload-offset']);

/** Of whoever goes on with it when the one that had it in its hands is given up. */
async function offsetInTheEnd(daemon: Daemon, path: string): Promise<number> {
  for (;;) {
    const { status, headers } = await tus(daemon).head(path);
    if (status !== 423) return Number(headers['upload-offset']);
  }
}

/** The rest of it, in parts, each to the next daemon. */
async function finish(t: ExecutionContext, daemons: Daemon[], { path, bytes }: { path: string; bytes: Buffer }) {
  const part = 3 * MIB;
  let offset = await offsetAt(daemons[0]!, path);
  for (let n = 0; offset < bytes.length; n += 1) {
    const daemon = daemons[n % daemons.length]!;
    const { status, headers } = await tus(daemon).patch(path, offset, bytes.subarray(offset, offset + part));
    t.is(status, 204);
    offset = Number(headers['upload-offset']);
  }
}

async function holds(t: ExecutionContext, daemons: Daemon[], { uuid, bytes }: { uuid: string; bytes: Buffer }) {
  for (const daemon of daemons) {
    t.true((await daemon.ask('GET', `/images/${uuid}/file`, { as: 'admin' })).bytes.equals(bytes));
  }
}

/** A PATCH that hangs when so much has been sent. */
function hanging({ port, token }: Daemon, path: string, bytes: Buffer, sent: number) {
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
  return patch;
}

/** Until another daemon tells that so much is there. */
async function shown(daemon: Daemon, offset: number): Promise<void> {
  for (;;) {
    const [upload] = await tus(daemon).list();
    if (Number(upload?.offset) >= offset) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test(`the parts of an upload come to one daemon and the other${why}`, async (t) => {
  t.timeout(300_000);
  const { daemons } = await startCluster(t);
  const upload = await begun(daemons[0]!, 20 * MIB + 7);
  await finish(t, daemons.toReversed(), upload);
  await holds(t, daemons, upload);

  const cut = await begun(daemons[0]!, 20 * MIB + 7);
  const patch = hanging(daemons[0]!, cut.path, cut.bytes, 12 * MIB);
  await shown(daemons[1]!, 6 * MIB);
  const answer = once(patch, 'response');
  const offset = await offsetAt(daemons[1]!, cut.path);
  t.true(offset > 0);
  t.is((await answer)[0].headers['upload-offset'], String(offset));
  patch.destroy();
  await finish(t, daemons, cut);
  await holds(t, daemons, cut);
});

test(`a daemon that is killed in the middle of a part: the other goes on${why}`, async (t) => {
  t.timeout(300_000);
  const cluster = await startCluster(t, { lease: 10 });
  const [a, b] = cluster.daemons as [Daemon, Daemon];
  const upload = await begun(a, 48 * MIB + 7);
  hanging(a, upload.path, upload.bytes, 40 * MIB);
  await shown(b, 36 * MIB);
  await a.kill('SIGKILL');
  const offset = await offsetInTheEnd(b, upload.path);
  t.true(offset > 0 && offset <= 40 * MIB, `${offset}`);
  const again = await cluster.start(0);
  await finish(t, [again, b], upload);
  await holds(t, [again, b], upload);
});

test(`a backup holds all that it tells of, whatever the other daemon deletes and sweeps meanwhile${why}`, async (t) => {
  t.timeout(300_000);
  const cluster: Cluster = await startCluster(t, { config: { blobGrace: 0 } });
  const [a, b] = cluster.daemons as [Daemon, Daemon];
  const uuids: string[] = [];
  for (let n = 0; n < 8; n += 1) {
    const { json: image } = await a.ask('POST', '/images', { body: sample('dc') });
    await a.ask('PUT', `/images/${image.uuid}/file?compression=none`, { body: randomBytes(2 * MIB + n) });
    uuids.push(image.uuid);
  }
  const dir = await scratch(t);
  const file = join(dir, 'backup.tar');
  const { start } = await cli(t, { SLIPWAY_TOKEN: cluster.token, SLIPWAY_URL: b.url });
  const saving = start(['backup', '-o', file]);
  for (const uuid of uuids) t.is((await a.ask('DELETE', `/images/${uuid}`)).status, 204);
  t.is((await saving.exited).code, 0);
  const [catalog, blobs] = [await openMemoryCatalog(), await openMemoryBlobs()];
  const restored = await restore(createReadStream(file), { catalog, blobs, keep: async () => {} });
  t.deepEqual(restored.unreadable, []);
  for await (const { key, sha256 } of catalog.list(contents)) {
    const hash = createHash('sha256');
    for await (const chunk of (await blobs.read(key))!) hash.update(chunk);
    t.is(hash.digest('hex'), sha256);
  }
  await catalog.close();
});
