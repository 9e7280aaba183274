import { type ChildProcess, type ExecFileOptions, execFile, spawn } from 'node:child_process';
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

/** A ZFS pool on a file of the test; gone with all that is in it when the test ends. */
export interface Pool {
  name: string;
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
  await startDaemon();
  await sweepPools();
  const directory = await scratch(t);
  const file = join(directory, 'pool');
  const mountpoint = join(directory, 'mnt');
  const handle = await open(file, 'wx');
  await handle.truncate(size);
  await handle.close();
  await mkdir(mountpoint);

  const name = `slipway${process.pid}x${randomBytes(4).toString('hex')}`;
  // what is in no cache file is not looked for by the next daemon; what fails must not hang it
  await alone('zpool', 'create', '-o', 'cachefile=none', '-o', 'failmode=continue', '-m', mountpoint, name, file);
  t.teardown(() => unlessBusy(() => zpool('destroy', '-f', name)));

  const zfs = async (...words: string[]) =>
    (await (MOUNTING.has(words[0] ?? '') ? alone('zfs', ...words) : exec('zfs', words))).trimEnd();
  return {
    name,
    mountpoint,
    zfs,
    destroy: (dataset) => unlessBusy(() => zfs('destroy', '-r', dataset)),
    async receive(stream, ...words) {
      const child = spawn('flock', [LOCK, 'zfs', 'receive', ...words], { stdio: ['pipe', 'ignore', 'pipe'] });
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
    },
    async send(...words) {
      const { stdout } = await run('zfs', ['send', ...words], { encoding: 'buffer', maxBuffer: 1 << 30 });
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

async function exec(command: string, words: readonly string[], options: ExecFileOptions = {}): Promise<string> {
  const { stdout } = await run(command, words, { maxBuffer: 64 << 20, ...options, encoding: 'utf8' });
  return stdout;
}

/** zfs-fuse can hang for ever where two mount at once: it mixes up what they tell it. */
const LOCK = '/var/lock/zfs/slipway-tests';
const MOUNTING: ReadonlySet<string> = new Set(['create', 'clone', 'mount', 'rename', 'rollback']);

const alone = (...words: string[]) => exec('flock', [LOCK, ...words]);

const zpool = (...words: string[]) => exec('zpool', words);

/** What a process that is being killed still reads, or the kernel has not let go of, is busy for a moment. */
async function unlessBusy(destroy: () => Promise<unknown>): Promise<void> {
  for (let left = 200; ; left--) {
    try {
      await destroy();
      return;
    } catch (error) {
      if (left === 0 || !`${error}`.includes('busy')) throw error;
      await pause(50);
    }
  }
}

/** Whose process was killed can not take its pool away. */
async function sweepPools(): Promise<void> {
  const there = (await zpool('list', '-H', '-o', 'name')).split('\n');
  const left = there.filter((name) => {
    const [, pid] = /^slipway(\d+)x[0-9a-f]{8}$/.exec(name) ?? [];
    return pid !== undefined && !isAlive(Number(pid));
  });
  await Promise.all(left.map((name) => zpool('destroy', '-f', name).catch(() => {})));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const answers = () =>
  zpool('list', '-H').then(
    () => true,
    () => false,
  );

/**
 * There is one daemon on a machine, for all processes: whoever comes first starts it, and it stays, as nobody knows who
 * else is about to use it. Of several that are started at once all but one end by themselves, on its lock, as they do
 * while the one before is still ending.
 */
async function startDaemon(): Promise<void> {
  await mkdir('/var/run/zfs', { recursive: true });
  await mkdir('/var/lock/zfs', { recursive: true });
  if (await answers()) return;
  let daemon: ChildProcess | undefined;
  for (let left = 200; !(await answers()); left--) {
    if (left === 0) throw new Error('zfs-fuse does not answer');
    if (daemon?.exitCode !== null || daemon.pid === undefined) daemon = spawnDaemon();
    await pause(50);
  }
}

function spawnDaemon(): ChildProcess {
  const daemon = spawn('zfs-fuse', ['--no-daemon', '--no-kstat-mount'], { detached: true, stdio: 'ignore', cwd: '/' });
  daemon.on('error', () => {});
  daemon.unref();
  return daemon;
}
