import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Entry } from '../catalog.js';
import { StorageDown } from '../errors.js';
import type { Changed } from './followers.js';
import { applicationName, Connection, lockHead, type Place, type Row } from './postgres-connection.js';
import { Lease } from './postgres-lease.js';
import { isFull, readLog, trim } from './postgres-log.js';
import { refuseNewer } from './postgres-schema.js';
import { Apart, type Replica } from './replica.js';
import { type Listed, Roster } from './roster.js';

type Log = (level: 'info' | 'warn', message: string, fields?: object) => void;

export interface FollowerOptions {
  place: Place;
  replica: Replica;
  lease: number;
  member: { name: string; version: string };
  /** How many groups the log keeps that all have taken in. */
  keep: number;
  log: Log;
  tell(changed: Changed): void;
  /** Loads the replica anew while no group is begun. */
  exclusively(load: () => Promise<void>): Promise<void>;
  /** How many snapshots are open here. */
  snapshots(): number;
  /** The next group has something to do besides writing. */
  touch(): void;
  /** The lease is over. */
  lapsed(): void;
}

const firstPause = 50;
const longestPause = 1000;
const beatsPerLease = 4;

/**
 * Keeps this daemon a member that has taken in what the others have committed, over a connection of its own. An exchange
 * reads the log to its end and then counts the beat up, so that whoever beats has taken in what there was. When anything
 * fails it begins anew, for as long as it takes.
 */
export class Follower {
  readonly roster = new Roster();
  readonly lease: Lease;
  self: Listed;
  /** The server that it follows: what others have taken in is known of this one only. */
  server: string | undefined;
  /** How far the log goes, as far as was heard. */
  head = 0;
  /** Those who are given up with the next group, each with the beat that it has stood still at. */
  givenUp: Listed[] = [];
  readonly #options: FollowerOptions;
  readonly #listeners = new Map<string, Set<(payload: string) => void>>();
  readonly #changed = new Set<() => void>();
  readonly #asking: { resolve(): void; reject(error: unknown): void }[] = [];
  #connection: Connection | undefined;
  #loading: Connection | undefined;
  #isIn = false;
  #wanted: 'beat' | 'read' | undefined;
  #wake = () => {};
  #trimmed = 0;
  #confirmed = -1;
  #running: Promise<void> | undefined;
  #down: Error | undefined;
  #ended = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.lease = new Lease(options.lease, () => this.#lapse());
    this.self = this.#newMember();
    this.listen('slipway_log', (payload) => {
      const [process, sequence] = payload.split(' ');
      if (process === options.place.process) return; // what is written here is taken in here
      this.head = Math.max(this.head, Number(sequence ?? 0));
      this.#want('read');
    });
    this.listen('slipway_roster', () => this.#want('beat'));
    this.listen('slipway_taken', (payload) => {
      const [id = '', sequence] = payload.split(' ');
      if (this.server !== undefined) this.roster.taken(id, Number(sequence));
    });
  }

