import { type Duplex, Readable, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { StagedBlob } from './blobs.js';
import { type Content, Digests } from './digests.js';
import { LentReadable } from './lent-readable.js';

export type { Content };

export interface TransferOptions {
  /** Most bytes that are taken. */
  limit?: number;
  /** What has been promised of the content. */
  expect?: Partial<Content>;
  /** Stages in front of the digests: what they make of the source is what is stored. */
  through?: Duplex[];
  signal?: AbortSignal;
  /** Told how many bytes have come so far. */
  report?: (bytes: number) => void;
  /** Told of each chunk whose bytes have been taken. */
  release?: (chunk: Uint8Array) => void;
}

export type TransferRefusal = 'empty' | 'too-big' | keyof Content;

/** The source has delivered, but not what was agreed on. */
export class TransferRefused extends Error {
  override name = 'TransferRefused';
  constructor(
    readonly reason: TransferRefusal,
    readonly expected: number | string,
    readonly found: number | string,
  ) {
    super(describe(reason, expected, found));
  }
}

/**
 * The only way in for bytes. The target is committed when all has come and is what it should be; on any other way out it
 * is discarded, and the first error is thrown as it was: the source's own, StorageDown, TransferRefused, an AbortError.
 * A source that is a stream is destroyed then. The chunks of any other iterable may be lent.
 */
export async function transfer(
  source: Readable | AsyncIterable<Uint8Array>,
  target: StagedBlob,
  { limit, expect = {}, through = [], signal, report, release }: TransferOptions = {},
): Promise<Content> {
  const readable = source instanceof Readable ? source : new LentReadable(source);
  const digests = new Digests(target.writable, release);
  const stages = [readable, ...through, new Meter(report, limit, expect.size), digests];
  try {
    await pipeline(stages, { ...(signal && { signal }) });
    verify(digests.content, expect);
    await target.commit();
    return digests.content;
  } catch (error) {
    await target.discard().catch(() => {}); // the first error is the one to tell; the sweep finds what is left
    throw error;
  }
}

function verify(found: Content, expect: Partial<Content>): void {
  if (found.size === 0) throw new TransferRefused('empty', expect.size ?? 1, 0);
  for (const field of ['size', 'sha256', 'sha1', 'md5'] as const) {
    const expected = expect[field];
    if (expected !== undefined && expected !== found[field]) throw new TransferRefused(field, expected, found[field]);
  }
}

function describe(reason: TransferRefusal, expected: number | string, found: number | string): string {
  if (reason === 'empty') return 'no bytes have come';
  if (reason === 'too-big') return `more than ${expected} bytes have come`;
  return `${reason} is ${found} where ${expected} was expected`;
}

/** Tells how much has come, and stops as soon as that is more than may come, or than was promised. */
class Meter extends Transform {
  #bytes = 0;

  constructor(
    private readonly report: (bytes: number) => void = () => {},
    private readonly most = Number.POSITIVE_INFINITY,
    private readonly promised = Number.POSITIVE_INFINITY,
  ) {
    super();
  }

  override _transform(chunk: Uint8Array, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#bytes += chunk.length;
    const refusal = this.#refusal();
    if (refusal) {
      done(refusal);
    } else {
      this.report(this.#bytes);
      done(null, chunk);
    }
  }

  #refusal(): TransferRefused | undefined {
    if (this.#bytes > this.most) return new TransferRefused('too-big', this.most, this.#bytes);
    if (this.#bytes > this.promised) return new TransferRefused('size', this.promised, this.#bytes);
    return undefined;
  }
}
