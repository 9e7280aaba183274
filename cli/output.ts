import type { Io } from './command.js';
import { visible, visibleJson } from './visible.js';

/** A column of a table, and the order that it gives. */
export interface Column<Row> {
  title: string;
  text(row: Row): string;
  /** How rows are sorted by it; as their texts unless it is given. */
  compare?(a: Row, b: Row): number;
  align?: 'right';
}

/** Resolves when it is written, so that a slow reader slows us down; rejects when nobody reads any more. */
export function print({ stdout }: Pick<Io, 'stdout'>, content: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stdout.write(content, (error) => (error ? reject(error) : resolve()));
  });
}

/** Something that the user should know, and that machines that read our output must not meet. */
export function note({ stderr }: Pick<Io, 'stderr'>, text: string): void {
  stderr.write(`slipway: ${visible(text)}\n`);
}

export function printJson(io: Io, value: unknown): Promise<void> {
  return print(io, `${visibleJson(JSON.stringify(value, null, 2))}\n`);
}

/** Columns that stand two spaces apart. The last is not padded, and what would end a line is shown as its code. */
export async function printTable<Row>(
  io: Io,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { header }: { header: boolean },
): Promise<void> {
  const cells = rows.map((row) => columns.map((column) => visible(column.text(row))));
  const lines = header ? [columns.map(({ title }) => title), ...cells] : cells;
  const widths = columns.map((_, at) => lines.reduce((width, line) => Math.max(width, lengthOf(line[at])), 0));
  const texts = lines.map((line) =>
    line
      .map((cell, at) => pad(cell, widths[at] ?? 0, columns[at]?.align))
      .join('  ')
      .trimEnd(),
  );
  if (header && io.stdout.hasColors?.()) texts[0] = `\x1b[1m${texts[0]}\x1b[22m`;
  if (texts.length > 0) await print(io, `${texts.join('\n')}\n`);
}

/** As spreadsheets read them: RFC 4180, with lines that end as they do here. */
export function printCsv<Row>(
  io: Io,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { header }: { header: boolean },
): Promise<void> {
  const titles = columns.map(({ title }) => title.toLowerCase());
  const cells = rows.map((row) => columns.map((column) => visible(column.text(row))));
  const lines = (header ? [titles, ...cells] : cells).map((line) => `${line.map(quoted).join(',')}\n`);
  return print(io, lines.join(''));
}

const quoted = (cell: string) => (/[",]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

const lengthOf = (text = '') => [...text].length;

function pad(text: string, width: number, align: 'right' | undefined): string {
  const space = ' '.repeat(width - lengthOf(text));
  return align === 'right' ? space + text : text + space;
}

/** By several columns, each ascending or descending; rows that are equal keep their places. */
export function sorted<Row>(rows: readonly Row[], order: { column: Column<Row>; descending: boolean }[]): Row[] {
  return [...rows].sort((a, b) => {
    for (const { column, descending } of order) {
      const compared = column.compare?.(a, b) ?? compareTexts(column.text(a), column.text(b));
      if (compared !== 0) return descending ? -compared : compared;
    }
    return 0;
  });
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** As people read sizes. */
export function sizeText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  const value = bytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${UNITS[power]}`;
}
