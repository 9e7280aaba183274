import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { freePort } from './free-port.js';
import type { isMet } from './needs.js';
import { makeBucket, type S3Account } from './s3-account.js';

const run = promisify(execFile);

/** What a test has in its title where it is skipped. */
export const needsCeph = 'ceph, to keep bytes' satisfies keyof typeof isMet;

/**
 * A real Ceph on free ports of loopback: a monitor, a manager, three OSDs in memory that keep two copies of everything,
 * and its S3 gateway. It takes some 15 seconds to start, so there is one for all tests of a process, and each has a bucket:
 *
 *     const ceph = await startCeph();
 *     const bucket = await ceph.newBucket();
 *
 * All of it dies with the process. Where SLIPWAY_TEST_CEPH is set, it is the `account` of one that runs already, as JSON.
 */
export interface Ceph extends S3Account {
  newBucket(): Promise<string>;
}

/** One that belongs to a test alone, and so may be harmed. */
export interface OwnCeph extends Ceph {
  directory: string;
  /** How many there are. */
  readonly osds: number;
  /** Kills an OSD, as a power cut would; what it kept in memory is gone. */
  killOsd(id: number): Promise<void>;
  /** The gateway is gone until it is started; the bytes stay. */
  killGateway(): Promise<void>;
  startGateway(): Promise<void>;
  /** All of it, at once. */
  stop(): void;
}

let shared: Promise<Ceph> | undefined;

export function startCeph(): Promise<Ceph> {
  const given = process.env.SLIPWAY_TEST_CEPH;
  shared ??= given ? Promise.resolve(withBuckets(JSON.parse(given) as S3Account)) : startOwnCeph();
  return shared;
}

/** With a test: gone when it ends. */
export async function startOwnCeph(t?: Pick<ExecutionContext, 'teardown'>): Promise<OwnCeph> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-ceph-'));
  const daemons = new Map<string, ChildProcess>();
  const stop = () => {
    for (const daemon of daemons.values()) daemon.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  process.once('exit', stop);
  t?.teardown(() => {
    process.off('exit', stop);
    stop();
  });
  const ceph = new CephAtStart(directory, daemons);
  return ceph.start(stop);
}

const OSDS = 3;
const ACCOUNT = { accessKey: 'TESTKEY', secretKey: 'testsecret', region: 'default' };

class CephAtStart {
  #gateway = 0;

  constructor(
    private readonly directory: string,
    private readonly daemons: Map<string, ChildProcess>,
  ) {}

  async start(stop: () => void): Promise<OwnCeph> {
    const monitor = await freePort();
    this.#gateway = await freePort();
    await this.#prepare(monitor);
    this.#spawn('ceph-mon', ['-f', '-i', 'a'], 'mon');
    const osds = Array.from({ length: OSDS }, (_, id) => ({ id, uuid: randomUUID() }));
    // what asks the monitor waits until it is there
    for (const { uuid } of osds) await this.#tell('ceph', 'osd', 'new', uuid);
    await Promise.all(osds.map((osd) => this.#startOsd(osd)));
    this.#spawn('ceph-mgr', ['-f', '-i', 'x'], 'mgr');
    this.#startGateway();
    await this.#addUser();
    await this.#untilGatewayAnswers();
    const account: S3Account = { endpoint: `http://127.0.0.1:${this.#gateway}`, ...ACCOUNT };
    return {
      ...withBuckets(account),
      directory: this.directory,
      osds: OSDS,
      killOsd: (id) => this.#kill(`osd.${id}`),
      killGateway: () => this.#kill('rgw'),
      startGateway: async () => {
        this.#startGateway();
        await this.#untilGatewayAnswers();
      },
      stop,
    };
  }

  async #prepare(monitor: number): Promise<void> {
    const { directory } = this;
    for (const name of ['mon.a', 'mgr.x', 'out', 'sock']) await mkdir(join(directory, name));
    const fsid = randomUUID();
    await writeFile(join(directory, 'ceph.conf'), configuration(directory, fsid, monitor, this.#gateway));
    await writeFile(join(directory, 'keyring'), keyring(), { mode: 0o600 });
    const address = `[v2:127.0.0.1:${monitor}]`;
    await this.#tell('monmaptool', '--create', '--clobber', '--fsid', fsid, '--addv', 'a', address, 'monmap');
    await this.#tell('ceph-mon', '-i', 'a', '--mkfs', '--monmap', 'monmap', '--keyring', 'keyring');
  }

  async #startOsd({ id, uuid }: { id: number; uuid: string }): Promise<void> {
    await mkdir(join(this.directory, `osd.${id}`));
    await this.#tell('ceph-osd', '-i', String(id), '--mkfs', '--osd-uuid', uuid);
    this.#spawn('ceph-osd', ['-f', '-i', String(id)], `osd.${id}`);
  }

  #startGateway(): void {
    this.#spawn('radosgw', ['-f', '-n', 'client.rgw'], 'rgw');
  }

  async #addUser(): Promise<void> {
    const { accessKey, secretKey } = ACCOUNT;
    const keys = ['--access-key', accessKey, '--secret-key', secretKey];
    await this.#tell('radosgw-admin', 'user', 'create', '--uid', 'test', '--display-name', 'test', ...keys);
  }

