import { createHash } from 'node:crypto';
import { Writable } from 'node:stream';
import type { ResumedBlob } from '../blobs.js';
import { StorageDown } from '../errors.js';
import type { Listed, Part, S3Bucket } from './s3-bucket.js';
import { compose } from './s3-compose.js';
import { GatheredPart, partSize } from './s3-part.js';

/** Parts of one upload that are sent at a time, while the next is gathered. */
const AT_ONCE = 2;

export interface StagedPlace {
  bucket: S3Bucket;
  /** The name of the whole, and of a piece that begins at a byte. */
  whole: string;
  piece(start: number): string;
  read(piece: Listed): Promise<AsyncIterable<Uint8Array>>;
  /** Removes everything there is of it. */
  remove(): Promise<void>;
  /** It is staged no more. */
  leave(): void;
}

/**
 * Bytes on their way into a bucket. Those of a new blob are parts of a multipart upload, whose end makes them readable:
 * they are sent once. Where some are there from earlier they are objects of their own, the pieces, which can be read
 * before the end, as parts can not; the store makes one object of them.
 */
export class StagedObject implements ResumedBlob {
  readonly writable: Writable;
  readonly kept: number;
  touched = new Date();
  /** Somebody has deleted it. */
  isGone = false;
  /** Pieces that are there, each beginning where the one before ends. */
  readonly #pieces: Listed[];
  /** What is gathered now; undefined before the first fresh byte. */
  #part: GatheredPart | undefined;
  #upload: Promise<string> | undefined;
  readonly #parts: Part[] = [];
  /** Where the next part begins. */
  #sent: number;
  readonly #sending = new Set<Promise<void>>();
  #failure: unknown;
  readonly #given = new AbortController();
  /** Where in the blob the next byte that is written belongs. */
  #position = 0;
  #landing: Promise<void> | undefined;
  #ended = false;

  constructor(
    readonly key: string,
    private readonly place: StagedPlace,
    pieces: readonly Listed[] = [],
    /** Whether something is in the store that says that it is staged. */
    private isMarked = false,
  ) {
    this.#pieces = pieces.filter(({ size }) => size > 0);
    this.kept = this.#pieces.reduce((sum, { size }) => sum + size, 0);
    this.#sent = this.kept;
    this.writable = new Writable({
      highWaterMark: 1 << 20,
      autoDestroy: false,
      write: (chunk: Uint8Array, _encoding, done) => {
        this.#write(chunk).then(() => done(), done);
      },
      destroy: (error, done) => {
        this.#given.abort();
        done(error);
      },
    });
  }

