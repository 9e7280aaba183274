import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import test from 'ava';
import type { AuditEntry } from '../../server/model/audit.js';
import { auditEntries, auditHeads } from '../../server/model/audit.js';
import { images } from '../../server/model/image.js';
import { samples, samplings } from '../../server/model/sample.js';
import { busyHours } from '../../server/model/traffic.js';
import { restore } from '../../storage/backup.js';
import type { Catalog, Entry, Reader } from '../../storage/catalog.js';
import { contents } from '../../storage/holdings.js';
import { openBlobs, openCatalog } from '../../storage/open.js';
import { cli } from '../support/cli.js';
import { type Daemon, launch, startDaemon } from '../support/daemon.js';
import { gatedProxy } from '../support/gated-proxy.js';
import { scratch } from '../support/scratch.js';

const WORKERS = 4;
/** So many steps are behind us when the backup begins, and go on while it is made. */
const BEFORE = 60;
const MEANWHILE = 40;

interface Work {
  steps: number;
  /**
   * Images whose deletion was acknowledged, and those whose activation was, by when: how many steps had ended then, and
   * when they were begun.
   */
  active: Map<string, { sha1: string; from: number; at: number }>;
  deleted: Map<string, number>;
}

const admin = (daemon: Daemon, method: string, path: string, body?: object | Buffer) =>
  daemon.ask(method, path, { as: 'admin', ...(body && { body }) });

/** Images come, change and go, and so do people and groups, until it is enough. */
async function keepWriting(daemon: Daemon, work: Work, isEnough: () => boolean): Promise<void> {
  for (let n = 0; !isEnough(); n += 1) {
    const uuid = randomUUID();
    const from = work.steps;
    const file = Buffer.alloc(20_000 + n * 1000, uuid);
    const sha1 = createHash('sha1').update(file).digest('hex');
    const manifest = { v: 2, uuid, name: `image-${n}`, version: '1', type: 'other', os: 'other', public: true };
    const path = `/images/${uuid}`;
    await admin(daemon, 'POST', `${path}?action=import&skip_owner_check=true`, { ...manifest, owner: randomUUID() });
    await admin(daemon, 'PUT', `${path}/file?compression=none&sha1=${sha1}`, file);
    await admin(daemon, 'POST', `${path}?action=activate`);
    work.active.set(uuid, { sha1, from, at: work.steps });
    await admin(daemon, 'POST', `${path}?action=update`, { description: `described ${n}` });
    const name = `u-${uuid.slice(0, 8)}`;
    await admin(daemon, 'POST', `/api/user/${name}`, {});
    await admin(daemon, 'POST', `/api/group/g-${uuid.slice(0, 8)}`, { users: [name], permissions: ['admin'] });
    if (n % 3 === 2) {
      const [oldest] = [...work.active.keys()].filter((one) => !work.deleted.has(one));
      if (oldest !== undefined && (await admin(daemon, 'DELETE', `/images/${oldest}`)).status === 204) {
        work.deleted.set(oldest, work.steps);
      }
    }
    work.steps += 1;
  }
}

