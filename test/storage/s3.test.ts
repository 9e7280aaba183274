import { createHash, randomBytes } from 'node:crypto';
import type { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { ListMultipartUploadsCommand, ListObjectsV2Command, ListPartsCommand } from '@aws-sdk/client-s3';
import test, { type ExecutionContext } from 'ava';
import { append } from '../../storage/append.js';
import { openS3Blobs, type S3Choice } from '../../storage/blobs/s3.js';
import { InUse, StorageDown } from '../../storage/errors.js';
import { transfer } from '../../storage/transfer.js';
import { blobsContract, bytesOf, listed, store } from '../contracts/blobs.js';
import { type Ceph, needsCeph, startCeph } from '../support/ceph.js';
import { startFailingStore } from '../support/failing-store.js';
import { isMet } from '../support/needs.js';
import { choiceIn, s3ClientOf } from '../support/s3-account.js';

if (isMet[needsCeph]) {
  blobsContract('s3 on ceph', async () => {
    const blobs = await openS3Blobs(await choice());
    return { blobs, close: () => blobs.close() };
  });
} else {
  test.skip(`s3 on ceph: the contract of blobs (needs ${needsCeph})`, () => {});
}

async function choice(): Promise<S3Choice> {
  const ceph: Ceph = await startCeph();
  return choiceIn(ceph, await ceph.newBucket());
}

const MIB = 1 << 20;
const onCeph = isMet[needsCeph] ? test : test.skip;
const about = (title: string) =>
  isMet[needsCeph] ? `s3 on ceph: ${title}` : `s3 on ceph: ${title} (needs ${needsCeph})`;

onCeph(about('a large blob goes in parts, and is one object'), async (t) => {
  const { blobs, client, names } = await opened(t);
  const bytes = randomBytes(21 * MIB + 5);
  const staged = await blobs.stage();
  const { sha1 } = await transfer(pieces(bytes), staged);
  t.is(sha1, createHash('sha1').update(bytes).digest('hex'));
  t.is((await blobs.stat(staged.key))?.size, bytes.length);
  t.deepEqual(await names(), [`images/blobs/${staged.key}`, 'images/slipway.json']);
  for (const range of [undefined, { start: 8 * MIB - 3, end: 16 * MIB + 3 }]) {
    const expected = bytes.subarray(range?.start ?? 0, range ? range.end + 1 : bytes.length);
    t.true((await bytesOf(blobs, staged.key, range))?.equals(expected));
  }
  t.deepEqual(await begunIn(client), []);
});

onCeph(about('what another daemon was killed over is staged; it is gone on with, or swept'), async (t) => {
  const { blobs, again, client, names } = await opened(t);
  const bytes = randomBytes(30 * MIB);
  const [kept, left] = [await blobs.stage(), await blobs.stage()];
  for (const staged of [kept, left]) await written(staged.writable, bytes.subarray(0, 20 * MIB));
  await until(async () => (await partsIn(client)) === 4);
  const after = await again();
  const keys = [kept.key, left.key].sort();
  t.deepEqual(
    await listed(after),
    keys.map((key) => ({ key, staged: true })),
  );
  for (const key of keys) t.is(await after.stat(key), undefined);

  const resumed = (await after.resume(kept.key))!;
  t.is(resumed.kept, 16 * MIB);
  t.is(await after.stat(kept.key), undefined);
  const { size } = await transfer(both(resumed.read(), bytes.subarray(16 * MIB)), resumed);
  t.is(size, bytes.length);
  t.true((await bytesOf(after, kept.key))?.equals(bytes));
  await after.delete(left.key);
  t.deepEqual(await listed(after), [{ key: kept.key, staged: false }]);
  t.deepEqual(await begunIn(client), []);
  t.deepEqual(await names(), [`images/blobs/${kept.key}`, 'images/slipway.json']);
});

onCeph(about('an upload of parts is gone on with by one daemon after another'), async (t) => {
  const { blobs, again, names } = await opened(t);
  const bytes = randomBytes(25 * MIB);
  const staged = await blobs.stage();
  await staged.suspend();
  const { key } = staged;
  const steps = [0, 1, 9 * MIB, 9 * MIB + 100, 20 * MIB, 25 * MIB];
  for (const [n, start] of steps.slice(0, -1).entries()) {
    const resumed = (await (await again()).resume(key))!;
    t.is(resumed.kept, start);
    await append(pieces(bytes.subarray(start, steps[n + 1])), resumed, { most: bytes.length });
  }
  const last = await again();
  const whole = (await last.resume(key))!;
  t.is(whole.kept, bytes.length);
  t.is((await transfer(whole.read(), whole)).size, bytes.length);
  t.true((await bytesOf(last, key))?.equals(bytes));
  t.deepEqual(await names(), [`images/blobs/${key}`, 'images/slipway.json']);
});

onCeph(about('whoever has the address reads the blob'), async (t) => {
  const { blobs } = await opened(t);
  const key = await store(blobs, Buffer.from('signed'));
  const address = await blobs.presign!(key, { filename: 'a "file".img', seconds: 60 });
  const answer = await fetch(address);
  t.is(await answer.text(), 'signed');
  t.is(answer.headers.get('content-disposition'), 'attachment; filename="a__file_.img"');
  t.true(Number(new URL(address).searchParams.get('X-Amz-Expires')) <= 60);
  t.is((await fetch(address.replace(/Signature=\w{4}/, 'Signature=0000'))).status, 403);
});

onCeph(about('a place that belongs to others is left alone'), async (t) => {
  const { choice } = await opened(t);
  await t.throwsAsync(openS3Blobs({ ...choice, owner: 'others' }), {
    instanceOf: InUse,
    message: /belongs to another server, "tests" and not "others"/,
  });
  const beside = await openS3Blobs({ ...choice, prefix: 'other', owner: 'others' });
  t.deepEqual(await listed(beside), []);
  await beside.close();
});

onCeph(about('credentials that are not accepted are told of, and not tried again'), async (t) => {
  const { choice } = await opened(t);
  const credentials = { ...choice.credentials!, secretAccessKey: 'wrong' };
  const error = await t.throwsAsync(openS3Blobs({ ...choice, credentials }), { instanceOf: StorageDown });
  t.regex(error.message, /does not accept our credentials: SignatureDoesNotMatch/);
  await t.throwsAsync(openS3Blobs({ ...choice, bucket: 'nowhere' }), {
    instanceOf: StorageDown,
    message: /NoSuchBucket/,
  });
});

onCeph(about('storage class and encryption are asked for'), async (t) => {
  const { choice } = await opened(t);
  const asked: string[] = [];
  const proxy = await startFailingStore(t, choice.endpoint!, ({ method, headers }) => {
    const { 'x-amz-storage-class': storage, 'x-amz-server-side-encryption': encryption } = headers;
    if (method === 'PUT' || method === 'POST') asked.push(`${storage} ${encryption}`);
    return encryption === undefined ? undefined : { status: 200, headers: { etag: '"0"' } };
  });
  const blobs = await openS3Blobs({ ...choice, endpoint: proxy.url, storageClass: 'STANDARD', encryption: 'AES256' });
  t.teardown(() => blobs.close());
  await store(blobs, Buffer.from('sealed'));
  t.deepEqual(asked, ['STANDARD AES256']);
});

async function opened(t: ExecutionContext) {
  const chosen = await choice();
  const client = s3ClientOf({ ...(await startCeph()) });
  t.teardown(() => client.destroy());
  const again = async () => {
    const blobs = await openS3Blobs(chosen);
    t.teardown(() => blobs.close());
    return blobs;
  };
  const { bucket: Bucket } = chosen;
  const names = async () => {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
    return Contents.map(({ Key }) => Key);
  };
  return { blobs: await again(), again, choice: chosen, names, client: { client, Bucket } };
}

interface InBucket {
  client: ReturnType<typeof s3ClientOf>;
  Bucket: string;
}

async function begunIn({ client, Bucket }: InBucket) {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
  return Uploads;
}

async function partsIn({ client, Bucket }: InBucket): Promise<number> {
  let count = 0;
  for (const { Key, UploadId } of await begunIn({ client, Bucket })) {
    const { Parts = [] } = await client.send(new ListPartsCommand({ Bucket, Key, UploadId }));
    count += Parts.length;
  }
  return count;
}

async function* pieces(bytes: Buffer, size = 300_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function* both(first: AsyncIterable<Uint8Array>, rest: Buffer): AsyncGenerator<Uint8Array> {
  yield* first;
  yield* pieces(rest);
}

async function written(writable: Writable, bytes: Buffer): Promise<void> {
  for await (const piece of pieces(bytes)) {
    await new Promise<void>((resolve, reject) => {
      writable.write(piece, (error) => (error ? reject(error) : resolve()));
    });
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('it does not come');
    await pause(20);
  }
}
