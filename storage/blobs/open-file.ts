import type { FileHandle } from 'node:fs/promises';
import type { BlobFile } from '../blobs.js';
import { StorageDown } from '../errors.js';

export class OpenFile implements BlobFile {
  constructor(
    private readonly key: string,
    private readonly handle: FileHandle,
    readonly size: number,
  ) {}

  get descriptor(): number {
    return this.handle.fd;
  }

  async read(into: Uint8Array, position: number): Promise<Uint8Array> {
    const { bytesRead } = await this.handle
      .read(into, 0, into.length, position)
      .catch((error: unknown) => this.#down(error));
    if (bytesRead === 0) return this.#down(new Error(`it ends at byte ${position}`));
    return into.subarray(0, bytesRead);
  }

  async close(): Promise<void> {
    await this.handle.close().catch((error: unknown) => this.#down(error));
  }

  #down(cause: unknown): never {
    throw new StorageDown(`reading blob ${this.key}`, cause);
  }
}
