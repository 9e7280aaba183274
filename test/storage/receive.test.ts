import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { AnsweredBadly, Unreachable } from '../../imgapi/exchange-errors.js';
import { openMemoryBlobs } from '../../storage/blobs/memory.js';
import type { BlobStore } from '../../storage/blobs.js';
import { openMemoryCatalog } from '../../storage/catalog/leveldb.js';
import { publish } from '../../storage/holdings.js';
import { partials } from '../../storage/partials.js';
import { giveUp, receive, settle } from '../../storage/receive.js';
import type { Opened, RemoteFile } from '../../storage/sources.js';
import { bytesOf, listed } from '../contracts/blobs.js';
import { sharing } from '../support/members.js';

const bytes = randomBytes(400_000);
const sha1 = createHash('sha1').update(bytes).digest('hex');
const expect = { size: bytes.length, sha1 };
const pauses = [0, 0, 0];
const never = () => new AbortController().signal;
const holder = 'tasks/1';

async function stores(t: ExecutionContext) {
  const catalog = await openMemoryCatalog();
  t.teardown(() => catalog.close());
  return { catalog, blobs: await openMemoryBlobs() };
}

type Answer = (at: { from: number; mark?: string | undefined }) => Opened;

/** A source that answers one request after another as the list says, the last for ever; it notes what it was asked. */
function remote(...answers: Answer[]): RemoteFile & { asked: [number, string | undefined][] } {
  const asked: [number, string | undefined][] = [];
  return {
    what: 'the source',
    asked,
    open: async (at) => {
      const answer = answers[Math.min(asked.length, answers.length - 1)]!;
      asked.push([at.from, at.mark]);
      return answer(at);
    },
  };
}

async function* pieces(content: Buffer, then?: Error): AsyncGenerator<Buffer> {
  for (let at = 0; at < content.length; at += 50_000) yield content.subarray(at, at + 50_000);
  if (then) throw then;
}

const body = (content: Buffer, then?: Error) => Readable.from(pieces(content, then), { objectMode: false });
const whole: Answer = ({ from }) => ({ from, size: bytes.length, mark: '"1"', body: body(bytes.subarray(from)) });
const cut =
  (after: number): Answer =>
  ({ from }) => ({
    from,
    size: bytes.length,
    mark: '"1"',
    body: body(bytes.subarray(from, from + after), new Unreachable('the source failed: reset', {})),
  });

async function nothingLeft(t: ExecutionContext, { catalog, blobs }: Awaited<ReturnType<typeof stores>>) {
  t.deepEqual(await listed(blobs), []);
  t.is(await catalog.get(partials, holder), undefined);
}

test('a file comes whole, stays for its holder, and is settled with the write that publishes it', async (t) => {
  const own = await stores(t);
  const file = remote(whole);
  const received = await receive(own, holder, file, { expect, signal: never(), pauses });
  t.like(received.content, expect);
  t.true((await bytesOf(own.blobs, received.key))?.equals(bytes));
  t.is((await own.catalog.get(partials, holder))?.key, received.key);
  await publish(own, received, async (tx, hold) => {
    await hold('image');
    await settle(tx, holder);
  });
  t.is(await own.catalog.get(partials, holder), undefined);
  t.true((await bytesOf(own.blobs, received.key))?.equals(bytes));
});

test('cut connections are gone on with, for the very same content', async (t) => {
  const own = await stores(t);
  const file = remote(cut(100_000), cut(50_000), whole);
  t.like((await receive(own, holder, file, { expect, signal: never(), pauses })).content, expect);
  t.deepEqual(file.asked, [
    [0, undefined],
    [100_000, '"1"'],
    [150_000, '"1"'],
  ]);
});

test('an answer that ends too early without a word is a cut, too', async (t) => {
  const own = await stores(t);
  const early: Answer = () => ({ from: 0, size: bytes.length, body: body(bytes.subarray(0, 1000)) });
  const file = remote(early, whole);
  t.like((await receive(own, holder, file, { expect, signal: never(), pauses })).content, expect);
  t.deepEqual(
    file.asked.map(([from]) => from),
    [0, 1000],
  );
});

