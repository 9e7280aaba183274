import { randomUUID } from 'node:crypto';
import type { Catalog, Reader, Tx } from '../../storage/catalog.js';
import type { Members } from '../../storage/members.js';
import { type ReservationRecord, reservationRecords } from '../model/reservation.js';
import { uploads } from '../model/upload.js';

/** What one file on its way will need, counted against a data center and an owner. */
export interface Reservation {
  readonly id: string;
  readonly counts: readonly string[];
  bytes: number;
  /** Others may know of it. */
  isKept: boolean;
}

/**
 * What files on their way will need, at all members: those of uploads in parts are told by the uploads themselves, others
 * have a record of their own. What could not be given back goes with the next.
 */
export class Reservations {
  readonly #left = new Set<string>();

  constructor(private readonly members: Members) {}

  open(counts: readonly string[]): Reservation {
    return { id: randomUUID(), counts, bytes: 0, isKept: false };
  }

  /** In the write that has found room for so much. */
  async keep(tx: Tx, reservation: Reservation, bytes: number): Promise<void> {
    const { id, counts } = reservation;
    const record = { id, counts, bytes, member: this.members.self.id };
    for (const left of this.#left) {
      if (await tx.get(reservationRecords, left)) await tx.delete(reservationRecords, left);
      else this.#left.delete(left);
    }
    if (await tx.get(reservationRecords, id)) await tx.replace(reservationRecords, record);
    else await tx.insert(reservationRecords, record);
    reservation.isKept = true;
    reservation.bytes = bytes;
  }

  /** In the write in which the file is counted itself. */
  async settle(tx: Tx, { id, isKept }: Reservation): Promise<void> {
    if (isKept) await remove(tx, id);
  }

  /** Whatever has come of it. */
  async release(catalog: Catalog, { id, isKept }: Reservation): Promise<void> {
    if (!isKept) return;
    try {
      if (!(await catalog.get(reservationRecords, id))) return;
      await catalog.write((tx) => remove(tx, id));
      this.#left.delete(id);
    } catch {
      this.#left.add(id);
    }
  }

  /** By all others than the one of this id. */
  async bytesBeside(reader: Reader, count: string, own?: string): Promise<number> {
    let bytes = 0;
    for await (const { record } of reader.range(reservationRecords, 'reserved', { prefix: `${count}/` })) {
      if (record.id !== own && this.#isWorth(record)) bytes += record.bytes;
    }
    for await (const { record } of reader.range(uploads, 'reserved', { prefix: `${count}/` })) {
      if (record.id !== own) bytes += record.reserved?.bytes ?? 0;
    }
    return bytes;
  }

  /** Those of members that are gone. */
  async sweep(catalog: Catalog): Promise<void> {
    const gone: string[] = [];
    await this.members.look();
    for await (const record of catalog.list(reservationRecords)) if (!this.#isWorth(record)) gone.push(record.id);
    if (gone.length === 0) return;
    await catalog.write(async (tx) => {
      for (const id of gone) await remove(tx, id);
    });
    for (const id of gone) this.#left.delete(id);
  }

  #isWorth({ id, member }: ReservationRecord): boolean {
    return this.members.isIn(member) && !this.#left.has(id);
  }
}

async function remove(tx: Tx, id: string): Promise<void> {
  if (await tx.get(reservationRecords, id)) await tx.delete(reservationRecords, id);
}
