import { errorMonitor } from 'node:events';
import type { BlobBody, BlobFile, BlobStore, StagedBlob } from '../../storage/blobs.js';
import type { Metrics } from './instruments.js';
import { failuresOf, timed } from './timed.js';

/** The blob store, how long it takes, and what fails. The bytes themselves pass as they are, uncopied. */
export function measuredBlobs(blobs: BlobStore, metrics: Metrics): BlobStore {
  const { blob_duration_seconds: times, blob_failures_total: failures, blobs_staged } = metrics.instruments;
  const time = timed(times, failures);
  const failed = failuresOf(failures);
  const staged = new Set<string>();
  metrics.atScrape(() => blobs_staged.set(staged.size));

  const watch = (blob: StagedBlob): StagedBlob => {
    const { key, writable } = blob;
    staged.add(key);
    writable.on(errorMonitor, (error) => failed('write', error));
    return {
      key,
      writable,
      commit: async () => {
        await time('commit', () => blob.commit());
        staged.delete(key);
      },
      discard: async () => {
        await time('discard', () => blob.discard());
        staged.delete(key);
      },
      suspend: async () => {
        await time('suspend', () => blob.suspend());
        staged.delete(key);
      },
    };
  };

  return {
    stage: async (key) => watch(await time('stage', () => blobs.stage(key))),
    resume: async (key) => {
      const blob = await time('resume', () => blobs.resume(key));
      return blob && { ...watch(blob), kept: blob.kept, skip: () => blob.skip(), read: () => blob.read() };
    },
    ...(blobs.adopt && {
      adopt: async (path) => {
        const blob = await time('adopt', () => blobs.adopt!(path));
        return blob && { ...watch(blob), kept: blob.kept, skip: () => blob.skip(), read: () => blob.read() };
      },
    }),
    stat: (key) => time('stat', () => blobs.stat(key)),
    read: async (key, range) => {
      const chunks = await time('open', () => blobs.read(key, range));
      return chunks && new Watched(chunks, (error) => failed('read', error));
    },
    ...(blobs.openFile && {
      openFile: async (key) => {
        const file = await time('open', () => blobs.openFile!(key));
        return file && watchedFile(file, (error) => failed('read', error));
      },
    }),
    ...(blobs.openBody && {
      openBody: async (key, range) => {
        const body = await time('open', () => blobs.openBody!(key, range));
        return body && watchedBody(body, (error) => failed('read', error));
      },
    }),
    ...(blobs.presign && { presign: (key, options) => time('presign', () => blobs.presign!(key, options)) }),
    ...(blobs.check && { check: () => time('check', () => blobs.check!()) }),
    delete: async (key) => {
      await time('delete', () => blobs.delete(key));
      staged.delete(key);
    },
    list: () => blobs.list(),
    close: () => blobs.close(),
  };
}

/** What the kernel can not read, it leaves to be read this way: so no failure is missed. */
function watchedFile(file: BlobFile, onError: (error: unknown) => void): BlobFile {
  return {
    descriptor: file.descriptor,
    size: file.size,
    read: async (into, position) => {
      try {
        return await file.read(into, position);
      } catch (error) {
        onError(error);
        throw error;
      }
    },
    close: () => file.close(),
  };
}

/** Likewise. */
function watchedBody(body: BlobBody, onError: (error: unknown) => void): BlobBody {
  return {
    get descriptor() {
      return body.descriptor;
    },
    size: body.size,
    read: async () => {
      try {
        return await body.read();
      } catch (error) {
        onError(error);
        throw error;
      }
    },
    took: (bytes) => body.took(bytes),
    close: () => body.close(),
  };
}

/** Hands on chunks as they are lent, and tells of the error that ends them. */
class Watched implements AsyncIterableIterator<Uint8Array> {
  readonly #chunks: AsyncIterator<Uint8Array>;

  constructor(
    chunks: AsyncIterable<Uint8Array>,
    private readonly onError: (error: unknown) => void,
  ) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    try {
      return await this.#chunks.next();
    } catch (error) {
      this.onError(error);
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    return (await this.#chunks.return?.()) ?? { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
