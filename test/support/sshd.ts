import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { Host } from '../../server/hypervisors/host.js';
import { makeKey, type NodeKey } from '../../server/hypervisors/node-key.js';
import { SshHost, type SshLimits, type Way } from '../../server/hypervisors/ssh.js';
import { freePort } from './free-port.js';
import { scratch } from './scratch.js';

/**
 * A real sshd on a free port of loopback, with keys of its own; gone when the test ends.
 *
 *     const sshd = await startSshd(t, { env: { PATH: `${bin}:/usr/bin:/bin`, CURL_HOME: directory } });
 *     const host = sshd.host(t);                       // a Host of ours on it
 *     await host.run(['echo', 'a b'], { signal });
 *     node.connection = sshd.connection;               // or in a record of a server, whose key is sshd.key
 *     await sshd.nothingRuns();                        // fails where a command has left a process
 *
 * What needs it is skipped without: isMet['sshd, to be talked to'].
 */
export interface Sshd {
  port: number;
  user: string;
  /** Of the client that is let in; `startServer(t, { nodeKey: sshd.key })`. */
  key: NodeKey;
  /** As in a node's record. */
  readonly connection: { address: string; port: number; user: string; hostKeys: string[]; places: string[] };
  /** As it stands in `known_hosts`. */
  hostKey: string;
  /** In which everything of it lies. */
  directory: string;
  host(t: Pick<ExecutionContext, 'teardown'>, way?: Partial<Way>, limits?: Partial<SshLimits>): SshHost & Host;
  /** Command lines of what runs at the other end, sshd itself apart. */
  processes(): Promise<string[]>;
  /** Fails where something still runs after a time in which it would have been killed. */
  nothingRuns(): Promise<void>;
  /** Fails where somebody is still connected after a time in which he would have gone. */
  idle(): Promise<void>;
  /** These are let in from now on. */
  authorize(lines: readonly string[]): Promise<void>;
  /** Nobody listens any more; who is connected stays. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Kills what serves its connections, and so breaks them. */
  cut(): Promise<void>;
  /** What serves its connections says nothing any more; so it is killed when the test ends. */
  freeze(): Promise<void>;
  /** The same machine after an installation. */
  replaceHostKey(): Promise<void>;
}

export interface SshdOptions {
  /** Further lines of sshd_config, which go before all others. */
  config?: readonly string[];
  /** Of every command. */
  env?: Readonly<Record<string, string>>;
  /** Further host keys, in PEM. */
  hostKeys?: readonly string[];
  /** The lines of authorized_keys instead of that of `key`. */
  authorized?: readonly string[];
}

