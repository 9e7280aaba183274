import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { Random } from '../imgapi/random.js';
import type { Answer, Wire } from '../support/ask.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { checkRecords, FleetWork } from '../support/fleet-work.js';
import { gate } from '../support/gate.js';
import { ImportWork } from '../support/import-work.js';
import { scratch } from '../support/scratch.js';

// repeat a run with CRASH_SEED=… ; the order of what runs at the same time is not repeated
const SEED = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 60);
const WORKERS = 6;
/** At most so many operations are asked for, or acknowledged, before the kill. */
const MOST = 40;
const IMAGES = 40;

/** What a client knows of an image from the answers that it got. */
interface Known {
  uuid: string;
  name: string;
  description: string;
  acl: string[];
  disabled: boolean;
  activated: boolean;
  /** Which of the contents; undefined where there is none. */
  file?: number | undefined;
  icon?: number | undefined;
}

/** What must be there, and what may be there instead because its change had no answer when the daemon died. */
interface Entry {
  sure: Known | undefined;
  maybe: { after: Known | undefined } | undefined;
}

/** From a few bytes, in one piece, to more than a buffer holds. Few, so that images share them. */
const contents = [3, 1000, 20_000, 70_000, 300_000, 1_500_000].map((size, n) => Buffer.alloc(size, `content ${n}.`));
const icons = [10, 5000, 60_000].map((size, n) => Buffer.alloc(size, `icon ${n}.`));

const sha1 = (bytes: Buffer) => createHash('sha1').update(bytes).digest('hex');
const digests = new Map([...contents, ...icons].map((bytes) => [bytes, sha1(bytes)]));

/** One step that a client may take with an image, as it is sent and as it leaves the image. */
interface Step {
  method: string;
  path: string;
  options?: { body?: object | Readable | Buffer; headers?: Record<string, string> };
  after: Known | undefined;
}

type Steps = (known: Known, random: Random) => Step | undefined;

/** Without a length, and in pieces: a kill finds it half way. */
const streamed = (bytes: Buffer) =>
  Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += 64 << 10) yield bytes.subarray(at, at + (64 << 10));
    })(),
    { objectMode: false },
  );

const act = (known: Known, action: string, after: Known, body?: object): Step => ({
  method: 'POST',
  path: `/images/${known.uuid}?action=${action}`,
  ...(body && { options: { body } }),
  after,
});

const upload: Steps = (known, random) => {
  if (known.activated) return undefined;
  const file = random.below(contents.length);
  const bytes = contents[file]!;
  const body = random.chance(50) ? streamed(bytes) : bytes;
  const path = `/images/${known.uuid}/file?compression=none&sha1=${digests.get(bytes)}`;
  return { method: 'PUT', path, options: { body }, after: { ...known, file } };
};

const activate: Steps = (known) =>
  known.activated || known.file === undefined ? undefined : act(known, 'activate', { ...known, activated: true });

const update: Steps = (known, random) => {
  const description = `described ${random.below(1_000_000)}`;
  return act(known, 'update', { ...known, description }, { description });
};

const share: Steps = (known) => {
  const account = randomUUID();
  const after = { ...known, acl: [...known.acl, account] };
  return { method: 'POST', path: `/images/${known.uuid}/acl`, options: { body: [account] }, after };
};

const toggle: Steps = (known) =>
  act(known, known.disabled ? 'enable' : 'disable', { ...known, disabled: !known.disabled });

const putIcon: Steps = (known, random) => {
  const icon = random.below(icons.length);
  const options = { body: icons[icon]!, headers: { 'content-type': 'image/png' } };
  return { method: 'PUT', path: `/images/${known.uuid}/icon`, options, after: { ...known, icon } };
};

const deleteIcon: Steps = (known) =>
  known.icon === undefined
    ? undefined
    : { method: 'DELETE', path: `/images/${known.uuid}/icon`, after: { ...known, icon: undefined } };

const remove: Steps = (known) => ({ method: 'DELETE', path: `/images/${known.uuid}`, after: undefined });

/** The likelier, the more often it stands here. */
const steps = [upload, upload, upload, upload, activate, activate, update, share, toggle, putIcon, putIcon, deleteIcon];

/** An image that does not exist yet: by an import, since the uuid of a create is known from its answer only. */
function born(random: Random): { known: Known; step: Step } {
  const uuid = randomUUID();
  const known: Known = {
    uuid,
    name: `image-${random.below(1_000_000)}`,
    description: 'new',
    acl: [],
    disabled: false,
    activated: false,
  };
  const { name, description } = known;
  const owner = '00000000-0000-0000-0000-000000000000';
  const body = { v: 2, uuid, owner, name, version: '1', type: 'other', os: 'other', public: true, description };
  return { known, step: { ...act(known, 'import', known), options: { body } } };
}

