import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, readFile, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import ava, { type ExecutionContext } from 'ava';
import { ADMIN } from '../../server/model/user.js';
import type { Answer, Wire } from '../support/ask.js';
import { type Daemon, launch, startDaemon } from '../support/daemon.js';
import { isMet, mount, unmount } from '../support/needs.js';
import { scratch } from '../support/scratch.js';

const needs = 'root, to mount a tmpfs';
const test = isMet[needs] ? ava.serial : ava.skip;

const MIB = 1 << 20;
const config = { authType: 'none', blobGrace: 0 };
const manifest = { name: 'sample', version: '1.0.0', os: 'other', type: 'other', public: true };

const sha1 = (bytes: Buffer) => createHash('sha1').update(bytes).digest('hex');

/** A small disk with the data directory on it, and a daemon at work there. */
async function smallDisk(t: ExecutionContext, size: string): Promise<{ disk: string; daemon: Daemon }> {
  const disk = join(await scratch(t), 'disk');
  await mkdir(disk);
  t.true(mount(disk, size));
  t.teardown(() => unmount(disk));
  return { disk, daemon: await startDaemon(t, { data: join(disk, 'data'), config }) };
}

/** Writes until nothing more fits. */
async function fill(path: string): Promise<void> {
  const file: FileHandle = await open(path, 'a');
  try {
    for (let size = MIB; size >= 1; ) {
      const { bytesWritten } = await file.write(Buffer.alloc(size)).catch(() => ({ bytesWritten: 0 }));
      if (bytesWritten < size) size = Math.floor(size / 2);
    }
  } finally {
    await file.close();
  }
}

const outcome = ({ status, json }: Answer) => `${status} ${json.code ?? ''}`.trim();

/** What the daemon has acknowledged: it must be there whatever happens. */
class Acknowledged {
  readonly #images = new Map<string, { manifest: Wire; file?: Buffer }>();

  constructor(private readonly t: ExecutionContext) {}

  async create(daemon: Daemon): Promise<string> {
    const answer = await daemon.ask('POST', '/images', { body: { ...manifest, owner: ADMIN.uuid }, as: 'admin' });
    if (answer.status === 200) this.#images.set(answer.json.uuid, { manifest: answer.json });
    return answer.status === 200 ? answer.json.uuid : outcome(answer);
  }

  async upload(daemon: Daemon, uuid: string, file: Buffer, body: Buffer | Readable = file): Promise<string> {
    const answer = await daemon.ask('PUT', `/images/${uuid}/file?compression=none`, { body });
    if (answer.status === 200) this.#images.set(uuid, { manifest: answer.json, file });
    return outcome(answer);
  }

  async activate(daemon: Daemon, uuid: string): Promise<string> {
    const answer = await daemon.ask('POST', `/images/${uuid}?action=activate`);
    if (answer.status === 200) this.#images.set(uuid, { ...this.#images.get(uuid), manifest: answer.json });
    return outcome(answer);
  }

