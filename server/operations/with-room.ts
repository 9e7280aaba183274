import { type Duplex, Transform, type TransformCallback } from 'node:stream';
import type { Deps } from '../deps.js';
import type { RegisteredImage } from '../model/registration.js';
import { bytesOf, countsOf } from '../model/usage.js';
import { limitsOf, roomFor } from './check-quota.js';
import type { Reservation } from './reservations.js';

/** Of sizes that nobody has told, reserved before the first byte. */
const FIRST_STEP = 16 * 1024 ** 2;

/** What a transfer needs so that its bytes are within limits while they arrive, and when they are counted. */
export interface Room {
  reservation?: Reservation;
  through: Duplex[];
}

/**
 * Keeps room for the file of an image while it arrives: for a size that was told at once, for another in growing steps.
 * It is given back whatever happens.
 */
export async function withRoom<R>(
  deps: Pick<Deps, 'catalog' | 'reservations'>,
  image: RegisteredImage,
  size: number | undefined,
  receive: (room: Room) => Promise<R>,
): Promise<R> {
  const counts = countsOf(image);
  if (counts.length === 0) return receive({ through: [] });
  const reservation = deps.reservations.open(counts);
  try {
    if (size !== undefined) await reserve(deps, image, reservation, { needed: size, wished: size });
    const grant = async (needed: number) => {
      await reserve(deps, image, reservation, { needed, wished: Math.max(FIRST_STEP, 2 * needed) });
      return bytesOf(image) + reservation.bytes;
    };
    return await receive({ reservation, through: size === undefined ? [new Reserving(grant)] : [] });
  } finally {
    await deps.reservations.release(deps.catalog, reservation);
  }
}

/** What is needed, or as much of what is wished as there is room for. The file that is there gives room to the new one. */
async function reserve(
  deps: Pick<Deps, 'catalog' | 'reservations'>,
  image: RegisteredImage,
  reservation: Reservation,
  { needed, wished }: { needed: number; wished: number },
): Promise<void> {
  const more = (bytes: number) => Math.max(0, bytes - bytesOf(image));
  if ((await limitsOf(deps.catalog, image)).size === 0) {
    reservation.bytes = more(wished);
    return;
  }
  // Inside a write, so that of two that would fit alone one is refused.
  await deps.catalog.write(async (tx) => {
    const room = await roomFor(deps, tx, image, reservation, more(needed));
    await deps.reservations.keep(tx, reservation, Math.min(more(wished), room));
  });
}

/** Holds bytes back until they are granted; each grant is told how many there are by then, and tells how many there may be. */
class Reserving extends Transform {
  #bytes = 0;
  #granted = 0;

  constructor(private readonly grant: (bytes: number) => Promise<number>) {
    super();
  }

  override _transform(chunk: Uint8Array, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= this.#granted) {
      done(null, chunk);
      return;
    }
    this.grant(this.#bytes).then((granted) => {
      this.#granted = granted;
      done(null, chunk);
    }, done);
  }
}
