import type { Compression } from './image.js';

/** How a file can be packed: as the contract has it, and one more that images from elsewhere come in. */
export const packings = ['none', 'gzip', 'bzip2', 'xz', 'zstd'] as const satisfies (Compression | 'zstd')[];
export type Packing = (typeof packings)[number];

/** What a packed file begins with. */
const magics: Readonly<Record<Exclude<Packing, 'none'>, Uint8Array>> = {
  gzip: Uint8Array.of(0x1f, 0x8b, 0x08),
  bzip2: Uint8Array.of(0x42, 0x5a, 0x68),
  xz: Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00),
  zstd: Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd),
};

export function packingOf(head: Uint8Array): Packing {
  const found = Object.entries(magics).find(([, magic]) => magic.every((byte, at) => head[at] === byte));
  return (found?.[0] ?? 'none') as Packing;
}
