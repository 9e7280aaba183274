import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** LevelDB rewrites its log when it is opened: that much must fit on the disk, and a little for its lists of files. */
export async function roomToReopen(path: string): Promise<void> {
  const logs = (await readdir(path)).filter((name) => name.endsWith('.log'));
  const sizes = await Promise.all(logs.map(async (name) => (await stat(join(path, name))).size));
  const needed = sizes.reduce((sum, size) => sum + size, 256 * 1024);
  const probe = join(path, 'probe.tmp');
  try {
    await writeFile(probe, Buffer.alloc(needed), { flush: true });
  } finally {
    await rm(probe, { force: true });
  }
}

/** Whether LevelDB was refused what another process has open. */
export function isLocked(error: unknown): boolean {
  return error instanceof Error && (('code' in error && error.code === 'LEVEL_LOCKED') || isLocked(error.cause));
}
