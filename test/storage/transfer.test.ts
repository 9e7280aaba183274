import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough, Readable, Writable } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { openMemoryBlobs } from '../../storage/blobs/memory.js';
import type { BlobStore, StagedBlob } from '../../storage/blobs.js';
import { StorageDown } from '../../storage/errors.js';
import { type TransferOptions, TransferRefused, transfer } from '../../storage/transfer.js';
import { bytesOf, listed, store } from '../contracts/blobs.js';

const file = randomBytes(700_000);
const digestOf = (algorithm: string, bytes: Uint8Array = file) => createHash(algorithm).update(bytes).digest('hex');

test('what has come is committed and described', async (t) => {
  const blobs = await openMemoryBlobs();
  const staged = await blobs.stage();
  const expect = { size: file.length, md5: digestOf('md5'), sha1: digestOf('sha1'), sha256: digestOf('sha256') };
  t.deepEqual(await transfer(inPieces(file), staged, { limit: file.length, expect }), expect);
  t.true((await bytesOf(blobs, staged.key))?.equals(file));
});

test('progress is told as bytes so far', async (t) => {
  const blobs = await openMemoryBlobs();
  const told: number[] = [];
  await transfer(inPieces(file), await blobs.stage(), { report: (bytes) => void told.push(bytes) });
  t.is(told.at(-1), file.length);
  t.deepEqual(
    told,
    told.toSorted((a, b) => a - b),
  );
});

test('stages stand in front of the limit and the digests', async (t) => {
  const blobs = await openMemoryBlobs();
  const packed = await blobs.stage();
  const zeros = Buffer.alloc(1_000_000);
  const content = await transfer(Readable.from([zeros]), packed, { through: [createGzip()], limit: 10_000 });
  const stored = await bytesOf(blobs, packed.key);
  t.is(content.size, stored!.length);
  t.is(content.sha1, digestOf('sha1', stored));

  const unpacked = await blobs.stage();
  await transfer(Readable.from([stored!]), unpacked, { through: [createGunzip()], expect: { size: 1_000_000 } });
  t.true((await bytesOf(blobs, unpacked.key))?.equals(zeros));
});

test('a blob is copied from one store to another, though its chunks are only lent', async (t) => {
  const [from, to] = [await openMemoryBlobs(), await openMemoryBlobs()];
  const reading = (await from.read(await store(from, file)))!;
  const copy = await to.stage();
  t.is((await transfer(reading, copy)).sha256, digestOf('sha256'));
  t.true((await bytesOf(to, copy.key))?.equals(file));
});

const refusals: [what: string, options: TransferOptions, refusal: Partial<TransferRefused>][] = [
  ['a byte too much', { limit: file.length - 1 }, { reason: 'too-big', expected: file.length - 1 }],
  ['anything at all', { limit: 0 }, { reason: 'too-big', expected: 0 }],
  ['more than promised', { expect: { size: file.length - 1 } }, { reason: 'size', expected: file.length - 1 }],
  ['less than promised', { expect: { size: file.length + 1 } }, { reason: 'size', found: file.length }],
  ['another md5', { expect: { md5: 'x' } }, { reason: 'md5', found: digestOf('md5') }],
  ['another sha1', { expect: { sha1: 'x', md5: digestOf('md5') } }, { reason: 'sha1', found: digestOf('sha1') }],
  ['another sha256', { expect: { sha256: 'x', size: file.length } }, { reason: 'sha256', expected: 'x' }],
];
for (const [what, options, refusal] of refusals) {
  test(`refused: ${what}`, async (t) => {
    const error = await leavesNothing(t, inPieces(file), options);
    t.true(error instanceof TransferRefused);
    t.like(error, refusal);
  });
}

test('refused: nothing has come', async (t) => {
  t.like(await leavesNothing(t, Readable.from([])), { reason: 'empty', found: 0 });
  t.like(await leavesNothing(t, Readable.from([]), { expect: { size: 0 } }), { reason: 'empty' });
});

test('more than may come is not even read', async (t) => {
  let read = 0;
  const endless = new Readable({
    read() {
      read += 1;
      this.push(Buffer.alloc(16_384));
    },
  });
  t.like(await leavesNothing(t, endless, { limit: 100_000 }), { reason: 'too-big' });
  t.true(read < 40);
  t.true(endless.destroyed);
});

