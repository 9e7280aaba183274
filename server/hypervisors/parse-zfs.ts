import { partsOf } from './parse-told.js';

/** What `zfs get -Hp -o name,property,value` prints: properties by the name of what has them. */
export type Properties = ReadonlyMap<string, ReadonlyMap<string, string>>;

export function parseProperties(printed: string): Properties {
  const found = new Map<string, Map<string, string>>();
  for (const [name, property, value] of parseRows(printed, 3)) {
    const known = found.get(name!) ?? new Map<string, string>();
    found.set(name!, known.set(property!, value!));
  }
  return found;
}

/** Rows of so many columns with tabs between them; what has another number of them is none. */
export const parseRows = (printed: string, columns: number): string[][] =>
  partsOf(printed, '\n')
    .map((line) => line.split('\t'))
    .filter((row) => row.length === columns);

/** A property that is not set, or that the dataset does not have, is `-`. */
export const isSet = (value: string | undefined): value is string =>
  value !== undefined && value !== '-' && value !== '' && value !== 'none';

export function parseBytes(value: string | undefined): number | undefined {
  if (value === undefined || !/^\d{1,19}$/.test(value)) return undefined;
  const bytes = Number(value);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

export const parseGuid = (value: string | undefined): string | undefined =>
  value !== undefined && /^\d{1,20}$/.test(value) ? value : undefined;

/** Of `zfs send -nP`, whose last line is `size` and the bytes of all. */
export const parseEstimate = (printed: string): number | undefined =>
  parseBytes(/^size\s+(\d+)\s*$/m.exec(printed)?.[1]);

export function parseTime(seconds: string | undefined): string | undefined {
  const known = parseBytes(seconds);
  return known === undefined || known > 8e12 ? undefined : new Date(known * 1000).toISOString();
}
