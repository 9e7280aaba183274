import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

/** A real disk of a few MiB. Only root can make one, and not everywhere. */
export function smallDisk(t: Pick<ExecutionContext, 'teardown'>, mebibytes: number): string {
  const path = mkdtempSync(join(tmpdir(), 'slipway-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path], { stdio: 'ignore' });
  t.teardown(() => {
    execFileSync('umount', ['-l', path]);
    rmSync(path, { recursive: true });
  });
  return path;
}

export const canMount = (() => {
  const undo: (() => void)[] = [];
  try {
    smallDisk({ teardown: (step) => void undo.push(() => void step()) }, 1);
    return true;
  } catch {
    return false; // whatever the reason, the tests that need it are reported as skipped
  } finally {
    for (const step of undo) step();
  }
})();

/** Takes all the room there is; returns the way to give it back. */
export async function fill(disk: string): Promise<() => Promise<void>> {
  const ballast = join(disk, 'ballast');
  await writeFile(ballast, '');
  const file = await open(ballast, 'a');
  try {
    for (const size of [1 << 20, 4096]) await writeUntilFull(() => file.write(Buffer.alloc(size)));
  } finally {
    await file.close();
  }
  return () => rm(ballast);
}

async function writeUntilFull(write: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await write();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return;
      throw error;
    }
  }
}
