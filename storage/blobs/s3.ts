import { createHash } from 'node:crypto';
import { assertBlobKey, isBlobKey, newBlobKey } from '../blob-key.js';
import type { BlobBody, BlobStat, BlobStore, ByteRange, ResumedBlob, StagedBlob } from '../blobs.js';
import { InUse, StorageDown } from '../errors.js';
import { openBody } from './s3-body.js';
import { type Listed, type Place, S3Bucket } from './s3-bucket.js';
import { compose } from './s3-compose.js';
import { PATIENCE, type Patience } from './s3-failures.js';
import { ObjectReading } from './s3-reading.js';
import { StagedObject } from './s3-staged.js';

export interface S3Choice extends Place {
  prefix: string;
  /** What all have in common who share the prefix. */
  owner: string;
  patience?: Partial<Patience> | undefined;
}

/**
 *   <prefix>/blobs/<key>            whole, or the target of a multipart upload that is under way
 *   <prefix>/staged/<key>/<start>   a piece of what is on its way in, by its first byte
 *   <prefix>/slipway.json           whose blobs these are
 */
export async function openS3Blobs(choice: S3Choice): Promise<BlobStore> {
  const bucket = new S3Bucket(choice, { ...PATIENCE, ...choice.patience });
  try {
    await claim(bucket, `${directoryOf(choice)}slipway.json`, choice.owner);
    return new S3Blobs(bucket, directoryOf(choice));
  } catch (error) {
    bucket.close();
    throw error;
  }
}

const directoryOf = ({ prefix }: S3Choice) => (prefix === '' ? '' : `${prefix.replace(/\/+$/, '')}/`);

class S3Blobs implements BlobStore {
  /** What is staged here, also where nothing of it is in the store yet. */
  readonly #staged = new Map<string, StagedObject>();

  constructor(
    private readonly bucket: S3Bucket,
    private readonly directory: string,
  ) {}

  async stage(key = newBlobKey()): Promise<StagedBlob> {
    return this.#stage(key, [], false);
  }

  async resume(key: string): Promise<ResumedBlob | undefined> {
    assertBlobKey(key);
    await this.#endUploads(key);
    await this.#unland(key);
    const pieces = await this.#piecesOf(key);
    return pieces.length === 0 ? undefined : this.#stage(key, pieces, true);
  }

