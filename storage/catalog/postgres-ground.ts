import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Entry, Sharing } from '../catalog.js';
import { StorageDown } from '../errors.js';
import type { Members } from '../members.js';
import type { Database } from './database.js';
import type { Changed } from './followers.js';
import type { Committed, Ground, Standing } from './ground.js';
import type { Operation } from './overlay.js';
import { applicationName, begin, type Connection, Line, lockHead, type Place } from './postgres-connection.js';
import type { Follower } from './postgres-follower.js';
import { loadEntries } from './postgres-load.js';
import type { Locks } from './postgres-locks.js';
import { append, isFull, type Logged, loggedOf, readBehind } from './postgres-log.js';
import { Apart, type Replica } from './replica.js';
import type { View } from './view.js';

/** A group between its beginning and its end, which has the head locked. */
interface Begun {
  connection: Connection;
  /** Who is in besides this daemon, and so has to take it in. */
  others: string[];
  /** What the others know of our snapshots. */
  toldSnapshots: number;
  end(): void;
}

const writes = 'writes';

/** PostgreSQL: a group is a transaction with the head locked, and is committed when the log has it. */
export class PostgresGround implements Ground {
  readonly longest = 250;
  readonly #line: Line;
  #begun: Begun | undefined;
  #running: Promise<void> = Promise.resolve();
  #snapshots = 0;
  #elsewhere = 0;
  #failed = 0;

  constructor(
    private readonly place: Place,
    private readonly replica: Replica,
    private readonly follower: Follower,
    readonly members: Members,
    private readonly locks: Locks,
    private readonly standing: Standing,
  ) {
    this.#line = new Line(place, writes);
  }

  get database(): Database {
    return this.replica.database;
  }

  current(): boolean {
    return this.follower.lease.isGood();
  }

