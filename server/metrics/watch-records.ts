import type { Catalog, Kind } from '../../storage/catalog.js';
import { contents } from '../../storage/holdings.js';
import { ReadModel } from '../../storage/read-model.js';
import { executions, jobOf } from '../model/job.js';
import { tasks } from '../model/task.js';
import type { Listing } from '../operations/listing.js';
import type { Metrics } from './instruments.js';

/**
 * What is told of the records comes from views in memory that follow every write. They are opened while the server is
 * served from already: only who scrapes waits for them. Returns the way to stop following.
 */
export function watchRecords(metrics: Metrics, catalog: Catalog, listing: Listing): () => Promise<void> {
  const { instruments: gauges } = metrics;
  let views: Promise<Views> | undefined;
  const opened = () => {
    views ??= open(catalog).catch((error) => {
      views = undefined;
      throw error;
    });
    return views;
  };
  opened().catch(() => {}); // who scrapes tries again, and is told

  metrics.atScrape(async () => {
    const { kept, work } = await opened();
    gauges.images.reset();
    for (const { state, type } of listing.sorted) gauges.images.inc({ state, type });

    const bytes = { stored: 0, saved: 0, unheld: 0 };
    for (const { size, holders } of kept.sorted) {
      bytes.stored += size;
      if (holders === 0) bytes.unheld += size;
      else bytes.saved += size * (holders - 1);
    }
    gauges.stored_contents.set(kept.size);
    gauges.stored_bytes.set(bytes.stored);
    gauges.saved_bytes.set(bytes.saved);
    gauges.unheld_bytes.set(bytes.unheld);

    for (const execution of executions) gauges.jobs.set({ execution }, 0);
    for (const { execution } of work.sorted) if (execution) gauges.jobs.inc({ execution });
  });
  return async () => {
    const found = await views?.catch(() => {});
    found?.kept.close();
    found?.work.close();
  };
}

type Views = Awaited<ReturnType<typeof open>>;

async function open(catalog: Catalog) {
  const work = await follow(catalog, tasks, (task) => ({ execution: jobOf(task)?.execution }));
  try {
    const kept = await follow(catalog, contents, ({ size, holders }) => ({ size, holders: holders.length }));
    return { kept, work };
  } catch (error) {
    work.close();
    throw error;
  }
}

function follow<T, V extends object>(catalog: Catalog, kind: Kind<T>, view: (record: T) => V) {
  return ReadModel.open(catalog, kind, {
    project: (record) => ({ id: kind.id(record), ...view(record) }),
    compare: (a, b) => (a.id < b.id ? -1 : Number(a.id > b.id)),
    rank: () => 0,
  });
}