  /** Resolves with the first exchange; throws what has kept it from that. */
  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#running = this.#run(resolve, reject);
    });
  }

  listen(channel: string, listener: (payload: string) => void): () => void {
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** To all who listen there, at most once. */
  notify(channel: string, payload: string): void {
    const values = [channel, payload];
    this.#connection?.all({ name: 'notify', text: 'SELECT pg_notify($1, $2)', values }).catch(() => {}); // lost then
  }

  /** Calls back when the roster, or this daemon's own place in it, has changed. */
  follow(follower: () => void): () => void {
    this.#changed.add(follower);
    return () => void this.#changed.delete(follower);
  }

  /** Resolves with an exchange that was begun after this. */
  ask(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.#connection) return reject(new StorageDown('asking who is in', this.#down ?? new Error('not yet')));
      this.#asking.push({ resolve, reject });
      this.#want('beat');
    });
  }

  /** Somebody else has seen that what is here is not what the database has. */
  nudge(): void {
    this.#want('beat');
  }

  /** This daemon was found to be given up: it joins again. */
  out(): void {
    this.#isIn = false;
    this.lease.lose(); // nobody waits for one that is not listed
    this.#want('beat');
  }

  async end(): Promise<void> {
    this.#ended = true;
    this.lease.end();
    this.#wake();
    const drop = () => {
      for (const connection of [this.#connection, this.#loading]) connection?.drop(new Error('closing'));
    };
    const timer = setTimeout(drop, this.#options.place.silence);
    await this.#running;
    clearTimeout(timer);
  }

  #want(what: 'beat' | 'read'): void {
    if (this.#wanted !== 'beat') this.#wanted = what;
    this.#wake();
  }

  #taking(): 'beat' | 'read' | undefined {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    return wanted;
  }

  async #run(begun: () => void, failed: (error: unknown) => void): Promise<void> {
    let pause = firstPause;
    let isNew = true;
    while (!this.#ended) {
      try {
        await this.#session(() => {
          if (this.#down) this.#options.log('info', 'the database is followed again');
          this.#down = undefined;
          pause = firstPause;
          isNew = false;
          begun();
        });
      } catch (error) {
        if (isNew) return failed(error);
        const what =
          error instanceof StorageDown ? 'the copy of the records can not be written' : 'the database is away';
        if (!this.#down) this.#options.log('warn', what, { err: error });
        this.#down = error as Error;
        for (const { reject } of this.#asking.splice(0)) reject(new StorageDown('asking who is in', error));
      } finally {
        this.server = undefined;
        this.#connection?.drop(new Error('done with'));
        this.#connection = undefined;
      }
      if (this.#ended) return;
      await Promise.race([sleep(pause * (0.5 + Math.random())), this.#ends()]);
      pause = Math.min(pause * 2, longestPause);
    }
  }

  async #ends(): Promise<void> {
    while (!this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** From a connection to its loss. */
  async #session(begun: () => void): Promise<void> {
    const { place, lease } = this.#options;
    // what is lost of this when the server dies is told anew
    const connection = await Connection.open(place, 'follows', { synchronous_commit: 'off' });
    this.#connection = connection;
    connection.hear((channel, payload) => {
      for (const listener of this.#listeners.get(channel) ?? []) listener(payload);
    });
    await connection.all([...this.#listeners.keys()].map((channel) => `LISTEN ${channel}`).join(';'));
    await this.#compare(connection);
    this.roster.forget();
    this.roster.forgive();
    this.#confirmed = -1;
    this.#wanted = 'beat';
    connection.whenLost(() => this.#wake());
    let due = 0;
    for (let isFirst = true; !this.#ended; isFirst = false) {
      if (connection.lost) throw connection.lost;
      const wanted = this.#taking();
      // what is written all the time puts off no beat
      if (wanted === 'read' && performance.now() < due) {
        await this.#read(connection);
      } else {
        due = performance.now() + lease / beatsPerLease;
        await this.#exchange(connection);
      }
      if (isFirst) begun();
      if (wanted !== 'read') this.server = connection.server;
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      if (this.#wanted || this.#ended || connection.lost) continue;
      const timer = setTimeout(() => this.#want('beat'), Math.max(0, due - performance.now()));
      await woken;
      clearTimeout(timer);
    }
    if (this.#isIn) await this.#leave(connection).catch(() => {}); // the lease tells the others as well
    await connection.end();
  }

  /** Whether the replica is of this cluster, and the log goes on where it ends. */
  async #compare(connection: Connection): Promise<void> {
    const { replica, log } = this.#options;
    const [cluster] = await connection.all('SELECT id, (SELECT version FROM slipway.version) FROM slipway.cluster');
    refuseNewer(Number(cluster?.version)); // one that is newer may have come while this one runs
    if (replica.at.cluster === cluster?.id) return;
    if (replica.at.sequence >= 0) log('warn', 'the copy of the records is of another cluster and is loaded anew');
    await this.#load();
  }

  async #load(): Promise<void> {
    const { exclusively, replica, place, tell, log } = this.#options;
    this.lease.lose();
    await exclusively(async () => {
      const connection = await Connection.open(place, 'loads', { idle_in_transaction_session_timeout: '0' });
      this.#loading = connection;
      try {
        const began = performance.now();
        await connection.all('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
        const [at] = await connection.all('SELECT id AS cluster, head, last FROM slipway.cluster');
        const position = { cluster: String(at!.cluster), sequence: Number(at!.head), group: String(at!.last) };
        await replica.load(entriesOf(connection), position, tell);
        log('info', 'the copy of the records is loaded', {
          groups: position.sequence,
          ms: Math.round(performance.now() - began),
        });
      } finally {
        this.#loading = undefined;
        await connection.end();
      }
    });
  }

  /** What the log has beyond the replica. Gives the time from which on it may have more. */
  async #catchUp(connection: Connection): Promise<number> {
    const { replica, tell, log } = this.#options;
    let from = performance.now();
    for (;;) {
      const rows = await readLog(connection, replica.at.sequence);
      try {
        await replica.takeIn(rows, tell);
      } catch (error) {
        if (!(error instanceof Apart)) throw error;
        log(
          'warn',
          error.isLoss
            ? 'the database has lost what it had committed, as a copy may that takes over: the records are loaded anew'
            : 'the copy of the records is too old and is loaded anew',
          { reason: error.message },
        );
        await this.#load();
        from = performance.now();
        continue;
      }
      if (!isFull(rows)) return from;
    }
  }

  async #read(connection: Connection): Promise<void> {
    await this.#catchUp(connection);
    this.#confirm();
  }

  #confirm(): void {
    const { sequence } = this.#options.replica.at;
    if (this.#isIn && sequence > this.#confirmed) this.notify('slipway_taken', `${this.self.id} ${sequence}`);
    this.#confirmed = sequence;
  }

  async #exchange(connection: Connection): Promise<void> {
    const { replica, log } = this.#options;
    const asking = this.#asking.splice(0);
    try {
      let from = await this.#catchUp(connection);
      if (!this.#isIn) {
        await this.#join(connection);
        from = await this.#catchUp(connection); // who joins is waited for from then on
      }
      this.#confirm();
      const taken = replica.at.sequence;
      const [[beaten], [listed]] = await Promise.all([
        connection.results({
          name: 'beat',
          text: 'UPDATE slipway.members SET beat = beat + 1, taken = $2 WHERE id = $1',
          values: [this.self.id, taken],
        }),
        connection.results({
          name: 'roster',
          text: `SELECT c.roster, m.* FROM slipway.cluster c LEFT JOIN slipway.members m ON true`,
        }),
      ]);
      if (beaten!.rowCount === 0) {
        log('warn', 'this daemon was given up by the others and joins again', { member: this.self.id });
        this.out();
        this.#asking.push(...asking.splice(0));
        return;
      }
      const wasGood = this.lease.isGood();
      this.lease.renew(from);
      this.see(listed!.rows);
      if (!wasGood) this.#tellChanged();
      await this.#giveUp(connection);
      const own = this.roster.all().find(({ id }) => id === this.self.id);
      if (this.givenUp.length > 0 || (own && own.snapshots !== this.#options.snapshots())) this.#options.touch();
      await this.#trim(connection);
      for (const { resolve } of asking.splice(0)) resolve();
    } catch (error) {
      for (const { reject } of asking) reject(new StorageDown('asking who is in', error));
      throw error;
    }
  }

  /** The rows of the cluster and its members, as one statement has them, or several while the head was locked. */
  see(rows: readonly Row[]): void {
    const [first] = rows;
    if (!first) return;
    const isOther = this.roster.see(Number(first.roster), rows.flatMap(listedOf));
    this.givenUp = this.givenUp.filter(({ id }) => this.roster.has(id));
    if (isOther) this.#tellChanged();
  }

  /** The first of all, once in a while. */
  async #trim(connection: Connection): Promise<void> {
    const { keep, replica } = this.#options;
    const { sequence } = replica.at;
    if (sequence - this.#trimmed <= keep / 2 || this.roster.all()[0]?.id !== this.self.id) return;
    await connection.all(trim(keep));
    this.#trimmed = sequence;
  }

  /** Whose beat has stood still for a whole lease is out: its connections are ended, as one may have the head locked. */
  async #giveUp(connection: Connection): Promise<void> {
    const own = this.self.process; // a row of ours that was left behind goes when we join
    const silent = this.roster.silentFor(this.lease.length).filter(({ process }) => process !== own);
    const fresh = silent.filter(({ id }) => !this.givenUp.some((known) => known.id === id));
    this.givenUp = silent;
    for (const { id, name, process } of fresh) {
      this.#options.log('warn', 'a daemon has not been heard of for a whole lease and is given up', {
        member: id,
        name,
      });
      const ending = connection.all({
        text: `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE starts_with(application_name, $1)`,
        values: [applicationName(process, '')],
      });
      // of another user's it may not: the server gives up what stands still by itself, later
      await ending.catch((error: unknown) => {
        if (connection.lost) throw error;
      });
    }
  }

  async #join(connection: Connection): Promise<void> {
    const { place, replica, snapshots, log } = this.#options;
    const self = this.#newMember();
    await connection.all(lockHead, place.patience);
    await connection.all('SET LOCAL synchronous_commit = on'); // a server that comes back knows who is to be waited for
    // nobody waits for the one that had this replica before, nor for a row of our own whose commit was not answered
    const own = [place.process, ...(replica.before ? [replica.before] : [])];
    await connection.all({ text: 'DELETE FROM slipway.members WHERE process = ANY ($1)', values: [own] });
    await connection.all({
      text: `INSERT INTO slipway.members (id, process, name, version, since, taken, snapshots)
             SELECT $1, $2, $3, $4, $5, head, $6 FROM slipway.cluster`,
      values: [self.id, place.process, self.name, self.version, self.since, snapshots()],
    });
    await connection.all('UPDATE slipway.cluster SET roster = roster + 1; NOTIFY slipway_roster; COMMIT');
    this.self = self;
    this.#isIn = true;
    log('info', 'this daemon has joined', { member: self.id, groups: replica.at.sequence });
  }

  async #leave(connection: Connection): Promise<void> {
    await connection.all(lockHead);
    await connection.all({ text: 'DELETE FROM slipway.members WHERE id = $1', values: [this.self.id] });
    await connection.all('UPDATE slipway.cluster SET roster = roster + 1; NOTIFY slipway_roster; COMMIT');
  }

  #newMember(): Listed {
    const { member, place } = this.#options;
    const since = new Date().toISOString();
    return { id: randomUUID(), ...member, since, process: place.process, number: 0, beat: 0, taken: 0, snapshots: 0 };
  }

  #lapse(): void {
    this.roster.refuse(new StorageDown('waiting for the other daemons', new Error('the lease is over')));
    if (this.#ended) return;
    this.#options.lapsed();
    this.#tellChanged();
  }

  #tellChanged(): void {
    for (const follower of this.#changed) follower();
  }
}

function listedOf(row: Row): Listed[] {
  if (row.id === null) return [];
  const { id, process, name, version, since, number, beat, taken, snapshots } = row;
  return [
    {
      id: String(id),
      process: String(process),
      name: String(name),
      version: String(version),
      since: String(since),
      number: Number(number),
      beat: Number(beat),
      taken: Number(taken),
      snapshots: Number(snapshots),
    },
  ];
}

/** In the order of their keys. */
async function* entriesOf(connection: Connection): AsyncGenerator<Entry[]> {
  const patience = 600_000; // it sorts first
  await connection.all('DECLARE loading NO SCROLL CURSOR FOR SELECT key, value FROM slipway.entries ORDER BY key');
  for (;;) {
    const rows = await connection.all('FETCH 2000 FROM loading', patience);
    if (rows.length === 0) return;
    yield rows.map(({ key, value }): Entry => [(key as Buffer).toString('latin1'), String(value)]);
  }
}
