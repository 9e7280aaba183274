import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { atPath } from './at-path.js';
import { CliError } from './errors.js';
import type { Advance } from './progress.js';

const CHUNK = 1024 ** 2;

/** A file that is not whole yet. It lies beside its target, under a name of its own, until all of it is there. */
export class PartialFile {
  readonly path: string;
  readonly #target: string;
  readonly #file: FileHandle;
  #sha1 = createHash('sha1');
  #size = 0;

  private constructor(target: string, path: string, file: FileHandle) {
    this.#target = target;
    this.path = path;
    this.#file = file;
  }

  static async open(target: string): Promise<PartialFile> {
    const path = `${target}.partial`;
    return new PartialFile(target, path, await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW));
  }

  get size(): number {
    return this.#size;
  }

  sha1(): string {
    return this.#sha1.copy().digest('hex');
  }

  /** Reads again what an earlier run has left; what is longer than the whole can be no part of it. */
  async load(whole: number, { signal, advance }: { signal: AbortSignal; advance: Advance }): Promise<void> {
    const { size } = await this.#file.stat();
    if (size > whole) return this.restart();
    const buffer = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await atPath(this.path, this.#file.read(buffer, 0, CHUNK, this.#size));
      if (bytesRead === 0) return;
      this.#take(buffer.subarray(0, bytesRead));
      advance(bytesRead);
    }
  }

  async write(chunk: Buffer): Promise<void> {
    for (let rest = chunk; rest.length > 0; ) {
      const { bytesWritten } = await atPath(this.path, this.#file.write(rest, 0, rest.length, this.#size));
      this.#take(rest.subarray(0, bytesWritten));
      rest = rest.subarray(bytesWritten);
    }
  }

  async restart(): Promise<void> {
    await atPath(this.path, this.#file.truncate(0));
    this.#sha1 = createHash('sha1');
    this.#size = 0;
  }

  /** It is whole: it gets its name. */
  async finish(): Promise<void> {
    await atPath(this.path, this.#file.sync());
    const [own, named] = [await this.#file.stat(), await atPath(this.path, stat(this.path))];
    if (own.ino !== named.ino || own.size !== this.#size) {
      throw new CliError(`${this.path} was changed by another program meanwhile`, { hint: 'download it once more' });
    }
    await this.#file.close();
    await rename(this.path, this.#target);
  }

  /** It is not whole: what there is of it stays for another run. */
  async leave(): Promise<void> {
    await this.#file.close();
    if (this.#size === 0) await rm(this.path, { force: true });
  }

  #take(bytes: Buffer): void {
    this.#sha1.update(bytes);
    this.#size += bytes.length;
  }
}
