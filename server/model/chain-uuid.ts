import { createHash } from 'node:crypto';

/** The uuid that the first half of a sha256 makes, in hex. */
export const uuidOfHex = (hex: string): string =>
  [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');

/** Of a layer on top of others: the same layers are the same image, wherever they come from. Base first. */
export const uuidOfChain = (digests: readonly string[]): string =>
  uuidOfHex(createHash('sha256').update(digests.join(' ')).digest('hex'));
