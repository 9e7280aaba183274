import type { BlobStore } from '../../storage/blobs.js';
import { ownBlobs } from './engines.js';
import { gate } from './gate.js';

export interface WatchedBlobs {
  blobs: BlobStore;
  /** When the next upload has come through all checks and its first byte is awaited. */
  nextStaged(): Promise<void>;
  /** When the next upload was thrown away. */
  nextDiscarded(): Promise<void>;
}

/** Blobs in memory that tell what becomes of uploads. */
export async function watchedBlobs(): Promise<WatchedBlobs> {
  const blobs = await ownBlobs();
  let staged = gate();
  let discarded = gate();
  return {
    nextStaged: () => staged.opened,
    nextDiscarded: () => discarded.opened,
    blobs: {
      stage: async () => {
        const blob = await blobs.stage();
        staged.open();
        staged = gate();
        return {
          key: blob.key,
          writable: blob.writable,
          commit: () => blob.commit(),
          suspend: () => blob.suspend(),
          discard: async () => {
            await blob.discard();
            discarded.open();
            discarded = gate();
          },
        };
      },
      resume: (key) => blobs.resume(key),
      stat: (key) => blobs.stat(key),
      read: (key, range) => blobs.read(key, range),
      delete: (key) => blobs.delete(key),
      list: () => blobs.list(),
      close: () => blobs.close(),
    },
  };
}
