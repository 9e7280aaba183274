import type { Catalog, Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { auditEntries, auditHeads } from '../model/audit.js';
import {
  DAY,
  eachDensity,
  folded,
  isNews,
  isOld,
  type Levels,
  type Place,
  placeOf,
  SAMPLING,
  type Sampling,
  sampleId,
  samples,
  samplings,
  startOf,
  type Taken,
} from '../model/sample.js';
import { tasks } from '../model/task.js';
import { addFlows, busier, busyHours, countEntry, noTraffic, type Traffic } from '../model/traffic.js';

type Sampled = Pick<Deps, 'catalog' | 'listing' | 'samples' | 'disk' | 'now'>;

/** For so long it is known which images and nodes were busy, by the hour. */
const BUSY_FOR = 8 * DAY;

/** How far each chain of the audit goes. */
type Counted = Sampling['counted'];

/**
 * Keeps how the server stands and what it has done since the last sample, at most once in each stretch of time, where there
 * is something to say. What was moved stands in the audit, whichever daemon did it: how far that is counted is written with
 * the sample, so that a crash makes nothing count twice, or not at all.
 */
export async function takeSample(deps: Sampled): Promise<void> {
  const { catalog, samples: book } = deps;
  const at = deps.now();
  const known = await catalog.get(samplings, SAMPLING);
  const from = startOf('minutes', at);
  // once in a stretch, also where there is nothing to say: else what is told of one image would depend on others
  if (known?.from === from || book.passed?.from === from) return;
  const counted = await headsOf(catalog);
  const traffic = noTraffic();
  // the first sample begins with what comes after it
  if (known) await countSince(deps, known.counted, counted, traffic);
  await countFailures(catalog, traffic);
  const taken = await lookAt(deps, traffic);
  if (known && !isNews(book.last, at, taken)) {
    book.passed = { from, counted };
    return;
  }
  const { old, oldHours } = outdated(deps, at);
  await catalog.write(async (tx) => {
    if (JSON.stringify(await tx.get(samplings, SAMPLING)) !== JSON.stringify(known)) return; // another daemon was here
    await save(tx, samplings, { from, counted });
    for (const density of eachDensity) {
      const before = await tx.get(samples, sampleId({ density, from: startOf(density, at) }));
      await save(tx, samples, folded(before, density, at, taken));
    }
    if (traffic.images.size > 0) {
      const begin = startOf('hours', at);
      const hour = (await tx.get(busyHours, begin)) ?? { from: begin, images: [], nodes: [] };
      await save(tx, busyHours, busier(hour, traffic));
    }
    for (const id of old) if (await tx.get(samples, id)) await tx.delete(samples, id);
    for (const id of oldHours) if (await tx.get(busyHours, id)) await tx.delete(busyHours, id);
  });
}

async function save<T>(tx: Tx, kind: Parameters<typeof tx.insert<T>>[0], record: T): Promise<void> {
  if (await tx.get(kind, kind.id(record))) await tx.replace(kind, record);
  else await tx.insert(kind, record);
}

async function headsOf(catalog: Catalog): Promise<Counted> {
  const heads: Counted = {};
  for await (const { chain, seq } of catalog.list(auditHeads)) heads[chain] = seq;
  return heads;
}

/** Backwards from the ends, as nothing else says where a chain is to be read from. */
async function countSince(
  { catalog, samples: { passed } }: Sampled,
  before: Counted,
  heads: Counted,
  traffic: Traffic,
): Promise<void> {
  for (const [chain, head] of Object.entries(heads)) {
    const last = Math.max(before[chain] ?? 0, passed?.counted[chain] ?? 0);
    if (head <= last) continue;
    const entries = catalog.range(auditEntries, 'id', { prefix: `${chain}/`, reverse: true });
    for await (const { record } of entries) {
      if (record.seq <= last) break;
      if (record.seq <= head) countEntry(traffic, record);
    }
  }
}

async function countFailures(catalog: Catalog, traffic: Traffic): Promise<void> {
  for (const [id, place] of traffic.ended) {
    if ((await catalog.get(tasks, id))?.status === 'FAILURE') addFlows(traffic, place, { failed: 1 });
  }
}

async function lookAt({ listing, samples: book, disk }: Sampled, traffic: Traffic): Promise<Taken> {
  const levels = levelsOf(listing.sorted);
  const { stored, saved } = await book.kept();
  return { levels, stored, saved, flows: traffic.places, ...(disk && { disk: await disk() }) };
}

/** Of each place. */
export function levelsOf(images: Iterable<Parameters<typeof placeOf>[0] & { bytes: number }>): Map<Place, Levels> {
  const levels = new Map<Place, Levels>();
  for (const image of images) {
    const place = placeOf(image);
    const known = levels.get(place);
    if (known) {
      known.images += 1;
      known.bytes += image.bytes;
    } else levels.set(place, { images: 1, bytes: image.bytes });
  }
  return levels;
}

function outdated({ samples: book }: Sampled, at: Date): { old: string[]; oldHours: string[] } {
  const before = new Date(at.getTime() - BUSY_FOR).toISOString();
  return {
    old: eachDensity.flatMap((density) =>
      book
        .samples(density)
        .filter((sample) => isOld(sample, at))
        .map(sampleId),
    ),
    oldHours: book.hours.filter(({ from }) => from < before).map(busyHours.id),
  };
}
