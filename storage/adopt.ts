import type { BlobStore } from './blobs.js';
import type { Received } from './receive.js';
import type { RemoteFile } from './sources.js';
import { type TransferOptions, transfer } from './transfer.js';

/**
 * A file of this machine as a blob, read and verified but not copied, and read-only from then on; nothing where that can
 * not be, because it lies elsewhere or belongs to others.
 */
export async function adopt(
  blobs: BlobStore,
  { path }: RemoteFile,
  options: TransferOptions,
): Promise<Received | undefined> {
  const staged = path === undefined ? undefined : await blobs.adopt?.(path);
  if (!staged) return undefined;
  const content = await transfer(staged.read(), staged, options);
  return { key: staged.key, content };
}