  async commit(): Promise<void> {
    if (this.#landing || this.#ended) throw new Error(`blob ${this.key} has been committed or discarded already`);
    if (!this.writable.writableFinished) throw new Error(`blob ${this.key} is committed before it is whole`);
    this.#landing = this.#land();
    await this.#landing;
  }

  async discard(): Promise<void> {
    this.#ended = true;
    const committed = await this.#landing?.then(
      () => true,
      () => false, // told to whoever committed; what is left of it is removed here
    );
    if (committed) return;
    this.writable.destroy();
    this.#given.abort();
    await Promise.allSettled(this.#sending);
    const isAnythingThere = this.#upload !== undefined || this.isMarked || this.#pieces.length > 0;
    if (isAnythingThere && !this.isGone) await this.place.remove();
    this.place.leave();
  }

  async suspend(): Promise<void> {
    if (this.#landing) throw new Error(`blob ${this.key} has been committed already`);
    if (this.#ended) return;
    this.#ended = true;
    try {
      await this.#allSent();
      if (this.#failure === undefined && !this.isGone) await this.#keepTail();
      await this.#allSent();
    } finally {
      this.writable.destroy();
      await Promise.allSettled(this.#sending);
      this.#part?.giveBack();
      this.place.leave();
    }
  }

  skip(): void {
    this.#position = this.kept;
  }

  async *read(): AsyncGenerator<Uint8Array> {
    let left = this.kept;
    // those that are there now: the last of them grows when more is written
    for (const piece of [...this.#pieces]) {
      if (left <= 0) return;
      yield* await this.place.read(piece);
      left -= piece.size;
    }
  }

  async #write(chunk: Uint8Array): Promise<void> {
    const known = Math.min(chunk.length, Math.max(0, this.kept - this.#position));
    this.#position += chunk.length;
    this.touched = new Date();
    let fresh = chunk.subarray(known);
    while (fresh.length > 0) {
      if (this.#failure !== undefined) throw this.#down(this.#failure);
      this.#part ??= await this.#nextPart();
      fresh = fresh.subarray(this.#part.take(fresh));
      if (this.#part.isFull) await this.#sendPart(this.#part);
    }
  }

  /** Begins with the last piece, where that is too small to stay what it is. */
  async #nextPart(): Promise<GatheredPart> {
    const last = this.#pieces.at(-1);
    const number = Math.max(this.#parts.length, this.#pieces.length);
    if (!last || last.size >= partSize(0) || this.#sent !== this.kept)
      return new GatheredPart(this.#sent, partSize(number));
    const part = new GatheredPart(this.#sent - last.size, partSize(number - 1));
    for await (const chunk of await this.place.read(last)) part.take(chunk);
    this.#pieces.pop();
    this.#sent = part.start;
    return part;
  }

  async #sendPart(part: GatheredPart): Promise<void> {
    this.#part = undefined;
    this.#sent = part.start + part.length;
    while (this.#sending.size >= AT_ONCE) await Promise.race(this.#sending);
    if (this.#failure !== undefined) throw this.#down(this.#failure);
    const sending = (this.kept === 0 ? this.#asPart(part) : this.#asPiece(part))
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        part.giveBack();
        this.#sending.delete(sending);
      });
    this.#sending.add(sending);
  }

  async #asPart(part: GatheredPart): Promise<void> {
    const { bucket, whole } = this.place;
    const number = this.#parts.length + 1;
    // its place is taken before anything is waited for
    this.#parts.push({ number, etag: '' });
    const { signal } = this.#given;
    this.#upload ??= bucket.begin(whole, { signal });
    this.#parts[number - 1] = await bucket.putPart(whole, await this.#upload, number, part.checked(), { signal });
  }

  async #asPiece(part: GatheredPart): Promise<void> {
    const piece: Listed = { name: this.place.piece(part.start), size: part.length, etag: '', touched: new Date() };
    this.#pieces.push(piece);
    piece.etag = await this.place.bucket.put(piece.name, part.checked(), { signal: this.#given.signal });
  }

  /** A write that has waited for one of them sends another then. */
  async #allSent(): Promise<void> {
    while (this.#sending.size > 0) await Promise.all(this.#sending);
  }

  /** What is not worth a part becomes a piece, and so does nothing at all: it says that there is something to go on with. */
  async #keepTail(): Promise<void> {
    const { bucket, piece } = this.place;
    if (this.#part && this.#part.length > 0) await bucket.put(piece(this.#part.start), this.#part.checked());
    else if (!this.isMarked && this.#pieces.length === 0) await bucket.put(piece(this.#sent), EMPTY);
  }

  async #land(): Promise<void> {
    try {
      await Promise.all(this.#sending);
      if (this.#failure !== undefined) throw this.#failure;
      if (this.isGone) throw new Error('it is gone');
      await (this.kept === 0 ? this.#landParts() : this.#landPieces());
    } catch (error) {
      throw this.#down(error);
    } finally {
      this.#part?.giveBack();
      this.place.leave();
    }
  }

  async #landParts(): Promise<void> {
    const { bucket, whole, piece } = this.place;
    const last = this.#part?.checked();
    if (this.#upload) {
      const upload = await this.#upload;
      if (last) this.#parts.push(await bucket.putPart(whole, upload, this.#parts.length + 1, last));
      await bucket.complete(whole, upload, this.#parts, this.#sent + (last?.bytes.length ?? 0));
    } else {
      await bucket.put(whole, last ?? EMPTY);
    }
    if (this.isMarked) await bucket.delete(piece(0)).catch(() => {}); // an empty one, which the sweep finds
  }

  async #landPieces(): Promise<void> {
    const { bucket, whole } = this.place;
    await compose(bucket, whole, this.#pieces, this.#part?.checked());
    for (const { name } of this.#pieces) await bucket.delete(name).catch(() => {}); // the blob is there: nobody looks at them
    if (this.#part) await bucket.delete(this.place.piece(this.#part.start)).catch(() => {});
  }

  #down(error: unknown): StorageDown {
    return error instanceof StorageDown ? error : new StorageDown(`writing blob ${this.key}`, error);
  }
}

const EMPTY = { bytes: new Uint8Array(), md5: createHash('md5').digest('hex') };
