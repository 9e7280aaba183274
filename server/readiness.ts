import { finished } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { BlobStore } from '../storage/blobs.js';
import type { Catalog } from '../storage/catalog.js';
import type { Space } from '../storage/space.js';
import { ADMIN, users } from './model/user.js';

/** In milliseconds: how long what was found holds, and how long a check may take. */
const FRESH = 5000;
const PATIENCE = 3000;

const ENOUGH = 1024 ** 3;
const ENOUGH_OF_A_SMALL_DISK = 1 / 50;

/** A blob store that tells whether it is there is one that all daemons share. */
export interface Checked {
  catalog: Catalog;
  blobs: BlobStore;
  space: () => Promise<Space>;
}

/** What can stand in the way, as everybody is told it: what exactly has failed is in the log. */
const meanings = {
  stopping: 'the server is stopping',
  touch: 'this daemon has lost touch with the database',
  catalog: 'the catalog can not be read',
  blobs: 'the blob store can not be written to',
  disk: 'the disk is nearly full',
};

export type Reasons = Partial<typeof meanings>;

/** What is told without taking the daemon out: it would be the same with every other. */
export interface Remarks {
  store?: string;
}

type Check = Exclude<keyof typeof meanings, 'stopping' | 'touch'> | 'store';

const STORE = 'the store of the files does not answer';

/** Each throws, or takes too long, where requests can not be served. */
const checks: Record<Check, (checked: Checked) => Promise<unknown>> = {
  catalog: ({ catalog }) => catalog.get(users, ADMIN.uuid),
  store: async ({ blobs }) => blobs.check?.(),
  blobs: async ({ blobs }) => {
    if (blobs.check) return;
    const staged = await blobs.stage();
    try {
      staged.writable.end('a few bytes, to be thrown away');
      await finished(staged.writable);
    } finally {
      await staged.discard();
    }
  },
  disk: async ({ space }) => {
    const { free, size } = await space();
    if (isNearlyFull({ free, size })) throw new Error(`${free} of ${size} bytes are free`);
  },
};

interface Found {
  reasons: Reasons;
  remarks: Remarks;
}

export function isNearlyFull({ free, size }: Space): boolean {
  return free < Math.min(ENOUGH, size * ENOUGH_OF_A_SMALL_DISK);
}

/** Whether requests can be served. However often it is asked, the stores are looked at once in a few seconds. */
export class Readiness {
  #stopping = false;
  #looked: { at: number; found: Promise<Found> } | undefined;
  /** A check that does not come back is not started again. */
  readonly #running = new Map<Check, Promise<unknown>>();
  readonly #checked: Checked;
  #space: Space | undefined;
  #told = '';

  constructor(
    checked: Checked,
    private readonly log: Logger,
    private readonly now: () => Date,
    private readonly patience = PATIENCE,
  ) {
    const space = async () => {
      this.#space = await checked.space();
      return this.#space;
    };
    this.#checked = { ...checked, space };
  }

  /** What the disk said when it was last looked at. */
  get space(): Space | undefined {
    return this.#space;
  }

  stop(): void {
    this.#stopping = true;
  }

  /** Why requests can not be served; empty where they can. */
  async reasons(): Promise<Reasons> {
    if (this.#stopping) return { stopping: meanings.stopping };
    if (!this.#checked.catalog.current()) return { touch: meanings.touch };
    return (await this.#found()).reasons;
  }

  /** What operators should know of, though requests are served. */
  async remarks(): Promise<Remarks> {
    return this.#stopping || !this.#checked.catalog.current() ? {} : (await this.#found()).remarks;
  }

  #found(): Promise<Found> {
    const at = this.now().getTime();
    if (!this.#looked || Math.abs(at - this.#looked.at) >= FRESH) this.#looked = { at, found: this.#look() };
    return this.#looked.found;
  }

  async #look(): Promise<Found> {
    const names = Object.keys(checks) as Check[];
    const results = await Promise.allSettled(names.map((name) => within(this.patience, this.#run(name))));
    const failed = names.flatMap((name, n) => {
      const result = results[n]!;
      return result.status === 'rejected' ? [{ name, error: result.reason }] : [];
    });
    this.#tell(failed);
    const reasons = failed.flatMap(({ name }) => (name === 'store' ? [] : [[name, meanings[name]]]));
    const isStoreAway = failed.some(({ name }) => name === 'store');
    return { reasons: Object.fromEntries(reasons), remarks: isStoreAway ? { store: STORE } : {} };
  }

  #run(name: Check): Promise<unknown> {
    const running = this.#running.get(name) ?? checks[name](this.#checked).finally(() => this.#running.delete(name));
    this.#running.set(name, running);
    return running;
  }

  /** The log hears of changes only. */
  #tell(failed: { name: Check; error: unknown }[]): void {
    const told = failed.map(({ name }) => name).join(' ');
    if (told === this.#told) return;
    this.#told = told;
    if (failed.length === 0) this.log.info('ready again');
    for (const { name, error } of failed) {
      this.log.warn({ err: error }, name === 'store' ? STORE : `not ready: ${meanings[name]}`);
    }
  }
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const watch = new AbortController();
  const late = setTimeout(milliseconds, undefined, { signal: watch.signal }).then(() => {
    throw new Error(`no answer within ${milliseconds} ms`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    watch.abort();
  }
}
