import type { Closing } from '../server/closing.js';

/** A part of the bench: figures that belong together, and can be had without the others. */
export interface Part {
  name: string;
  title: string;
  /** What is measured and how, for those who read the figures. */
  about: string;
  measure(bench: Bench): Promise<Findings>;
}

export interface Bench {
  /** An empty directory, on the disk that is measured. */
  directory: string;
  /** How many pairs are counted. */
  runs: number;
  /** How long the long run is. */
  minutes: number;
  /** Closed when the part is over, however it ends. */
  closing: Closing;
  /** Says what is going on, to whoever waits. */
  say(what: string): void;
}

export interface Findings {
  rows: Row[];
  /** Figures that are no comparison. */
  tables?: Table[];
  /** Peers that are not installed, and what therefore was not measured. */
  missing?: string[];
}

export interface Row {
  what: string;
  unit: string;
  ours: number;
  peer?: { name: string; value: number };
  /** Ours to the peer's: the median of the pairs' own, not that of the medians. */
  ratio?: number;
  aim?: Aim;
  /** How many times it was measured. */
  runs: number;
}

export interface Aim {
  of: 'ratio' | 'ours';
  atLeast?: number;
  atMost?: number;
}

export interface Table {
  title: string;
  head: string[];
  lines: (string | number)[][];
}
