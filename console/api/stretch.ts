/** What is known of a list that goes from the newest to the oldest, without a gap. */
export interface Known<T> {
  rows: readonly T[];
  /** Behind which the older ones begin; none where all are known. */
  next?: string | undefined;
  isRead: boolean;
}

export const nothingKnown = <T>(): Known<T> => ({ rows: [], isRead: false });

type Identified = { id: string };

/** The newest, read again: what was known of older ones stays where the two meet, and only then. */
export function withNewer<T extends Identified>(known: Known<T>, newest: readonly T[], next?: string): Known<T> {
  const ids = new Set(newest.map(({ id }) => id));
  const meets = known.rows.some(({ id }) => ids.has(id));
  // Where these are all there is, what is not among them is gone.
  if (!meets || next === undefined) return { rows: newest, next, isRead: true };
  const older = known.rows.filter(({ id }) => !ids.has(id));
  return { rows: [...newest, ...older], next: known.next, isRead: true };
}

export const withOlder = <T extends Identified>(known: Known<T>, older: readonly T[], next?: string): Known<T> => ({
  rows: [...known.rows, ...older],
  next,
  isRead: true,
});