  /** All of it and nothing else is there. */
  async check(daemon: Daemon, when: string): Promise<void> {
    const { t } = this;
    const { list } = await daemon.ask('GET', '/images?state=all');
    const byUuid = (a: Wire, b: Wire) => (a.uuid < b.uuid ? -1 : 1);
    t.deepEqual(list.sort(byUuid), [...this.#images.values()].map((image) => image.manifest).sort(byUuid), when);
    for (const [uuid, { manifest: known, file }] of this.#images) {
      t.deepEqual((await daemon.ask('GET', `/images/${uuid}`)).json, known, when);
      const served = await daemon.ask('GET', `/images/${uuid}/file`);
      t.is(served.status === 200 ? sha1(served.bytes) : served.status, file ? sha1(file) : 404, when);
    }
  }

  /** Once the sweep has run: the bytes on disk are those of the images. */
  async checkFiles(data: string, when: string): Promise<void> {
    const { t } = this;
    t.deepEqual(await readdir(join(data, 'files', 'tmp')), [], when);
    const entries = await readdir(join(data, 'files', 'blobs'), { recursive: true, withFileTypes: true });
    const blobs = entries.filter((entry) => entry.isFile());
    const found = await Promise.all(
      blobs.map(async ({ parentPath, name }) => sha1(await readFile(join(parentPath, name)))),
    );
    const held = [...this.#images.values()].flatMap(({ file }) => (file ? [sha1(file)] : []));
    t.deepEqual(found.sort(), [...new Set(held)].sort(), when);
  }
}

test(`a full disk: writes are refused, reads go on, and nothing is lost (needs ${needs})`, async (t) => {
  const { disk, daemon } = await smallDisk(t, '24m');
  const known = new Acknowledged(t);
  const active = await known.create(daemon);
  t.is(await known.upload(daemon, active, randomBytes(3 * MIB)), '200');
  t.is(await known.activate(daemon, active), '200');
  const open = await known.create(daemon);
  t.is(await known.upload(daemon, open, randomBytes(MIB)), '200');

  for (const round of [1, 2, 3]) {
    const filler = join(disk, 'filler');
    await fill(filler);

    // an upload that does not fit, with and without a length; the earlier file stays
    const large = randomBytes(4 * MIB);
    t.is(await known.upload(daemon, open, large), '503 StorageIsDown');
    t.is(await known.upload(daemon, open, large, Readable.from([large])), '503 StorageIsDown');
    // what is small may still find a corner, for a while
    let refused: string | undefined;
    for (let n = 0; n < 2000 && refused === undefined; n += 1) {
      const answer = await known.create(daemon);
      if (answer.startsWith('503 ')) refused = answer;
    }
    t.is(refused, '503 StorageIsDown', 'creates are refused');
    await known.check(daemon, `full, round ${round}`);
    t.is((await daemon.ask('GET', '/ping')).status, 200);
    t.deepEqual(await readdir(join(daemon.data, 'files', 'tmp')), [], 'nothing partial is left');

    await rm(filler);
    const fresh = await known.create(daemon);
    t.is(await known.upload(daemon, fresh, randomBytes(MIB)), '200', `writable again, round ${round}`);
    t.is(await known.activate(daemon, fresh), '200');
    await known.check(daemon, `recovered, round ${round}`);
  }

  const { code, stderr } = await daemon.kill('SIGTERM');
  t.is(code, 0);
  t.false(/"status":500/.test(stderr), 'no internal error');
  const again = await startDaemon(t, { data: daemon.data, config });
  await again.logged('swept');
  await known.check(again, 'after a restart');
  await known.checkFiles(daemon.data, 'after a restart');
});

test(`many at once on a disk that fills up: each is whole or refused (needs ${needs})`, async (t) => {
  const { disk, daemon } = await smallDisk(t, '24m');
  const known = new Acknowledged(t);
  const upload = (uuid: string) => known.upload(daemon, uuid, randomBytes(2 * MIB));
  t.is(await upload(await known.create(daemon)), '200');
  const uuids = [];
  for (let n = 0; n < 16; n += 1) uuids.push(await known.create(daemon));
  const outcomes = new Set(await Promise.all(uuids.map(upload)));
  t.true(outcomes.delete('503 StorageIsDown'));
  outcomes.delete('200'); // all may find it full before any of them is whole
  t.deepEqual([...outcomes], []);
  await known.check(daemon, 'full');

  // a disk that is full to the last byte while the daemon is killed and started
  await fill(join(disk, 'filler'));
  await daemon.kill('SIGKILL');
  await startOnFullDisk(t, daemon.data);
  await rm(join(disk, 'filler'));
  const again = await startDaemon(t, { data: daemon.data, config });
  await again.logged('swept');
  await known.check(again, 'after a kill');
  await known.checkFiles(daemon.data, 'after a kill');
});

test(`a first start on a full disk is made good by the next one (needs ${needs})`, async (t) => {
  const disk = join(await scratch(t), 'disk');
  await mkdir(disk);
  t.true(mount(disk, '8m'));
  t.teardown(() => unmount(disk));
  const data = join(disk, 'data');
  for (const room of [0, 4096, 16_384, 65_536]) {
    await fill(join(disk, 'filler'));
    await truncate(join(disk, 'filler'), (await stat(join(disk, 'filler'))).size - room);
    await startOnFullDisk(t, data);
  }
  await rm(join(disk, 'filler'));
  const daemon = await startDaemon(t, { data });
  t.is((await daemon.ask('GET', '/state', { as: 'admin' })).status, 200);
});

/** It may start, if it finds what room it needs; or it says in one line why not. */
async function startOnFullDisk(t: ExecutionContext, data: string): Promise<void> {
  const running = launch(t, ['--port', '0', '--data', data]);
  const started = await running.printed('listening').then(
    () => true,
    () => false,
  );
  if (started) await running.kill('SIGKILL');
  const { code, stderr } = await running.exited;
  if (!started) t.is(code, 1);
  if (!started) t.regex(stderr, /^slipway: [^\n]*no space left[^\n]*\n$/i);
}
