import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { Host } from '../../server/hypervisors/host.js';
import { makeKey, type NodeKey } from '../../server/hypervisors/node-key.js';
import { SshHost, type SshLimits, type Way } from '../../server/hypervisors/ssh.js';
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
  await writeFile(join(directory, 'authorized_keys'), authorized.map((line) => `${line}\n`).join(''), { mode: 0o600 });
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
      const host = new SshHost({ ...reached, ...way }, async () => {}, limits);
      test.teardown(() => host.close());
      return host;
    },
    processes: async () => (await marked(mark)).map(({ line }) => line),
    nothingRuns: async () => {
      const end = Date.now() + 10_000;
      let left = await sshd.processes();
      while (left.length > 0 && Date.now() < end) {
        await pause(10);
        left = await sshd.processes();
      }
      if (left.length > 0) throw new Error(`still running on the node: ${left.join('; ')}`);
    },
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
      for (const pid of await serving(mark, daemon?.pid)) process.kill(pid, 'SIGKILL');
    },
    freeze: async () => {
      for (const pid of await serving(mark, daemon?.pid)) {
        process.kill(pid, 'SIGSTOP');
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

  await sshd.replaceHostKey();
  await sshd.start();
  t.teardown(async () => {
    const serves = await serving(mark, daemon?.pid);
    await sshd.stop();
    for (const pid of [...serves, ...(await marked(mark)).map((one) => one.pid)]) kill(pid);
  });
  return sshd;
}

export const canRunSshd = (): boolean =>
  process.platform === 'linux' && spawnSync('/usr/sbin/sshd', ['-?']).error === undefined;

/** Nothing where the port was taken meanwhile. */
async function listening(config: string, triesLeft: number): Promise<ChildProcess | undefined> {
  const daemon = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  const stands = await new Promise<boolean>((resolve, reject) => {
    daemon.once('error', reject);
    daemon.once('exit', () => resolve(false));
    daemon.stderr!.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-8192);
      if (said.includes('Server listening on')) resolve(true);
    });
  });
  if (stands) return daemon;
  if (triesLeft === 0 || !said.includes('Address already in use')) throw new Error(`sshd did not start: ${said}`);
  return undefined;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

interface Process {
  pid: number;
  parent: number;
  line: string;
  environment: string;
}

/** Those that still run: who has ended and is not waited for is nothing any more. */
async function everyProcess(): Promise<Process[]> {
  const found: Process[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const [stat, line, environment] = await Promise.all(
        ['stat', 'cmdline', 'environ'].map((file) => readFile(`/proc/${name}/${file}`, 'latin1')),
      );
      const [state, parent] = stat!.slice(stat!.lastIndexOf(')') + 2).split(' ');
      if (state === 'Z') continue;
      found.push({
        pid: Number(name),
        parent: Number(parent),
        line: line!.replaceAll('\0', ' ').trim(),
        environment: environment!,
      });
    } catch {
      // gone meanwhile, or somebody else's
    }
  }
  return found;
}

const marked = async (mark: string) => (await everyProcess()).filter(({ environment }) => environment.includes(mark));

/** What sshd has made for each connection, also where it is no more itself: the parents of what runs, and its children. */
async function serving(mark: string, daemon: number | undefined): Promise<number[]> {
  const all = await everyProcess();
  const parents = all.filter(({ environment }) => environment.includes(mark)).map(({ parent }) => parent);
  const isOurs = new Set<number>();
  for (const { pid, parent, line } of all) {
    if (parent === daemon || (parents.includes(pid) && line.startsWith('sshd:'))) isOurs.add(pid);
  }
  for (const { pid, parent, line } of all) if (isOurs.has(parent) && line.startsWith('sshd:')) isOurs.add(pid);
  return [...isOurs];
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone already
  }
}
