import type { Aim, Findings, Part, Row, Table } from './part.js';

/** The findings of a part as a section of the page. */
export function sectionOf({ title, about }: Part, { rows, tables = [], missing = [] }: Findings, measured: string) {
  return [
    `## ${title}`,
    about,
    ...(rows.length === 0 ? [] : [markdown({ title: '', head: HEAD, lines: rows.map(lineOf) })]),
    ...tables.map(markdown),
    ...missing.map((what) => `**Not measured:** ${what}.`),
    `*${measured}*`,
  ].join('\n\n');
}

const HEAD = ['', 'unit', 'ours', 'peer', '', 'ratio', 'aim', 'holds', 'measured'];

function lineOf(row: Row): string[] {
  return [
    row.what,
    row.unit,
    shown(row.ours),
    row.peer ? shown(row.peer.value) : '',
    row.peer?.name ?? '',
    row.ratio === undefined ? '' : shown(row.ratio),
    row.aim ? aimOf(row.aim, row.unit) : '',
    verdict(row),
    `${row.runs} ×`,
  ];
}

export function holds({ aim, ours, ratio }: Row): boolean | undefined {
  if (!aim) return undefined;
  const value = aim.of === 'ours' ? ours : ratio;
  if (value === undefined) return undefined;
  return value >= (aim.atLeast ?? Number.NEGATIVE_INFINITY) && value <= (aim.atMost ?? Number.POSITIVE_INFINITY);
}

function verdict(row: Row): string {
  const verdict = holds(row);
  if (verdict === undefined) return '';
  return verdict ? 'yes' : '**no**';
}

function aimOf({ of, atLeast, atMost }: Aim, unit: string): string {
  const bounds = [atLeast === undefined ? '' : `≥ ${atLeast}`, atMost === undefined ? '' : `≤ ${atMost}`];
  return bounds.filter(Boolean).join(', ') + (of === 'ours' ? ` ${unit}` : '');
}

/** Three digits that mean something. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 4));
}

function markdown({ title, head, lines }: Table): string {
  const cells = lines.map((line) => line.map((cell) => (typeof cell === 'number' ? shown(cell) : cell)));
  const widths = head.map((name, n) => Math.max(3, name.length, ...cells.map((line) => line[n]?.length ?? 0)));
  const row = (line: string[]) => `| ${line.map((cell, n) => cell.padEnd(widths[n]!)).join(' | ')} |`;
  const table = [row(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...cells.map(row)].join(
    '\n',
  );
  return title === '' ? table : `${title}\n\n${table}`;
}
