import test from 'ava';
import { openMemoryBlobs } from '../../storage/blobs/memory.js';
import { blobsContract, store } from '../contracts/blobs.js';
import { holdingsContract } from '../contracts/holdings.js';

const open = async () => {
  const blobs = await openMemoryBlobs();
  return { blobs, close: () => blobs.close() };
};

blobsContract('memory', open);
holdingsContract('memory', open);

test('memory: a chunk is spoilt when its time is over, so that whoever keeps it is found out', async (t) => {
  const blobs = await openMemoryBlobs();
  const key = await store(blobs, Buffer.alloc(40_000, 1));
  const kept: Uint8Array[] = [];
  for await (const chunk of (await blobs.read(key))!) kept.push(chunk);
  t.is(kept.length, 3);
  t.true(kept.every((chunk) => !chunk.includes(1)));
});
