import type { Entry } from '../catalog.js';
import type { KeyRange } from './keys.js';

export type { Entry };

/** Sorted keys and their values, as somebody sees them: what is committed, or that and the changes of an open write. */
export interface View {
  get(key: string): Promise<string | undefined>;
  getMany(keys: string[]): Promise<(string | undefined)[]>;
  /** In pages of about so many entries. */
  scan(range: KeyRange, page: number): AsyncIterable<Entry[]>;
}

/** A view that changes, and can be had as it is at this moment. */
export interface LiveView extends View {
  freeze(): FrozenView;
}

export interface FrozenView extends View {
  close(): Promise<void>;
}
