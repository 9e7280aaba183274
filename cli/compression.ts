import type { Compression } from '../imgapi/image.js';
import { packingOf } from '../imgapi/packing.js';

const extensions: Record<Exclude<Compression, 'none'>, string> = { gzip: '.gz', bzip2: '.bz2', xz: '.xz' };

/** So many bytes tell what a file is compressed with. */
export const TELLING = 6;

export function compressionByName(name: string): Compression | undefined {
  const [found] = Object.entries(extensions).find(([, extension]) => name.toLowerCase().endsWith(extension)) ?? [];
  return found as Compression | undefined;
}

/** What no image server takes as compressed is sent as it is. */
export function compressionByContent(head: Buffer): Compression {
  const packing = packingOf(head);
  return packing === 'zstd' ? 'none' : packing;
}

export const extensionOf = (compression: unknown): string =>
  Object.entries(extensions).find(([name]) => name === compression)?.[1] ?? '';
