import { mkdir, realpath, rm } from 'node:fs/promises';
import { Level } from 'level';
import type { Entry } from '../catalog.js';
import { InUse, StorageDown } from '../errors.js';
import { Database, type Engine } from './database.js';
import type { Changed } from './followers.js';
import { everything, recordOf } from './keys.js';
import type { Operation } from './overlay.js';
import type { Logged, Position } from './postgres-log.js';
import { isLocked, roomToReopen } from './reopening.js';
import { ResidentKeys } from './resident-keys.js';

/** Behind everything that is a record's. */
const place = '\xff\xffat';
const holder = '\xff\xffheld-by';
const nowhere: Position = { cluster: '', sequence: -1, group: '' };
const pageSize = 2000;

const open = new Set<string>();

/** The log does not go on where the replica ends: it has to be loaded anew. */
export class Apart extends Error {
  override name = 'Apart';
  constructor(
    message: string,
    /** Whether the database no longer has what it had committed. */
    readonly isLoss = false,
  ) {
    super(message);
  }
}

/**
 * This daemon's copy of what the cluster holds, which knows how far it has come. It needs no sync: after a power cut it
 * is what it was some groups ago, and takes in what is missing.
 */
export class Replica {
  readonly database: Database;
  readonly committed: ResidentKeys;
  /** The process that had it open before this one, and is gone. */
  before: string | undefined;
  #at: Position = nowhere;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    engine: Engine,
    private readonly path: string,
  ) {
    this.database = new Database(engine, () => roomToReopen(path), false);
    this.committed = new ResidentKeys(this.database);
  }

  /** What can not be opened is made anew. */
  static async open(
    directory: string,
    process: string,
    warn: (message: string, fields: object) => void,
  ): Promise<Replica> {
    await mkdir(directory, { recursive: true });
    const path = await realpath(directory);
    if (open.has(path)) throw new InUse(`the replica ${path} is open in this process already`);
    open.add(path);
    try {
      try {
        return await Replica.#opened(path, process);
      } catch (error) {
        if (isLocked(error)) throw new InUse(`the replica ${path} is in use by another process`, { cause: error });
        warn('the copy of the records can not be read and is made anew', { directory: path, err: error });
        await rm(path, { recursive: true });
        await mkdir(path);
        return await Replica.#opened(path, process);
      }
    } catch (error) {
      open.delete(path);
      if (error instanceof InUse) throw error;
      throw new StorageDown(`opening the replica ${path}`, error);
    }
  }

  static async #opened(path: string, process: string): Promise<Replica> {
    const engine: Engine = new Level<string, string>(path);
    await engine.open();
    const replica = new Replica(engine, path);
    try {
      replica.#at = JSON.parse((await replica.database.get(place)) ?? JSON.stringify(nowhere));
      replica.before = await replica.database.get(holder);
      await replica.database.commit([{ type: 'put', key: holder, value: process }]);
    } catch (error) {
      await engine.close();
      throw error;
    }
    return replica;
  }

  get at(): Position {
    return this.#at;
  }

  /**
   * What the log has, from the group on that was the last one when it was asked. Throws Apart where that does not go on
   * from where this is.
   */
  takeIn(logged: readonly Logged[], tell: (changed: Changed) => void): Promise<void> {
    return this.#inTurn(async () => {
      if (logged.length === 0) throw new Apart(`group ${this.#at.sequence} is not there`, true);
      for (const { sequence, group } of logged) {
        if (sequence === this.#at.sequence && group !== this.#at.group) {
          throw new Apart(`group ${sequence} is another one than was taken in`, true);
        }
      }
      const fresh = logged.filter(({ sequence }) => sequence > this.#at.sequence);
      const last = fresh.at(-1);
      if (!last) return;
      if (fresh[0]!.sequence !== this.#at.sequence + 1)
        throw new Apart(`group ${this.#at.sequence + 1} is no longer there`);
      const bodies = fresh.map(({ sequence, body }) => {
        if (!body) throw new Apart(`group ${sequence} stands for all there is`);
        return body;
      });
      const at = { ...this.#at, sequence: last.sequence, group: last.group };
      await this.#commit(
        bodies.flatMap(({ operations }) => operations),
        at,
      );
      for (const { changes } of bodies) for (const changed of changes) tell(changed);
    });
  }

  /** Becomes what these entries are, which come in the order of their keys, and tells of what is otherwise than before. */
  load(pages: AsyncIterable<Entry[]>, at: Position, tell: (changed: Changed) => void): Promise<void> {
    return this.#inTurn(async () => {
      await this.#commit([], nowhere); // half of it is nothing
      let operations: Operation[] = [];
      const flush = async () => {
        await this.#commit(operations, nowhere);
        tell(changedBy(operations));
        operations = [];
      };
      for await (const operation of differences(this.database.scan(everything, pageSize), pages)) {
        if (operations.push(operation) >= pageSize) await flush();
      }
      await flush();
      await this.#commit([], at);
    });
  }

  async close(): Promise<void> {
    await this.#last.catch(() => {}); // told to who asked for it
    await this.database.close();
    open.delete(this.path);
  }

  async #commit(operations: Operation[], at: Position): Promise<void> {
    await this.database.revive();
    try {
      await this.database.commit([...operations, { type: 'put', key: place, value: JSON.stringify(at) }]);
    } catch (error) {
      this.committed.forget();
      throw error;
    }
    this.committed.committed(operations);
    this.#at = at;
  }

  #inTurn<R>(work: () => Promise<R>): Promise<R> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => {}); // told to the caller
    return turn;
  }
}

/** What turns the entries on the left into those on the right; both are sorted. */
async function* differences(
  left: AsyncIterable<Entry[]>,
  right: AsyncIterable<Entry[]>,
): AsyncGenerator<Operation, void> {
  const old = each(left);
  let have = await old.next();
  try {
    for await (const [key, value] of each(right)) {
      for (; !have.done && have.value[0] < key; have = await old.next()) yield { type: 'del', key: have.value[0] };
      if (have.done || have.value[0] !== key) yield { type: 'put', key, value };
      else {
        if (have.value[1] !== value) yield { type: 'put', key, value };
        have = await old.next();
      }
    }
    for (; !have.done; have = await old.next()) yield { type: 'del', key: have.value[0] };
  } finally {
    await old.return();
  }
}

async function* each(pages: AsyncIterable<Entry[]>): AsyncGenerator<Entry, void> {
  for await (const page of pages) yield* page;
}

function changedBy(operations: readonly Operation[]): Changed {
  const changed: Changed = new Map();
  for (const operation of operations) {
    const record = recordOf(operation.key);
    if (!record) continue;
    const records = changed.get(record.kind) ?? new Map<string, string | undefined>();
    changed.set(record.kind, records.set(record.id, operation.type === 'put' ? operation.value : undefined));
  }
  return changed;
}
