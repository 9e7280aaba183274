import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runShell } from '../load/run-shell.js';
import { inPairs, repeatedly } from '../measure/in-pairs.js';
import { cpuSecondsOf, forgetPeakMemory, memoryOf, peakMemoryOf } from '../measure/process.js';
import { alone, compared } from '../measure/row.js';
import { settled } from '../measure/settled.js';
import type { Bench, Findings, Part } from '../part.js';
import { type Daemon, startDaemon } from '../servers/daemon.js';
import { ask } from '../servers/fill.js';
import { type Server, startServer } from '../servers/server.js';

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const LISTED = 10_000;
const AT_ONCE = 10;
/** Of each of those. */
const SMALLER = 256 * MIB;
const PEER = 'curl and coreutils';

export const imports: Part = {
  name: 'imports',
  title: 'Imports',
  about: `1 GiB from another server on the same machine: asked for by \`import-remote\` until its job has succeeded, against
\`curl\` through \`tee\` into \`md5sum\`, \`sha1sum\`, \`sha256sum\` and a file that is synced. *Refresh*: a repository of
${LISTED} manifests of 2 KB, of which nothing was known before. *${AT_ONCE} at once*: imports of 256 MiB each; memory is the most
that a daemon holds meanwhile which has done nothing else.`,
  measure,
};

async function measure(bench: Bench): Promise<Findings> {
  const daemon = await startDaemon(bench, undefined, '--imports-at-once', String(AT_ONCE));
  const file = join(bench.directory, 'source');
  const sha1 = await writeFile(file, GIB);
  const source = await startSource(bench, file, sha1);

  bench.say('an import of 1 GiB');
  const one = await inPairs(
    bench.runs,
    () => imported(daemon, source),
    () => curled(bench, source),
  );

  bench.say(`a refresh of ${LISTED} images`);
  await ask(daemon, 'POST', '/api/repository/bench', { url: urlOf(source), enabled: true });
  const refreshes = await repeatedly(bench.runs, () => refreshed(daemon, source));

  bench.say(`${AT_ONCE} imports at once`);
  const small = join(bench.directory, 'small');
  const smaller = await startSource(bench, small, await writeFile(small, SMALLER), SMALLER);
  // One that has done nothing else: what a refresh of many leaves in the heap is not theirs.
  const fresh = await startDaemon(bench, join(bench.directory, 'fresh'), '--imports-at-once', String(AT_ONCE));
  const many = await repeatedly(bench.runs, () => importedAtOnce(fresh, smaller));

  return {
    rows: [
      compared(PEER, one, {
        what: 'import of 1 GiB',
        unit: 'GiB/s',
        of: ({ seconds }) => 1 / seconds,
        aim: { of: 'ratio', atLeast: 0.9 },
      }),
      alone(
        one.map(({ ours }) => ours),
        { what: 'import of 1 GiB: processor', unit: 's', of: ({ cpu }) => cpu },
      ),
      alone(refreshes, {
        what: `refresh of ${LISTED} images`,
        unit: 's',
        of: ({ seconds }) => seconds,
        aim: { of: 'ours', atMost: 2 },
      }),
      alone(refreshes, { what: 'memory after it, more than before', unit: 'MiB', of: ({ grown }) => grown }),
      alone(many, {
        what: `memory, ${AT_ONCE} imports at once`,
        unit: 'MiB',
        of: ({ peak }) => peak,
        aim: { of: 'ours', atMost: 200 },
      }),
      alone(many, {
        what: `${AT_ONCE} imports at once`,
        unit: 'GiB/s',
        of: ({ seconds }) => (AT_ONCE * SMALLER) / GIB / seconds,
      }),
    ],
  };
}

async function writeFile(path: string, size: number): Promise<string> {
  const hash = createHash('sha1');
  const file = await open(path, 'w');
  for (let written = 0; written < size; written += MIB) {
    const bytes = randomBytes(MIB);
    hash.update(bytes);
    await file.write(bytes);
  }
  await file.close();
  return hash.digest('hex');
}

const startSource = (bench: Bench, file: string, sha1: string, size = GIB): Promise<Server> =>
  startServer(bench, {
    name: 'source',
    command: process.execPath,
    args: [
      fileURLToPath(new URL('../servers/image-source.js', import.meta.url)),
      file,
      String(size),
      sha1,
      String(LISTED),
    ],
  });

const urlOf = ({ port }: Server) => `http://127.0.0.1:${port}`;

async function imported(daemon: Daemon, source: Server) {
  await settled();
  const before = await cpuSecondsOf(daemon.pid);
  const begun = performance.now();
  const uuid = await importOne(daemon, source);
  const seconds = (performance.now() - begun) / 1000;
  const cpu = (await cpuSecondsOf(daemon.pid)) - before;
  await remove(daemon, [uuid]);
  return { seconds, cpu };
}

async function importOne(daemon: Daemon, source: Server): Promise<string> {
  const uuid = randomUUID();
  const from = encodeURIComponent(urlOf(source));
  const started = await ask(daemon, 'POST', `/images/${uuid}?action=import-remote&source=${from}`);
  const { job_uuid: job } = started as { job_uuid: string };
  for (;;) {
    const { execution, chain_results: steps } = (await ask(daemon, 'GET', `/jobs/${job}`)) as {
      execution: string;
      chain_results: unknown[];
    };
    if (execution === 'succeeded') return uuid;
    if (execution !== 'queued' && execution !== 'running')
      throw new Error(`import ${execution}: ${JSON.stringify(steps)}`);
    await sleep(10);
  }
}

/** So that no run finds the disk fuller than another. */
async function remove(daemon: Daemon, uuids: string[]): Promise<void> {
  for (const uuid of uuids) await ask(daemon, 'DELETE', `/images/${uuid}`);
  const blobs = join(daemon.data, 'files', 'blobs');
  for (const entry of await readdir(blobs, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) await rm(join(entry.parentPath, entry.name));
  }
}

const CURL = `
cd "$DIRECTORY"; mkfifo md5 sha1 sha256
md5sum <md5 & sha1sum <sha1 & sha256sum <sha256 &
curl -sS "$URL" | tee md5 sha1 sha256 >file
wait; sync file
`;

async function curled({ directory }: Bench, source: Server) {
  const own = join(directory, randomUUID());
  await settled();
  const url = `${urlOf(source)}/images/${randomUUID()}/file`;
  const seconds = await runShell(`mkdir "$DIRECTORY"; ${CURL}`, { DIRECTORY: own, URL: url });
  await rm(own, { recursive: true });
  return { seconds, cpu: Number.NaN };
}

async function refreshed(daemon: Daemon, source: Server) {
  await ask(daemon, 'DELETE', '/api/repository/bench');
  await ask(daemon, 'POST', '/api/repository/bench', { url: urlOf(source), enabled: true });
  await settled();
  const before = await memoryOf(daemon.pid);
  const begun = performance.now();
  await ask(daemon, 'PUT', '/api/imagestore/bench');
  const seconds = (performance.now() - begun) / 1000;
  return { seconds, grown: (await memoryOf(daemon.pid)) - before };
}

async function importedAtOnce(daemon: Daemon, source: Server) {
  await settled();
  await forgetPeakMemory(daemon.pid);
  const begun = performance.now();
  const uuids = await Promise.all(Array.from({ length: AT_ONCE }, () => importOne(daemon, source)));
  const seconds = (performance.now() - begun) / 1000;
  const peak = await peakMemoryOf(daemon.pid);
  await remove(daemon, uuids);
  return { seconds, peak };
}
