import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Downloaded, DownloadJob } from '../load/download.js';
import { runLoad } from '../load/load.js';
import { inPairs, repeatedly } from '../measure/in-pairs.js';
import { cpuSecondsOf } from '../measure/process.js';
import { alone, compared } from '../measure/row.js';
import type { Bench, Findings, Part, Row } from '../part.js';
import { type Daemon, startDaemon, startDaemonWithoutAudit } from '../servers/daemon.js';
import { addImage } from '../servers/fill.js';
import { fillAudit, OF_AN_OBJECT, objectOf } from '../servers/fill-audit.js';

const ENTRIES = 100_000;
const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** What is pulled: a large file a few times, a small one very often. */
const pulls = [
  { what: 'download of 1 GiB, 8 clients', size: GIB, clients: 8, times: 1, aim: true },
  { what: 'download of 1 MiB, 8 clients', size: MIB, clients: 8, times: 200, aim: true },
];

export const audit: Part = {
  name: 'audit',
  title: 'Audit',
  about: `A search among ${ENTRIES} entries for those of one object, of which there are ${OF_AN_OBJECT}, and for the first hundred of
a data center, one search after the other. Downloads with the audit, against a daemon
that takes no note of them: both are Slipway.`,
  measure,
};

async function measure(bench: Bench): Promise<Findings> {
  return { rows: [...(await searches(bench)), ...(await downloads(bench))] };
}

async function searches(bench: Bench): Promise<Row[]> {
  const data = join(bench.directory, 'filled');
  // The first start makes the directory and its administrator.
  await (await startDaemon(bench, data)).stop();
  bench.say(`writing ${ENTRIES} entries`);
  await fillAudit(data, ENTRIES);
  const daemon = await startDaemon(bench, data);
  bench.say('searching');
  let asked = 0;
  const object = () => `object=${objectOf(asked++ * 37, ENTRIES)}`;
  const rows: Row[] = [];
  for (const [what, query, found] of [
    [`search of ${ENTRIES} entries by object`, object, OF_AN_OBJECT],
    ['the newest hundred of a data center', () => `dc=dc-${asked++ % 20}`, 100],
  ] as const) {
    const times = await repeatedly(bench.runs, async () => {
      const start = performance.now();
      const answer = await fetch(`http://127.0.0.1:${daemon.port}/api/audit?${query()}`, {
        headers: { authorization: `Bearer ${daemon.token}` },
      });
      const { result } = (await answer.json()) as { result: unknown[] };
      if (result.length !== found) throw new Error(`${result.length} entries were found, not ${found}`);
      return performance.now() - start;
    });
    rows.push(alone(times, { what, unit: 'ms', of: (time) => time, aim: { of: 'ours', atMost: 50 } }));
  }
  await daemon.stop();
  return rows;
}

interface Measured {
  speed: number;
  cpu: number;
}

async function downloads(bench: Bench): Promise<Row[]> {
  const ours = await startDaemon(bench, join(bench.directory, 'noted'));
  const peer = await startDaemonWithoutAudit(bench, join(bench.directory, 'unnoted'));
  const rows: Row[] = [];
  for (const { what, size, clients, times } of pulls) {
    bench.say(what);
    const file = join(bench.directory, `random-${size}`);
    await writeFile(file, randomBytes(MIB));
    for (let written = MIB; written < size; written += MIB) await writeFile(file, randomBytes(MIB), { flag: 'a' });
    const [noted, plain] = [await addImage(ours, file), await addImage(peer, file)];
    const pairs = await inPairs(
      bench.runs,
      () => pulled(ours, noted, { clients, times }),
      () => pulled(peer, plain, { clients, times }),
    );
    const peerName = 'without';
    rows.push(
      compared(peerName, pairs, { what, unit: 'GiB/s', of: ({ speed }) => speed, aim: { of: 'ratio', atLeast: 0.98 } }),
      compared(peerName, pairs, { what: `${what}: processor`, unit: 's/GiB', of: ({ cpu }) => cpu }),
    );
  }
  return rows;
}

async function pulled(
  { port, pid }: Daemon,
  uuid: string,
  { clients, times }: Pick<DownloadJob, 'clients' | 'times'>,
): Promise<Measured> {
  const before = await cpuSecondsOf(pid);
  const job: DownloadJob = { port, path: `/images/${uuid}/file`, clients, times };
  const { bytes, seconds } = await runLoad<DownloadJob, Downloaded>(
    new URL('../load/download.js', import.meta.url),
    job,
  );
  const cpu = (await cpuSecondsOf(pid)) - before;
  return { speed: bytes / GIB / seconds, cpu: cpu / (bytes / GIB) };
}
