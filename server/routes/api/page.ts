import { z } from 'zod';
import { invalidInput } from '../../../imgapi/errors.js';
import { whole } from './values.js';

/** A part of a list, and how long the whole of it is. */
export class Page<T> {
  constructor(
    readonly result: readonly T[],
    readonly total: number,
    readonly offset: number,
  ) {}
}

/** A part of a list that nobody has counted, and behind which entry the next part begins; none where it was the last. */
export class Stretch<T> {
  constructor(
    readonly result: readonly T[],
    readonly next: string | undefined,
  ) {}
}

/** Of every list. */
export const paging = {
  search: z.string().max(200).optional().describe('only what contains this, in whatever case'),
  order_by: z.string().max(64).optional().describe('a field to sort by, with "-" in front of it for the reverse'),
  limit: whole(0, 10_000).optional().describe('at most so many; all where it is absent'),
  offset: whole(0).default(0).describe('how many to pass over'),
};

export interface Paging {
  search?: string | undefined;
  order_by?: string | undefined;
  limit?: number | undefined;
  offset: number;
}

/** What a list can be searched in and sorted by: each field with its value. The first one is the order where none is asked for. */
export type Fields<T> = Readonly<Record<string, (record: T) => string | number>>;

export function pageOf<T>(all: readonly T[], { search, order_by, limit, offset }: Paging, fields: Fields<T>): Page<T> {
  const [first = ''] = Object.keys(fields);
  const wanted = order_by ?? first;
  const descending = wanted.startsWith('-');
  const name = wanted.replace(/^[+-]/, '');
  const fieldOf = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (!fieldOf) {
    const message = `order_by is not one of ${Object.keys(fields).join(', ')}: "${name}"`;
    throw invalidInput([{ field: 'order_by', code: 'Invalid', message }]);
  }
  const text = search?.toLowerCase();
  const found = text === undefined ? all : all.filter((record) => contains(record, text, fields));
  const sorted = found.map((record) => ({ record, value: fieldOf(record) }));
  sorted.sort((a, b) => inOrder(a.value, b.value) * (descending ? -1 : 1));
  const page = sorted.slice(offset, limit === undefined ? undefined : offset + limit);
  return new Page(
    page.map(({ record }) => record),
    sorted.length,
    offset,
  );
}

const contains = <T>(record: T, text: string, fields: Fields<T>) =>
  Object.values(fields).some((fieldOf) => String(fieldOf(record)).toLowerCase().includes(text));

const inOrder = (a: string | number, b: string | number) => (a < b ? -1 : Number(a > b));
