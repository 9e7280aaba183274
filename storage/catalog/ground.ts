import type { Entry, Sharing } from '../catalog.js';
import type { Members } from '../members.js';
import type { Database } from './database.js';
import type { Changed } from './followers.js';
import type { Operation } from './overlay.js';
import type { View } from './view.js';

/** What the catalog that stands on a ground does for it. */
export interface Standing {
  tell(changed: Changed): void;
  /** Sees to it that a group is begun soon, if only an empty one. */
  touch(): void;
}

/** A group that is committed; where others have to take it in first, its writes are acknowledged when they have. */
export interface Committed {
  taken?: Promise<void>;
}

/** Where groups of writes go, and what reads are answered from. One group at a time is begun and committed. */
export interface Ground {
  readonly database: Database;
  readonly members: Members;
  /** After so many milliseconds a group takes in no further writes. */
  readonly longest: number;
  current(): boolean;
  sharing?(): Sharing;
  /** Ready for a group, which sees what this gives. Throws StorageDown where nothing can be written. */
  begin(): Promise<View>;
  /** Commits what a group has done, or nothing, and tells of it. Throws StorageDown where its fate is unknown. */
  commit(operations: Operation[], changes: Changed[]): Promise<Committed>;
  /** So many snapshots are open on this daemon from now on; the next group lets the others know. */
  keepSnapshots(count: number): void;
  /** How many others have open, as a group sees it that has begun. */
  snapshotsElsewhere(): number;
  /** Throws where a snapshot that was taken under this token means nothing any more. */
  stillHolds(token: string): void;
  load(entries: AsyncIterable<Entry[]>): Promise<void>;
  close(): Promise<void>;
}
