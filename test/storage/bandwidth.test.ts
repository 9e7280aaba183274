import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import test from 'ava';
import { Bandwidth } from '../../storage/bandwidth.js';
import type { RemoteFile } from '../../storage/sources.js';

const file = (bytes: Buffer, body = () => Readable.from(pieces(bytes))): RemoteFile => ({
  what: 'a file',
  open: async () => ({ from: 0, size: bytes.length, body: body() }),
});

function* pieces(bytes: Buffer) {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}

const { signal } = new AbortController();

test('as many as there are where nothing is said', (t) => {
  const unlimited = file(Buffer.alloc(1));
  t.is(new Bandwidth(0).limited(unlimited), unlimited);
});

test('files that are fetched at the same time share what there is', async (t) => {
  const bandwidth = new Bandwidth(200_000);
  const bytes = Buffer.alloc(50_000, 'x');
  const begun = performance.now();
  const fetched = await Promise.all(
    [1, 2, 3].map(async () => {
      const { body, size } = await bandwidth.limited(file(bytes)).open({ from: 0 }, signal);
      t.is(size, bytes.length);
      return buffer(body);
    }),
  );
  for (const one of fetched) t.deepEqual(one, bytes);
  // 150000 bytes at 200000 a second, but for the slack at the beginning
  t.true(performance.now() - begun >= 450, `${performance.now() - begun} ms`);
});

test('a source that fails is told of, and one that nobody reads any more is closed', async (t) => {
  const bandwidth = new Bandwidth(1_000_000);
  const failing = file(Buffer.alloc(1), () =>
    Readable.from(
      (async function* () {
        yield Buffer.alloc(10);
        throw new Error('broken');
      })(),
    ),
  );
  const { body } = await bandwidth.limited(failing).open({ from: 0 }, signal);
  await t.throwsAsync(buffer(body), { message: 'broken' });

  const source = new Readable({ read: () => {} });
  const opened = await bandwidth.limited(file(Buffer.alloc(1), () => source)).open({ from: 0 }, signal);
  opened.body.on('error', () => {});
  const closed = new Promise((resolve) => source.once('close', resolve));
  opened.body.destroy();
  await closed;
  t.true(source.destroyed);
});

test('who cancels does not wait for its turn', async (t) => {
  const cancelling = new AbortController();
  const slow = await new Bandwidth(1).limited(file(Buffer.alloc(1000))).open({ from: 0 }, cancelling.signal);
  const reading = buffer(slow.body);
  cancelling.abort(new Error('cancelled'));
  await t.throwsAsync(reading);
});
