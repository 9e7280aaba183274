import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CatalogWritesJob, CatalogWritten } from '../load/catalog-writes.js';
import { runLoad } from '../load/load.js';
import type { Posted, PostsJob } from '../load/posts.js';
import { inPairs } from '../measure/in-pairs.js';
import { cpuSecondsOf } from '../measure/process.js';
import { compared } from '../measure/row.js';
import type { Bench, Findings, Part, Row } from '../part.js';
import { type Daemon, startDaemon } from '../servers/daemon.js';
import { imageOf } from '../servers/fill-catalog.js';
import { type Server, startServer } from '../servers/server.js';

const SECONDS = 2;
const MANY = 32;

interface Measured {
  speed: number;
  cpu: number;
}

export const writes: Part = {
  name: 'writes',
  title: 'Writes',
  about: `Images created by \`POST /images\` with a manifest of 1.5 KB; each client creates the next when it has its answer, and
every answer says that the image is on the disk. The peer is a bare \`http.createServer\` that puts what it is sent into
LevelDB, synced, one after the other: no credentials, no checks, no log, and no group commit. With one client there is
nothing to commit together. The last row is our catalog without a server, ${MANY} writes that wait together beside one
after the other, each a group of its own: what group commit brings.`,
  measure,
};

async function measure(bench: Bench): Promise<Findings> {
  const daemon = await startDaemon(bench);
  const bare = await startServer(bench, {
    name: 'bare puts',
    command: process.execPath,
    args: [fileURLToPath(new URL('../servers/bare-puts.js', import.meta.url)), join(bench.directory, 'bare')],
  });
  const rows: Row[] = [];
  for (const clients of [1, MANY]) {
    const what = clients === 1 ? '1 client' : `${clients} clients`;
    bench.say(what);
    const pairs = await inPairs(
      bench.runs,
      () => measured(daemon, daemon, clients),
      () => measured(bare, daemon, clients),
    );
    rows.push(
      compared('bare puts', pairs, { what, unit: 'creates/s', of: ({ speed }) => speed }),
      compared('bare puts', pairs, { what: `${what}: processor`, unit: 'µs', of: ({ cpu }) => cpu }),
    );
  }
  await daemon.stop();
  await bare.stop();
  bench.say('what group commit brings');
  const pairs = await inPairs(
    bench.runs,
    () => writesOf(bench, MANY),
    () => writesOf(bench, 1),
  );
  const what = `the catalog alone, ${MANY} writes at once`;
  rows.push(compared('one after the other', pairs, { what, unit: 'writes/s', of: (speed) => speed }));
  return { rows };
}

async function writesOf({ directory }: Bench, atOnce: number): Promise<number> {
  const job = { directory: join(directory, 'catalog'), atOnce, seconds: SECONDS };
  const module = new URL('../load/catalog-writes.js', import.meta.url);
  const { writes, seconds } = await runLoad<CatalogWritesJob, CatalogWritten>(module, job);
  return writes / seconds;
}

async function measured({ port, pid }: Server, { token }: Daemon, clients: number): Promise<Measured> {
  const job = { port, path: '/images', token, body: JSON.stringify(wanted), clients, seconds: SECONDS };
  const before = await cpuSecondsOf(pid);
  const { posts, seconds } = await runLoad<PostsJob, Posted>(new URL('../load/posts.js', import.meta.url), job);
  const cpu = (await cpuSecondsOf(pid)) - before;
  return { speed: posts / seconds, cpu: (cpu / posts) * 1e6 };
}

/** What a client may say of a new image. */
const { name, version, type, os, description, homepage, eula, requirements, users, tags, billing_tags } = imageOf(0, 1);
const wanted = {
  ...{ name, version, type, os, description, homepage, eula, requirements, users, tags, billing_tags },
  public: true,
};
