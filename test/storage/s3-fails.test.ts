import { randomBytes } from 'node:crypto';
import { finished } from 'node:stream/promises';
import test, { type ExecutionContext } from 'ava';
import { openS3Blobs } from '../../storage/blobs/s3.js';
import type { BlobStore } from '../../storage/blobs.js';
import { StorageDown } from '../../storage/errors.js';
import { transfer } from '../../storage/transfer.js';
import { bytesOf, listed, store } from '../contracts/blobs.js';
import { needsCeph, startCeph } from '../support/ceph.js';
import { type FailingStore, type Fault, type Passing, startFailingStore } from '../support/failing-store.js';
import { gate } from '../support/gate.js';
import { isMet } from '../support/needs.js';
import { choiceIn } from '../support/s3-account.js';

const MIB = 1 << 20;

/** In front of a real store: what is done to requests, and what comes of it. */
function about(title: string, proof: (t: ExecutionContext, failing: Failing) => Promise<void>): void {
  const full = `a store that fails: ${title}`;
  // only who says nothing at all is given up: one that is slow, on a busy machine, is no failure that a test has made
  const patience = title.startsWith('silence') ? 8000 : 60_000;
  if (isMet[needsCeph]) test(full, async (t) => proof(t, await failing(t, patience)));
  else test.skip(`${full} (needs ${needsCeph})`, () => {});
}

interface Failing {
  blobs: BlobStore;
  proxy: FailingStore;
  /** The same without anything in between. */
  straight: BlobStore;
}

/** The first of those that are meant fail so often. */
function times(count: number, fault: Fault, meant: (passing: Passing) => boolean = () => true) {
  let left = count;
  return (passing: Passing): Fault | undefined => {
    if (left === 0 || !meant(passing)) return undefined;
    left -= 1;
    return fault;
  };
}

const isPart = ({ method, path }: Passing) => method === 'PUT' && path.includes('partNumber=');
const isRead = ({ method }: Passing) => method === 'GET';
const isCompletion = ({ method, path }: Passing) => method === 'POST' && path.includes('uploadId=');

const passing: Record<string, Fault> = {
  'a 500': { status: 500, code: 'InternalError' },
  'a 503 SlowDown': { status: 503, code: 'SlowDown' },
  silence: 'silence',
  'a connection that is reset': 'reset',
  'an answer that is lost': 'done, and cut',
};

for (const [what, fault] of Object.entries(passing)) {
  // whoever waits for what does not come waits no third time
  const count = fault === 'silence' ? 1 : 2;
  about(`${what}, now and then, is not noticed`, async (t, { blobs, proxy }) => {
    const bytes = randomBytes(100_000);
    proxy.fault = times(count, fault);
    const key = await store(blobs, bytes);
    proxy.fault = times(count, fault);
    t.true((await bytesOf(blobs, key))?.equals(bytes));
    proxy.fault = times(count, fault);
    t.is((await blobs.stat(key))?.size, bytes.length);
    proxy.fault = times(count, fault);
    t.deepEqual(await listed(blobs), [{ key, staged: false }]);
    proxy.fault = times(count, fault);
    await blobs.delete(key);
    t.is(await blobs.stat(key), undefined);
  });

  about(`${what}, now and then, of parts and of their end is not noticed`, async (t, { blobs, proxy, straight }) => {
    const bytes = randomBytes(17 * MIB);
    const [ofPart, ofEnd] = [times(count, fault, isPart), times(count, fault, isCompletion)];
    proxy.fault = (one) => ofPart(one) ?? ofEnd(one);
    const staged = await blobs.stage();
    await transfer(pieces(bytes), staged);
    t.true((await bytesOf(straight, staged.key))?.equals(bytes));
    t.deepEqual(await listed(straight), [{ key: staged.key, staged: false }]);
  });
}

for (const what of ['a 500', 'a 503 SlowDown', 'silence', 'a connection that is reset']) {
  about(`${what}, for ever, is told of, and nothing is left`, async (t, { blobs, proxy, straight }) => {
    const key = await store(blobs, randomBytes(1000));
    proxy.fault = () => passing[what];
    const began = performance.now();
    await t.throwsAsync(blobs.stat(key), { instanceOf: StorageDown });
    t.true(performance.now() - began < 60_000);
    await t.throwsAsync(blobs.read(key), { instanceOf: StorageDown });
    await t.throwsAsync(store(blobs, randomBytes(1000)), { instanceOf: StorageDown });
    await t.throwsAsync(blobs.check!(), { instanceOf: StorageDown });
    proxy.fault = () => undefined;
    t.deepEqual(await listed(straight), [{ key, staged: false }]);
    await blobs.check!();
    t.is((await blobs.stat(key))?.size, 1000);
  });
}

about('a reading that is cut is gone on with from the byte where it was', async (t, { blobs, proxy }) => {
  const bytes = randomBytes(5 * MIB);
  const key = await store(blobs, bytes);
  // of 5 MiB, so that there is something left to cut the second time
  for (const cutAfter of [1, 100_000, 2 * MIB]) {
    proxy.requests.length = 0;
    proxy.fault = times(2, { cutAfter }, isRead);
    t.true((await bytesOf(blobs, key))?.equals(bytes), `after ${cutAfter} bytes`);
    const asked = proxy.requests.map(({ headers }) => headers.range ?? '');
    t.is(asked.length, 3);
    t.regex(asked[2]!, /^bytes=\d+-5242879$/);
    t.truthy(proxy.requests[2]!.headers['if-match']);
  }
  proxy.fault = times(2, { cutAfter: 1000 }, isRead);
  const range = { start: 1_000_000, end: 2_999_999 };
  t.true((await bytesOf(blobs, key, range))?.equals(bytes.subarray(range.start, range.end + 1)));
});

