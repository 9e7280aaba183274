import { open, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from './durable.js';
import { InUse, StorageDown } from './errors.js';

export interface DirectoryLock {
  release(): Promise<void>;
}

/** How people know a directory. */
interface Named {
  what: string;
  /** Where another is chosen. */
  option: string;
}

const DATA: Named = { what: 'data directory', option: '--data' };

interface Holder {
  pid: number;
  /** This start of the machine, and of the process in it; `0` where there is no /proc to ask. */
  boot: string;
  started: string;
}

const held = new Set<string>();

/**
 * One daemon per directory. A holder is a file whose name says who: `slipway-<pid>-<boot>-<start>.lock`. Everybody writes
 * their own first and looks for others afterwards, so of two that come at once at least one sees the other; and a dead
 * holder's file can be removed without a race, because nobody else ever has that name.
 *
 * Processes in different pid namespaces can't see each other; LevelDB's lock, which the kernel keeps, stands behind this.
 */
export async function lockDirectory(directory: string, named = DATA): Promise<DirectoryLock> {
  const path = await prepared(directory);
  if (held.has(path)) throw inUse(path, process.pid, named);
  held.add(path);
  try {
    return await claim(path, await identify(process.pid), named);
  } catch (error) {
    held.delete(path);
    throw error instanceof InUse ? error : new StorageDown(`locking ${path}`, error);
  }
}

async function prepared(directory: string): Promise<string> {
  try {
    await makeDirectory(directory);
    return await realpath(directory);
  } catch (error) {
    throw new StorageDown(`locking ${directory}`, error);
  }
}

async function claim(path: string, self: Holder, named: Named): Promise<DirectoryLock> {
  const mine = fileName(self);
  const file = join(path, mine);
  await (await open(file, 'w', 0o600)).close();
  try {
    for (const name of await readdir(path)) {
      const other = name === mine ? undefined : parse(name);
      if (!other) continue;
      if (await isAlive(other, self)) throw inUse(path, other.pid, named);
      await rm(join(path, name), { force: true });
    }
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
  return {
    async release() {
      await rm(file, { force: true });
      held.delete(path);
    },
  };
}

function inUse(path: string, pid: number, { what, option }: Named): InUse {
  return new InUse(
    `${what} ${path} is in use by process ${pid}: stop it first or choose another directory with ${option}`,
  );
}

const fileName = ({ pid, boot, started }: Holder) => `slipway-${pid}-${boot}-${started}.lock`;

function parse(name: string): Holder | undefined {
  const [, pid, boot, started] = /^slipway-([1-9]\d{0,9})-([0-9a-f]+)-(\d+)\.lock$/.exec(name) ?? [];
  return pid && boot && started ? { pid: Number(pid), boot, started } : undefined;
}

/** In doubt it is: a live holder must never lose its lock, a dead one's file can be removed by hand. */
async function isAlive(holder: Holder, self: Holder): Promise<boolean> {
  if (holder.boot !== self.boot) return false;
  if (holder.pid === self.pid) return false; // our number, but not our start: we have it after him
  if (!isRunning(holder.pid)) return false;
  const { state, started } = await processState(holder.pid);
  if (state === 'Z' || state === 'X') return false;
  return started === '0' || holder.started === '0' || started === holder.started;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

async function identify(pid: number): Promise<Holder> {
  const boot = await readProc('/proc/sys/kernel/random/boot_id');
  return { pid, boot: boot?.trim().replaceAll('-', '') || '0', started: (await processState(pid)).started };
}

/** See proc(5): the fields behind the name, which is in parentheses and may hold anything. */
async function processState(pid: number): Promise<{ state?: string; started: string }> {
  const line = await readProc(`/proc/${pid}/stat`);
  const [state, ...fields] = line?.slice(line.lastIndexOf(')') + 2).split(' ') ?? [];
  return { ...(state && { state }), started: fields[18] ?? '0' };
}

async function readProc(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined; // no /proc here, or not for us to see: decided without it
  }
}
