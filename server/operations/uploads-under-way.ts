import { ImgapiError } from '../../imgapi/errors.js';
import type { Upload } from '../model/upload.js';

/** What sends bytes to an upload at the moment. */
export interface Part {
  /** Takes no more bytes: what has come is kept. */
  end(): void;
}

interface UnderWay {
  size: number;
  /** So many bytes are here. */
  offset: number;
  part?: Part & { over: Promise<void> };
  /** Others are told of it once more, soon. */
  telling?: NodeJS.Timeout;
}

type Known = Pick<Upload, 'id'>;

/** What is shown of an upload. */
export interface UploadStanding {
  id: string;
  offset: number;
  isBusy: boolean;
}

/** While bytes come, others are told of it so often, in milliseconds. */
const TELL_EVERY = 1000;

/**
 * How far the uploads in the hands of this daemon have come, and who works on them. Records tell what they are; this
 * follows from the bytes.
 */
export class UploadsUnderWay {
  readonly #known = new Map<string, UnderWay>();
  /** Those in other hands, as they tell. */
  readonly #elsewhere = new Map<string, UploadStanding>();
  readonly #arriving = new Map<string, Promise<void>>();
  #stopping = false;
  /** Tells other daemons, where there can be any. */
  tell: ((standing: UploadStanding) => void) | undefined;

  add({ id, size }: Upload, offset: number): void {
    this.#known.set(id, { size, offset });
    this.#elsewhere.delete(id);
    this.#tell(id);
  }

  /** Unless it is known: what looks how far it has come, and adds it. */
  async once({ id }: Known, look: () => Promise<void>): Promise<void> {
    if (this.#known.has(id)) return;
    const arriving = this.#arriving.get(id) ?? look().finally(() => this.#arriving.delete(id));
    this.#arriving.set(id, arriving);
    await arriving;
  }

  ids(): string[] {
    return [...this.#known.keys()];
  }

  offsetOf({ id, size }: Upload): number {
    return this.#known.get(id)?.offset ?? size;
  }

  /** To be shown, wherever it is. */
  standingOf({ id, size, attached }: Upload): UploadStanding {
    const known = this.#known.get(id);
    if (known) return { id, offset: known.offset, isBusy: known.part !== undefined };
    return attached
      ? { id, offset: size, isBusy: false }
      : (this.#elsewhere.get(id) ?? { id, offset: 0, isBusy: false });
  }

  hear(standing: UploadStanding): void {
    if (!this.#known.has(standing.id)) this.#elsewhere.set(standing.id, standing);
  }

  forgetTold({ id }: Known): void {
    this.#elsewhere.delete(id);
  }

  tellAll(): void {
    for (const id of this.#known.keys()) this.#tell(id);
  }

  #tell(id: string): void {
    const found = this.#known.get(id);
    if (!found) return;
    clearTimeout(found.telling);
    delete found.telling;
    this.tell?.({ id, offset: found.offset, isBusy: found.part !== undefined });
  }

  advance({ id }: Upload, offset: number): void {
    const found = this.#known.get(id);
    if (!found) return;
    found.offset = offset;
    if (this.tell) found.telling ??= setTimeout(() => this.#tell(id), TELL_EVERY).unref();
  }

  isBusy({ id }: Known): boolean {
    return this.#known.get(id)?.part !== undefined;
  }

  /** One at a time: others are refused. */
  async alone<R>({ id }: Known, part: Part, work: () => Promise<R>): Promise<R> {
    if (this.#stopping)
      throw new ImgapiError('ServiceUnavailableError', 'the server is stopping: go on when it is back');
    return this.#alone(id, part, work);
  }

  async #alone<R>(id: string, part: Part, work: () => Promise<R>): Promise<R> {
    const found = this.#known.get(id);
    if (!found) throw new ImgapiError('Busy', `upload ${id} has just ended`);
    if (found.part) throw new ImgapiError('Busy', `something is being sent to upload ${id} already`);
    const working = work();
    const over = working.then(
      () => {},
      () => {},
    );
    found.part = { end: () => part.end(), over };
    this.#tell(id);
    try {
      return await working;
    } finally {
      delete found.part;
      this.#tell(id);
    }
  }

  /** Ends what is being sent, and waits until nobody works on it. */
  async interrupt({ id }: Known): Promise<void> {
    for (let part = this.#known.get(id)?.part; part; part = this.#known.get(id)?.part) {
      part.end();
      await part.over;
    }
  }

  /** Ends what is being sent, and is without it when it has been let go of. */
  async leave({ id }: Known, letGo: () => Promise<void>): Promise<void> {
    await this.#arriving.get(id);
    await this.interrupt({ id });
    if (!this.#known.has(id)) return letGo();
    await this.#alone(id, { end: () => {} }, async () => {
      await letGo();
      this.remove({ id });
    });
  }

  /** The server stops: what is being sent ends here, and goes on with the next one. */
  stop(): void {
    this.#stopping = true;
    for (const { part } of this.#known.values()) part?.end();
  }

  /** All are in other hands. */
  async forgetAll(): Promise<void> {
    for (const id of this.ids()) {
      await this.interrupt({ id });
      this.remove({ id });
    }
  }

  /** Its room is given back. */
  remove({ id }: Known): void {
    this.#known.delete(id);
    this.#elsewhere.delete(id);
  }

  /** Bytes that are still to come, over all. */
  awaited(): number {
    let bytes = 0;
    for (const { size, offset } of this.#known.values()) bytes += size - offset;
    return bytes;
  }
}
