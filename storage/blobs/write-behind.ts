import type { FileHandle } from 'node:fs/promises';

/** Bytes of a file after which it is its turn. */
const EVERY = 32 << 20;

/**
 * Brings files to the disk while they are written, so that the sync at their end, for which a client waits, finds little
 * to do. One file at a time: a sync holds one of the few threads that all reads and writes of the process share.
 */
export class WriteBehind {
  #busy = false;

  /** For one file: to be told of what was written. */
  follow(handle: Pick<FileHandle, 'datasync'>): FollowedFile {
    let unsynced = 0;
    let last: Promise<void> = Promise.resolve();
    const sync = async () => {
      try {
        await handle.datasync();
      } finally {
        this.#busy = false;
      }
    };
    return {
      wrote: (bytes) => {
        unsynced += bytes;
        if (unsynced < EVERY || this.#busy) return;
        this.#busy = true;
        unsynced = 0;
        last = Promise.all([last, sync()]).then(() => {});
        last.catch(() => {}); // told to whoever settles
      },
      settled: () => last,
    };
  }
}

export interface FollowedFile {
  wrote(bytes: number): void;
  /** Rejects where a sync has failed: the kernel tells that only once, and a later one would succeed. */
  settled(): Promise<void>;
}
