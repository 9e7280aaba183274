import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { Readable, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import type { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { type Content, Digests, digestBlocks } from '../../storage/digests.js';
import { giveBack } from '../../storage/give-back.js';

const workers: Worker[] = [];
process.on('worker', (worker) => workers.push(worker));

test.serial('digests are those of the bytes, which arrive unchanged', async (t) => {
  for (const size of [0, 1, 65_535, 65_536, 1 << 20, (1 << 20) + 1, 5_000_003]) {
    const bytes = randomBytes(size);
    const { content, stored } = await digest(inPieces(bytes, 60_000));
    t.deepEqual(content, expected(bytes), `${size} bytes`);
    t.true(stored.equals(bytes));
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
  const digests = new Digests(blackhole());
  t.throws(() => digests.content, { message: /before the end/ });
  digests.destroy();
});

test.serial('one that is destroyed frees its blocks when the target has let go of them', async (t) => {
  const letGo: (() => void)[] = [];
  const slow = () => new Writable({ write: (_chunk, _encoding, done) => void letGo.push(done) });
  const all = Array.from({ length: 10 }, () => new Digests(slow()));
  for (const digests of all) digests.write(randomBytes(1_500_000));
  for (const digests of all) digests.destroy();
  await digest([randomBytes(10)]); // the workers answer in turn: they are through with what was under way
  t.true(digestBlocks.lentBytes > 0);
  while (letGo.length > 0) letGo.pop()!();
  await digest([randomBytes(10)]);
  t.is(digestBlocks.lentBytes, 0);
});

test.serial('a target that is slow holds up what comes, one that is fast gets large writes', async (t) => {
  const written: number[] = [];
  let goOn = () => {};
  const target = new Writable({
    write: (chunk, _encoding, done) => {
      written.push(chunk.length);
      goOn = done;
    },
  });
  const digests = new Digests(target);
  const pieces = inPieces(Buffer.alloc(20 << 20), 65_536);
  let taken = 0;
  const endless = Readable.from(
    (function* () {
      for (const piece of pieces) {
        taken += piece.length;
        yield piece;
      }
    })(),
  );
  const through = pipeline(endless, digests);
  await digest([randomBytes(10)]);
  t.true(taken < 8 << 20);
  target._write = (chunk, _encoding, done) => {
    written.push(chunk.length);
    done();
  };
  goOn();
  await through;
  t.is(digests.content.size, 20 << 20);
  t.true(written.length < 40, `${written.length} writes`);
});

test.serial('the memory of what has been taken can be given back', async (t) => {
  const bytes = randomBytes(3_000_000);
  const pieces = [...inPieces(bytes, 60_000)].map((piece) => Buffer.from(Uint8Array.from(piece).buffer));
  const { content, stored } = await digest(pieces, giveBack);
  t.deepEqual(content, expected(bytes));
  t.true(stored.equals(bytes));
  t.true(pieces.every(({ length }) => length === 0));
});

test('memory that others share is not given back', (t) => {
  const [whole, pooled, shared] = [Buffer.alloc(10, 'a'), Buffer.from('bytes'), Buffer.from(new SharedArrayBuffer(5))];
  const part = Buffer.from(new ArrayBuffer(10)).subarray(5);
  for (const chunk of [whole, pooled, part, shared]) giveBack(chunk);
  t.deepEqual([whole.length, pooled.toString(), part.length, shared.length], [0, 'bytes', 5, 5]);
});

test.serial('a target that fails is heard in its own words', async (t) => {
  const failure = new Error('disk full');
  const target = new Writable({ write: (_chunk, _encoding, done) => done(failure) });
  const digests = new Digests(target);
  t.is(await t.throwsAsync(pipeline(Readable.from([randomBytes(3_000_000)]), digests)), failure);
  await digest([randomBytes(10)]);
  t.is(digestBlocks.lentBytes, 0);
});

const onLinux = process.platform === 'linux' ? test.serial : test.serial.skip;

onLinux('the workers, and no other thread, give way to those who serve', async (t) => {
  await digest([randomBytes(10)]);
  const nice: number[] = [];
  for (const thread of await readdir('/proc/self/task')) {
    const stat = await readFile(`/proc/self/task/${thread}/stat`, 'utf8');
    nice.push(Number(stat.replace(/^.*\) /s, '').split(' ')[16]));
  }
  t.deepEqual(
    nice.filter((value) => value > getPriority()),
    [19, 19],
  );
});

for (const lane of [0, 1]) {
  test.serial(`when worker ${lane} dies at work, the transfer fails and the next gets a new one`, async (t) => {
    const worker = await workerOf(lane);
    const endless = function* () {
      for (;;) yield Buffer.alloc(100_000);
    };
    const failing = pipeline(Readable.from(endless()), new Digests(blackhole()));
    worker.terminate();
    await t.throwsAsync(failing, { message: /digest worker .*has died/ });
    await worksAgain(t);
  });

  test.serial(
    `when worker ${lane} dies at rest, the transfers that have begun fail and the next gets a new one`,
    async (t) => {
      const worker = await workerOf(lane);
      const begun = new Digests(blackhole());
      begun.write(randomBytes(3_000_000));
      await digest([randomBytes(10)]); // the workers answer in turn: nothing of the first is under way now
      await worker.terminate();
      begun.end(randomBytes(100));
      await t.throwsAsync(finished(begun), { message: /digest worker .*has died/ });
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

async function digest(
  pieces: Iterable<Buffer>,
  release?: (chunk: Uint8Array) => void,
): Promise<{ content: Content; stored: Buffer }> {
  const stored: Buffer[] = [];
  const target = new Writable({
    write: (chunk: Uint8Array, _encoding, done) => {
      stored.push(Buffer.from(chunk)); // what is written is lent
      done();
    },
  });
  const digests = new Digests(target, release);
  await pipeline(Readable.from(pieces), digests);
  return { content: digests.content, stored: Buffer.concat(stored) };
}

function expected(bytes: Buffer): Content {
  const hex = (algorithm: string) => createHash(algorithm).update(bytes).digest('hex');
  return { size: bytes.length, md5: hex('md5'), sha1: hex('sha1'), sha256: hex('sha256') };
}

function* inPieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const blackhole = () => new Writable({ write: (_chunk, _encoding, done) => done() });
