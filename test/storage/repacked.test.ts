import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { packingOf } from '../../imgapi/packing.js';
import { repacked } from '../../storage/repacked.js';
import type { RemoteFile } from '../../storage/sources.js';
import { TransferRefused } from '../../storage/transfer.js';
import { isMet } from '../support/needs.js';

const provided = isMet.zstd ? test : test.skip;
const disk = Buffer.concat([randomBytes(1 << 20), Buffer.alloc(3 << 20)]);
const packed = isMet.zstd ? execFileSync('zstd', ['-c'], { input: disk, maxBuffer: 8 << 20 }) : Buffer.alloc(0);
const digest = (algorithm: string) => createHash(algorithm).update(packed).digest('hex');
const signal = () => new AbortController().signal;

const remote = (bytes: Buffer): RemoteFile => ({
  what: 'the source',
  open: async ({ from }) => ({ from, body: Readable.from([bytes.subarray(from)], { objectMode: false }) }),
});

provided('what comes packed with zstd goes on packed with gzip', async (t) => {
  const promised = { size: packed.length, sha1: digest('sha1'), sha256: digest('sha256') };
  const { from, body } = await repacked(remote(packed), promised).open({ from: 17 }, signal());
  const bytes = await buffer(body);
  t.is(from, 0);
  t.is(packingOf(bytes), 'gzip');
  t.true(gunzipSync(bytes).equals(disk));
});

provided('what was promised is held against the bytes as they come', async (t) => {
  for (const promised of [{ size: 17 }, { sha1: '0'.repeat(40) }, { sha256: '0'.repeat(64) }]) {
    const { body } = await repacked(remote(packed), promised).open({ from: 0 }, signal());
    await t.throwsAsync(buffer(body), { instanceOf: TransferRefused });
  }
});

provided('what is damaged, or cut short, is no file', async (t) => {
  for (const bytes of [packed.subarray(0, -1000), Buffer.concat([packed.subarray(0, 1000), randomBytes(5000)])]) {
    const { body } = await repacked(remote(bytes), {}).open({ from: 0 }, signal());
    await t.throwsAsync(buffer(body), { message: /damaged/ });
  }
});

provided('a source that breaks off is heard', async (t) => {
  const breaking: RemoteFile = {
    what: 'the source',
    open: async () => ({
      from: 0,
      body: Readable.from(
        (function* () {
          yield packed.subarray(0, 1000);
          throw new Error('reset');
        })(),
        { objectMode: false },
      ),
    }),
  };
  const { body } = await repacked(breaking, {}).open({ from: 0 }, signal());
  await t.throwsAsync(buffer(body), { message: 'reset' });
});
