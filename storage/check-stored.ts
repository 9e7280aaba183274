import { createHash } from 'node:crypto';
import type { BlobStore } from './blobs.js';
import type { Content } from './digests.js';
import { TransferRefused } from './transfer.js';

/** Reads a committed blob once more, and refuses it where it is not what it is kept as. */
export async function checkStored(
  blobs: BlobStore,
  key: string,
  { size, sha256 }: Pick<Content, 'size' | 'sha256'>,
  { signal, report = () => {} }: { signal?: AbortSignal; report?: (bytes: number) => void } = {},
): Promise<void> {
  const hash = createHash('sha256');
  let found = 0;
  for await (const chunk of (await blobs.read(key)) ?? []) {
    signal?.throwIfAborted();
    hash.update(chunk);
    found += chunk.length;
    report(found);
  }
  if (found !== size) throw new TransferRefused('size', size, found);
  const digest = hash.digest('hex');
  if (digest !== sha256) throw new TransferRefused('sha256', sha256, digest);
}