test('a server that may recover is asked again, one that refuses is not', async (t) => {
  const refusing =
    (status: number): Answer =>
    () => {
      throw new AnsweredBadly(status, `the source answered ${status}`, {});
    };
  const own = await stores(t);
  t.like(
    (await receive(own, holder, remote(refusing(503), whole), { expect, signal: never(), pauses })).content,
    expect,
  );
  await giveUp(own, holder);
  const gone = remote(refusing(404));
  await t.throwsAsync(receive(own, holder, gone, { expect, signal: never(), pauses }), { message: /404/ });
  t.is(gone.asked.length, 1);
  await giveUp(own, holder);
  await nothingLeft(t, own);
});

test('a source that only fails is given up after the last pause, and what came is kept', async (t) => {
  const own = await stores(t);
  const file = remote(cut(50_000), cut(0));
  await t.throwsAsync(receive(own, holder, file, { expect, signal: never(), pauses }), { message: /reset/ });
  t.is(file.asked.length, 1 + pauses.length);
  t.is((await listed(own.blobs)).length, 1);
  await giveUp(own, holder);
  await nothingLeft(t, own);
});

test('a source that is cut each time, and begins anew each time, is given up after the last pause', async (t) => {
  const own = await stores(t);
  const stubborn: Answer = () => cut(100_000)({ from: 0 });
  const file = remote(stubborn);
  await t.throwsAsync(receive(own, holder, file, { expect, signal: never(), pauses }), {
    instanceOf: Unreachable,
    message: /cut again and again/,
  });
  t.is(file.asked.length, 2 * (1 + pauses.length));
  await nothingLeft(t, own);
});

test('after an abort the next call goes on, and fetches what is missing only', async (t) => {
  const own = await stores(t);
  const stopping = new AbortController();
  const stopped: Answer = ({ from }) => ({
    from,
    size: bytes.length,
    mark: '"1"',
    body: Readable.from(
      (async function* () {
        yield* pieces(bytes.subarray(0, 200_000));
        stopping.abort(new Error('the server stops'));
        await new Promise(() => {});
      })(),
      { objectMode: false },
    ),
  });
  await t.throwsAsync(receive(own, holder, remote(stopped), { expect, signal: stopping.signal, pauses }));
  const file = remote(whole);
  t.like((await receive(own, holder, file, { expect, signal: never(), pauses })).content, expect);
  const [[from, mark] = []] = file.asked;
  t.is(mark, '"1"');
  t.true(from! > 0 && from! <= 200_000, `from ${from}`);
});

test('what was committed for nobody before a crash is not fetched again', async (t) => {
  const own = await stores(t);
  const { key } = await receive(own, holder, remote(whole), { expect, signal: never(), pauses });
  const file = remote(whole);
  const again = await receive(own, holder, file, { expect, signal: never(), pauses });
  t.is(again.key, key);
  t.deepEqual(file.asked, []);
  t.true((await bytesOf(own.blobs, key))?.equals(bytes));
});

test('where the source has another file by now, all is fetched anew', async (t) => {
  const own = await stores(t);
  const fresh: Answer = () => ({ from: 0, size: bytes.length, mark: '"2"', body: body(bytes) });
  const file = remote(cut(100_000), fresh);
  t.like((await receive(own, holder, file, { expect, signal: never(), pauses })).content, expect);
  t.deepEqual(
    file.asked.map(([from]) => from),
    [0, 100_000, 0],
  );
  t.is((await listed(own.blobs)).length, 1);
});

test('what was kept and does not fit is thrown away, and all is fetched anew', async (t) => {
  const own = await stores(t);
  const other = remote(({ from }) => ({
    from,
    size: bytes.length,
    body: body(randomBytes(100_000), new Unreachable('reset', {})),
  }));
  await t.throwsAsync(receive(own, holder, other, { expect, signal: never(), pauses: [] }));
  const file = remote(whole);
  t.like((await receive(own, holder, file, { expect, signal: never(), pauses })).content, expect);
  t.is(file.asked.length, 2);
});

