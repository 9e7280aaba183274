/**
 * `deleted here`: an earlier takeover brought the image, and somebody has deleted it since. `not taken`: see its reasons.
 */
export const outcomes = ['taken', 'already here', 'deleted here', 'not taken'] as const;
export type Outcome = (typeof outcomes)[number];

/** What became of one image. */
export interface TakenImage {
  uuid: string;
  name?: string;
  outcome: Outcome;
  /** Why it was not taken. */
  reasons: string[];
  /** Where its record had to be changed to be one of today. */
  mended: string[];
  /** What somebody should look at. */
  warnings: string[];
}

/** What became of one file with keys. */
export interface TakenKeys {
  file: string;
  outcome: 'taken' | 'already here' | 'not taken';
  reasons: string[];
  /** How many were not here before. */
  added: number;
  /** Digests of all keys that were in it: one that is removed here shall not come again. */
  keys: string[];
}

export interface TakeoverReport {
  directory: string;
  what: string;
  started: string;
  ended: string;
  counts: Record<Outcome, number>;
  bytes: number;
  images: TakenImage[];
  keys: TakenKeys[];
  /** What lies about there and was left. */
  strays: string[];
}

export function countOutcomes(images: readonly TakenImage[]): Record<Outcome, number> {
  const counts = { taken: 0, 'already here': 0, 'deleted here': 0, 'not taken': 0 };
  for (const { outcome } of images) counts[outcome] += 1;
  return counts;
}

/** How far a takeover is. */
export interface TakeoverProgress {
  images: number;
  ofImages: number;
  bytes: number;
  ofBytes: number;
  /** Of the bytes, those that were not here before. */
  copied: number;
}
