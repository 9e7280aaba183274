import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Downloaded, DownloadJob } from '../load/download.js';
import { runLoad, startLoad } from '../load/load.js';
import type { Uploaded, UploadJob } from '../load/upload.js';
import { inPairs } from '../measure/in-pairs.js';
import { cpuSecondsOf } from '../measure/process.js';
import { compared } from '../measure/row.js';
import { settled } from '../measure/settled.js';
import type { Bench, Findings, Part } from '../part.js';
import { type Daemon, startDaemon } from '../servers/daemon.js';
import { ask, manifest } from '../servers/fill.js';
import { type Server, startServer } from '../servers/server.js';

const GIB = 2 ** 30;
/** More than goes up before it is cut, and no more than is allowed. */
const ENDLESS = 16 * GIB;
const PEER = 'bare Node';

/** One of the sides, and what is asked of it in its own words. */
interface Side {
  server: Server;
  token?: string;
  /** The path under which the next file goes up, and down again. */
  prepare(): Promise<{ up: string; down: string }>;
  /** Ready to be downloaded. */
  finish?(path: string): Promise<unknown>;
  /** Frees the disk of it, so that no run finds it fuller than another. */
  remove(path: string): Promise<unknown>;
}

export const upload: Part = {
  name: 'upload',
  title: 'Upload',
  about: `\`PUT\` of 1 GiB of new bytes, against a bare Node server that does the same work and no other: three digests on two
worker threads, the file synced, renamed, its directory synced. *Kept beside an upload*: the throughput of 8 downloads
of 1 GiB while an upload runs, as a part of what they reach alone.`,
  measure,
};

async function measure(bench: Bench): Promise<Findings> {
  const ours = slipway(await startDaemon(bench));
  const peer = bare(await startBare(bench));

  bench.say('1 upload');
  const uploads = await inPairs(
    bench.runs,
    () => uploaded(ours),
    () => uploaded(peer),
  );

  bench.say('8 downloads, alone and beside an upload');
  const [own, theirs] = [await prepareBoth(ours), await prepareBoth(peer)];
  const beside = await inPairs(
    bench.runs,
    () => besideUpload(ours, own),
    () => besideUpload(peer, theirs),
  );

  return {
    rows: [
      compared(PEER, uploads, {
        what: '1 upload',
        unit: 'GiB/s',
        of: ({ speed }) => speed,
        aim: { of: 'ratio', atLeast: 0.9 },
      }),
      compared(PEER, uploads, { what: '1 upload: processor', unit: 's/GiB', of: ({ cpu }) => cpu }),
      compared(PEER, beside, { what: '8 downloads alone', unit: 'GiB/s', of: ({ alone }) => alone }),
      compared(PEER, beside, { what: '8 downloads beside an upload', unit: 'GiB/s', of: ({ beside }) => beside }),
      compared(PEER, beside, {
        what: 'kept beside an upload',
        unit: 'of 1',
        of: ({ alone, beside }) => beside / alone,
        aim: { of: 'ratio', atLeast: 1 },
      }),
      compared(PEER, beside, { what: 'that upload', unit: 'GiB/s', of: ({ upload }) => upload }),
    ],
  };
}

function slipway(daemon: Daemon): Side {
  return {
    server: daemon,
    token: daemon.token,
    prepare: async () => {
      const { uuid } = (await ask(daemon, 'POST', '/images', manifest('bench'))) as { uuid: string };
      return { up: `/images/${uuid}/file?compression=none`, down: `/images/${uuid}/file` };
    },
    finish: (path) => ask(daemon, 'POST', `${path.replace('/file', '')}?action=activate`),
    remove: async (path) => {
      await ask(daemon, 'DELETE', path.replace('/file', ''));
      await removeFiles(join(daemon.data, 'files', 'blobs'));
    },
  };
}

/** What the sweep would do when the grace time is over: not while something is measured. */
async function removeFiles(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) await rm(join(entry.parentPath, entry.name));
  }
}

function startBare(bench: Bench): Promise<Server> {
  const program = fileURLToPath(new URL('../servers/bare-upload.js', import.meta.url));
  return startServer(bench, {
    name: PEER,
    command: process.execPath,
    args: [program, join(bench.directory, 'bare')],
  });
}

function bare(server: Server): Side {
  return {
    server,
    prepare: async () => {
      const path = `/${randomBytes(8).toString('hex')}`;
      return { up: path, down: path };
    },
    remove: (path) =>
      new Promise((resolve, reject) => {
        request({ port: server.port, method: 'DELETE', path, agent: false }, (response) => {
          response.resume().once('end', resolve);
        })
          .once('error', reject)
          .end();
      }),
  };
}

async function uploaded(side: Side) {
  const { up, down } = await side.prepare();
  await settled();
  const before = await cpuSecondsOf(side.server.pid);
  const { bytes, seconds } = await runLoad<UploadJob, Uploaded>(loads.upload, jobFor(side, up, GIB));
  const cpu = (await cpuSecondsOf(side.server.pid)) - before;
  await side.remove(down);
  return { speed: bytes / GIB / seconds, cpu: cpu / (bytes / GIB) };
}

/** A file to be downloaded, and where another one can go up meanwhile. */
async function prepareBoth(side: Side): Promise<{ up: string; down: string }> {
  const { up, down } = await side.prepare();
  await runLoad<UploadJob, Uploaded>(loads.upload, jobFor(side, up, GIB));
  await side.finish?.(down);
  return { down, up: (await side.prepare()).up };
}

async function besideUpload(side: Side, { up, down }: { up: string; down: string }) {
  await settled();
  const alone = await downloaded(side, down);
  const uploading = startLoad<UploadJob, Uploaded>(loads.upload, jobFor(side, up, ENDLESS));
  const beside = await downloaded(side, down);
  uploading.stop();
  const { bytes, seconds } = await uploading.result;
  return { alone, beside, upload: bytes / GIB / seconds };
}

async function downloaded({ server: { port } }: Side, path: string): Promise<number> {
  const job: DownloadJob = { port, path, clients: 8, times: 1 };
  const { bytes, seconds } = await runLoad<DownloadJob, Downloaded>(loads.download, job);
  return bytes / GIB / seconds;
}

const jobFor = ({ server: { port }, token }: Side, path: string, size: number): UploadJob => ({
  port,
  path,
  size,
  ...(token !== undefined && { token }),
});

const loads = {
  upload: new URL('../load/upload.js', import.meta.url),
  download: new URL('../load/download.js', import.meta.url),
};
