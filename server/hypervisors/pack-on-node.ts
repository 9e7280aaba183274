import type { Packing } from '../../imgapi/packing.js';
import type { Words } from './host.js';
import { NotOnPlatform } from './hypervisor.js';

const packers: Record<Exclude<Packing, 'none'>, [packer: Words, unpacker: Words]> = {
  gzip: [
    ['gzip', '-c'],
    ['gzip', '-dc'],
  ],
  bzip2: [
    ['bzip2', '-c'],
    ['bzip2', '-dc'],
  ],
  xz: [
    ['xz', '-c', '-T0'],
    ['xz', '-dc'],
  ],
  zstd: [
    ['zstd', '-cq', '-T0'],
    ['zstd', '-dcq'],
  ],
};

const isPacked = (packing: string): packing is keyof typeof packers => Object.hasOwn(packers, packing);

/** What packs on a node, between what sends and the wire. */
export function packer(packing: { kind: Packing; level?: number } | undefined): Words[] {
  if (!packing || !isPacked(packing.kind)) return [];
  const [command, ...args] = packers[packing.kind][0];
  return [[command, ...args, ...(packing.level === undefined ? [] : [`-${packing.level}`])]];
}

/** What unpacks an image on a node. */
export function unpacker(compression: string): Words {
  if (compression === 'none') return ['cat'];
  if (!isPacked(compression)) throw new NotOnPlatform(`nothing here unpacks ${compression}`);
  return packers[compression][1];
}
