import { CommandFailed } from './host.js';
import type { IsOver } from './hypervisor.js';
import { parseRows } from './parse-zfs.js';
import { isAbsent, type Zfs } from './zfs.js';

const JOB = /^[a-z0-9_-]{1,64}$/;
/** Old tools can not tell by whom a snapshot is held: a property beside the hold says it. */
const MARK = 'slipway:job-';
const AT_ONCE = 300;

const tagOf = (job: string) => `slipway-${checked(job)}`;
const markOf = (job: string) => `${MARK}${checked(job)}`;

function checked(job: string): string {
  if (JOB.test(job)) return job;
  throw new TypeError(`${JSON.stringify(job)} can not be the name of a job on a node`);
}

export async function holdSnapshot(zfs: Zfs, snapshot: string, job: string, signal: AbortSignal): Promise<void> {
  // Without it a sweep does not know the hold, which whoever asks for it keeps in mind as well.
  await unlessFull(zfs.run(['set', `${markOf(job)}=on`, snapshot], signal));
  try {
    await zfs.run(['hold', tagOf(job), snapshot], signal);
  } catch (error) {
    if (!hasFailedWith(error, /already exists/)) throw error;
  }
}

/** What is not held, or has gone, is let go. */
export async function releaseSnapshot(zfs: Zfs, snapshot: string, job: string, signal: AbortSignal): Promise<void> {
  try {
    await zfs.run(['release', tagOf(job), snapshot], signal);
  } catch (error) {
    if (isAbsent(error)) return;
    if (!hasFailedWith(error, /no such tag/)) throw error;
  }
  try {
    await unlessFull(zfs.run(['inherit', markOf(job), snapshot], signal));
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

/** A pool that is full takes no properties, not even to remove one: it must not keep snapshots from being removed. */
async function unlessFull(done: Promise<unknown>): Promise<void> {
  await done.catch((error: unknown) => {
    if (!hasFailedWith(error, /out of space|no space left/i)) throw error;
  });
}

export async function sweepHolds(
  zfs: Zfs,
  roots: readonly string[],
  isOver: IsOver,
  signal: AbortSignal,
): Promise<void> {
  if (roots.length === 0) return;
  const printed = await zfs.run(['list', '-H', '-r', '-t', 'snapshot', '-o', 'name,userrefs', ...roots], signal);
  const held = parseRows(printed, 2).flatMap(([name, count]) => (count === '0' || count === '-' ? [] : [name!]));
  for (let at = 0; at < held.length; at += AT_ONCE) {
    const some = held.slice(at, at + AT_ONCE);
    const marks = await zfs.run(['get', '-H', '-s', 'local', '-o', 'name,property', 'all', ...some], signal);
    for (const [snapshot, mark] of parseRows(marks, 2)) {
      const job = mark!.startsWith(MARK) ? mark!.slice(MARK.length) : '';
      if (JOB.test(job) && (await isOver(job))) await releaseSnapshot(zfs, snapshot!, job, signal);
    }
  }
}

const hasFailedWith = (error: unknown, said: RegExp) => error instanceof CommandFailed && said.test(error.said);