about(
  'a reading that is cut, of a blob that is another by now, is not mixed',
  async (t, { blobs, proxy, straight }) => {
    const key = await store(blobs, randomBytes(5 * MIB));
    const reading = (await blobs.read(key, undefined))!;
    proxy.fault = times(1, 'reset', isRead);
    await straight.delete(key);
    const other = await straight.stage(key);
    await transfer(pieces(randomBytes(5 * MIB)), other);
    const cut = (await blobs.read(key, { start: 0, end: 5 * MIB - 1 }))!;
    proxy.fault = times(1, { cutAfter: 10 }, isRead);
    for (const chunks of [reading, cut]) for await (const chunk of chunks) t.true(chunk.length > 0);
    proxy.fault = times(1, { cutAfter: 100_000 }, isRead);
    const third = (await blobs.read(key))!;
    await straight.delete(key);
    const again = await straight.stage(key);
    await transfer(pieces(randomBytes(5 * MIB)), again);
    await t.throwsAsync(
      async () => {
        for await (const chunk of third) t.true(chunk.length > 0);
      },
      { instanceOf: StorageDown },
    );
  },
);

about('a part of what is there is not read from who sends the whole', async (t, { blobs, proxy }) => {
  const bytes = randomBytes(100_000);
  const key = await store(blobs, bytes);
  proxy.fault = (one) => (isRead(one) ? { status: 200, body: bytes } : undefined);
  await t.throwsAsync(blobs.read(key, { start: 1000, end: 1999 }), {
    instanceOf: StorageDown,
    message: /byte 1000 was asked for first, and 0 has come$/,
  });
  t.true((await bytesOf(blobs, key, { start: 0, end: 999 }))?.equals(bytes.subarray(0, 1000)));
  t.true((await bytesOf(blobs, key))?.equals(bytes));
});

about('a reading that is cut again and again without a byte fails', async (t, { blobs, proxy }) => {
  const key = await store(blobs, randomBytes(5 * MIB));
  proxy.fault = (one) => (isRead(one) ? { cutAfter: 0 } : undefined);
  proxy.fault = times(100, { cutAfter: 0 }, isRead);
  await t.throwsAsync(bytesOf(blobs, key), { instanceOf: StorageDown });
});

about('what was being written when it was suspended stays', async (t, { blobs, proxy, straight }) => {
  const bytes = randomBytes(24 * MIB + 1);
  const { opened: twoAreSent, open } = gate();
  proxy.fault = () => {
    if (proxy.requests.filter(isPart).length === 2) open();
    return undefined;
  };
  const staged = await blobs.stage();
  staged.writable.write(bytes);
  await twoAreSent;
  await staged.suspend();
  const resumed = (await straight.resume(staged.key))!;
  t.is(resumed.kept, bytes.length);
  t.is((await transfer(resumed.read(), resumed)).size, bytes.length);
  t.true((await bytesOf(straight, staged.key))?.equals(bytes));
});

about('what could not be committed is not kept in memory', async (t, { blobs, proxy }) => {
  proxy.fault = ({ method }) => (method === 'PUT' ? { status: 403, code: 'AccessDenied' } : undefined);
  const staged = await blobs.stage();
  staged.writable.end(randomBytes(1000));
  await finished(staged.writable, { cleanup: true });
  t.deepEqual(await listed(blobs), [{ key: staged.key, staged: true }]);
  await t.throwsAsync(staged.commit(), { instanceOf: StorageDown });
  t.deepEqual(await listed(blobs), []);
});

for (const status of [400, 403]) {
  about(
    `a part that is refused with ${status} fails at once, and leaves nothing`,
    async (t, { blobs, proxy, straight }) => {
      proxy.fault = (one) =>
        isPart(one) ? { status, code: status === 400 ? 'BadDigest' : 'AccessDenied' } : undefined;
      const staged = await blobs.stage();
      const error = await t.throwsAsync(transfer(pieces(randomBytes(30 * MIB)), staged), { instanceOf: StorageDown });
      t.regex(error.message, status === 400 ? /BadDigest/ : /does not accept our credentials: AccessDenied/);
      const tried = new Map<string, number>();
      for (const { path } of proxy.requests.filter(isPart)) tried.set(path, (tried.get(path) ?? 0) + 1);
      t.deepEqual([...new Set(tried.values())], [1]);
      t.deepEqual(await listed(straight), []);
      t.is(await blobs.stat(staged.key), undefined);
    },
  );
}

async function failing(t: ExecutionContext, answer: number): Promise<Failing> {
  const ceph = await startCeph();
  const choice = choiceIn(ceph, await ceph.newBucket());
  const proxy = await startFailingStore(t, ceph.endpoint);
  const patience = { pauses: [20, 50, 100], answer, idle: answer };
  const blobs = await openS3Blobs({ ...choice, endpoint: proxy.url, patience });
  const straight = await openS3Blobs(choice);
  t.teardown(() => Promise.all([blobs.close(), straight.close()]));
  return { blobs, proxy, straight };
}

async function* pieces(bytes: Buffer, size = 300_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
