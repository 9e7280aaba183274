import { isRecord } from '../imgapi/checks.js';
import type { Io } from './command.js';
import { type Column, print, printCsv, printJson, printTable } from './output.js';
import { visible } from './visible.js';

/** How lists are shown. */
export interface Shown {
  header: boolean;
  json?: true;
  csv?: true;
}

export type Fields = Record<string, unknown>;

/** How the values of some fields are called; the others are shown as they are. */
export type Meanings = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Columns that show fields as they are called. */
export const columnsOf = (names: readonly string[], meanings: Meanings = {}): Column<Fields>[] =>
  names.map((name) => ({ title: name.toUpperCase(), text: (fields) => meant(name, fields[name], meanings) }));

export const meant = (name: string, value: unknown, meanings: Meanings): string =>
  meanings[name]?.[String(value)] ?? valueText(value);

export function printRows<Row>(io: Io, columns: readonly Column<Row>[], rows: readonly Row[], shown: Shown) {
  if (shown.json) return printJson(io, rows);
  return shown.csv ? printCsv(io, columns, rows, shown) : printTable(io, columns, rows, shown);
}

/** A line for each field, in the order in which they came. */
export function printFields(io: Io, fields: Fields, text: (name: string, value: unknown) => string = textOf) {
  const entries = flat(fields).map(([name, value]): [string, string] => [name, text(name, value)]);
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  return print(io, entries.map(([name, value]) => `${visible(name).padEnd(width)}  ${visible(value)}\n`).join(''));
}

/** What stands within a field by both names. */
const flat = (fields: Fields): [string, unknown][] =>
  Object.entries(fields).flatMap(([name, value]): [string, unknown][] =>
    isRecord(value) && Object.keys(value).length > 0
      ? flat(value).map(([inner, one]) => [`${name}.${inner}`, one])
      : [[name, value]],
  );

const textOf = (_name: string, value: unknown) => valueText(value);

/** A value as people read it. */
export function valueText(value: unknown): string {
  if (value === undefined || value === null || value === '') return '-';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.map(valueText).join(',') || '-';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
