import { Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
  type ServerSideEncryption,
  type StorageClass,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { ByteRange } from '../blobs.js';
import { StorageDown } from '../errors.js';
import { isAbsent, type Patience, told, tried } from './s3-failures.js';

export interface Place {
  bucket: string;
  endpoint?: string | undefined;
  region?: string | undefined;
  pathStyle: boolean;
  storageClass?: string | undefined;
  /** `AES256`, `aws:kms` or `aws:kms:KEY`. */
  encryption?: string | undefined;
  /** Instead of what the usual chain finds. */
  credentials?: { accessKeyId: string; secretAccessKey: string } | undefined;
}

export interface Found {
  size: number;
  etag: string;
  touched: Date;
}

export interface Listed {
  name: string;
  size: number;
  etag: string;
  touched: Date;
}

export interface Opened {
  body: IncomingMessage;
  etag: string;
  /** First byte of what comes, and the size of the whole. */
  start: number;
  size: number;
}

/** A part that is there. */
export interface Part {
  number: number;
  etag: string;
}

export interface Begun {
  name: string;
  upload: string;
  begun: Date;
}

/** Bytes with their digest, so that the store finds out what was harmed on its way. */
export interface Checked {
  bytes: Uint8Array;
  /** In hex. */
  md5: string;
}

interface Asking {
  signal?: AbortSignal | undefined;
}

const MOST_CONNECTIONS = 512;

/** What we ask of a bucket: again where that may help, and with StorageDown where it does not. Absence is undefined. */
export class S3Bucket {
  readonly #client: S3Client;
  readonly #written: Pick<PutObjectCommandInput, 'StorageClass' | 'ServerSideEncryption' | 'SSEKMSKeyId'>;
  /** Milliseconds by which the store's clock is before ours. */
  #ahead = 0;

  constructor(
    readonly place: Place,
    readonly patience: Patience,
  ) {
    const { endpoint, region, pathStyle, storageClass, encryption, credentials } = place;
    this.#client = new S3Client({
      ...(endpoint !== undefined && { endpoint }),
      ...((region !== undefined || endpoint !== undefined) && { region: region ?? 'us-east-1' }),
      ...(credentials && { credentials }),
      forcePathStyle: pathStyle,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      // tried again here, where it is known what may be
      maxAttempts: 1,
      expectContinueHeader: false,
      requestHandler: {
        connectionTimeout: Math.min(3000, patience.answer),
        httpAgent: new HttpAgent({ keepAlive: true, maxSockets: MOST_CONNECTIONS, noDelay: true }),
        httpsAgent: new HttpsAgent({ keepAlive: true, maxSockets: MOST_CONNECTIONS, noDelay: true }),
      },
    });
    this.#client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        const { headers } = result.response as { headers?: Record<string, string> };
        const date = Date.parse(headers?.date ?? '');
        if (!Number.isNaN(date)) this.#ahead = date - Date.now();
        return result;
      },
      { step: 'deserialize', name: 'storesClock', priority: 'low' },
    );
    // what is sent has its md5 in a header that is signed: a second digest over it would be for nothing
    this.#client.middlewareStack.add(
      (next) => (args) => {
        const { headers } = args.request as { headers: Record<string, string> };
        if (headers['content-md5']) headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
        return next(args);
      },
      { step: 'build', name: 'unsignedBodies' },
    );
    this.#written = {
      ...(storageClass !== undefined && { StorageClass: storageClass as StorageClass }),
      ...encryptionOf(encryption),
    };
  }

  /** Whether an etag of what was sent in one is its md5. */
  get etagIsMd5(): boolean {
    return this.#written.ServerSideEncryption !== 'aws:kms';
  }

  /** Whether bytes travel as they are. */
  get isPlain(): boolean {
    return this.place.endpoint?.startsWith('http:') ?? false;
  }

  async check(): Promise<void> {
    await this.#ask('asking for the bucket', (abortSignal) =>
      this.#client.send(new HeadBucketCommand(this.#bucket), { abortSignal }),
    );
  }

  async head(Key: string): Promise<Found | undefined> {
    const found = await this.#askFor(`looking for ${Key}`, (abortSignal) =>
      this.#client.send(new HeadObjectCommand({ ...this.#bucket, Key }), { abortSignal }),
    );
    return (
      found && {
        size: found.ContentLength ?? 0,
        etag: found.ETag ?? '',
        touched: found.LastModified ?? new Date(),
      }
    );
  }

  /** Undefined where it is absent, or is not what it was; a range that begins behind the end is an error. */
  async open(Key: string, range: ByteRange | undefined, etag?: string): Promise<Opened | undefined> {
    const Range = range && `bytes=${range.start}-${range.end}`;
    const command = { ...this.#bucket, Key, ...(Range && { Range }), ...(etag && { IfMatch: etag }) };
    const got = await this.#askFor(`reading ${Key}`, (abortSignal) =>
      this.#client.send(new GetObjectCommand(command), { abortSignal }),
    );
    if (!got) return undefined;
    const body = got.Body as unknown as IncomingMessage;
    const whole = /^bytes (\d+)-\d+\/(\d+)$/.exec(got.ContentRange ?? '');
    const size = whole ? Number(whole[2]) : got.ContentLength;
    if (size === undefined) {
      body.destroy();
      throw new StorageDown(`reading ${Key}`, new Error('the store does not say how much it is'));
    }
    return { body, etag: got.ETag ?? '', start: whole ? Number(whole[1]) : 0, size };
  }

  /** All of something small. */
  async get(Key: string): Promise<Buffer | undefined> {
    return this.#askFor(`reading ${Key}`, async (abortSignal) => {
      const { Body } = await this.#client.send(new GetObjectCommand({ ...this.#bucket, Key }), { abortSignal });
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    });
  }

  /** Gives its etag. */
  async put(Key: string, { bytes, md5 }: Checked, { signal }: Asking = {}): Promise<string> {
    const command = { ...this.#bucket, Key, ...this.#written, Body: bytes, ContentMD5: base64(md5) };
    const { ETag = '' } = await this.#ask(
      `writing ${Key}`,
      (abortSignal) => this.#client.send(new PutObjectCommand(command), { abortSignal }),
      { signal, bytes: bytes.length },
    );
    return ETag;
  }

  /** False where there is one already. Stores that know no conditions put it all the same. */
  async putNew(Key: string, { bytes, md5 }: Checked): Promise<boolean> {
    const command = { ...this.#bucket, Key, Body: bytes, ContentMD5: base64(md5) };
    const put = (condition: { IfNoneMatch?: '*' }) =>
      tried(
        (abortSignal) => this.#client.send(new PutObjectCommand({ ...command, ...condition }), { abortSignal }),
        this.patience,
      );
    try {
      await put({ IfNoneMatch: '*' }).catch((error: unknown) => {
        if (!withoutConditions.has((error as Error).name)) throw error;
        return put({});
      });
      return true;
    } catch (error) {
      if (takenNames.has((error as Error).name)) return false;
      throw new StorageDown(`writing ${Key}`, told(error));
    }
  }

  async delete(Key: string): Promise<void> {
    await this.#askFor(`deleting ${Key}`, (abortSignal) =>
      this.#client.send(new DeleteObjectCommand({ ...this.#bucket, Key }), { abortSignal }),
    );
  }

  async *list(Prefix: string): AsyncGenerator<Listed> {
    let ContinuationToken: string | undefined;
    do {
      const page = { ...this.#bucket, Prefix, ...(ContinuationToken && { ContinuationToken }) };
      const found = await this.#ask(`listing ${Prefix}`, (abortSignal) =>
        this.#client.send(new ListObjectsV2Command(page), { abortSignal }),
      );
      for (const { Key = '', Size = 0, ETag = '', LastModified = new Date() } of found.Contents ?? []) {
        yield { name: Key, size: Size, etag: ETag, touched: LastModified };
      }
      ContinuationToken = found.IsTruncated ? found.NextContinuationToken : undefined;
    } while (ContinuationToken);
  }

  /** Nobody else may be at it: those whose answers were lost are given up. */
  async begin(Key: string, { signal }: Asking = {}): Promise<string> {
    const command = { ...this.#bucket, Key, ...this.#written };
    let tries = 0;
    const { UploadId = '' } = await this.#ask(
      `beginning ${Key}`,
      (abortSignal) => {
        tries += 1;
        return this.#client.send(new CreateMultipartUploadCommand(command), { abortSignal });
      },
      { signal },
    );
    if (tries === 1) return UploadId;
    for await (const { name, upload } of this.begun(Key)) if (upload !== UploadId) await this.abort(name, upload);
    return UploadId;
  }

  async putPart(Key: string, UploadId: string, number: number, part: Checked, { signal }: Asking = {}): Promise<Part> {
    const { bytes, md5 } = part;
    const command = { ...this.#bucket, Key, UploadId, PartNumber: number, Body: bytes, ContentMD5: base64(md5) };
    const { ETag = '' } = await this.#ask(
      `writing part ${number} of ${Key}`,
      (abortSignal) => this.#client.send(new UploadPartCommand(command), { abortSignal }),
      { signal, bytes: bytes.length },
    );
    return { number, etag: ETag };
  }

  /** Some bytes of another object become a part. */
  async copyPart(
    Key: string,
    UploadId: string,
    number: number,
    from: { name: string; etag: string; range?: ByteRange | undefined },
  ): Promise<Part> {
    const CopySource = `${this.place.bucket}/${from.name}`;
    const range = from.range && { CopySourceRange: `bytes=${from.range.start}-${from.range.end}` };
    const command = { ...this.#bucket, Key, UploadId, PartNumber: number, CopySource, ...range };
    const { CopyPartResult } = await this.#ask(
      `copying ${from.name} into ${Key}`,
      (abortSignal) => this.#client.send(new UploadPartCopyCommand(command), { abortSignal }),
      { bytes: COPIED_IN_ONE_GO },
    );
    return { number, etag: CopyPartResult?.ETag ?? '' };
  }

  /** Of something not too large. */
  async copy(Key: string, from: string, size: number): Promise<void> {
    const command = { ...this.#bucket, ...this.#written, Key, CopySource: `${this.place.bucket}/${from}` };
    await this.#ask(
      `copying ${from} to ${Key}`,
      (abortSignal) => this.#client.send(new CopyObjectCommand(command), { abortSignal }),
      { bytes: size },
    );
  }

  /** The upload may be over already, when an answer was lost: who completes it looks whether what should be there is. */
  async complete(Key: string, UploadId: string, parts: readonly Part[], size: number): Promise<void> {
    const Parts = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag }));
    const command = { ...this.#bucket, Key, UploadId, MultipartUpload: { Parts } };
    try {
      await tried(
        (abortSignal) => this.#client.send(new CompleteMultipartUploadCommand(command), { abortSignal }),
        this.patience,
        // some stores gather what was sent
        { bytes: size / 16 },
      );
    } catch (error) {
      const there = isAbsent(error) ? await this.head(Key) : undefined;
      if (there?.size !== size) throw new StorageDown(`completing ${Key}`, told(error));
    }
  }

  async abort(Key: string, UploadId: string): Promise<void> {
    await this.#askFor(`giving up ${Key}`, (abortSignal) =>
      this.#client.send(new AbortMultipartUploadCommand({ ...this.#bucket, Key, UploadId }), { abortSignal }),
    );
  }

  /** Multipart uploads that nobody has completed. */
  async *begun(Prefix: string): AsyncGenerator<Begun> {
    let markers: { KeyMarker: string | undefined; UploadIdMarker: string | undefined } | undefined;
    do {
      const page = { ...this.#bucket, Prefix, ...markers };
      const found = await this.#ask(`listing what has begun below ${Prefix}`, (abortSignal) =>
        this.#client.send(new ListMultipartUploadsCommand(page), { abortSignal }),
      );
      for (const { Key = '', UploadId = '', Initiated = new Date() } of found.Uploads ?? []) {
        yield { name: Key, upload: UploadId, begun: Initiated };
      }
      markers = found.IsTruncated
        ? { KeyMarker: found.NextKeyMarker, UploadIdMarker: found.NextUploadIdMarker }
        : undefined;
    } while (markers?.KeyMarker);
  }

  async parts(Key: string, UploadId: string): Promise<(Part & { size: number; touched: Date })[]> {
    const parts: (Part & { size: number; touched: Date })[] = [];
    let PartNumberMarker: string | undefined;
    do {
      const page = { ...this.#bucket, Key, UploadId, ...(PartNumberMarker && { PartNumberMarker }) };
      const found = await this.#askFor(`listing the parts of ${Key}`, (abortSignal) =>
        this.#client.send(new ListPartsCommand(page), { abortSignal }),
      );
      for (const { PartNumber = 0, ETag = '', Size = 0, LastModified = new Date() } of found?.Parts ?? []) {
        parts.push({ number: PartNumber, etag: ETag, size: Size, touched: LastModified });
      }
      PartNumberMarker = found?.IsTruncated ? found.NextPartNumberMarker : undefined;
    } while (PartNumberMarker);
    return parts;
  }

  /** By the store's clock: with ours, an address that holds for a minute might be over already. */
  presign(Key: string, { filename, seconds }: { filename?: string; seconds: number }): Promise<string> {
    const disposition =
      filename === undefined ? 'attachment' : `attachment; filename="${filename.replace(/[^\w.@+-]/g, '_')}"`;
    const command = new GetObjectCommand({
      ...this.#bucket,
      Key,
      ResponseContentType: 'application/octet-stream',
      ResponseContentDisposition: disposition,
    });
    const signingDate = new Date(Date.now() + this.#ahead);
    return getSignedUrl(this.#client, command, { expiresIn: seconds, signingDate }).catch((error: unknown) => {
      throw new StorageDown(`signing an address of ${Key}`, told(error));
    });
  }

  close(): void {
    this.#client.destroy();
  }

  get #bucket() {
    return { Bucket: this.place.bucket };
  }

  async #ask<R>(
    what: string,
    work: (signal: AbortSignal) => Promise<R>,
    asking: Asking & { bytes?: number } = {},
  ): Promise<R> {
    try {
      return await tried(work, this.patience, asking);
    } catch (error) {
      throw new StorageDown(what, told(error));
    }
  }

  async #askFor<R>(what: string, work: (signal: AbortSignal) => Promise<R>): Promise<R | undefined> {
    try {
      return await tried(work, this.patience);
    } catch (error) {
      // a bucket that is not there is no absent object
      if (isAbsent(error) && (error as Error).name !== 'NoSuchBucket') return undefined;
      throw new StorageDown(what, told(error));
    }
  }
}

/** Most that is copied at a time: more takes so long that nobody knows whether it still goes on. */
export const COPIED_IN_ONE_GO = 512 << 20;

const withoutConditions: ReadonlySet<string> = new Set(['NotImplemented', '501']);
const takenNames: ReadonlySet<string> = new Set(['PreconditionFailed', 'ConditionalRequestConflict', '412']);

const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');

function encryptionOf(given: string | undefined): {
  ServerSideEncryption?: ServerSideEncryption;
  SSEKMSKeyId?: string;
} {
  if (given === undefined) return {};
  const [, kms, key] = /^(aws:kms)(?::(.+))?$/.exec(given) ?? [];
  if (!kms) return { ServerSideEncryption: given as ServerSideEncryption };
  return { ServerSideEncryption: 'aws:kms', ...(key && { SSEKMSKeyId: key }) };
}
