import { join } from 'node:path';
import type { Downloaded, DownloadJob } from '../load/download.js';
import { runLoad } from '../load/load.js';
import { median, repeatedly } from '../measure/in-pairs.js';
import { memoryOf, peakMemoryOf } from '../measure/process.js';
import { alone } from '../measure/row.js';
import type { Bench, Findings, Part, Row } from '../part.js';
import { bodyOf } from '../servers/body-of.js';
import { startDaemon } from '../servers/daemon.js';
import { fillCatalog } from '../servers/fill-catalog.js';

/** What the aims are for, and what is for information. */
const MANY = 100_000;
const OTHERS = [1000, 10_000];

interface Started {
  /** From the spawn to the answer to a first request. */
  seconds: number;
  /** What the process holds then. It has held no more, but for what the peak says. */
  memory: number;
  peak: number;
  list: number;
  memoryAfterList: number;
  longestWait: number;
}

export const start: Part = {
  name: 'start',
  title: 'Start',
  about: `From the start of the process until it has answered \`GET /ping\`, with images of 2 KB and the records of their files in
the catalog, which the kernel has in memory. Memory is all that the kernel counts for the process, the pages of the
catalog's files that are mapped into it among them; the aim is for the most that it has held until then. A manifest is
rendered when it is first listed: so the first whole list is slower than those after it, and the last row is how long
another client waits at most for \`GET /ping\` meanwhile.`,
  measure,
};

async function measure(bench: Bench): Promise<Findings> {
  const others: (string | number)[][] = [];
  for (const images of OTHERS) {
    const starts = await starting(bench, images);
    const of = (figure: keyof Started) => median(starts.map((one) => one[figure]));
    others.push([String(images), ...(['seconds', 'peak', 'list', 'memoryAfterList', 'longestWait'] as const).map(of)]);
  }
  const starts = await starting(bench, MANY);
  const row = (what: string, unit: string, figure: keyof Started, atMost?: number): Row =>
    alone(starts, {
      what,
      unit,
      of: (one) => one[figure],
      ...(atMost !== undefined && { aim: { of: 'ours', atMost } }),
    });
  return {
    rows: [
      row(`ready with ${MANY} images`, 's', 'seconds', 3),
      row('memory when it is ready', 'MiB', 'memory'),
      row('the most until then', 'MiB', 'peak', 500),
      row('the first whole list', 's', 'list'),
      row('memory after it', 'MiB', 'memoryAfterList'),
      row('the longest wait of others beside it', 'ms', 'longestWait'),
    ],
    tables: [
      {
        title: 'With fewer images:',
        head: ['images', 'ready, s', 'memory, MiB', 'first list, s', 'memory after it, MiB', 'longest wait, ms'],
        lines: others,
      },
    ],
  };
}

async function starting(bench: Bench, images: number): Promise<Started[]> {
  bench.say(`filling a catalog with ${images} images`);
  const data = join(bench.directory, `data-${images}`);
  await fillCatalog(data, images);
  bench.say(`starting with ${images} images`);
  return repeatedly(bench.runs, () => started(bench, data));
}

async function started(bench: Bench, data: string): Promise<Started> {
  const begin = performance.now();
  const daemon = await startDaemon(bench, data);
  try {
    await bodyOf(daemon, '/ping');
    const seconds = (performance.now() - begin) / 1000;
    const memory = await memoryOf(daemon.pid);
    const peak = await peakMemoryOf(daemon.pid);
    const job: DownloadJob = { port: daemon.port, path: '/images', clients: 1, times: 1 };
    const list = runLoad<DownloadJob, Downloaded>(new URL('../load/download.js', import.meta.url), job);
    const [longestWait, { seconds: listed }] = await Promise.all([
      longestWaitBeside(list, () => bodyOf(daemon, '/ping')),
      list,
    ]);
    return { seconds, memory, peak, list: listed, memoryAfterList: await memoryOf(daemon.pid), longestWait };
  } finally {
    await daemon.stop();
  }
}

/** In milliseconds. */
async function longestWaitBeside(work: Promise<unknown>, ask: () => Promise<unknown>): Promise<number> {
  let working = true;
  const end = () => {
    working = false;
  };
  work.then(end, end);
  let longest = 0;
  while (working) {
    const begin = performance.now();
    await ask();
    longest = Math.max(longest, performance.now() - begin);
  }
  return longest;
}