  async #untilGatewayAnswers(): Promise<void> {
    const end = Date.now() + 120_000;
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${this.#gateway}/`).catch(() => undefined);
      await answer?.arrayBuffer();
      if (answer?.ok) return;
      if (Date.now() > end) throw new Error(`the gateway of Ceph in ${this.directory} does not answer`);
      await pause(50);
    }
  }

  /** In front, so that it dies with this process. */
  #spawn(program: string, words: string[], name: string): void {
    const command = ['--pdeathsig', 'KILL', program, '-c', 'ceph.conf', ...words];
    const daemon = spawn('setpriv', command, { cwd: this.directory, stdio: 'ignore' });
    daemon.unref();
    this.daemons.set(name, daemon);
  }

  async #tell(program: string, ...words: string[]): Promise<void> {
    const configured = program === 'monmaptool' ? [] : ['-c', 'ceph.conf'];
    await run(program, [...configured, ...words], { cwd: this.directory, timeout: 120_000 });
  }

  async #kill(name: string): Promise<void> {
    const daemon = this.daemons.get(name)!;
    if (daemon.exitCode !== null || daemon.signalCode !== null) return;
    daemon.ref();
    daemon.kill('SIGKILL');
    await once(daemon, 'exit');
  }
}

function withBuckets(account: S3Account): Ceph {
  return { ...account, newBucket: () => makeBucket(account) };
}

/** As `ceph-authtool` makes them: type, time, length, key. */
function secret(): string {
  const head = Buffer.alloc(12);
  head.writeUInt16LE(1, 0);
  head.writeUInt32LE(Math.floor(Date.now() / 1000), 2);
  head.writeUInt16LE(16, 10);
  return Buffer.concat([head, randomBytes(16)]).toString('base64');
}

function keyring(): string {
  const all = ['mon = "allow *"', 'osd = "allow *"', 'mgr = "allow *"', 'mds = "allow *"'];
  const osd = ['mon = "allow profile osd"', 'osd = "allow *"', 'mgr = "allow profile osd"'];
  const entities: Record<string, string[]> = {
    'mon.': ['mon = "allow *"'],
    'client.admin': all,
    'client.rgw': ['mon = "allow rw"', 'osd = "allow rwx"', 'mgr = "allow rw"'],
    'mgr.x': ['mon = "allow profile mgr"', 'osd = "allow *"', 'mds = "allow *"'],
    ...Object.fromEntries(Array.from({ length: OSDS }, (_, id) => [`osd.${id}`, osd])),
  };
  return Object.entries(entities)
    .map(([name, caps]) => [`[${name}]`, `key = ${secret()}`, ...caps.map((cap) => `caps ${cap}`), ''].join('\n'))
    .join('');
}

/** Without cephx the gateway hangs. */
function configuration(directory: string, fsid: string, monitor: number, gateway: number): string {
  return `[global]
fsid = ${fsid}
mon host = [v2:127.0.0.1:${monitor}]
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = ${directory}/keyring
auth allow insecure global id reclaim = false
mon data avail warn = 1
mon data avail crit = 1
osd pool default size = 2
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon warn on pool no redundancy = false
run dir = ${directory}/sock
log file = ${directory}/out/$name.log
admin socket = ${directory}/sock/$name.asok
pid file = ${directory}/out/$name.pid
crash dir = ${directory}/out
mon data = ${directory}/mon.a
mgr data = ${directory}/mgr.x
osd data = ${directory}/osd.$id
ms bind ipv4 = true
ms bind msgr1 = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
mon max pg per osd = 1000
[mgr]
mgr initial modules =
[osd]
osd objectstore = memstore
memstore device bytes = 6442450944
osd op num shards = 2
osd max object name len = 460
osd max object namespace len = 64
osd class load list = *
osd class default list = *
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:${gateway}
rgw dns name = localhost
rgw thread pool size = 64
rgw enable usage log = false
rgw enable ops log = false
rgw crypt require ssl = false
`;
}
