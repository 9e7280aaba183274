import { randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runLoad } from '../load/load.js';
import type { LongRun, LongRunJob } from '../load/long-run.js';
import type { Target } from '../load/mixed.js';
import { handlesOf, memoryOf } from '../measure/process.js';
import type { Aim, Bench, Findings, Part, Row } from '../part.js';
import { type Daemon, startDaemon } from '../servers/daemon.js';
import { addImage } from '../servers/fill.js';

const MIB = 2 ** 20;
const SIZE = 64 * MIB;
const IMAGES = 8;

/** Two processes, so that those who wait for small answers are not held up by those who take large ones. */
const moving = ['download', 'range', 'cut download', 'upload', 'cut upload'];
const asking = ['cut request', 'change', 'list', 'filtered list', 'manifest', 'ping'];

interface Minute {
  requests: number;
  unexpected: string[];
  /** MiB and open handles at work, as the minute ends. */
  memory: number;
  handles: number;
  /** What is open, on its way in and stored when the clients have left. */
  quietHandles: number;
  staged: number;
  blobs: number;
  manifest: number[];
  ping: number[];
}

export const longRun: Part = {
  name: 'long-run',
  title: 'Long run',
  about: `One daemon under mixed load, minute after minute: 32 downloads at any time (20 whole, 8 by \`Range\`, 4 that are
cut), uploads whole and cut, lists whole and filtered, images made, changed and deleted, requests that are cut behind
their head. *At work* is seconds before a minute ends, *quiet* when its clients have left. The first minute warms up: the
last is held against the second. Latency is that of small requests beside all the others, on the same cores.`,
  measure,
};

async function measure(bench: Bench): Promise<Findings> {
  const daemon = await startDaemon(bench, undefined, '--blob-grace', '0');
  const file = join(bench.directory, 'file');
  const uuids: string[] = [];
  for (let n = 0; n < IMAGES; n += 1) {
    await writeFile(file, randomBytes(SIZE));
    uuids.push(await addImage(daemon, file));
  }
  const on: Target = { port: daemon.port, token: daemon.token, uuids, name: 'bench', size: SIZE };
  const minutes: Minute[] = [];
  for (let n = 1; n <= bench.minutes; n += 1) {
    bench.say(`minute ${n} of ${bench.minutes}`);
    minutes.push(await minute(daemon, on));
    for (const unexpected of minutes.at(-1)!.unexpected.slice(0, 3)) bench.say(unexpected);
  }
  return { rows: rowsOf(minutes), tables: [{ title: 'Minute by minute', head: HEAD, lines: minutes.map(lineOf) }] };
}

async function minute(daemon: Daemon, on: Target): Promise<Minute> {
  const start = (which: string[]) =>
    runLoad<LongRunJob, LongRun>(new URL('../load/long-run.js', import.meta.url), { on, which, seconds: 60 });
  const both = Promise.all([start(moving), start(asking)]);
  const [memory, handles] = await Promise.race([atWork(daemon), both.then(() => [Number.NaN, Number.NaN] as const)]);
  const [moved, asked] = await both;
  await sleep(1000); // what was cut is still being thrown away
  return {
    requests: moved.requests + asked.requests,
    unexpected: [...moved.unexpected, ...asked.unexpected],
    memory,
    handles,
    quietHandles: await handlesOf(daemon.pid),
    staged: (await readdir(join(daemon.data, 'files', 'tmp'))).length,
    blobs: await blobsOf(daemon),
    manifest: asked.took.manifest ?? [],
    ping: asked.took.ping ?? [],
  };
}

async function atWork({ pid }: Daemon) {
  await sleep(55_000);
  return [await memoryOf(pid), await handlesOf(pid)] as const;
}

async function blobsOf({ data }: Daemon): Promise<number> {
  const entries = await readdir(join(data, 'files', 'blobs'), { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).length;
}

const HEAD = [
  'minute',
  'requests',
  'unexpected',
  'memory, MiB',
  'handles at work',
  'quiet',
  'on their way in',
  'blobs',
  'manifest p50, ms',
  'p99',
  'ping p99, ms',
];

function lineOf(minute: Minute, n: number): (string | number)[] {
  const { requests, unexpected, memory, handles, quietHandles, staged, blobs, manifest, ping } = minute;
  const counts = [handles, quietHandles, staged, blobs].map(String);
  return [
    String(n + 1),
    String(requests),
    String(unexpected.length),
    memory,
    ...counts,
    percentile(manifest, 50),
    percentile(manifest, 99),
    percentile(ping, 99),
  ];
}

function rowsOf(minutes: Minute[]): Row[] {
  const last = minutes.at(-1)!;
  const second = minutes[1] ?? last;
  const runs = minutes.length;
  const sum = (of: (minute: Minute) => number) => minutes.reduce((all, minute) => all + of(minute), 0);
  const flat = (what: string, unit: string, of: (minute: Minute) => number, atMost: number): Row => ({
    what,
    unit,
    ours: of(last),
    peer: { name: 'in minute 2', value: of(second) },
    ratio: of(last) / of(second),
    aim: { of: 'ratio', atMost } satisfies Aim,
    runs,
  });
  return [
    {
      what: 'answers that were not expected',
      unit: 'in all',
      ours: sum(({ unexpected }) => unexpected.length),
      aim: { of: 'ours', atMost: 0 },
      runs,
    },
    {
      what: 'uploads left on their way in',
      unit: 'in all',
      ours: sum(({ staged }) => staged),
      aim: { of: 'ours', atMost: 0 },
      runs,
    },
    flat('memory at work', 'MiB', ({ memory }) => memory, 1.2),
    flat('handles when quiet', 'open', ({ quietHandles }) => quietHandles, 1.05),
    flat('manifest p99', 'ms', ({ manifest }) => percentile(manifest, 99), 1.5),
    flat('ping p99', 'ms', ({ ping }) => percentile(ping, 99), 1.5),
  ];
}

function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}