/** Imports are slow enough to be met by a kill. */
const config = { authType: 'none', blobGrace: 0, mode: 'dc', importBandwidth: 20_000_000 };

test(`nothing acknowledged is lost and nothing half-written remains in ${ROUNDS} kills`, async (t) => {
  t.timeout(300_000);
  t.log(`CRASH_SEED=${SEED}`);
  const random = new Random(SEED);
  const data = await scratch(t);
  const entries = new Map<string, Entry>();
  const fleet = new FleetWork(random);
  const imports = await ImportWork.start(t, random);
  const seen = { acknowledged: 0, open: 0, happened: 0, swept: 0 };

  for (let round = 0; round <= ROUNDS; round += 1) {
    const daemon = await startDaemon(t, { data, config });
    // now and then, before the sweep has ended
    if (round % 4 !== 3) {
      const { unheld, orphans, staged } = await daemon.logged('swept');
      seen.swept += Number(unheld) + Number(orphans) + Number(staged);
      seen.happened += await settle(daemon, entries);
      await imports.checkServed(t, daemon);
      await checkServed(t, daemon, entries, imports);
      await fleet.checkServed(t, daemon);
      await checkDisk(t, data, entries, imports);
      if (!t.passed) break;
    }
    const most = random.below(MOST);
    seen.acknowledged += await workUntilKilled(t, daemon, { entries, fleet, imports, random, most });
    seen.open += [...entries.values()].filter(({ maybe }) => maybe).length;
    daemon.close();
    await checkRecords(t, data, seen.acknowledged + fleet.acknowledged);
  }
  t.log(
    `${seen.acknowledged} operations were acknowledged, ${seen.open} were open at a kill, of which ${seen.happened} ` +
      `had happened; ${seen.swept} blobs were swept; ${entries.size} images; ` +
      `${fleet.acknowledged} changes of the fleet, ${fleet.ended} tasks, ${fleet.resumed} events; ` +
      `${imports.acknowledged} imports, ${imports.succeeded} came, ${imports.cancelled} were cancelled`,
  );
  t.true(seen.acknowledged > ROUNDS);
  t.true(seen.open > ROUNDS);
  t.true(fleet.acknowledged > ROUNDS && fleet.ended > 0);
  t.true(imports.succeeded > 0);
});

/** Several clients at work, each image in the hands of one, until so many answers have come and the daemon is killed. */
async function workUntilKilled(
  t: ExecutionContext,
  daemon: Daemon,
  {
    entries,
    fleet,
    imports,
    random,
    most,
  }: { entries: Map<string, Entry>; fleet: FleetWork; imports: ImportWork; random: Random; most: number },
): Promise<number> {
  const killed = gate();
  const byRequests = random.chance(50);
  let asked = 0;
  let acknowledged = 0;
  let isKilled = false;
  const kill = () => {
    if (isKilled) return;
    isKilled = true;
    daemon.kill('SIGKILL').then(killed.open);
  };
  const work = async (mine: string[]): Promise<void> => {
    while (!isKilled) {
      const { uuid, step } = nextStep(entries, mine, random);
      const entry = entries.get(uuid) ?? { sure: undefined, maybe: undefined };
      entries.set(uuid, entry);
      entry.maybe = { after: step.after };
      const asking = daemon.ask(step.method, step.path, step.options).catch(() => undefined);
      asked += 1;
      if (byRequests && asked >= most) kill();
      const answer = await asking;
      if (!answer) {
        if (!isKilled) t.fail(`${step.method} ${step.path}: the connection broke before the kill`);
        return;
      }
      t.true(answer.status === 200 || answer.status === 204, `${step.method} ${step.path}: ${answer.bytes}`);
      entry.sure = step.after;
      entry.maybe = undefined;
      acknowledged += 1;
      if (acknowledged >= most) kill();
    }
  };
  if (most === 0) kill();
  const shares: string[][] = Array.from({ length: WORKERS }, () => []);
  for (const [n, uuid] of [...entries.keys()].entries()) {
    const { sure, maybe } = entries.get(uuid)!;
    if (sure && !maybe) shares[n % WORKERS]!.push(uuid);
  }
  const manage = async (): Promise<void> => {
    while (!isKilled) {
      if (!(await fleet.step(t, daemon, [...entries.keys()].slice(0, 5)))) return;
    }
  };
  const bring = async (): Promise<void> => {
    while (!isKilled && (await imports.step(t, daemon)));
  };
  await Promise.all([...shares.map(work), manage(), bring()]);
  await killed.opened;
  return acknowledged;
}

