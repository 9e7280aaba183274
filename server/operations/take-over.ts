import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../../storage/durable.js';
import { StorageDown } from '../../storage/errors.js';
import { collect } from '../../storage/holdings.js';
import type { LeftDirectory } from '../../storage/sources.js';
import { OperatorMistake } from '../model/operator-mistake.js';
import {
  countOutcomes,
  type TakenImage,
  type TakenKeys,
  type TakeoverProgress,
  type TakeoverReport,
} from '../model/takeover.js';
import { planTakeover, refusalOf, type TakeoverPlan } from './plan-takeover.js';
import { type TakeoverDeps, takeOverImage } from './take-over-image.js';
import { takeOverKeys } from './take-over-keys.js';

/** Where the report of the last takeover stands, below the data directory. */
export const REPORT = 'takeover-report.json';

const LANES = 2;

interface Course {
  /** The data directory: keys and the report go there. */
  data: string;
  signal: AbortSignal;
  progress: (progress: TakeoverProgress) => void;
}

/**
 * Takes over what another server left. What is here already is left alone, so it can be cut off at any time and started
 * again. An image that can't be taken stands in the report; only what is wrong with this server ends the whole.
 */
export async function takeOver(
  deps: TakeoverDeps,
  directory: LeftDirectory,
  { data, signal, progress }: Course,
): Promise<TakeoverReport> {
  const { log, now } = deps;
  const started = now().toISOString();
  const earlier = await readEarlier(join(data, REPORT));
  const plan = await planTakeover(directory, deps.policy, signal);
  log.info({ directory: directory.path, images: plan.images, bytes: plan.bytes }, 'taking over');
  for (const image of plan.refused) log.warn(image, 'image not taken');
  try {
    // nobody else is at work yet: what is half here was left by an attempt that was cut off
    await collect(deps, { now: now(), grace: deps.policy.blobGrace * 1000, lease: 0, signal });
    const keys = await takeAllKeys(directory, join(data, 'authkeys'), earlier, signal);
    const { images, bytes } = await takeAllImages(deps, directory, plan, earlier, signal, progress);
    const report = {
      directory: directory.path,
      what: directory.what,
      started,
      ended: now().toISOString(),
      counts: countOutcomes(images),
      bytes,
      images: images.sort((a, b) => (a.uuid < b.uuid ? -1 : 1)),
      keys,
      strays: plan.strays,
    };
    await replaceFile(join(data, REPORT), `${JSON.stringify(report, null, 2)}\n`);
    log.info({ counts: report.counts, bytes, report: join(data, REPORT) }, 'taken over');
    return report;
  } catch (error) {
    throw isOurs(error) ? stopped(error) : error;
  }
}

/** What is told of the disk here, whether a store says so or a file that was written beside. */
const isOurs = (error: unknown): error is Error =>
  error instanceof StorageDown || (error instanceof Error && 'syscall' in error);

/** Node and LevelDB have words of their own for it. */
const isFull = ({ message }: Error) => /ENOSPC|No space left on device/.test(message);

const stopped = (cause: Error) =>
  new OperatorMistake(
    `the takeover stopped: ${isFull(cause) ? 'the disk is full: ' : ''}${cause.message}; what was taken is here whole: mend this and start again, and it goes on`,
    { cause },
  );

async function takeAllImages(
  deps: TakeoverDeps,
  directory: LeftDirectory,
  plan: TakeoverPlan,
  earlier: Earlier,
  signal: AbortSignal,
  progress: (progress: TakeoverProgress) => void,
): Promise<{ images: TakenImage[]; bytes: number }> {
  const images = [...plan.refused];
  const gone = { images: plan.refused.length, bytes: 0, copied: 0 };
  let taken = 0;
  const tell = (bytes: number) => {
    gone.bytes += bytes;
    progress({ ...gone, ofImages: plan.images, ofBytes: plan.bytes });
  };
  for (const wave of plan.waves) {
    await inLanes(wave, signal, async ({ uuid, name, bytes }, stop) => {
      let ofThis = 0;
      const course = {
        signal: stop,
        wasHere: earlier.images.has(uuid),
        copied: (more: number) => {
          ofThis += more;
          gone.copied += more;
          tell(more);
        },
      };
      const image = await takeOverImage(deps, directory, uuid, course).catch((error: unknown) =>
        refusalOf(uuid, error, name),
      );
      images.push(image);
      if (image.outcome === 'taken') taken += bytes;
      gone.images += 1;
      tell(bytes - ofThis); // what was here already, or did not come, needs not come any more
      tellLog(deps, image);
    });
  }
  return { images, bytes: taken };
}

function tellLog({ log }: TakeoverDeps, { outcome, uuid, name, reasons, mended, warnings }: TakenImage): void {
  if (outcome === 'not taken') log.warn({ uuid, name, reasons }, 'image not taken');
  else if (outcome === 'taken') log.info({ uuid, name, mended, warnings }, 'image taken');
  else log.debug({ uuid, name, outcome }, 'image left alone');
}

/** A few at a time. The first that fails stops the others, and is thrown when they have ended. */
async function inLanes<T>(
  items: readonly T[],
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const queue = items.values();
  const lane = async () => {
    for (const item of queue) {
      either.throwIfAborted();
      await work(item, either);
    }
  };
  const lanes = Array.from({ length: LANES }, () =>
    lane().catch((error: unknown) => {
      failed.abort(error);
    }),
  );
  await Promise.all(lanes);
  if (signal.aborted) throw signal.reason;
  if (failed.signal.aborted) throw failed.signal.reason;
}

async function takeAllKeys(
  directory: LeftDirectory,
  target: string,
  earlier: Earlier,
  signal: AbortSignal,
): Promise<TakenKeys[]> {
  const taken: TakenKeys[] = [];
  for (const file of await directory.keyFiles()) {
    signal.throwIfAborted();
    taken.push(await takeOverKeys(file, target, earlier.keys.get(file.name) ?? []));
  }
  return taken;
}

/** What earlier takeovers brought: what of it is gone by now was removed here. */
interface Earlier {
  images: ReadonlySet<string>;
  keys: ReadonlyMap<string, string[]>;
}

async function readEarlier(path: string): Promise<Earlier> {
  let report: Partial<TakeoverReport>;
  try {
    report = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (isAbsent) return { images: new Set(), keys: new Map() };
    throw new OperatorMistake(`${path}, the report of an earlier takeover, can not be read: remove it`, {
      cause: error,
    });
  }
  const { images = [], keys = [] } = Object(report) as Partial<TakeoverReport>;
  return {
    images: new Set(images.filter(({ outcome }) => outcome !== 'not taken').map(({ uuid }) => uuid)),
    keys: new Map(keys.map(({ file, keys }) => [file, keys])),
  };
}