  sharing(): Sharing {
    const { lease, head } = this.follower;
    return { behind: Math.max(0, head - this.replica.at.sequence), unheard: lease.age, failed: this.#failed };
  }

  async begin(): Promise<View> {
    if (!this.current())
      throw new StorageDown('writing the catalog', new Error('this daemon is cut off from the database'));
    let end = () => {};
    this.#running = new Promise((resolve) => {
      end = resolve;
    });
    try {
      const connection = await this.#together();
      this.#begun = { connection, end, ...(await this.#lockHead(connection)) };
      return this.replica.committed;
    } catch (error) {
      end();
      this.#failed += 1;
      await this.#line.drop(error as Error);
      if (error instanceof Apart) this.follower.nudge();
      throw error instanceof StorageDown ? error : new StorageDown('beginning to write', error);
    }
  }

  async commit(operations: Operation[], changes: Changed[]): Promise<Committed> {
    const begun = this.#begun!;
    this.#begun = undefined;
    try {
      if (operations.length > 0) await this.#append(begun, operations, changes);
      else await this.#conclude(begun, []);
    } catch (error) {
      this.#failed += 1;
      throw error;
    } finally {
      begun.end();
    }
    // refused at once, as the lapse that refuses those who wait is over
    if (begun.others.length > 0 && !this.current())
      throw new StorageDown('waiting for the other daemons', new Error('the lease is over'));
    const taken = this.follower.roster.whenTaken(this.replica.at.sequence, begun.others);
    return taken ? { taken } : {};
  }

  keepSnapshots(count: number): void {
    const isLess = count < this.#snapshots;
    this.#snapshots = count;
    if (isLess) this.standing.touch();
  }

  get snapshots(): number {
    return this.#snapshots;
  }

  snapshotsElsewhere(): number {
    return this.#elsewhere;
  }

  stillHolds(token: string): void {
    if (token === this.members.self.id) return;
    throw new StorageDown('reading a snapshot of the catalog', new Error('this daemon was given up meanwhile'));
  }

  /** While no group is begun. */
  async exclusively(work: () => Promise<void>): Promise<void> {
    await this.#running;
    await work();
  }

  async load(entries: AsyncIterable<Entry[]>): Promise<void> {
    await loadEntries(this.place, entries);
    await this.follower.ask();
  }

  /** This daemon has been silent for so long that the others may have given it up. */
  lapsed(): void {
    void this.#line.drop(new Error('the lease is over'));
  }

  async close(): Promise<void> {
    await this.#line.end();
    await this.locks.end();
    await this.follower.end();
    await this.replica.close();
  }

  /** A connection to the server that is followed: who has taken in what is known of that one. */
  async #together(): Promise<Connection> {
    for (;;) {
      const connection = await this.#line.get();
      if (connection.server === this.follower.server) return connection;
      if (!this.current()) throw new StorageDown('writing the catalog', new Error('the lease is over'));
      if (this.follower.server !== undefined) await this.#line.drop(new Error('another server is followed'));
      await sleep(10);
    }
  }

  async #lockHead(connection: Connection): Promise<Pick<Begun, 'others' | 'toldSnapshots'>> {
    const behind = this.replica.at.sequence;
    const [, , read, members] = await connection.results(
      `${lockHead}; ${readBehind(behind)};
       SELECT c.roster, m.* FROM slipway.cluster c LEFT JOIN slipway.members m ON true`,
      this.place.patience,
    );
    let logged = loggedOf(read!.rows, behind);
    await this.replica.takeIn(logged, this.standing.tell);
    while (isFull(logged)) {
      const { sequence } = this.replica.at;
      logged = loggedOf(await connection.all(readBehind(sequence)), sequence);
      await this.replica.takeIn(logged, this.standing.tell);
    }
    if (connection.server !== this.follower.server)
      throw new StorageDown('writing the catalog', new Error('another server is followed'));
    this.follower.see(members!.rows);
    const own = this.members.self.id;
    const listed = this.follower.roster.all();
    const self = listed.find(({ id }) => id === own);
    if (!self) {
      this.follower.out();
      throw new StorageDown('writing the catalog', new Error('this daemon was given up by the others'));
    }
    const others = listed.filter(({ id }) => id !== own);
    this.#elsewhere = others.reduce((sum, { snapshots }) => sum + snapshots, 0);
    return { others: others.map(({ id }) => id), toldSnapshots: self.snapshots };
  }

  async #append(begun: Begun, operations: Operation[], changes: Changed[]): Promise<void> {
    const logged = {
      sequence: this.replica.at.sequence + 1,
      group: randomUUID(),
      body: { operations, changes: changes.filter(({ size }) => size > 0) },
    };
    await this.#conclude(begun, [append(this.place.process, logged)], logged);
    try {
      await this.replica.takeIn([logged], this.standing.tell);
    } catch (error) {
      this.follower.nudge(); // it takes it in from the log
      throw error instanceof StorageDown ? error : new StorageDown('taking in what was written', error);
    }
  }

  /** What is left to be done with the head locked, and its end. */
  async #conclude(
    { connection, toldSnapshots }: Begun,
    queries: Parameters<Connection['results']>[0][],
    logged?: Logged,
  ): Promise<void> {
    const all = [...queries];
    const own = this.members.self.id;
    if (toldSnapshots !== this.#snapshots) {
      const values = [own, this.#snapshots];
      all.push({ text: 'UPDATE slipway.members SET snapshots = $2 WHERE id = $1', values });
    }
    for (const { id, beat } of this.follower.givenUp) {
      all.push({ text: 'DELETE FROM slipway.members WHERE id = $1 AND beat = $2', values: [id, beat] });
    }
    if (this.follower.givenUp.length > 0) {
      all.push('UPDATE slipway.cluster SET roster = roster + 1; NOTIFY slipway_roster');
    }
    const patience = this.place.patience + (logged?.body?.operations.length ?? 0);
    // all at once, as an answer to each would be a way there and back
    const answers = await Promise.allSettled([...all, 'COMMIT'].map((query) => connection.results(query, patience)));
    const failed = answers.find((answer) => answer.status === 'rejected');
    const end = answers.at(-1)!;
    const isCommitted = !failed && end.status === 'fulfilled' && end.value[0]!.command === 'COMMIT';
    if (isCommitted) return;
    const reason: unknown = failed?.reason ?? new Error('the transaction was given up');
    const isRefused = isAnswer(reason) && !connection.lost;
    await this.#line.drop(reason as Error);
    if (!isRefused && logged && (await this.#isThere(logged.group, reason))) return;
    this.follower.nudge(); // what may have been committed after all is taken in soon
    throw new StorageDown('writing the catalog', reason);
  }

  /** Whether a group was committed whose commit nobody has answered. */
  async #isThere(group: string, cause: unknown): Promise<boolean> {
    const until = performance.now() + this.place.patience;
    for (;;) {
      try {
        const connection = await this.#line.get();
        // the one before may still be at it: once it is ended and the head is ours, its fate is decided
        const others = { text: endOthers, values: [applicationName(this.place.process, writes)] };
        await connection.all(others);
        // this commit waits for a copy that commits wait for, and with it for all that was before
        await connection.all(`${begin}; UPDATE slipway.cluster SET looked = looked + 1`, this.place.patience);
        const found = await connection.all({ text: 'SELECT 1 FROM slipway.log WHERE id = $1', values: [group] });
        await connection.all('COMMIT');
        return found.length > 0;
      } catch (error) {
        await this.#line.drop(error as Error);
        if (performance.now() > until) {
          this.follower.nudge();
          throw new StorageDown('finding out whether a write was committed', cause);
        }
        await sleep(100);
      }
    }
  }
}

const endOthers = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE application_name = $1 AND pid <> pg_backend_pid()`;

/** That the server says no to a statement, by a code of five characters, says that it is there and nothing is committed. */
function isAnswer(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^(?!57P|08|XX)[0-9A-Z]{5}$/.test(code);
}
