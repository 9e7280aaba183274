/** A figure over time; null where nothing is known. */
export interface Line {
  title: string;
  values: readonly (number | null)[];
  /** Of the colours that the style knows. */
  tone: 'main' | 'good' | 'warn';
  /** What will be, if it goes on: it stands on nothing and is dashed. */
  isForeseen?: boolean;
}

/** Each line as high as it and those before it together. */
export function stacked(lines: readonly Line[]): (number | null)[][] {
  const below: number[] = [];
  return lines.map(({ values, isForeseen }) =>
    isForeseen
      ? [...values]
      : values.map((value, at) => {
          if (value === null) return null;
          below[at] = (below[at] ?? 0) + value;
          return below[at];
        }),
  );
}

export const isKnown = (lines: readonly Line[]): boolean =>
  lines.some(({ values }) => values.some((value) => value !== null));

/** What a look at it tells, for those who do not see it. */
export function inWords(lines: readonly Line[], isFlow: boolean, format: (value: number) => string): string {
  return lines
    .flatMap(({ title, values, isForeseen }) => {
      const known = values.filter((value) => value !== null);
      const [first] = known;
      const last = known.at(-1);
      if (isForeseen || first === undefined || last === undefined) return [];
      if (!isFlow) return [`${title}: from ${format(first)} to ${format(last)}`];
      return [`${title}: ${format(known.reduce((sum, value) => sum + value, 0))} together`];
    })
    .join('; ');
}

/** So much of the stretch is added to look ahead. */
const AHEAD = 0.25;

interface Course {
  /** Seconds. */
  times: readonly number[];
  values: readonly (number | null)[];
}

/** Where what is free goes, down to nothing, by what it changes in a day. */
export function foreseen({ times, values }: Course, perDay: number, step: number): { ahead: number[]; line: Course } {
  const at = values.findLastIndex((value) => value !== null);
  const free = values[at];
  const last = times.at(-1);
  if (free === undefined || free === null || last === undefined) return { ahead: [], line: { times, values: [] } };
  const count = Math.max(1, Math.round(times.length * AHEAD));
  const ahead = Array.from({ length: count }, (_, n) => last + (n + 1) * step);
  const all = [...times, ...ahead];
  const line = all.map((time, n) => (n < at ? null : Math.max(0, free + (perDay * (time - times[at]!)) / 86_400)));
  return { ahead, line: { times: all, values: line } };
}
