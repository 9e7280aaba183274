/** How a file is packed, by how it begins. */
const beginnings: readonly (readonly [packing: string, bytes: readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];

/** As many bytes of it tell. */
export const HEAD = 6;

export const packingOf = (head: Uint8Array): string =>
  beginnings.find(([, bytes]) => bytes.every((byte, at) => head[at] === byte))?.[0] ?? 'none';

/** What a file is called without the endings that say what it is. */
export const stemOf = (filename: string): string =>
  filename.replace(/(\.(gz|bz2|xz|zst|zfs|zvol|raw|img|qcow2|vmdk|tar|tgz|iso|zss))+$/i, '') || filename;
