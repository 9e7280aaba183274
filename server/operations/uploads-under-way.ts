import { ImgapiError } from '../../imgapi/errors.js';
import type { Upload } from '../model/upload.js';
import type { Reservation } from './reservations.js';

/** What sends bytes to an upload at the moment. */
export interface Part {
  /** Takes no more bytes: what has come is kept. */
  end(): void;
}

interface UnderWay {
  size: number;
  /** So many bytes are here. */
  offset: number;
  reservation: Reservation;
  part?: Part & { over: Promise<void> };
}

/** How far uploads have come, and who works on them. Records tell what they are; this follows from the bytes. */
export class UploadsUnderWay {
  readonly #known = new Map<string, UnderWay>();
  #stopping = false;

  add({ id, size }: Upload, offset: number, reservation: Reservation): void {
    this.#known.set(id, { size, offset, reservation });
  }

  ids(): string[] {
    return [...this.#known.keys()];
  }

  offsetOf({ id, size }: Upload): number {
    return this.#known.get(id)?.offset ?? size;
  }

  advance({ id }: Upload, offset: number): void {
    const found = this.#known.get(id);
    if (found) found.offset = offset;
  }

  reservationOf({ id }: Upload): Reservation | undefined {
    return this.#known.get(id)?.reservation;
  }

  isBusy({ id }: Pick<Upload, 'id'>): boolean {
    return this.#known.get(id)?.part !== undefined;
  }

  /** One at a time: others are refused. */
  async alone<R>({ id }: Upload, part: Part, work: () => Promise<R>): Promise<R> {
    if (this.#stopping)
      throw new ImgapiError('ServiceUnavailableError', 'the server is stopping: go on when it is back');
    const found = this.#known.get(id);
    if (!found) throw new ImgapiError('Busy', `upload ${id} has just ended`);
    if (found.part) throw new ImgapiError('Busy', `something is being sent to upload ${id} already`);
    const working = work();
    const over = working.then(
      () => {},
      () => {},
    );
    found.part = { end: () => part.end(), over };
    try {
      return await working;
    } finally {
      delete found.part;
    }
  }

  /** Ends what is being sent, and waits until nobody works on it. */
  async interrupt({ id }: Pick<Upload, 'id'>): Promise<void> {
    for (let part = this.#known.get(id)?.part; part; part = this.#known.get(id)?.part) {
      part.end();
      await part.over;
    }
  }

  /** The server stops: what is being sent ends here, and goes on with the next one. */
  stop(): void {
    this.#stopping = true;
    for (const { part } of this.#known.values()) part?.end();
  }

  /** Its room is given back. */
  remove({ id }: Pick<Upload, 'id'>): void {
    this.#known.get(id)?.reservation.release();
    this.#known.delete(id);
  }

  /** Bytes that are still to come, over all. */
  awaited(): number {
    let bytes = 0;
    for (const { size, offset } of this.#known.values()) bytes += size - offset;
    return bytes;
  }
}