async function entriesOf(catalog: Catalog): Promise<Map<string, string>> {
  const snapshot = await catalog.snapshot();
  const all: Entry[] = [];
  for await (const page of snapshot.entries()) all.push(...page);
  await snapshot.close();
  return new Map(all);
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** The images that there have to be when all that the audit tells of has been done, and nothing else. */
async function toldByTheAudit(reader: Reader): Promise<Set<string>> {
  const there = new Set<string>();
  for await (const { objects } of reader.list<AuditEntry>({ ...auditEntries, name: 'audit' })) {
    for (const { kind, id, action } of objects) {
      if (kind !== images.name) continue;
      if (action === 'deleted') there.delete(id);
      else if (action === 'created') there.add(id);
    }
  }
  return there;
}

test('a backup of a server under write load restores to what it was at one moment, record by record', async (t) => {
  t.timeout(180_000);
  const dir = await scratch(t);
  const file = join(dir, 'backup.tar');
  const daemon = await startDaemon(t, { config: { mode: 'dc', blobGrace: 0 } });
  const { home: _, ...shell } = await cli(t, { SLIPWAY_TOKEN: daemon.token });
  const work: Work = { steps: 0, active: new Map(), deleted: new Map() };
  let enough = Number.POSITIVE_INFINITY;
  const writing = Array.from({ length: WORKERS }, () => keepWriting(daemon, work, () => work.steps >= enough));
  while (work.steps < BEFORE) await new Promise((resolve) => setImmediate(resolve));
  const heads = await shell.run(['audit', 'heads', '--json', '--url', daemon.url]);
  await writeFile(join(dir, 'heads.json'), heads.stdout);

  const way = await gatedProxy(t, daemon.port);
  const { held } = way.shutAfter(100_000);
  const begun = work.steps;
  const saving = shell.run(['backup', '-o', file, '--url', way.url]);
  await Promise.race([held, saving]);
  for (const half = work.steps; work.steps === half; ) await new Promise((resolve) => setImmediate(resolve));
  way.open();
  const saved = await saving;
  t.is(saved.code, 0, saved.stderr);
  const ended = work.steps;
  enough = ended + MEANWHILE;
  await Promise.all(writing);
  t.true(ended > begun, 'changes went on while the backup was made');
  t.is((await stat(file)).mode & 0o777, 0o600);
  t.deepEqual(await readdir(dir), ['backup.tar', 'heads.json']);
  await daemon.kill('SIGTERM');

  // What the backup holds, read here and without a daemon.
  const [catalog, blobs] = [await openCatalog({ kind: 'memory' }), await openBlobs({ kind: 'memory' })];
  t.teardown(() => Promise.all([catalog.close(), blobs.close()]));
  await restore(Readable.from([await readFile(file)]), { catalog, blobs, keep: async () => {} });
  const uuids = new Set((await all(catalog.list(images))).map(({ uuid }) => uuid));
  t.deepEqual([...uuids].sort(), [...(await toldByTheAudit(catalog))].sort(), 'records and audit are of one moment');
  for (const [uuid, { from, at }] of work.active) {
    const deleted = work.deleted.get(uuid);
    if (at < begun - WORKERS && deleted === undefined) t.true(uuids.has(uuid), 'what was acknowledged before is there');
    if (deleted !== undefined && deleted < begun - WORKERS) t.false(uuids.has(uuid));
    if (from > ended) t.false(uuids.has(uuid), 'what was begun afterwards is not');
  }

  const data = join(dir, 'restored');
  const second = await startDaemon(t, { data, config: { mode: 'dc' }, args: ['--restore', file] });
  for (const image of await all(catalog.list(images))) {
    const path = `/images/${image.uuid}`;
    const shown = await admin(second, 'GET', path);
    t.is(shown.json.name, image.name);
    for (const { sha1 } of image.files) {
      const { bytes } = await admin(second, 'GET', `${path}/file`);
      t.is(createHash('sha1').update(bytes).digest('hex'), sha1);
    }
  }
  const verified = await shell.run(['audit', 'verify', '--heads', join(dir, 'heads.json'), '--url', second.url], {
    env: { SLIPWAY_TOKEN: second.token },
  });
  t.is(verified.code, 0, verified.stdout + verified.stderr);
  await second.kill('SIGTERM');

  const own = await openCatalog({ kind: 'leveldb', directory: join(data, 'catalog') });
  t.teardown(() => own.close());
  const there = await entriesOf(own);
  // A start makes a token for the administrator, whose secret is in no backup, and notes it; and it looks how it stands.
  const expected = new Set(['tokens', auditHeads.name, samples.name, samplings.name, busyHours.name]);
  const changed = [...(await entriesOf(catalog))].filter(([key, value]) => there.get(key) !== value);
  const kinds = new Set(changed.map(([key]) => key.slice(1, key.indexOf('\0'))));
  t.deepEqual(
    [...kinds].filter((kind) => !expected.has(kind)),
    [],
  );
  t.is((await all(own.list(contents))).length, (await all(catalog.list(contents))).length);
});

test('a restore that is cut off or killed leaves nothing that could be taken for a server', async (t) => {
  const dir = await scratch(t);
  const daemon = await startDaemon(t, { config: { mode: 'dc' } });
  const work: Work = { steps: 0, active: new Map(), deleted: new Map() };
  await keepWriting(daemon, work, () => work.steps >= 5);
  const { bytes } = await admin(daemon, 'GET', '/api/backup');
  await daemon.kill('SIGTERM');

  const data = join(dir, 'data');
  const cut = join(dir, 'cut.tar');
  await writeFile(cut, bytes.subarray(0, bytes.length - 70_000));
  const refused = await launch(t, ['--data', data, '--port', '0', '--restore', cut]).exited;
  t.is(refused.code, 1);
  t.regex(refused.stderr, /--restore .*cut.tar: the tar is cut short; nothing was restored/);
  t.deepEqual(await readdir(data), []);

  // Half of it comes over a pipe, and then nothing.
  const fifo = launch(t, ['--data', data, '--port', '0', '--restore', '-'], {}, { stdin: 'pipe' });
  fifo.child.stdin!.on('error', () => {}).write(bytes.subarray(0, bytes.length / 2));
  await fifo.logged('restoring');
  while (!(await readdir(data)).includes('restoring')) await new Promise((resolve) => setImmediate(resolve));
  await fifo.kill('SIGKILL');
  const without = await launch(t, ['--data', data, '--port', '0']).exited;
  t.is(without.code, 1);
  t.regex(without.stderr, /was cut off: start again with --restore FILE/);

  const whole = join(dir, 'whole.tar');
  await writeFile(whole, bytes);
  const restored = await startDaemon(t, { data, config: { mode: 'dc' }, args: ['--restore', whole] });
  t.is(
    (await restored.ask('GET', '/images?state=all', { as: 'admin' })).list.length,
    work.active.size - work.deleted.size,
  );
  t.false((await readdir(data)).some((name) => name.startsWith('restor')));
  await restored.kill('SIGTERM');
  const again = await launch(t, ['--data', data, '--port', '0', '--restore', whole]).exited;
  t.regex(again.stderr, /--restore needs a data directory that is empty/);
});
