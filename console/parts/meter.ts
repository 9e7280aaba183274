/** How fast something goes is told by its last so many milliseconds. */
const LATELY = 5000;

interface Sample {
  at: number;
  bytes: number;
}

export interface Pace {
  samples: readonly Sample[];
  /** Bytes a second; nothing while it is not known. */
  rate: number | null;
}

export const unmeasured: Pace = { samples: [], rate: null };

/** What is known after so many bytes, at a time in milliseconds. */
export function measured({ samples }: Pace, bytes: number, at: number): Pace {
  const [first] = samples;
  // Something was sent again: what was measured is of another time.
  const isBack = samples.some((sample) => sample.bytes > bytes);
  const kept = isBack ? [] : samples.filter((sample) => at - sample.at <= LATELY || sample === first);
  const next = [...(kept.length > 1 ? kept.filter((sample) => at - sample.at <= LATELY) : kept), { at, bytes }];
  const [oldest] = next;
  const passed = oldest ? at - oldest.at : 0;
  return { samples: next, rate: oldest && passed > 0 ? ((bytes - oldest.bytes) / passed) * 1000 : null };
}

/** Seconds. */
export const leftOf = ({ rate }: Pace, bytes: number, total: number): number | null =>
  rate === null || rate <= 0 ? null : (total - bytes) / rate;
