import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Worker } from 'node:worker_threads';
import type { Block } from './bare-digests.js';

// Keeps files as one would with Node alone: no records, no checks, no refusals, one upload at a time.

const BLOCK = 1 << 20;
const BLOCKS = 8;

const [directory = '.'] = process.argv.slice(2);
const lanes = [['md5'], ['sha1', 'sha256']].map(startLane);
const blocks = Array.from({ length: BLOCKS }, () => new Uint8Array(new SharedArrayBuffer(BLOCK)));

type Ask = (block: Block | undefined) => Promise<string[]>;

/** The worker answers each block when it is done with it, and no block with the digests. */
function startLane(algorithms: string[]): Ask {
  const worker = new Worker(new URL('./bare-digests.js', import.meta.url), { workerData: algorithms });
  const asked: ((answer: string[]) => void)[] = [];
  worker.on('message', (answer: string[]) => asked.shift()!(answer));
  return (block) => {
    worker.postMessage(block);
    return new Promise((resolve) => asked.push(resolve));
  };
}

/** Every block is filled once, read by both workers and the disk, and free again when all three are done with it. */
async function receive(req: IncomingMessage, file: FileHandle): Promise<void> {
  const free = [...blocks];
  const underWay = new Set<Promise<void>>();
  let written = Promise.resolve();
  let position = 0;
  let block = free.pop()!;
  let filled = 0;

  const flush = () => {
    const [bytes, length, at] = [block, filled, position];
    position += length;
    filled = 0;
    written = written.then(() => writeAll(file, bytes.subarray(0, length), at));
    const done = Promise.all([written, ...lanes.map((ask) => ask({ bytes, length }))]).then(() => {
      free.push(bytes);
      underWay.delete(done);
    });
    underWay.add(done);
  };

  for await (const chunk of req as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; ) {
      const taken = chunk.subarray(at, at + BLOCK - filled);
      block.set(taken, filled);
      filled += taken.length;
      at += taken.length;
      if (filled < BLOCK) continue;
      flush();
      while (free.length === 0) await Promise.race(underWay);
      block = free.pop()!;
    }
  }
  flush();
  await Promise.all(underWay);
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await file.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
  }
}

/** Of the last upload. */
let digests: string[][] = [];

async function put(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const path = join(directory, req.url!);
  const file = await open(`${path}.new`, 'wx');
  try {
    await receive(req, file);
    await file.sync();
  } catch (error) {
    await rm(`${path}.new`);
    throw error;
  } finally {
    await file.close();
    digests = await Promise.all(lanes.map((ask) => ask(undefined)));
  }
  await rename(`${path}.new`, path);
  const parent = await open(directory, 'r');
  await parent.sync();
  await parent.close();
  res.end(digests.flat().join('\n'));
}

const methods: Record<string, (req: IncomingMessage, res: ServerResponse) => Promise<unknown>> = {
  PUT: put,
  GET: async (req, res) => {
    const file = await open(join(directory, req.url!));
    res.setHeader('Content-Length', (await file.stat()).size);
    await pipeline(createReadStream('', { fd: file, highWaterMark: BLOCK }), res);
  },
  DELETE: async (req, res) => {
    await rm(join(directory, req.url!));
    res.end();
  },
};

await mkdir(directory, { recursive: true });
const server = createServer((req, res) => {
  methods[req.method!]!(req, res).catch(() => res.destroy());
});
server.listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.once('SIGTERM', () => process.exit());
