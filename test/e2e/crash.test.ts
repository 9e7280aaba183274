import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Random } from '../imgapi/random.js';
import type { Wire } from '../support/ask.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { checkRecords, FleetWork } from '../support/fleet-work.js';
import { gate } from '../support/gate.js';
import {
  contents,
  digests,
  type Entry,
  icons,
  nextStep,
  settle,
  sha1,
  stateOf,
  visible,
  WORKERS,
} from '../support/image-work.js';
import { ImportWork } from '../support/import-work.js';
import { scratch } from '../support/scratch.js';

// repeat a run with CRASH_SEED=… ; the order of what runs at the same time is not repeated
const SEED = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 60);
/** At most so many operations are asked for, or acknowledged, before the kill. */
const MOST = 40;

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
