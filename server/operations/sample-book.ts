import type { Catalog } from '../../storage/catalog.js';
import { contents } from '../../storage/holdings.js';
import { ReadModel } from '../../storage/read-model.js';
import { type Density, densities, eachDensity, endOf, type Sample, type Sampling, samples } from '../model/sample.js';
import { type BusyHour, type BusyPlaces, busyHours, busyPlaces } from '../model/traffic.js';

/** Bytes that are kept, each content once, and those that need not be because of that. */
export interface Kept {
  stored: number;
  saved: number;
}

/** A day and a week, of images and of nodes, now and in the hour before. */
const MOST_REMEMBERED = 8;

/** What is known of how the server was, in memory: some thousand samples. It follows every write. */
export class SampleBook {
  /** When it was looked last and there was nothing to be told, and how far the chains of the audit went. */
  passed: Sampling | undefined;
  #kept: Promise<Kept> | undefined;
  readonly #busy = new Map<string, BusyPlaces>();
  readonly #unfollow: (() => void)[];

  static async open(catalog: Catalog): Promise<SampleBook> {
    const byTime = { compare: compareTimes, rank: ({ from }: Timed) => Date.parse(from) };
    const all = await ReadModel.open(catalog, samples, {
      ...byTime,
      project: (sample) => sample,
      groups: ({ density }) => [density],
    });
    const hours = await ReadModel.open(catalog, busyHours, { ...byTime, project: (hour) => hour });
    return new SampleBook(catalog, all, hours);
  }

  private constructor(
    private readonly catalog: Catalog,
    private readonly all: ReadModel<Sample>,
    private readonly busy: ReadModel<BusyHour>,
  ) {
    this.#unfollow = [
      catalog.follow(contents, () => {
        this.#kept = undefined;
      }),
      catalog.follow(busyHours, () => this.#busy.clear()),
    ];
  }

  /** The oldest first; as it is now. */
  samples(density: Density): readonly Sample[] {
    return this.all.within([density]);
  }

  get last(): Sample | undefined {
    return this.samples('minutes').at(-1) ?? this.samples('days').at(-1);
  }

  /** The last one whose stretch was over at a time; none from before samples were taken. */
  lastBefore(time: number): Sample | undefined {
    for (const density of eachDensity) {
      const from = new Date(time - densities[density].every).toISOString();
      const found = this.samples(density).findLast((sample) => sample.from <= from);
      if (found) return found;
    }
    return undefined;
  }

  /** When the first sample was taken, in milliseconds. */
  get since(): number {
    const [first] = this.samples('days');
    if (!first) return Number.POSITIVE_INFINITY;
    const closest = eachDensity
      .flatMap((density) => this.samples(density).slice(0, 1))
      .filter(({ from }) => Date.parse(from) < endOf(first));
    return Math.max(...closest.map(({ from }) => Date.parse(from)));
  }

  /** The oldest first; as it is now. */
  get hours(): readonly BusyHour[] {
    return this.busy.sorted;
  }

  /** What was busy since an hour; counted again only where an hour has come or gone, or has more in it. */
  busySince(from: string, what: 'images' | 'nodes'): BusyPlaces {
    const key = `${what} ${from}`;
    const known = this.#busy.get(key);
    if (known) return known;
    if (this.#busy.size >= MOST_REMEMBERED) this.#busy.clear();
    const found = busyPlaces(
      this.hours.filter((hour) => hour.from >= from),
      what,
    );
    this.#busy.set(key, found);
    return found;
  }

  /** Counted again only where a content has come or gone, or has another holder. */
  kept(): Promise<Kept> {
    this.#kept ??= countKept(this.catalog).catch((error: unknown) => {
      this.#kept = undefined;
      throw error;
    });
    return this.#kept;
  }

  close(): void {
    for (const unfollow of this.#unfollow) unfollow();
    this.all.close();
    this.busy.close();
  }
}

async function countKept(catalog: Catalog): Promise<Kept> {
  const kept = { stored: 0, saved: 0 };
  for await (const page of catalog.pages(contents)) {
    for (const { record } of page) {
      kept.stored += record.size;
      kept.saved += record.size * Math.max(0, record.holders.length - 1);
    }
  }
  return kept;
}

interface Timed {
  from: string;
  density?: string;
}

/** Those of one time stand by how close together they are. */
function compareTimes(a: Timed, b: Timed): number {
  if (a.from !== b.from) return a.from < b.from ? -1 : 1;
  const [one = '', other = ''] = [a.density, b.density];
  return one < other ? -1 : Number(one > other);
}
