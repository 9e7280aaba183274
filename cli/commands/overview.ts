import type { Command } from 'commander';
import { isRecord } from '../../imgapi/checks.js';
import type { Context, Register } from '../command.js';
import { Management } from '../management.js';
import { type Column, print, printJson, printTable, sizeText } from '../output.js';
import { openSession } from '../session.js';
import { columnsOf, type Fields } from '../table.js';
import { visible } from '../visible.js';

interface Options {
  dc?: string;
  json?: true;
}

interface Moved {
  downloads: number;
  served_bytes: number;
  uploads: number;
  taken_bytes: number;
  imports: number;
  imported_bytes: number;
  failed_tasks: number;
}

interface Busy {
  images: Fields[];
  nodes: Fields[];
}

type Grown = { images: number; bytes: number; stored_bytes: number | null } | null;

/** As the server answers. */
interface Overview {
  dc: string | null;
  images: number;
  logical_bytes: number;
  stored: { bytes: number; saved_bytes: number } | null;
  disk: { free_bytes: number; size_bytes: number; change_per_day: number | null; full_in_days: number | null } | null;
  growth: Record<'day' | 'week' | 'month' | 'year', Grown>;
  transfers: { now: { downloads: number; uploads: number }; day: Moved; week: Moved };
  busiest: { day: Busy; week: Busy };
  tasks: { running: number; waiting: number; failed: Fields[] };
  repositories: { enabled: number; stale: Fields[] } | null;
}

const EXAMPLES = `
Examples:
  slipway overview
  slipway overview --dc north
  slipway overview --json | jq .disk.full_in_days
  slipway history downloads --points 24    how a figure of it has changed`;

export const register: Register = (program, context) => {
  program
    .command('overview')
    .description('how the server stands: what is stored and moved, what is busy and what is wrong')
    .option('--dc <dc>', 'only what is of this data center')
    .option('-j, --json', 'as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async ({ dc, json }: Options, command: Command) => {
      const management = new Management(await openSession(command, context));
      const { result } = await management.ask('GET', '/api/overview', { query: dc === undefined ? {} : { dc } });
      if (json) return printJson(context.io, result);
      await tell(context.io, overviewIn(result, management));
    });
};

function overviewIn(result: unknown, { exchange }: Management): Overview {
  if (isRecord(result) && isRecord(result.transfers)) return result as unknown as Overview;
  throw exchange.answeredBadly(200, 'has no overview');
}

async function tell(io: Context['io'], found: Overview): Promise<void> {
  const lines = linesOf(found);
  const width = Math.max(...lines.map(([name]) => name.length));
  await print(io, lines.map(([name, text]) => `${name.padEnd(width)}  ${visible(text)}\n`).join(''));
  for (const { title, columns, rows } of tablesOf(found)) {
    if (rows.length === 0) continue;
    await print(io, `\n${title}:\n`);
    await printTable(io, columns, rows, { header: true });
  }
}

type Line = [name: string, text: string];

function linesOf({ images, logical_bytes, stored, disk, growth, transfers, tasks, repositories }: Overview): Line[] {
  const { now, day, week } = transfers;
  const { running, waiting } = tasks;
  const grown = Object.entries(growth).flatMap(([span, one]) => (one ? [`${grownText(one)} in a ${span}`] : []));
  return [
    ['images', `${counted(images, 'image')}, ${sizeText(logical_bytes)}`],
    ...(stored
      ? [line('stored', `${sizeText(stored.bytes)}, ${sizeText(stored.saved_bytes)} saved by deduplication`)]
      : []),
    ...(disk ? [line('disk', diskText(disk))] : []),
    ...(grown.length > 0 ? [line('growth', grown.join('; '))] : []),
    ['transfers now', `${counted(now.downloads, 'download')}, ${counted(now.uploads, 'upload')}`],
    ['last day', movedText(day)],
    ['last week', movedText(week)],
    ['tasks', `${running} running, ${waiting} waiting`],
    ...(repositories
      ? [line('repositories', `${repositories.enabled} enabled, ${repositories.stale.length} stale`)]
      : []),
  ];
}

const line = (name: string, text: string): Line => [name, text];

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;

const signed = (bytes: number) => `${bytes < 0 ? '-' : '+'}${sizeText(Math.abs(bytes))}`;

function grownText({ images, bytes, stored_bytes }: NonNullable<Grown>): string {
  const stored = stored_bytes === null ? '' : `, ${signed(stored_bytes)} stored`;
  return `${images < 0 ? '' : '+'}${counted(images, 'image')}, ${signed(bytes)}${stored}`;
}

function diskText({ free_bytes, size_bytes, change_per_day, full_in_days }: NonNullable<Overview['disk']>): string {
  const free = `${sizeText(free_bytes)} of ${sizeText(size_bytes)} free`;
  if (full_in_days !== null) return `${free}, full in ${counted(full_in_days, 'day')} as it goes`;
  return change_per_day === null ? free : `${free}, not filling up`;
}

function movedText({ downloads, served_bytes, uploads, taken_bytes, imports, imported_bytes, failed_tasks }: Moved) {
  return [
    `${counted(downloads, 'download')} (${sizeText(served_bytes)})`,
    `${counted(uploads, 'upload')} (${sizeText(taken_bytes)})`,
    `${counted(imports, 'import')} (${sizeText(imported_bytes)})`,
    counted(failed_tasks, 'failed task'),
  ].join(', ');
}

interface Table {
  title: string;
  columns: readonly Column<Fields>[];
  rows: readonly Fields[];
}

const bytes: Column<Fields> = { title: 'BYTES', text: (row) => sizeText(Number(row.bytes)), align: 'right' };

function tablesOf({ busiest: { day, week }, tasks, repositories }: Overview): Table[] {
  const images = [...columnsOf(['name', 'version', 'uuid', 'downloads']), bytes];
  const nodes = [...columnsOf(['name', 'downloads']), bytes];
  return [
    { title: 'Busiest images of the last day', columns: images, rows: day.images },
    { title: 'Busiest nodes of the last day', columns: nodes, rows: day.nodes },
    { title: 'Busiest images of the last week', columns: images, rows: week.images },
    { title: 'Busiest nodes of the last week', columns: nodes, rows: week.nodes },
    {
      title: 'Tasks that failed in the last week',
      columns: columnsOf(['id', 'name', 'object', 'dc', 'user', 'ended']),
      rows: tasks.failed,
    },
    {
      title: 'Stale repositories',
      columns: columnsOf(['name', 'why', 'last_update', 'error']),
      rows: repositories?.stale ?? [],
    },
  ];
}
