/** Room that is kept for a file while it arrives, in what its data center and its owner may have. */
export interface ReservationRecord {
  id: string;
  /** Whose counts it stands in. */
  counts: readonly string[];
  bytes: number;
  /** The member at which the file arrives: it is worth nothing when that is gone. */
  member: string;
}

/** Where something that keeps room is found by a count. */
export const reservedIn = ({ id, counts }: Pick<ReservationRecord, 'id' | 'counts'>) =>
  counts.map((count) => `reserved:${count}/${id}`);

export const reservationRecords = {
  name: 'reservations',
  id: ({ id }: ReservationRecord) => id,
  index: (record: ReservationRecord) => reservedIn(record),
};
