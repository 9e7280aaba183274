import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Downloaded, DownloadJob } from '../load/download.js';
import { runLoad } from '../load/load.js';
import type { SlowReadersJob } from '../load/slow-readers.js';
import { inPairs } from '../measure/in-pairs.js';
import { cpuSecondsOf, forgetPeakMemory, peakMemoryOf } from '../measure/process.js';
import { compared } from '../measure/row.js';
import type { Aim, Bench, Findings, Part, Row } from '../part.js';
import { type Daemon, startDaemon } from '../servers/daemon.js';
import { addImage } from '../servers/fill.js';
import { isInstalled, startNginx } from '../servers/nginx.js';
import type { Server } from '../servers/server.js';

const GIB = 2 ** 30;

interface Way {
  what: string;
  clients: number;
  times: number;
  range?: string;
  tls?: boolean;
  /** What must hold; the others are for information. */
  aims?: { speed: Aim; cpu: Aim };
}

const aims: Way['aims'] = { speed: { of: 'ratio', atLeast: 0.95 }, cpu: { of: 'ratio', atMost: 1.25 } };

const ways: Way[] = [
  { what: '1 client', clients: 1, times: 4, aims },
  { what: '8 clients', clients: 8, times: 1, aims },
  { what: '64 clients', clients: 64, times: 1, aims },
  {
    what: '8 clients, half of the file by Range',
    clients: 8,
    times: 1,
    range: `bytes=${GIB / 4}-${(3 * GIB) / 4 - 1}`,
  },
  { what: '8 clients over TLS', clients: 8, times: 1, tls: true },
];

interface Measured {
  speed: number;
  cpu: number;
}

export const download: Part = {
  name: 'download',
  title: 'Download',
  about: `A file of 1 GiB, which the kernel has in memory, over loopback, against nginx with two workers and sendfile. Both send
the same file. The clients are one process that throws away what it reads. nginx writes no log here, Slipway its own.
Memory is the most that the daemon held, after it has received the file.`,
  measure,
};

async function measure(bench: Bench): Promise<Findings> {
  if (!isInstalled()) return { rows: [], missing: ['nginx is not installed, so downloads have no peer'] };
  const root = join(bench.directory, 'files');
  await mkdir(root);
  await writeRandom(join(bench.directory, 'random'), GIB);
  const daemon = await startDaemon(bench, undefined, '--tls-self-signed', '--tls-port', '0');
  const nginx = await startNginx(bench, root);
  bench.say('uploading the file');
  const uuid = await addImage(daemon, join(bench.directory, 'random'));
  await link(await fileOf(daemon), join(root, 'file'));

  const rows: Row[] = [];
  for (const way of ways) {
    bench.say(way.what);
    if (way.clients === 64) await forgetPeakMemory(daemon.pid);
    const pairs = await inPairs(
      bench.runs,
      () => measured(daemon, `/images/${uuid}/file`, way),
      () => measured(nginx, '/file', way),
    );
    const { what, aims } = way;
    const speed = { what, unit: 'GiB/s', of: (one: Measured) => one.speed, ...(aims && { aim: aims.speed }) };
    const cpu = {
      what: `${what}: processor`,
      unit: 's/GiB',
      of: (one: Measured) => one.cpu,
      ...(aims && { aim: aims.cpu }),
    };
    rows.push(compared('nginx', pairs, speed), compared('nginx', pairs, cpu));
    if (way.clients === 64) rows.push(await memoryRow(daemon, 'memory at 64 clients', 150));
  }
  bench.say('1,000 slow clients');
  await forgetPeakMemory(daemon.pid);
  const job: SlowReadersJob = { port: daemon.port, path: `/images/${uuid}/file`, clients: 1000, seconds: 10 };
  const served = await runLoad(new URL('../load/slow-readers.js', import.meta.url), job);
  if (served !== job.clients) throw new Error(`${served} of ${job.clients} slow clients were served to the end`);
  rows.push(await memoryRow(daemon, 'memory at 1,000 slow clients', 250));
  return { rows };
}

/** The only one that it keeps. Both sides send the same file, so that it lies in memory in the same way. */
async function fileOf({ data }: Daemon): Promise<string> {
  const blobs = join(data, 'files', 'blobs');
  const [name] = (await readdir(blobs, { recursive: true })).filter((path) => basename(path).length > 2);
  return join(blobs, name!);
}

async function memoryRow({ pid }: Server, what: string, atMost: number): Promise<Row> {
  return { what, unit: 'MiB', ours: await peakMemoryOf(pid), aim: { of: 'ours', atMost }, runs: 1 };
}

async function measured(server: Server, path: string, { clients, times, range, tls }: Way): Promise<Measured> {
  const port = tls ? server.tlsPort! : server.port;
  const before = await cpuSecondsOf(server.pid);
  const job: DownloadJob = { port, path, clients, times, ...(range && { range }), ...(tls && { tls }) };
  const { bytes, seconds } = await runLoad<DownloadJob, Downloaded>(
    new URL('../load/download.js', import.meta.url),
    job,
  );
  const cpu = (await cpuSecondsOf(server.pid)) - before;
  return { speed: bytes / GIB / seconds, cpu: cpu / (bytes / GIB) };
}

async function writeRandom(path: string, size: number): Promise<void> {
  const file = await open(path, 'wx');
  try {
    for (let left = size; left > 0; left -= 1 << 20) await file.write(randomBytes(Math.min(left, 1 << 20)));
  } finally {
    await file.close();
  }
}