  async stat(key: string): Promise<BlobStat | undefined> {
    const found = await this.bucket.head(this.#whole(key));
    return found && { size: found.size, touched: found.touched };
  }

  async read(key: string, range?: ByteRange): Promise<AsyncIterable<Uint8Array> | undefined> {
    return this.#read(this.#whole(key), range);
  }

  openBody(key: string, range: ByteRange): Promise<BlobBody | undefined> {
    return openBody(this.bucket, this.#whole(key), range);
  }

  async delete(key: string): Promise<void> {
    const staged = this.#staged.get(key);
    if (staged) staged.isGone = true;
    await this.#remove(key);
    this.#staged.delete(key);
  }

  async *list(): AsyncGenerator<{ key: string; staged: boolean; touched: Date }> {
    const staged = new Map<string, Date>();
    const see = (key: string, touched: Date) => {
      if (isBlobKey(key) && touched.getTime() > (staged.get(key)?.getTime() ?? 0)) staged.set(key, touched);
    };
    for await (const { name, touched } of this.bucket.list(`${this.directory}staged/`)) {
      see(name.slice(this.directory.length).split('/')[1] ?? '', touched);
    }
    for await (const { name, upload, begun } of this.bucket.begun(`${this.directory}blobs/`)) {
      const parts = await this.bucket.parts(name, upload);
      see(this.#keyOf(name), new Date(Math.max(begun.getTime(), ...parts.map(({ touched }) => touched.getTime()))));
    }
    for (const { key, touched } of this.#staged.values()) see(key, touched);
    for (const [key, touched] of staged) yield { key, staged: true, touched };
    for await (const { name, touched } of this.bucket.list(`${this.directory}blobs/`)) {
      const key = this.#keyOf(name);
      if (isBlobKey(key)) yield { key, staged: false, touched };
    }
  }

  presign(key: string, options: { filename?: string; seconds: number }): Promise<string> {
    return this.bucket.presign(this.#whole(key), options);
  }

  check(): Promise<void> {
    return this.bucket.check();
  }

  async close(): Promise<void> {
    this.bucket.close();
  }

  #stage(key: string, pieces: readonly Listed[], isMarked: boolean): StagedObject {
    assertBlobKey(key);
    const place = {
      bucket: this.bucket,
      whole: this.#whole(key),
      piece: (start: number) => this.#piece(key, start),
      read: async ({ name, size, etag }: Listed) => {
        const chunks = await this.#read(name, { start: 0, end: size - 1 }, etag);
        if (!chunks) throw new StorageDown(`reading ${name}`, 'it is gone');
        return chunks;
      },
      remove: () => this.#remove(key),
      leave: () => {
        if (this.#staged.get(key) === staged) this.#staged.delete(key);
      },
    };
    const staged = new StagedObject(key, place, pieces, isMarked);
    this.#staged.set(key, staged);
    return staged;
  }

  async #read(name: string, range?: ByteRange, etag?: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    if (range && range.end < range.start) return (await this.bucket.head(name)) && nothing();
    const opened = await this.bucket.open(name, range, etag);
    if (!opened) return undefined;
    const wanted = range ?? { start: 0, end: opened.size - 1 };
    if (opened.start !== wanted.start) {
      opened.body.destroy();
      throw new StorageDown(
        `reading ${name}`,
        `byte ${wanted.start} was asked for first, and ${opened.start} has come`,
      );
    }
    return new ObjectReading(this.bucket, name, opened, wanted);
  }

  async #remove(key: string): Promise<void> {
    const whole = this.#whole(key);
    await this.bucket.delete(whole);
    for await (const { name, upload } of this.bucket.begun(whole)) await this.bucket.abort(name, upload);
    for await (const { name } of this.bucket.list(this.#pieces(key))) await this.bucket.delete(name);
  }

  /** Parts can be read when they are one object: as such they are gone on with. */
  async #endUploads(key: string): Promise<void> {
    const whole = this.#whole(key);
    for await (const { name, upload } of this.bucket.begun(whole)) {
      const found = await this.bucket.parts(name, upload);
      const parts = found.filter(({ number }, n) => number === n + 1);
      const size = parts.reduce((sum, part) => sum + part.size, 0);
      if (parts.length > 0) await this.bucket.complete(name, upload, parts, size);
      else await this.bucket.abort(name, upload);
    }
  }

  /** What is whole becomes a piece: it can not be read any more, and is gone on with. */
  async #unland(key: string): Promise<void> {
    const name = this.#whole(key);
    const found = await this.bucket.head(name);
    if (!found) return;
    await compose(this.bucket, this.#piece(key, 0), [{ name, ...found }]);
    await this.bucket.delete(name);
  }

  /** Those that follow each other without a gap; what is behind one, or was overtaken, is removed. */
  async #piecesOf(key: string): Promise<Listed[]> {
    const pieces: Listed[] = [];
    let end = 0;
    for await (const piece of this.bucket.list(this.#pieces(key))) {
      if (Number(piece.name.split('/').at(-1)) === end) {
        pieces.push(piece);
        end += piece.size;
      } else {
        await this.bucket.delete(piece.name);
      }
    }
    return pieces;
  }

  #whole(key: string): string {
    assertBlobKey(key);
    return `${this.directory}blobs/${key}`;
  }

  #pieces(key: string): string {
    assertBlobKey(key);
    return `${this.directory}staged/${key}/`;
  }

  #piece(key: string, start: number): string {
    return `${this.#pieces(key)}${String(start).padStart(16, '0')}`;
  }

  #keyOf(name: string): string {
    return name.slice(`${this.directory}blobs/`.length);
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** Two who know nothing of each other would delete what the other keeps. */
async function claim(bucket: S3Bucket, name: string, owner: string): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify({ owner })}\n`);
  const md5 = createHash('md5').update(bytes).digest('hex');
  if (!(await bucket.get(name))) await bucket.putNew(name, { bytes, md5 });
  const found = JSON.parse((await bucket.get(name))?.toString() ?? '{}') as { owner?: unknown };
  if (found.owner === owner) return;
  const { bucket: named } = bucket.place;
  throw new InUse(
    `${name} in the bucket ${named} says that what is beside it belongs to another server, "${found.owner}" and not ` +
      `"${owner}": choose a bucket or a prefix that nothing else uses`,
  );
}
