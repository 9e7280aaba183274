import type { Members } from './members.js';

/** What the catalog keeps of one sort of record. Drivers know kinds, never their meaning. */
export interface Kind<T> {
  readonly name: string;
  id(record: T): string;
  /** Keys that no other record of the kind may have, such as `name:base-64`. */
  unique?(record: T): string[];
  /** Where the record stands in its indexes: `<index>:<value>`, such as `origin:<uuid>`; several per index are fine. */
  index?(record: T): string[];
  /** Indexes that so many writes look into that memory keeps their keys: some 100 bytes for each. */
  resident?: readonly string[];
}

export interface RangeOptions {
  /** Only index values (or ids) that begin so. */
  prefix?: string;
  /** Start behind this position: the `at` of a record met earlier. */
  after?: string;
  /** Only index values (or ids) that are smaller, byte by byte. */
  below?: string;
  limit?: number;
  reverse?: boolean;
}

export interface Positioned<T> {
  /** Opaque; good for `after` in the same range. */
  at: string;
  record: T;
}

/** Records come out as fresh values: whoever gets one may change it without changing the store. */
export interface Reader {
  get<T>(kind: Kind<T>, id: string): Promise<T | undefined>;
  /** By a unique key, as `Kind.unique` spells it. */
  find<T>(kind: Kind<T>, key: string): Promise<T | undefined>;
  /** In the order of an index's values (byte by byte), then ids; of the ids themselves when `index` is `id`. */
  range<T>(kind: Kind<T>, index: string, options?: RangeOptions): AsyncIterable<Positioned<T>>;
  /** All records, in the order of their ids. */
  list<T>(kind: Kind<T>): AsyncIterable<T>;
}

/** What a write has done to one record so far: absent before means that it is new, absent after that it is gone. */
export interface Effect {
  kind: string;
  id: string;
  before: object | undefined;
  after: object | undefined;
}

/** Reads see what this change has written. Not to be used after the change has returned. */
export interface Tx extends Reader {
  /** Throws Taken where the id or a unique key is taken. */
  insert<T>(kind: Kind<T>, record: T): Promise<void>;
  /** Throws Missing where there is no such record, Taken where a unique key belongs to another. */
  replace<T>(kind: Kind<T>, record: T): Promise<void>;
  /** Throws Missing where there is no such record. */
  delete<T>(kind: Kind<T>, id: string): Promise<void>;
  /** Each record that was written, once, in the order in which they were first. To be looked at, not changed. */
  effects(): Effect[];
}

/** A record, and the JSON that it is kept as, which costs far less to hold. */
export interface Stored<T> {
  record: T;
  json: string;
}

/** One committed change of one record; `record` is absent where it was deleted. */
export interface Change<T> {
  id: string;
  record?: T;
}

/** What a catalog holds at a place of its own: the same in every driver, and of a meaning to catalogs only. */
export type Entry = [key: string, value: string];

/** All that was committed at one moment, whatever is written afterwards. */
export interface Snapshot extends Reader {
  /** Everything, of every kind there is, in one order; `load` takes it. Fails where the moment has been lost. */
  entries(): AsyncIterable<Entry[]>;
  close(): Promise<void>;
}

/** How it goes, on this daemon, with a catalog that several share. */
export interface Sharing {
  /** Groups of writes that others have made, and this one has not taken in yet, as far as it knows. */
  behind: number;
  /** For how many milliseconds it has not been heard of. */
  unheard: number;
  /** So many of its own groups could not be written since the start. */
  failed: number;
}

/**
 * Writes run one after another, each whole or not at all. Those that wait together are committed as a group with one
 * sync; a write is acknowledged when its group is safe on disk. A change that throws leaves nothing and harms no other.
 * When the commit itself fails, every write of the group is refused with StorageDown and its fate is unknown; the
 * catalog goes on to serve reads, and writes again as soon as the disk allows. Never call `write` inside `write`.
 */
export interface Catalog extends Reader {
  /** The daemons that share it: a write that was acknowledged on one is seen by reads on all. */
  readonly members: Members;
  /** Whether what this daemon reads is sure to hold all that was acknowledged anywhere: its lease is good. */
  current(): boolean;
  /** Absent where nobody else can reach it. */
  sharing?(): Sharing;
  write<R>(change: (tx: Tx) => Promise<R>): Promise<R>;
  /** All records, in the order of their ids, many at a time: for views that hold every one of them. */
  pages<T>(kind: Kind<T>): AsyncIterable<Stored<T>[]>;
  /**
   * Tells of every committed change of a kind, in commit order, before its write is acknowledged. What a failed commit
   * has touched is told again as it is found afterwards, changed or not. Returns the way to stop.
   */
  follow<T>(kind: Kind<T>, follower: (changes: Change<T>[]) => void): () => void;
  /** Between two groups of writes. */
  snapshot(): Promise<Snapshot>;
  /**
   * How many snapshots are open, on all daemons. Whoever sees none inside a write can be sure that none will see less than
   * it leaves.
   */
  openSnapshots(): number;
  /** Into a catalog that is empty, and that nobody uses before this has returned: what fails leaves a part of it. */
  load(entries: AsyncIterable<Entry[]>): Promise<void>;
  close(): Promise<void>;
}
