import type { Socket } from 'node:net';
import pg from 'pg';
import { StorageDown } from '../errors.js';

/** The servers of a URL, of which one takes writes, and how long any of them may be silent. */
export interface Place {
  urls: readonly string[];
  /** In milliseconds, before a connection that does not answer is given up. */
  silence: number;
  /** In milliseconds, before the server gives up a transaction whose daemon says nothing: long, as changes may be. */
  idle: number;
  /** In milliseconds, how long to wait for others to be done with the head. */
  patience: number;
  /** What the server is told of who is there: the daemon of one start. */
  process: string;
}

export type Row = Record<string, unknown>;
export type Query = string | { name?: string; text: string; values?: unknown[] };

/** Where the connections of a daemon are named so, others can end those that it has left behind. */
export const applicationName = (process: string, purpose: string) => `slipway ${process} ${purpose}`;

/** `postgres://one,two:5433/name?…` as a URL for each host; where there is nothing, the usual variables say where. */
export function placesOf(url: string): string[] {
  const [, before = '', hosts = '', rest = ''] = /^([a-z]+:\/\/(?:[^@/?]*@)?)([^/?]*)(.*)$/is.exec(url) ?? [];
  if (!before) throw new Error('a database is spelt postgres://user@host/name');
  const [path = '', query = ''] = rest.split('?', 2);
  const options = new URLSearchParams(query);
  // we ask each of them ourselves, and say ourselves who is there
  for (const name of ['target_session_attrs', 'application_name']) options.delete(name);
  const tail = options.size > 0 ? `${path}?${options}` : path;
  return hosts.split(',').map((host) => `${before}${host}${tail}`);
}

/** What waits for the head has to see what was committed meanwhile, whatever a server is set to. */
export const begin = 'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE';
/** The head is locked by one transaction after another. */
export const lockHead = `${begin}; SELECT 1 FROM slipway.cluster FOR UPDATE`;

const identity = `SELECT pg_is_in_recovery() AS standby,
                  concat_ws(' ', inet_server_addr(), inet_server_port(), pg_postmaster_start_time()) AS server`;
/** Whatever else a server is set to, what is acknowledged is to outlive it. */
const safe = `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`;
/** In milliseconds. */
const grace = 100;
const standby = 'it is a copy that takes no writes';

/** One connection to the server that takes writes. Once it has failed in any way it is of no more use. */
export class Connection {
  /** Which start of which server it is. */
  server = '';
  #lost: Error | undefined;
  readonly #whenLost = new Set<(error: Error) => void>();

  private constructor(
    private readonly client: pg.Client,
    private readonly place: Place,
  ) {
    client.on('error', (error) => this.#lose(error));
    client.on('end', () => this.#lose(new Error('the connection has ended')));
  }

  static async open(place: Place, purpose: string, settings: Record<string, string> = {}): Promise<Connection> {
    // all at once: one that is silent holds up none of the others
    const opening = place.urls.map((url) => Connection.#openOne(url, place, purpose, settings));
    try {
      const first = await Promise.any(opening);
      for (const other of opening) other.then((found) => (found === first ? undefined : found.end())).catch(() => {});
      return first;
    } catch (error) {
      const { errors } = error as { errors: Error[] };
      // that a copy takes no writes says less than why the other one does not answer
      throw errors.find(({ message }) => message !== standby) ?? errors[0];
    }
  }

  static async #openOne(url: string, place: Place, purpose: string, settings: Record<string, string>) {
    const config: pg.ClientConfig & { pipeline: boolean } = {
      connectionString: url,
      application_name: applicationName(place.process, purpose),
      connectionTimeoutMillis: place.silence,
      keepAlive: true,
      keepAliveInitialDelayMillis: place.silence,
      pipeline: true,
    };
    const client = new pg.Client(config);
    const connection = new Connection(client, place);
    try {
      await client.connect();
      const seconds = Math.max(1, Math.round(place.silence / 1000));
      const all: Record<string, string> = {
        client_encoding: 'UTF8',
        idle_in_transaction_session_timeout: `${place.idle}`,
        statement_timeout: '0',
        lock_timeout: '0',
        tcp_keepalives_idle: `${seconds}`,
        tcp_keepalives_interval: `${seconds}`,
        tcp_keepalives_count: '2',
        ...settings,
      };
      const sets = Object.entries(all).map(([name, value]) => `SET ${name} = '${value}'`);
      const [found] = await connection.all(`${safe}; ${sets.join(';')}; ${identity}`);
      if (found!.standby) throw new Error(standby);
      connection.server = String(found!.server);
      return connection;
    } catch (error) {
      connection.drop(error as Error);
      throw error;
    }
  }

  get lost(): Error | undefined {
    return this.#lost;
  }

  whenLost(call: (error: Error) => void): void {
    if (this.#lost) call(this.#lost);
    else this.#whenLost.add(call);
  }

  hear(listener: (channel: string, payload: string) => void): void {
    this.client.on('notification', ({ channel, payload }) => listener(channel, payload ?? ''));
  }

  /** The results of one query, or of each statement of several. All that are asked at once go out together. */
  async results(query: Query, patience = this.place.silence): Promise<pg.QueryResult<Row>[]> {
    if (this.#lost) throw this.#lost;
    const giveUp = () => this.drop(new Error(`the database has not answered for ${patience} ms`));
    let timer = setTimeout(() => {
      timer = setTimeout(giveUp, grace); // where this process stood still, the answer may be here already
    }, patience);
    try {
      const found: pg.QueryResult<Row> | pg.QueryResult<Row>[] = await this.client.query<Row>(query);
      return Array.isArray(found) ? found : [found];
    } finally {
      clearTimeout(timer);
    }
  }

  /** The rows of the last statement. */
  async all(query: Query, patience?: number): Promise<Row[]> {
    return (await this.results(query, patience)).at(-1)!.rows;
  }

  drop(error: Error): void {
    const { stream } = (this.client as unknown as { connection: { stream: Socket } }).connection;
    this.#lose(error);
    stream.destroy(error);
  }

  async end(): Promise<void> {
    const timer = setTimeout(() => this.drop(new Error('the connection did not end')), this.place.silence);
    await this.client.end().catch(() => {}); // it has ended then
    clearTimeout(timer);
  }

  #lose(error: Error): void {
    if (this.#lost) return;
    this.#lost = error;
    for (const call of this.#whenLost) call(error);
  }
}

/** A connection that is opened when it is needed, and anew when the one before has failed. */
export class Line {
  #opening: Promise<Connection> | undefined;
  #ended = false;

  constructor(
    private readonly place: Place,
    private readonly purpose: string,
    private readonly settings: Record<string, string> = {},
  ) {}

  async get(): Promise<Connection> {
    if (this.#ended) throw new StorageDown('asking the database', new Error('the catalog is closed'));
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async drop(error: Error): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    (await opening?.catch(() => undefined))?.drop(error);
  }

  async end(): Promise<void> {
    this.#ended = true;
    await (await this.#opening?.catch(() => undefined))?.end();
  }

  #open(): Promise<Connection> {
    const opening = Connection.open(this.place, this.purpose, this.settings);
    const forget = () => {
      if (this.#opening === opening) this.#opening = undefined;
    };
    opening.then((connection) => connection.whenLost(forget), forget);
    return opening;
  }
}
