import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { type Content, Digests, digestBlocks } from '../../storage/digests.js';

const workers: Worker[] = [];
process.on('worker', (worker) => workers.push(worker));

test.serial('digests are those of the bytes, which pass unchanged', async (t) => {
  for (const size of [0, 1, 65_535, 65_536, 1 << 20, (1 << 20) + 1, 5_000_003]) {
    const bytes = randomBytes(size);
    const { content, passed } = await digest(inPieces(bytes, 60_000));
    t.deepEqual(content, expected(bytes), `${size} bytes`);
    t.true(passed.equals(bytes));
  }
  t.is(digestBlocks.lentBytes, 0);
});

test.serial('chunks may be tiny or huge', async (t) => {
  const bytes = randomBytes(10_000_000);
  t.deepEqual((await digest([bytes])).content, expected(bytes));
  const few = bytes.subarray(0, 3000);
  t.deepEqual((await digest(inPieces(few, 1))).content, expected(few));
});

test.serial('transfers side by side share two workers and keep apart', async (t) => {
  const files = Array.from({ length: 20 }, (_, n) => randomBytes(n * 150_001));
  const found = await Promise.all(files.map((bytes) => digest(inPieces(bytes, 50_000))));
  t.deepEqual(
    found.map(({ content }) => content),
    files.map(expected),
  );
  t.is(workers.length, 2);
});

test.serial('digests are not to be had before the end', (t) => {
  const digests = new Digests();
  t.throws(() => digests.content, { message: /before the end/ });
  digests.destroy();
});

test.serial('a stage that is destroyed frees its blocks', async (t) => {
  const stages = Array.from({ length: 10 }, () => new Digests());
  for (const stage of stages) stage.write(randomBytes(1_500_000));
  await Promise.all(stages.map((stage) => once(stage.resume(), 'data')));
  t.true(digestBlocks.lentBytes > 0);
  for (const stage of stages) stage.destroy();
  await digest([randomBytes(10)]); // the workers answer in turn: what was under way is done now
  t.is(digestBlocks.lentBytes, 0);
});

for (const lane of [0, 1]) {
  test.serial(`when worker ${lane} dies at work, the transfer fails and the next gets a new one`, async (t) => {
    const worker = await workerOf(lane);
    const endless = function* () {
      for (;;) yield Buffer.alloc(100_000);
    };
    const failing = pipeline(Readable.from(endless()), new Digests(), blackhole());
    worker.terminate();
    await t.throwsAsync(failing, { message: /digest worker .*has died/ });
    await worksAgain(t);
  });

  test.serial(
    `when worker ${lane} dies at rest, the transfers that have begun fail and the next gets a new one`,
    async (t) => {
      const worker = await workerOf(lane);
      const begun = new Digests();
      begun.write(randomBytes(3_000_000));
      await digest([randomBytes(10)]); // the workers answer in turn: nothing of the first is under way now
      await worker.terminate();
      const failing = pipeline(begun, blackhole());
      begun.end(randomBytes(100));
      await t.throwsAsync(failing, { message: /digest worker .*has died/ });
      await worksAgain(t);
    },
  );
}

/** Both are running afterwards; the lanes start theirs in order, so with none left the first is the first lane's. */
async function workerOf(lane: number): Promise<Worker> {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
  await digest([randomBytes(10)]);
  return workers[lane]!;
}

async function worksAgain(t: ExecutionContext): Promise<void> {
  const bytes = randomBytes(100_000);
  t.deepEqual((await digest([bytes])).content, expected(bytes));
  t.is(workers.length, 3);
  t.is(digestBlocks.lentBytes, 0);
}

async function digest(pieces: Iterable<Buffer>): Promise<{ content: Content; passed: Buffer }> {
  const digests = new Digests();
  const passed: Buffer[] = [];
  await pipeline(Readable.from(pieces), digests, async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) passed.push(chunk);
  });
  return { content: digests.content, passed: Buffer.concat(passed) };
}

function expected(bytes: Buffer): Content {
  const hex = (algorithm: string) => createHash(algorithm).update(bytes).digest('hex');
  return { size: bytes.length, md5: hex('md5'), sha1: hex('sha1'), sha256: hex('sha256') };
}

function* inPieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const blackhole = () => new Writable({ write: (_chunk, _encoding, done) => done() });
