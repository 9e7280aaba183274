import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import type { isMet } from './needs.js';
import { scratch } from './scratch.js';

const run = promisify(execFile);

/** What a test with a pool has in its title where it is skipped. */
export const needsZfs = 'zfs, to make a pool on a file' satisfies keyof typeof isMet;

/** A ZFS pool on a file of the test, with a daemon of its own; gone with all that is in it when the test ends. */
export interface Pool {
  name: string;
  /** Scripts of sh that are the `zfs` and the `zpool` that know it. */
  tools: { zfs: string; zpool: string };
  /** The dataset `POOL/a/b` is mounted on `a/b` below it. */
  mountpoint: string;
  /** Runs `zfs` and gives what it printed, without the last newline. */
  zfs(...words: string[]): Promise<string>;
  /** With all that is in it. */
  destroy(dataset: string): Promise<void>;
  /** Reads a stream into a dataset (`POOL/name`) that is not there yet, or with `-F`. */
  receive(stream: Uint8Array | AsyncIterable<Uint8Array>, ...words: string[]): Promise<void>;
  /** The whole stream of `zfs send`. */
  send(...words: string[]): Promise<Buffer>;
  /** Writes a file into a dataset that is mounted. */
  write(dataset: string, file: string, bytes: string | Uint8Array): Promise<string>;
}

export async function startPool(t: Pick<ExecutionContext, 'teardown'>, { size = 160 << 20 } = {}): Promise<Pool> {
  const directory = await scratch(t);
  const file = join(directory, 'pool');
  const handle = await open(file, 'wx');
  await handle.truncate(size);
  await handle.close();
  await mkdir(join(directory, 'mnt'));
  const pid = await startDaemon(t);
  const inside = ['--target', `${pid}`, '--mount'];

  const name = `slipway${randomBytes(4).toString('hex')}`;
  const tell = async (...words: string[]) => {
    const { stdout } = await run('nsenter', [...inside, ...words], { maxBuffer: 64 << 20 });
    return stdout.trimEnd();
  };
  await tell('zpool', 'create', '-o', 'cachefile=none', '-m', join(directory, 'mnt'), name, file);

  // zfs-fuse can hang for ever where two mount at once: it mixes up what they tell it
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <R>(work: () => Promise<R>): Promise<R> => {
    const next = last.then(work, work);
    last = next.catch(() => {});
    return next;
  };
  const zfs = (...words: string[]) => inTurn(() => tell('zfs', ...words));
  const mountpoint = join(`/proc/${pid}/root`, directory, 'mnt');
  // by its whole path: the script itself stands before it on the path of a node
  const script = async (tool: string) => {
    const { stdout } = await run('sh', ['-c', `command -v ${tool}`]);
    return `exec nsenter ${inside.join(' ')} ${stdout.trim()} "$@"`;
  };
  const tools = { zfs: await script('zfs'), zpool: await script('zpool') };
  return {
    name,
    tools,
    mountpoint,
    zfs,
    destroy: (dataset) => unlessBusy(() => zfs('destroy', '-r', dataset)),
    receive: (stream, ...words) =>
      inTurn(async () => {
        const child = spawn('nsenter', [...inside, 'zfs', 'receive', ...words], { stdio: ['pipe', 'ignore', 'pipe'] });
        const ended = once(child, 'close');
        let said = '';
        child.stderr.on('data', (chunk) => {
          said += chunk;
        });
        child.stdin.on('error', () => {}); // it ends before it has read all: the code tells
        for await (const chunk of stream instanceof Uint8Array ? [stream] : stream) {
          if (!child.stdin.write(Buffer.from(chunk))) await Promise.race([once(child.stdin, 'drain'), ended]);
        }
        child.stdin.end();
        const [code] = await ended;
        if (code !== 0) throw new Error(`zfs receive ended with ${code}: ${said}`);
      }),
    async send(...words) {
      const { stdout } = await run('nsenter', [...inside, 'zfs', 'send', ...words], {
        encoding: 'buffer',
        maxBuffer: 1 << 30,
      });
      return stdout;
    },
    async write(dataset, path, bytes) {
      const at = join(mountpoint, dataset.slice(name.length), path);
      await mkdir(dirname(at), { recursive: true });
      await writeFile(at, bytes);
      return at;
    },
  };
}

/** What the kernel has not let go of is busy for a moment. */
async function unlessBusy(destroy: () => Promise<unknown>): Promise<void> {
  for (let left = 1200; ; left--) {
    try {
      await destroy();
      return;
    } catch (error) {
      if (left === 0 || !`${error}`.includes('busy')) throw error;
      await pause(50);
    }
  }
}

/**
 * A machine has room for one daemon, as its socket and its lock have fixed names: each gets a view of its own on those
 * directories. What it mounts is seen by `/proc/PID/root`. It ends with the test, and with the process of the test.
 */
async function startDaemon(t: Pick<ExecutionContext, 'teardown'>): Promise<number> {
  await mkdir('/run/zfs', { recursive: true });
  await mkdir('/run/lock/zfs', { recursive: true });
  const start = `mount -t tmpfs slipway-test /run/zfs && mount -t tmpfs slipway-test /run/lock/zfs &&
    : >/run/zfs/own && exec zfs-fuse --no-daemon --no-kstat-mount`;
  const words = ['--mount', 'setpriv', '--pdeathsig', 'KILL', 'sh', '-c', start];
  const daemon = spawn('unshare', words, { stdio: 'ignore', cwd: '/' });
  const ended = once(daemon, 'exit');
  t.teardown(async () => {
    daemon.kill('SIGKILL');
    await ended;
  });
  const { pid } = daemon;
  if (pid === undefined) throw new Error('unshare does not start');
  for (let left = 2400; ; left--) {
    try {
      // before it has its view, it is the machine's: a daemon that answers there is not ours
      const asks = '[ -e /run/zfs/own ] && exec zpool list -H';
      await run('nsenter', ['--target', `${pid}`, '--mount', 'sh', '-c', asks]);
      return pid;
    } catch (error) {
      if (left === 0 || daemon.exitCode !== null) throw new Error('zfs-fuse does not answer', { cause: error });
      await pause(25);
    }
  }
}
