import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { chown, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import pg from 'pg';
import { freePort } from './free-port.js';
import type { isMet } from './needs.js';

const run = promisify(execFile);

/** What a test has in its title where it is skipped. */
export const needsPostgres = 'postgresql, to keep records' satisfies keyof typeof isMet;

/**
 * A real PostgreSQL, one for all tests of a process, in which each has databases of its own:
 *
 *     const postgres = await startPostgres();
 *     const url = await postgres.newDatabase();
 *
 * It dies with the process. Where SLIPWAY_TEST_POSTGRES is set, that is the URL of one that runs already.
 */
export interface Postgres {
  url: string;
  newDatabase(): Promise<string>;
}

/** One that belongs to a test alone, and so may be harmed. */
export interface OwnPostgres extends Postgres {
  port: number;
  directory: string;
  /** In the database of its URL. */
  query(sql: string): Promise<Record<string, unknown>[]>;
  /** SIGINT ends it as a restart does, SIGKILL as a power cut would, if that kept what the disk had. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
  restart(): Promise<void>;
  /** To the postmaster and all that it has started: they stand still, and go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** Another one that follows it, with which every commit waits from then on, unless told otherwise. */
  copy(options?: { synchronous: boolean }): Promise<OwnPostgres>;
  /** A copy becomes one that takes writes. */
  promote(): Promise<void>;
}

export interface PostgresOptions {
  /** Whether what is committed is to survive more than this process. */
  fsync?: boolean;
  settings?: Record<string, string>;
}

type Test = Pick<ExecutionContext, 'teardown'>;

let shared: Promise<Postgres> | undefined;

export function startPostgres(): Promise<Postgres> {
  const given = process.env.SLIPWAY_TEST_POSTGRES;
  shared ??= given ? Promise.resolve(withDatabases(given)) : startOwnPostgres();
  return shared;
}

/** With a test: gone when it ends. */
export async function startOwnPostgres(t?: Test, options: PostgresOptions = {}): Promise<OwnPostgres> {
  const server = await Server.make(t, options);
  await server.initialize();
  await server.start();
  return server;
}

/** Where its programs are, if they are here and there is somebody to run them as. */
export function postgresHere(): boolean {
  return programs !== undefined && (process.getuid?.() !== 0 || owner !== undefined);
}

const root = '/usr/lib/postgresql';
const programs = existsSync(root)
  ? readdirSync(root)
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => join(root, version, 'bin'))
      .find((directory) => existsSync(join(directory, 'initdb')))
  : undefined;
const user = 'slipway';
/** It refuses to be run by root. */
const owner = ownerNow();

class Server implements OwnPostgres {
  port = 0;
  #process: ChildProcess | undefined;
  #databases = 0;

  private constructor(
    readonly directory: string,
    private readonly t: Test | undefined,
    private readonly options: PostgresOptions,
  ) {}

