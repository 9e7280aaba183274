import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { BlobBody, ByteRange } from '../blobs.js';
import { StorageDown } from '../errors.js';
import type { S3Bucket } from './s3-bucket.js';

const PIECE = 16 << 10;
const MOST_OF_A_HEAD = 16 << 10;

/**
 * What an object says, as it comes over a plain connection of its own that the kernel may read from. Nothing where the
 * store speaks TLS or answers anything else than the bytes: whoever asks in the usual way learns what is wrong.
 */
export async function openBody(bucket: S3Bucket, name: string, range: ByteRange): Promise<BlobBody | undefined> {
  if (!bucket.isPlain) return undefined;
  const answer = await ask(bucket, name, range).catch(() => undefined);
  return answer && new ObjectBody(bucket, name, answer, range);
}

class ObjectBody implements BlobBody {
  #position: number;
  #breaks = 0;

  constructor(
    private readonly bucket: S3Bucket,
    private readonly name: string,
    private answer: Answer,
    private readonly range: ByteRange,
  ) {
    this.#position = range.start;
  }

  get size(): number {
    return this.answer.size;
  }

  get descriptor(): number {
    return this.answer.connection.descriptor;
  }

  took(bytes: number): void {
    this.#position += bytes;
    this.#breaks = 0;
  }

  async read(): Promise<Uint8Array> {
    for (;;) {
      const left = this.range.end + 1 - this.#position;
      try {
        const chunk = (await this.answer.connection.next()).subarray(0, left);
        this.took(chunk.length);
        return chunk;
      } catch (error) {
        await this.#goOn(error);
      }
    }
  }

  async close(): Promise<void> {
    this.answer.connection.close();
  }

  async #goOn(error: unknown): Promise<void> {
    const { pauses } = this.bucket.patience;
    const { size, etag } = this.answer;
    const rest = { start: this.#position, end: this.range.end };
    if (rest.start >= size)
      throw this.#down(`it ends at byte ${size}, ${rest.end + 1 - size} short of what was asked for`);
    this.answer.connection.close();
    for (;;) {
      const wait = pauses[this.#breaks];
      if (wait === undefined) throw this.#down(error);
      if (this.#breaks > 0) await pause(wait);
      this.#breaks += 1;
      const answer = await ask(this.bucket, this.name, rest, etag).catch(() => undefined);
      if (!answer) continue;
      this.answer = answer;
      return;
    }
  }

  #down(cause: unknown): StorageDown {
    return new StorageDown(`reading ${this.name}`, cause);
  }
}

interface Answer {
  connection: Connection;
  etag: string;
  /** Of the whole object. */
  size: number;
}

async function ask(bucket: S3Bucket, name: string, range: ByteRange, etag?: string): Promise<Answer> {
  const address = new URL(await bucket.presign(name, { seconds: 300 }));
  const connection = new Connection(address, bucket.patience);
  try {
    const lines = [
      `GET ${address.pathname}${address.search} HTTP/1.1`,
      `Host: ${address.host}`,
      `Range: bytes=${range.start}-${range.end}`,
      ...(etag === undefined ? [] : [`If-Match: ${etag}`]),
      'Connection: close',
    ];
    const { status, headers } = await connection.ask(`${lines.join('\r\n')}\r\n\r\n`);
    const [, start, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '') ?? [];
    const found = headers.get('etag') ?? '';
    const isIt = status === 206 && Number(start) === range.start && !headers.has('transfer-encoding');
    if (!isIt || (etag !== undefined && found !== etag)) throw new Error(`the store answered ${status}`);
    return { connection, etag: found, size: Number(size) };
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Reads only when it is asked to: in between the kernel may. */
class Connection {
  readonly #socket: Socket;
  #kept: Uint8Array | undefined;
  #failure: Error | undefined;
  #waiting: { give: (bytes: Uint8Array) => void; fail: (error: Error) => void } | undefined;

  constructor(
    { hostname, port }: URL,
    private readonly patience: { answer: number; idle: number },
  ) {
    this.#socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || 80),
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafeSlow(PIECE),
        callback: (length, buffer) => {
          const bytes = buffer.subarray(0, length);
          if (this.#waiting) this.#waiting.give(bytes);
          else this.#kept = bytes;
          return false;
        },
      },
    });
    const fail = (error: Error) => {
      this.#failure ??= error;
      this.#waiting?.fail(this.#failure);
    };
    this.#socket.on('error', fail);
    this.#socket.on('end', () => fail(new Error('the connection ended')));
    this.#socket.on('close', () => fail(new Error('the connection was closed')));
  }

  /** -1 where it is closed. */
  get descriptor(): number {
    if (this.#kept || this.#failure) return -1;
    return (this.#socket as { _handle?: { fd?: number } | null })._handle?.fd ?? -1;
  }

  async ask(head: string): Promise<{ status: number; headers: Map<string, string> }> {
    this.#socket.write(head);
    let text = '';
    for (;;) {
      const bytes = await this.#come(this.patience.answer);
      const before = text.length;
      text += Buffer.from(bytes).toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end >= 0) {
        const rest = bytes.subarray(end + 4 - before);
        if (rest.length > 0) this.#kept = rest;
        return parsed(text.slice(0, end));
      }
      if (text.length > MOST_OF_A_HEAD) throw new Error('the head of the answer does not end');
    }
  }

  /** Some bytes, lent until the next are asked for. */
  next(): Promise<Uint8Array> {
    return this.#come(this.patience.idle);
  }

  close(): void {
    this.#socket.destroy();
  }

  async #come(within: number): Promise<Uint8Array> {
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept) return kept;
    if (this.#failure) throw this.#failure;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Uint8Array>((give, fail) => {
        this.#waiting = { give, fail };
        timer = setTimeout(() => fail(new Error(`nothing has come for ${within} ms`)), within);
        this.#socket.resume();
      });
    } finally {
      clearTimeout(timer);
      this.#waiting = undefined;
    }
  }
}

function parsed(head: string): { status: number; headers: Map<string, string> } {
  const [first = '', ...lines] = head.split('\r\n');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const at = line.indexOf(':');
    headers.set(line.slice(0, at).toLowerCase(), line.slice(at + 1).trim());
  }
  return { status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? 0), headers };
}
