import { lookAt, TELLING } from '../../imgapi/disk-format.js';
import { configOf, fetchOnNode } from './fetch-on-node.js';
import { firstBytes } from './first-bytes.js';
import type { Host } from './host.js';
import { NotOnPlatform, type PullOrder, type Report } from './hypervisor.js';
import { SCRATCH } from './lvm-machines.js';
import type { Volume } from './parse-lvs.js';

const MIB = 2 ** 20;

export async function pullVolumes(
  host: Host,
  { pool, scratch, there }: { pool: Volume; scratch: string; there: readonly Volume[] },
  { images, source, job, bandwidth }: PullOrder,
  { signal, report }: { signal: AbortSignal; report: Report },
): Promise<void> {
  for (const { uuid, type, origin } of images) {
    if (type !== 'zvol' || origin !== undefined) {
      throw new NotOnPlatform(
        `LVM takes whole raw disks: ${uuid} is ${origin ? `an increment to ${origin}` : `a ${type}`}`,
      );
    }
  }
  const known = new Set(there.filter(({ group }) => group === pool.group).map(({ name }) => name));
  const volume = `${pool.group}/${SCRATCH}${job}`;
  // What is out of reach now is for the sweep.
  const discard = () =>
    host.run(['sh', '-c', remove, 'sh', volume], { signal: AbortSignal.timeout(60_000) }).catch(() => {});
  let come = 0;
  for (const image of images.filter(({ uuid }) => !known.has(uuid))) {
    const size = await sizeOf(host, source, image.uuid, signal);
    const free = Math.floor(pool.size * (1 - pool.taken));
    // A pool that is full stops all of its machines.
    if (size > free) throw new NotOnPlatform(`image ${image.uuid} takes ${size} bytes, and ${pool.path} has ${free}`);
    await discard();
    const before = come;
    let isKept = false;
    try {
      await host.run(
        ['lvcreate', '-q', '-V', `${size}b`, '-T', pool.path, '-n', `${SCRATCH}${job}`, '-k', 'n', '-a', 'y'],
        { signal },
      );
      await fetchOnNode(
        host,
        image,
        {
          source,
          scratch,
          room: '',
          sink: ['dd', `of=/dev/${volume}`, 'bs=1048576', 'iflag=fullblock', 'conv=fsync', 'status=none'],
          ...(bandwidth !== undefined && { bandwidth }),
        },
        { signal, report: (bytes) => report(before + bytes) },
      );
      await checkFormat(host, volume, image.uuid, signal);
      await host.run(['sh', '-c', keep, 'sh', volume, `${pool.group}/${image.uuid}`], { signal });
      isKept = true;
    } finally {
      if (!isKept) await discard();
    }
    come += image.size;
  }
}

const remove = 'lvs "$1" >/dev/null 2>&1 || exit 0; lvremove -q -y "$1" >/dev/null';

const keep = `set -e
lvchange -q -an "$1" >/dev/null
lvchange -q -p r "$1" >/dev/null
lvrename -q "$1" "$2" >/dev/null`;

/** A volume must have its size before the first byte comes. */
async function sizeOf(host: Host, source: string, uuid: string, signal: AbortSignal): Promise<number> {
  const input = configOf(`${source.replace(/\/+$/, '')}/images/${uuid}`, MIB, undefined);
  const text = await host.run(['curl', '--config', '-'], { signal, input, most: MIB });
  const size = sizeIn(text);
  if (size === undefined) throw new NotOnPlatform(`image ${uuid} does not say how large its disk is`);
  return size;
}

export function sizeIn(manifest: string): number | undefined {
  try {
    const { image_size: size } = JSON.parse(manifest) as { image_size?: unknown };
    return typeof size === 'number' && Number.isSafeInteger(size) && size > 0 ? size * MIB : undefined;
  } catch {
    return undefined;
  }
}

async function checkFormat(host: Host, volume: string, uuid: string, signal: AbortSignal): Promise<void> {
  const look = lookAt(await firstBytes(host, `/dev/${volume}`, TELLING, signal));
  const format = 'refused' in look ? look.refused : (look.format ?? 'raw');
  if (format !== 'raw') throw new NotOnPlatform(`image ${uuid} is no raw disk: ${format}`);
}