test('without a promised digest nothing of an earlier start is trusted', async (t) => {
  const own = await stores(t);
  await t.throwsAsync(receive(own, holder, remote(cut(100_000)), { signal: never(), pauses: [] }));
  const file = remote(whole);
  t.like((await receive(own, holder, file, { signal: never(), pauses })).content, expect);
  t.deepEqual(file.asked, [[0, undefined]]);
});

const lies: [string, Answer, RegExp][] = [
  ['about its size', () => ({ from: 0, size: 17, body: body(bytes) }), /size is 17 where 400000 was expected/],
  ['too much', () => ({ from: 0, body: body(Buffer.concat([bytes, bytes])) }), /size is \d+ where 400000 was expected/],
  ['other bytes', () => ({ from: 0, body: body(randomBytes(bytes.length)) }), /sha1 is \w+ where/],
];
for (const [lie, answer, message] of lies) {
  test(`a source that sends a lie is told so and leaves nothing: ${lie}`, async (t) => {
    const own = await stores(t);
    await t.throwsAsync(receive(own, holder, remote(answer), { expect, signal: never(), pauses }), { message });
    await nothingLeft(t, own);
  });
}

test('a source that crawls has failed', async (t) => {
  const own = await stores(t);
  async function* drops() {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      yield Buffer.from('x');
    }
  }
  const file = remote(() => ({ from: 0, body: Readable.from(drops(), { objectMode: false }) }));
  const crawl = { bytes: 1000, within: 20 };
  await t.throwsAsync(receive(own, holder, file, { expect, signal: never(), pauses: [], crawl }), {
    message: /has sent only/,
  });
});

test('too much for the limit stops it at once', async (t) => {
  const own: { blobs: BlobStore } & Awaited<ReturnType<typeof stores>> = await stores(t);
  const endless = remote(() => ({
    from: 0,
    body: Readable.from(
      (function* () {
        for (;;) yield bytes;
      })(),
      { objectMode: false },
    ),
  }));
  await t.throwsAsync(receive(own, holder, endless, { limit: 1_000_000, signal: never(), pauses }), {
    message: /more than/,
  });
  await nothingLeft(t, own);
});

test('what another daemon has begun is gone on with, and read once more before it counts', async (t) => {
  const own = await stores(t);
  const [one, two] = sharing(own.catalog, ['one', 'two']).map(({ catalog }) => ({ ...own, catalog }));
  const failing = remote(cut(150_000), () => {
    throw new AnsweredBadly(404, 'it is gone', {});
  });
  await t.throwsAsync(receive(one!, holder, failing, { expect, signal: never(), pauses: [] }));
  t.is((await own.catalog.get(partials, holder))?.member, one!.catalog.members.self.id);

  let reads = 0;
  const blobs: BlobStore = watchedReads(own.blobs, () => {
    reads += 1;
    // What the first had still sent has come in between, once.
    return reads === 1 ? Buffer.alloc(bytes.length) : undefined;
  });
  const file = remote(whole);
  const received = await receive({ ...two!, blobs }, holder, file, { expect, signal: never(), pauses });
  t.true(file.asked[0]![0] > 0, 'it goes on where it was');
  t.is(file.asked.length, 2);
  t.is(reads, 1, 'what is begun anew is nobody else’s');
  t.true((await bytesOf(own.blobs, received.key))?.equals(bytes));
  t.is((await own.catalog.get(partials, holder))?.member, two!.catalog.members.self.id);
});

/** What is read of a store, or what is said instead. */
function watchedReads(blobs: BlobStore, instead: () => Buffer | undefined): BlobStore {
  return {
    stage: (key) => blobs.stage(key),
    resume: (key) => blobs.resume(key),
    stat: (key) => blobs.stat(key),
    read: async (key, range) => {
      const said = instead();
      return said ? pieces(said) : blobs.read(key, range);
    },
    delete: (key) => blobs.delete(key),
    list: () => blobs.list(),
    close: () => blobs.close(),
  };
}
