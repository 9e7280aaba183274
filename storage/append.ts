import type { ResumedBlob } from './blobs.js';
import { TransferRefused } from './transfer.js';

export interface Appending {
  /** So long the whole may become. */
  most: number;
  /** Told how many bytes are there so far. */
  report?: (bytes: number) => void;
  /** Told of each chunk whose bytes have been taken. */
  release?: (chunk: Uint8Array) => void;
}

/**
 * Bytes behind those that are there, which nobody looks at yet: they go through `transfer` when all have come. Whatever
 * happens, what has been written stays. Returns how many bytes are there then.
 */
export async function append(
  source: AsyncIterable<Uint8Array>,
  blob: ResumedBlob,
  { most, report, release }: Appending,
): Promise<number> {
  let size = blob.kept;
  blob.skip();
  blob.writable.on('error', () => {}); // told to whoever writes
  try {
    for await (const chunk of source) {
      if (size + chunk.length > most) throw new TransferRefused('size', most, size + chunk.length);
      await written(blob, chunk);
      size += chunk.length;
      report?.(size);
      release?.(chunk);
    }
    return size;
  } finally {
    await blob.suspend();
  }
}

function written({ writable }: ResumedBlob, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    writable.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}