test('a source that fails is heard in its own words', async (t) => {
  const stream = new Readable({ read() {} });
  stream.push(file);
  const failing = leavesNothing(t, stream);
  const failure = new Error('connection reset');
  stream.destroy(failure);
  t.is(await failing, failure);

  const generator = async function* () {
    yield file;
    throw failure;
  };
  t.is(await leavesNothing(t, generator()), failure);
});

test('a source that breaks off is not a whole one', async (t) => {
  const source = new PassThrough();
  source.write(file);
  const failing = leavesNothing(t, source);
  await once(source, 'resume');
  source.destroy();
  t.like(await failing, { code: 'ERR_STREAM_PREMATURE_CLOSE' });
});

test('a stage that fails is heard in its own words', async (t) => {
  t.like(await leavesNothing(t, inPieces(file), { through: [createGunzip()] }), { code: 'Z_DATA_ERROR' });
});

test('a store that fails on write or commit is down', async (t) => {
  for (const broken of [{ write: true }, { commit: true }]) {
    const blobs = await openMemoryBlobs();
    const staged = breaking(await blobs.stage(), broken);
    const source = inPieces(file);
    await t.throwsAsync(transfer(source, staged), { instanceOf: StorageDown, message: /disk full/ });
    t.deepEqual(await listed(blobs), []);
    t.true(source.destroyed);
  }
});

test('the first error is told, even if discarding fails as well', async (t) => {
  const blobs = await openMemoryBlobs();
  const staged = breaking(await blobs.stage(), { discard: true });
  await t.throwsAsync(transfer(Readable.from([]), staged), { instanceOf: TransferRefused });
});

test('aborted before, between and behind the first bytes', async (t) => {
  const reason = new Error('cancelled');
  const early = inPieces(file);
  t.like(await leavesNothing(t, early, { signal: AbortSignal.abort(reason) }), { name: 'AbortError', cause: reason });
  t.true(early.destroyed);

  const silent = new Readable({ read() {} });
  const before = new AbortController();
  const waiting = leavesNothing(t, silent, { signal: before.signal });
  before.abort(reason);
  t.like(await waiting, { name: 'AbortError', cause: reason });
  t.true(silent.destroyed);

  const stalled = new Readable({ read() {} });
  stalled.push(file);
  const behind = new AbortController();
  const options = { signal: behind.signal, report: () => behind.abort(reason) };
  t.like(await leavesNothing(t, stalled, options), { name: 'AbortError', cause: reason });
});

test('an iterable that hangs can be given up', async (t) => {
  const controller = new AbortController();
  const hanging = async function* () {
    yield file;
    await new Promise(() => {});
  };
  const options = { signal: controller.signal, report: () => controller.abort() };
  t.like(await leavesNothing(t, hanging(), options), { name: 'AbortError' });
});

test('an iterable is ended when it is not read to its end', async (t) => {
  let ended = false;
  const source = async function* () {
    try {
      for (;;) yield Buffer.alloc(1000);
    } finally {
      ended = true;
    }
  };
  t.like(await leavesNothing(t, source(), { limit: 10_000 }), { reason: 'too-big' });
  t.true(ended);
});

/** The error with which it fails. */
async function leavesNothing(
  t: ExecutionContext,
  source: Readable | AsyncIterable<Uint8Array>,
  options?: TransferOptions,
): Promise<unknown> {
  const blobs: BlobStore = await openMemoryBlobs();
  const staged = await blobs.stage();
  const error = await t.throwsAsync(transfer(source, staged, options), { any: true });
  t.deepEqual(await listed(blobs), []);
  t.is(await blobs.stat(staged.key), undefined);
  return error;
}

function breaking(staged: StagedBlob, broken: { write?: boolean; commit?: boolean; discard?: boolean }): StagedBlob {
  const down = () => new StorageDown('writing', new Error('disk full'));
  return {
    key: staged.key,
    writable: broken.write ? new Writable({ write: (_chunk, _encoding, done) => done(down()) }) : staged.writable,
    commit: async () => {
      if (broken.commit) throw down();
      await staged.commit();
    },
    discard: async () => {
      if (broken.discard) throw down();
      await staged.discard();
    },
    suspend: () => staged.suspend(),
  };
}

function inPieces(bytes: Buffer): Readable {
  const pieces = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, n) =>
    bytes.subarray(n * 65_536, (n + 1) * 65_536),
  );
  return Readable.from(pieces, { objectMode: false });
}
