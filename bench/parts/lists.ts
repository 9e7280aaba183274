import { join } from 'node:path';
import type { ListedBesideWrites, ListsBesideWritesJob } from '../load/lists-beside-writes.js';
import { runLoad } from '../load/load.js';
import type { RequestsJob } from '../load/requests.js';
import { inPairs, median, repeatedly } from '../measure/in-pairs.js';
import { type PerRequest, perRequest } from '../measure/per-request.js';
import { alone, compared } from '../measure/row.js';
import type { Bench, Findings, Part, Row } from '../part.js';
import { bodyOf } from '../servers/body-of.js';
import { startConstant } from '../servers/constant.js';
import { type Daemon, startDaemon } from '../servers/daemon.js';
import { fillCatalog, imageOf, nameOf, OF_A_NAME } from '../servers/fill-catalog.js';
import type { Server } from '../servers/server.js';

const IMAGES = 10_000;
const OTHERS = [1000, 100_000];
const SECONDS = 1.5;
const WRITERS = 8;

const whole = '/images';
const filtered = (images: number) => `/images?name=${nameOf(7, images)}`;

export const lists: Part = {
  name: 'lists',
  title: 'Lists',
  about: `\`GET /images\`, all of them, and those of one name, of which there are ${OF_A_NAME}, asked for again and again on one
connection. The peer is a bare \`http.createServer\` that sends the same bytes from one buffer. The list beside writes is asked
for while ${WRITERS} clients change an image each, without a pause; the bench fails where a list does not show a write that
was acknowledged before it was asked for.`,
  measure,
};

async function measure(bench: Bench): Promise<Findings> {
  const rows: Row[] = [];
  const growth: number[][] = [];
  for (const images of [IMAGES, ...OTHERS].sort((a, b) => a - b)) {
    const daemon = await startFilled(bench, images);
    bench.say(`a list of ${images} images`);
    if (images === IMAGES) rows.push(...(await rowsOf(bench, daemon)));
    const all = await medianOf(bench, () => ask(daemon, whole));
    const some = await medianOf(bench, () => ask(daemon, filtered(images)));
    growth.push([images, all.time, all.cpu, some.time, some.cpu]);
    await daemon.stop();
  }
  const head = ['images', 'all: ms', 'processor', `${OF_A_NAME} of a name: ms`, 'processor'];
  return { rows, tables: [{ title: 'With more images, medians:', head, lines: growth }] };
}

async function startFilled(bench: Bench, images: number): Promise<Daemon> {
  bench.say(`filling a catalog with ${images} images`);
  const data = join(bench.directory, `data-${images}`);
  await fillCatalog(data, images);
  return startDaemon(bench, data);
}

async function rowsOf(bench: Bench, daemon: Daemon): Promise<Row[]> {
  const peer = await startConstant(bench, 'bare http', await bodyOf(daemon, whole));
  const pairs = await inPairs(
    bench.runs,
    () => ask(daemon, whole),
    () => ask(peer, whole),
  );
  await peer.stop();
  const some = await repeatedly(bench.runs, () => ask(daemon, filtered(IMAGES)));
  const besideWrites = await repeatedly(bench.runs, () => askBesideWrites(daemon));
  const ms = { unit: 'ms' };
  return [
    compared(peer.name, pairs, {
      what: `all ${IMAGES}`,
      ...ms,
      of: ({ time }) => time,
      aim: { of: 'ratio', atMost: 3 },
    }),
    compared(peer.name, pairs, { what: `all ${IMAGES}: processor`, ...ms, of: ({ cpu }) => cpu }),
    alone(some, { what: `${OF_A_NAME} of a name`, ...ms, of: ({ time }) => time }),
    alone(some, {
      what: `${OF_A_NAME} of a name: processor`,
      ...ms,
      of: ({ cpu }) => cpu,
      aim: { of: 'ours', atMost: 1 },
    }),
    alone(besideWrites, {
      what: `all ${IMAGES}, beside writes`,
      ...ms,
      of: ({ lists, seconds }) => (seconds / lists) * 1000,
    }),
    alone(besideWrites, { what: 'those writes', unit: '/s', of: ({ writes }) => writes / SECONDS }),
  ];
}

async function ask({ port, pid }: Server, path: string): Promise<PerRequest> {
  const job: RequestsJob = { port, paths: [path], connections: 1, seconds: SECONDS };
  return perRequest(pid, job);
}

function askBesideWrites({ port, token }: Daemon): Promise<ListedBesideWrites> {
  const uuids = Array.from({ length: WRITERS }, (_, n) => imageOf(n * 1000, IMAGES).uuid);
  return runLoad<ListsBesideWritesJob, ListedBesideWrites>(new URL('../load/lists-beside-writes.js', import.meta.url), {
    port,
    token,
    list: whole,
    uuids,
    seconds: SECONDS,
  });
}

async function medianOf({ runs }: Bench, measure: () => Promise<PerRequest>): Promise<PerRequest> {
  const measured = await repeatedly(runs, measure);
  return {
    time: median(measured.map(({ time }) => time)),
    cpu: median(measured.map(({ cpu }) => cpu)),
  };
}