export async function startSshd(t: Pick<ExecutionContext, 'teardown'>, options: SshdOptions = {}): Promise<Sshd> {
  // sshd wants it where it runs as root.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const directory = await scratch(t);
  const mark = `SLIPWAY_TEST_SSHD=${randomBytes(8).toString('hex')}`;
  const key = makeKey('test');
  const { authorized = [key.public] } = options;
  const { username: user } = userInfo();
  let daemon: ChildProcess | undefined;

  const sshd: Sshd = {
    port: 0,
    user,
    key,
    hostKey: '',
    directory,
    get connection() {
      return { address: '127.0.0.1', port: sshd.port, user, hostKeys: [sshd.hostKey], places: [] };
    },
    host: (test, way = {}, limits = {}) => {
      const { port, hostKey } = sshd;
      const reached = {
        name: 'node1',
        address: '127.0.0.1',
        port,
        user,
        hostKeys: [hostKey],
        keys: () => [key.private],
      };
      const host = new SshHost({ ...reached, ...way }, async () => {}, { connect: 60_000, ...limits });
      test.teardown(() => host.close());
      return host;
    },
    processes: async () => (await marked(mark)).map(({ line }) => line),
    nothingRuns: () => comesEmpty(sshd.processes, 'still running on the node'),
    idle: () => comesEmpty(async () => (await serving(sshd.port)).map(String), 'still connected'),
    authorize: async (lines) =>
      writeFile(join(directory, 'authorized_keys'), lines.map((line) => `${line}\n`).join(''), { mode: 0o600 }),
    stop: async () => {
      const stopped = daemon;
      daemon = undefined;
      if (!stopped || stopped.exitCode !== null || stopped.signalCode !== null) return;
      stopped.kill('SIGKILL');
      await once(stopped, 'exit');
    },
    start: async () => {
      for (let left = 5; !daemon; left -= 1) {
        if (sshd.port === 0 || left < 5) sshd.port = await freePort();
        daemon = await listening(await configured(), left);
      }
    },
    cut: async () => {
      for (const pid of await serving(sshd.port)) kill(pid);
    },
    freeze: async () => {
      for (const pid of await serving(sshd.port)) {
        kill(pid, 'SIGSTOP');
        t.teardown(() => void kill(pid));
      }
    },
    replaceHostKey: async () => {
      const made = makeKey('host');
      sshd.hostKey = made.public;
      await writeFile(join(directory, 'host_key'), made.private, { mode: 0o600 });
      if (!daemon) return;
      await sshd.stop();
      await sshd.start();
    },
  };

  async function configured(): Promise<string> {
    const env = Object.entries({
      // What the user's own shell would do first is none of ours.
      HOME: directory,
      ...options.env,
      [mark.slice(0, mark.indexOf('='))]: mark.slice(mark.indexOf('=') + 1),
    });
    const lines = [
      ...(options.config ?? []),
      'ListenAddress 127.0.0.1',
      `Port ${sshd.port}`,
      `HostKey ${join(directory, 'host_key')}`,
      ...(options.hostKeys ?? []).map((_, at) => `HostKey ${join(directory, `host_key_${at}`)}`),
      `AuthorizedKeysFile ${join(directory, 'authorized_keys')}`,
      `SetEnv ${env.map(([name, value]) => `"${name}=${value}"`).join(' ')}`,
      'PidFile none',
      'UsePAM no',
      'StrictModes no',
      'PermitRootLogin yes',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'UseDNS no',
      'PrintMotd no',
      'LogLevel VERBOSE',
    ];
    const path = join(directory, 'sshd_config');
    await writeFile(path, lines.map((line) => `${line}\n`).join(''));
    return path;
  }

  for (const [at, pem] of (options.hostKeys ?? []).entries()) {
    await writeFile(join(directory, `host_key_${at}`), pem, { mode: 0o600 });
  }
  await sshd.authorize(authorized);
  await sshd.replaceHostKey();
  await sshd.start();
  t.teardown(async () => {
    const serves = await serving(sshd.port);
    await sshd.stop();
    for (const pid of [...serves, ...(await marked(mark)).map((one) => one.pid)]) kill(pid);
  });
  return sshd;
}

export const canRunSshd = (): boolean =>
  process.platform === 'linux' && spawnSync('/usr/sbin/sshd', ['-?']).error === undefined;

async function comesEmpty(list: () => Promise<readonly string[]>, what: string): Promise<void> {
  const end = Date.now() + 60_000;
  let left = await list();
  while (left.length > 0 && Date.now() < end) {
    await pause(20);
    left = await list();
  }
  if (left.length > 0) throw new Error(`${what}: ${left.join('; ')}`);
}

/** Nothing where the port was taken meanwhile. */
async function listening(config: string, triesLeft: number): Promise<ChildProcess | undefined> {
  const daemon = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  const stands = await new Promise<boolean>((resolve, reject) => {
    daemon.once('error', reject);
    daemon.once('close', () => resolve(false)); // behind all that it has said
    daemon.stderr!.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-8192);
      if (said.includes('Server listening on')) resolve(true);
    });
  });
  if (stands) return daemon;
  if (triesLeft === 0 || !said.includes('Address already in use')) throw new Error(`sshd did not start: ${said}`);
  return undefined;
}

/** Those that still run: who has ended and is not waited for is nothing any more. */
async function marked(mark: string): Promise<{ pid: number; line: string }[]> {
  const found: { pid: number; line: string }[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (!readFileSync(`/proc/${name}/environ`, 'latin1').includes(mark)) continue;
      const line = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
      found.push({ pid: Number(name), line });
    } catch {
      // gone meanwhile, or somebody else's
    }
  }
  return found;
}

/** Who holds the far end of a connection to the port. */
async function serving(port: number): Promise<number[]> {
  const [, ...lines] = (await readFile('/proc/net/tcp', 'latin1')).trim().split('\n');
  const isOurs = new Set<string>();
  for (const line of lines) {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    const isOpen = state === '01' || state === '08';
    if (isOpen && Number.parseInt(local.split(':')[1] ?? '', 16) === port) isOurs.add(`socket:[${inode}]`);
  }
  const found: number[] = [];
  for (const name of isOurs.size > 0 ? await readdir('/proc') : []) {
    if (!/^\d+$/.test(name)) continue;
    const fds = await readdir(`/proc/${name}/fd`).catch(() => []);
    const links = await Promise.all(fds.map((fd) => readlink(`/proc/${name}/fd/${fd}`).catch(() => '')));
    if (links.some((link) => isOurs.has(link))) found.push(Number(name));
  }
  return found;
}

function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // gone already
  }
}