  static async make(t: Test | undefined, options: PostgresOptions): Promise<Server> {
    const directory = await mkdtemp(join(tmpdir(), 'slipway-postgres-'));
    if (owner) await chown(directory, owner.uid, owner.gid);
    const server = new Server(directory, t, options);
    server.port = await freePort();
    const end = () => {
      server.#process?.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    };
    process.once('exit', end);
    t?.teardown(async () => {
      process.off('exit', end);
      await server.stop('SIGKILL');
      end();
    });
    return server;
  }

  get url(): string {
    return `postgres://${user}@127.0.0.1:${this.port}/postgres`;
  }

  async newDatabase(): Promise<string> {
    this.#databases += 1;
    const name = `d${this.#databases}`;
    await this.query(`CREATE DATABASE ${name} TEMPLATE template0`);
    return this.url.replace(/postgres$/, name);
  }

  query(sql: string): Promise<Record<string, unknown>[]> {
    return ask(this.url, sql);
  }

  async initialize(): Promise<void> {
    await this.#tell('initdb', '-D', this.#data, '-U', user, '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '-N');
  }

  async start(): Promise<void> {
    const settings: Record<string, string> = {
      port: String(this.port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: this.directory,
      fsync: this.options.fsync ? 'on' : 'off',
      max_connections: '400',
      shared_buffers: '32MB',
      // In its directory, which goes: what one that is killed has in /dev/shm stays there for good.
      dynamic_shared_memory_type: 'mmap',
      max_wal_senders: '4',
      logging_collector: 'off',
      log_min_messages: 'warning',
      autovacuum: 'on',
      ...this.options.settings,
    };
    const words = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const end = Date.now() + 120_000;
    while (!(await this.#tryToStart(words, end))) await pause(50);
  }

  /** False where processes of one that was killed are about to go. */
  async #tryToStart(words: string[], end: number): Promise<boolean> {
    const errors: string[] = [];
    const command = ['--pdeathsig', 'KILL', join(programs!, 'postgres'), '-D', this.#data, ...words];
    const child = spawn('setpriv', [...asOwner(), ...command], {
      cwd: this.directory,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      errors.push(text);
      if (errors.length > 100) errors.shift();
    });
    child.unref();
    (child.stderr as unknown as { unref(): void }).unref();
    this.#process = child;
    while (!(await this.#isReady())) {
      if (child.exitCode !== null && /shared memory block/.test(errors.join(''))) return false;
      if (child.exitCode !== null || Date.now() > end) throw new Error(`PostgreSQL did not start: ${errors.join('')}`);
      await pause(30);
    }
    return true;
  }

  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const exited = once(child, 'exit');
    const all = signal === 'SIGKILL' ? this.#pids(child.pid!) : [];
    child.kill(signal);
    for (const pid of all) signalIfThere(pid, 'SIGKILL');
    await exited;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    for (const pid of this.#process ? this.#pids(this.#process.pid!) : []) signalIfThere(pid, signal);
  }

  async copy({ synchronous }: { synchronous: boolean } = { synchronous: true }): Promise<OwnPostgres> {
    const copy = await Server.make(this.t, this.options);
    await copy.#tell(
      'pg_basebackup',
      '-h',
      '127.0.0.1',
      '-p',
      String(this.port),
      '-U',
      user,
      '-D',
      copy.#data,
      '-R',
      '-X',
      'stream',
      '-c',
      'fast',
    );
    await copy.start();
    if (synchronous) {
      await this.query(`ALTER SYSTEM SET synchronous_standby_names = '*'`);
      await this.query('SELECT pg_reload_conf()');
      const waiting = `SELECT 1 FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')`;
      while ((await this.query(waiting)).length === 0) await pause(30);
    }
    return copy;
  }

  async promote(): Promise<void> {
    // it was told to wait for a copy of its own along with everything else
    await writeFile(join(this.#data, 'postgresql.auto.conf'), '');
    await this.query('SELECT pg_reload_conf()');
    await this.query('SELECT pg_promote()');
  }

  get #data(): string {
    return join(this.directory, 'data');
  }

  async #isReady(): Promise<boolean> {
    return ask(this.url, 'SELECT 1').then(
      () => true,
      () => false,
    );
  }

  #pids(pid: number): number[] {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return [pid, ...children.split(' ').filter(Boolean).map(Number)];
  }

  async #tell(program: string, ...words: string[]): Promise<void> {
    await run('setpriv', [...asOwner(), join(programs!, program), ...words], { cwd: this.directory, timeout: 120_000 });
  }
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has gone with the others, or by itself
  }
}

function withDatabases(url: string): Postgres {
  let databases = 0;
  return {
    url,
    async newDatabase() {
      databases += 1;
      const name = `d${process.pid}_${databases}`;
      await ask(url, `CREATE DATABASE ${name} TEMPLATE template0`);
      const address = new URL(url);
      address.pathname = `/${name}`;
      return address.href;
    },
  };
}

/** One question over a connection of its own. */
export async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 120_000 });
  client.on('error', () => {}); // told to who asks
  await client.connect();
  try {
    return (await client.query(sql)).rows ?? [];
  } finally {
    await client.end().catch(() => {});
  }
}

function ownerNow(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) => Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // there is no such user
    }
  }
  return undefined;
}

function asOwner(): string[] {
  return owner ? [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'] : [];
}
