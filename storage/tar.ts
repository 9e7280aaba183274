import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { extract, pack } from 'tar-stream';

const BLOCK = 512;
const END = Buffer.alloc(2 * BLOCK);
const MODE = 0o600;

/** A file in a tar to be written. Its chunks may be lent: each is valid until the next one is asked for. */
export interface TarFile {
  name: string;
  size: number;
  bytes(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** The blob that these bytes are, where they are one: whoever can may move it without reading it. */
  key?: string;
}

/** A file in a tar that is being read. Its bytes are there until the next member is asked for; what is left is skipped. */
export interface TarMember {
  name: string;
  size: number;
  body: AsyncIterable<Uint8Array>;
}

/** It is no tar, is cut short, or holds what no tar of ours holds. */
export class BadTar extends Error {
  override name = 'BadTar';
}

const padding = (size: number) => (BLOCK - (size % BLOCK)) % BLOCK;

/** Of a tar of files of these sizes. */
export function tarSize(sizes: Iterable<number>): number {
  let total = END.length;
  for (const size of sizes) total += BLOCK + size + padding(size);
  return total;
}

/** A tar in its parts: what is only in the tar as bytes, and each file as itself. */
export async function* tarParts(
  files: AsyncIterable<TarFile> | Iterable<TarFile>,
): AsyncGenerator<Uint8Array | TarFile> {
  for await (const file of files) {
    yield await headerOf(file);
    yield file;
    if (padding(file.size) > 0) yield END.subarray(0, padding(file.size));
  }
  yield END;
}

/** Chunk by chunk, each lent: none is copied on the way. */
export async function* writeTar(files: AsyncIterable<TarFile> | Iterable<TarFile>): AsyncGenerator<Uint8Array> {
  for await (const part of tarParts(files)) {
    if (part instanceof Uint8Array) yield part;
    else yield* wholeOf(part);
  }
}

/** Throws at the end where that is not where it was promised. */
export async function* wholeOf({ name, size, bytes }: TarFile): AsyncGenerator<Uint8Array> {
  let written = 0;
  for await (const chunk of bytes()) {
    written += chunk.length;
    yield chunk;
  }
  if (written !== size) throw new Error(`${name} has ${written} bytes, not ${size}`);
}

/** The bytes that tar-stream puts in front of such a file, which is all that it is needed for here. */
async function headerOf({ name, size }: TarFile): Promise<Uint8Array> {
  const tar = pack();
  tar.on('error', () => {}); // that it is left in the middle is no failure
  try {
    tar.entry({ name, size, mode: MODE, mtime: new Date(0) }).on('error', () => {});
    for (;;) {
      const header = tar.read() as Uint8Array | null;
      if (header) return header;
      await once(tar, 'readable');
    }
  } finally {
    tar.destroy();
  }
}

/** What stands between the bytes of members may be so long, and so much longer with each member. */
const MOST_BETWEEN = 8 << 20;
const BETWEEN = 4 * BLOCK;

/**
 * The files in a tar, whose chunks are not lent to us. Directories are passed over; links, devices, and names that lead
 * out of where they are meant to stay are refused. Throws BadTar, or what the source throws.
 */
export async function* readTar(source: Readable | AsyncIterable<Uint8Array>): AsyncGenerator<TarMember> {
  const tar = extract();
  const feed = new Feed(tar);
  const feeding = feed.all(source);
  try {
    for await (const entry of tar) {
      const { type, size = 0 } = entry.header;
      const name = nameOf(entry.header);
      const body = new Body(entry as AsyncIterable<Uint8Array>, feed);
      if (type !== 'directory') yield { name, size, body };
      await body.skip();
    }
  } catch (error) {
    throw feed.whatFailed(error);
  } finally {
    tar.destroy();
  }
  await feeding;
}

function wordsOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (/end of data/.test(message)) return 'the tar is cut short';
  return `it is no tar, or a damaged one: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
}

const files: ReadonlySet<unknown> = new Set(['file', 'contiguous-file', 'directory', null, undefined]);

function nameOf(header: { name: string; type?: unknown }): string {
  const shown = JSON.stringify(header.name.slice(0, 100));
  if (!files.has(header.type)) throw new BadTar(`${shown} is a ${header.type}, where only files are taken`);
  const name = header.name.replace(/^(\.\/)+/, '').replace(/\/+$/, '');
  const parts = name.split('/');
  const leads = name.startsWith('/') || parts.some((part) => part === '..' || part === '' || /[\0\\]/.test(part));
  if (leads && !(header.type === 'directory' && (name === '' || name === '.'))) {
    throw new BadTar(`${shown} is no name of a file inside the tar`);
  }
  return name;
}

/** Hands on what comes as fast as it is taken, and stops what would go on without bringing anything. */
class Feed {
  #between = 0;
  #most = MOST_BETWEEN;
  #failed: { error: unknown } | undefined;

  constructor(private readonly tar: ReturnType<typeof extract>) {}

  async all(source: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const chunk of source) {
        this.#between += chunk.length;
        if (this.#between > this.#most + chunk.length) throw new BadTar('there is too much between its members');
        if (this.tar.destroyed) return;
        if (!this.tar.write(chunk)) await drained(this.tar);
      }
      this.tar.end(undefined);
    } catch (error) {
      this.#failed = { error };
      this.tar.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  met(): void {
    this.#most += BETWEEN;
  }

  taken(length: number): void {
    this.#between -= length;
  }

  /** The source's own failure as it was; what tar-stream says in our words. */
  whatFailed(error: unknown): unknown {
    if (this.#failed) return this.#failed.error;
    return error instanceof BadTar ? error : new BadTar(wordsOf(error), { cause: error });
  }
}

function drained(tar: ReturnType<typeof extract>): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      tar.off('drain', done);
      tar.off('close', done);
      resolve();
    };
    tar.on('drain', done);
    tar.on('close', done);
    if (tar.destroyed) done();
  });
}

/** Whoever leaves it early leaves the tar as it is: tar-stream itself would end it all. */
class Body implements AsyncIterable<Uint8Array> {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    entry: AsyncIterable<Uint8Array>,
    private readonly feed: Feed,
  ) {
    feed.met();
    this.#chunks = entry[Symbol.asyncIterator]();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const { done, value } = await this.#next();
      if (done) return;
      yield value;
    }
  }

  async skip(): Promise<void> {
    while (!(await this.#next()).done);
  }

  #next(): Promise<IteratorResult<Uint8Array>> {
    const next = this.#last.then(async () => {
      const step = await this.#chunks.next().catch((error: unknown) => {
        throw this.feed.whatFailed(error);
      });
      if (!step.done) this.feed.taken(step.value.length);
      return step;
    });
    this.#last = next.catch(() => {}); // told to who asked
    return next;
  }
}
