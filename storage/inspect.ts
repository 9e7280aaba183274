import { Transform, type TransformCallback } from 'node:stream';
import { type DiskFormat, lookAt, TELLING } from '../imgapi/disk-format.js';
import { type Packing, packingOf } from '../imgapi/packing.js';
import { ENOUGH, NoUnpacker, unpackHead } from './unpack-head.js';

/** What a file is said to be; what is not said is taken as it is found. */
export interface Declared {
  packing?: Packing | undefined;
  format?: DiskFormat | undefined;
}

export interface Inspected {
  packing: Packing;
  format: DiskFormat;
  /** Of the disk as a machine sees it, where the format says. */
  size?: number;
}

/** The file is not what it is said to be, or must not be taken. */
export class NotTaken extends Error {
  override name = 'NotTaken';
  constructor(
    readonly field: 'compression' | 'format' | 'file',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What a file is that begins so: found in its bytes, and held against what was said of it. */
export async function inspect(head: Uint8Array, declared: Declared): Promise<Inspected> {
  const packing = packingOf(head);
  if (declared.packing !== undefined && declared.packing !== packing) {
    throw new NotTaken('compression', `compression is ${declared.packing}, but the file is packed with ${packing}`);
  }
  const look = lookAt(await unpacked(head, packing));
  if ('refused' in look) throw new NotTaken('file', `the file is not taken: ${look.refused}`);
  const format = look.format ?? declared.format;
  if (format === undefined) {
    throw new NotTaken(
      'format',
      'format is missing: nothing that is known is found in the file; if it is a raw disk, say raw',
    );
  }
  if (look.format ? declared.format !== undefined && declared.format !== look.format : format !== 'raw') {
    const found = look.format ?? 'none that is known: it may be raw';
    throw new NotTaken('format', `format is ${declared.format}, but that of the file is ${found}`);
  }
  return { packing, format, ...('size' in look && { size: look.size }) };
}

async function unpacked(head: Uint8Array, packing: Packing): Promise<Uint8Array> {
  try {
    const bytes = await unpackHead(head, packing, TELLING);
    if (bytes.length > 0) return bytes;
  } catch (cause) {
    if (!(cause instanceof NoUnpacker)) throw cause;
    throw new NotTaken('compression', `the file can not be looked into: ${cause.message}`, { cause });
  }
  throw new NotTaken('file', `the file is damaged: nothing comes out of it as ${packing}`);
}

/** A stage of a transfer that lets nothing pass before the beginning has been inspected. */
export class Inspector extends Transform {
  #held: Uint8Array[] = [];
  #size = 0;
  #inspected: Inspected | undefined;

  constructor(private readonly declared: Declared) {
    super();
  }

  /** When all has come. */
  get inspected(): Inspected {
    if (!this.#inspected) throw new Error('what was found was asked for before the end');
    return this.#inspected;
  }

  override _transform(chunk: Uint8Array, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#inspected) {
      done(null, chunk);
      return;
    }
    // A chunk may be lent, and is held for longer than that.
    this.#held.push(Uint8Array.from(chunk));
    this.#size += chunk.length;
    if (this.#size < ENOUGH) done();
    else this.#look().then(() => done(), done);
  }

  override _flush(done: TransformCallback): void {
    if (this.#inspected || this.#size === 0) done();
    else this.#look().then(() => done(), done);
  }

  async #look(): Promise<void> {
    this.#inspected = await inspect(Buffer.concat(this.#held), this.declared);
    for (const chunk of this.#held.splice(0)) this.push(chunk);
  }
}