function nextStep(entries: Map<string, Entry>, mine: string[], random: Random): { uuid: string; step: Step } {
  const living = mine.filter((uuid) => entries.get(uuid)?.sure);
  if (living.length < 2 || (living.length < IMAGES / WORKERS && random.chance(15))) {
    const { known, step } = born(random);
    mine.push(known.uuid);
    return { uuid: known.uuid, step };
  }
  for (;;) {
    const uuid = random.pick(living);
    const known = entries.get(uuid)!.sure!;
    const chosen = living.length >= IMAGES / WORKERS - 1 && random.chance(20) ? remove : random.pick(steps);
    const step = chosen(known, random);
    if (step) return { uuid, step };
  }
}

/** Of each change that had no answer, either state is right; which one it is, is asked once and must stay. */
async function settle(daemon: Daemon, entries: Map<string, Entry>): Promise<number> {
  let happened = 0;
  for (const [uuid, entry] of [...entries]) {
    if (entry.maybe) {
      const { after } = entry.maybe;
      const found = await stateOf(daemon, uuid);
      if (isSame(found, after)) {
        entry.sure = after;
        happened += 1;
      }
      entry.maybe = undefined;
    }
    if (!entry.sure) entries.delete(uuid);
  }
  return happened;
}

const isSame = (found: unknown, known: Known | undefined) =>
  JSON.stringify(found) === JSON.stringify(known && visible(known));

/** An image as clients see it. */
function visible({ uuid, name, description, acl, disabled, activated, file, icon }: Known) {
  const state = activated ? (disabled ? 'disabled' : 'active') : 'unactivated';
  const bytes = file === undefined ? undefined : contents[file]!;
  return {
    ...{ uuid, name, description, acl, state, disabled },
    files: bytes ? [{ sha1: digests.get(bytes), size: bytes.length, compression: 'none' }] : [],
    file: bytes ? digests.get(bytes) : 404,
    icon: icon === undefined ? 404 : digests.get(icons[icon]!),
  };
}

async function stateOf(daemon: Daemon, uuid: string): Promise<object | undefined> {
  const path = `/images/${uuid}`;
  const [manifest, file, icon] = await Promise.all(
    [path, `${path}/file`, `${path}/icon`].map((asked) => daemon.ask('GET', asked)),
  );
  if (manifest?.status === 404) return undefined;
  const { name, description, acl = [], state, disabled, files } = manifest!.json;
  return {
    ...{ uuid, name, description, acl, state, disabled },
    files,
    file: served(file!),
    icon: served(icon!),
  };
}

const served = ({ status, bytes }: Answer) => (status === 200 ? sha1(bytes) : status);

async function checkServed(
  t: ExecutionContext,
  daemon: Daemon,
  entries: Map<string, Entry>,
  imports: ImportWork,
): Promise<void> {
  const { list } = await daemon.ask('GET', '/images?state=all');
  const uuids = (images: Wire[]) => images.map(({ uuid }) => uuid).sort();
  t.deepEqual(uuids(list), [...entries.keys(), ...imports.whole.keys()].sort(), 'the images that are listed');
  await Promise.all(
    [...entries].map(async ([uuid, { sure }]) => t.deepEqual(await stateOf(daemon, uuid), visible(sure!))),
  );
}

/** Every byte on disk belongs to an image, and is there once. */
async function checkDisk(
  t: ExecutionContext,
  data: string,
  entries: Map<string, Entry>,
  imports: ImportWork,
): Promise<void> {
  t.deepEqual(await readdir(join(data, 'files', 'tmp')), [], 'nothing staged is left');
  const found = await readdir(join(data, 'files', 'blobs'), { recursive: true, withFileTypes: true });
  const blobs = found.filter((entry) => entry.isFile());
  const onDisk = await Promise.all(
    blobs.map(async (entry) => sha1(await readFile(join(entry.parentPath, entry.name)))),
  );
  const held = [...entries.values()].flatMap(({ sure }) => [contents[sure!.file ?? -1], icons[sure!.icon ?? -1]]);
  const wanted = [...new Set(held)].filter((bytes) => bytes !== undefined).map((bytes) => digests.get(bytes)!);
  wanted.push(...imports.whole.values());
  t.deepEqual(onDisk.sort(), wanted.sort(), 'what is on disk is what the images hold');
}
