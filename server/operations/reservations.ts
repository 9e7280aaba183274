/** What one upload will need, counted against a data center and an owner. */
export interface Reservation {
  readonly counts: readonly string[];
  bytes: number;
  release(): void;
}

/** What uploads in progress will need. Only in memory, because they end with the daemon. */
export class Reservations {
  readonly #open = new Set<Reservation>();

  open(counts: readonly string[]): Reservation {
    const reservation = { counts, bytes: 0, release: () => void this.#open.delete(reservation) };
    this.#open.add(reservation);
    return reservation;
  }

  /** By all others. */
  bytesBeside(count: string, own?: Reservation): number {
    let bytes = 0;
    for (const other of this.#open) if (other !== own && other.counts.includes(count)) bytes += other.bytes;
    return bytes;
  }
}
