import type { Host } from './host.js';
import type { IsOver } from './hypervisor.js';

/** What a job writes on a node, it writes into directories of this name, at a place or where sockets have short names. */
const PREFIX = '.slipway-';

const JOB = /^[A-Za-z0-9_-]{1,64}$/;

/** Long enough for a node that is busy; the sweep takes what it did not come to. */
const PATIENCE = 30_000;

export function scratchOf(directory: string, job: string): string {
  if (!JOB.test(job)) throw new TypeError(`${JSON.stringify(job)} can not be the name of a job on a node`);
  return `${directory === '/' ? '' : directory}/${PREFIX}${job}`;
}

export const isScratch = (path: string) => path.split('/').some((part) => part.startsWith(PREFIX));

// Subvolumes that came half are gone before the directory; where there is no btrfs there are none.
const clear = `for scratch; do
  rm -rf -- "\${TMPDIR:-/tmp}/\${scratch##*/}"
  [ -d "$scratch" ] || continue
  if command -v btrfs >/dev/null; then
    find "$scratch" -mindepth 1 -maxdepth 2 -xdev -inum 256 -exec btrfs subvolume delete {} + >/dev/null
  fi
  rm -rf -- "$scratch"
done`;

/** Takes away what a job has left, also where its signal is aborted; what is out of reach now is for the sweep. */
export async function clearScratch(host: Host, scratch: string): Promise<void> {
  await host.run(['sh', '-c', clear, 'sh', scratch], { signal: AbortSignal.timeout(PATIENCE) }).catch(() => {});
}

const list = `for place in "\${TMPDIR:-/tmp}" "$@"; do
  [ ! -d "$place" ] || find "$place" -mindepth 1 -maxdepth 1 -type d -name '${PREFIX}*' -print0
done`;

/** Takes away what jobs have left directly in these directories: what lies further below may be a machine's. */
export async function sweepScratch(
  host: Host,
  directories: readonly string[],
  isOver: IsOver,
  signal: AbortSignal,
): Promise<void> {
  const found = await host.run(['sh', '-c', list, 'sh', ...directories], { signal, most: 1 << 20 });
  for (const path of found.split('\0')) {
    const job = path.slice(path.lastIndexOf('/') + 1 + PREFIX.length);
    if (JOB.test(job) && (await isOver(job))) await host.run(['sh', '-c', clear, 'sh', path], { signal });
  }
}
