import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { clients, mixedLoad } from '../../bench/load/mixed.js';
import { memoryOf } from '../../bench/measure/process.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { openHandles } from '../support/handles.js';
import { scraped } from '../support/scraped.js';

const SIZE = 8 << 20;
const ROUNDS = 6;

const needsLinux = process.platform === 'linux' ? test : test.skip;

needsLinux('mixed load leaves nothing behind: no handle, no upload, no error, no growth', async (t) => {
  const daemon = await startDaemon(t, { args: ['--blob-grace', '0'] });
  const pid = daemon.child.pid!;
  const open = (await openHandles(pid)).length;
  const uuids = await Promise.all([1, 2].map(() => addImage(daemon)));
  const on = { port: daemon.port, token: daemon.token, uuids, name: 'steady', size: SIZE };
  const unexpected: string[] = [];
  const done: Record<string, number> = {};
  const rounds = (most: number) =>
    mixedLoad(on, clients, async (_, round) => round < most, {
      took: (what) => {
        done[what] = (done[what] ?? 0) + 1;
      },
      failed: (what, error) => unexpected.push(`${what}: ${error.message}`),
    });

  await rounds(1); // workers and pools are there from now on
  const memory = await memoryOf(pid);
  await rounds(ROUNDS);
  daemon.close();
  await quiet(daemon, open);

  t.deepEqual(unexpected, []);
  for (const { what, atATime } of clients) t.is(done[what], atATime * (1 + ROUNDS), what);
  t.true((await memoryOf(pid)) < memory + 150, 'MiB');
  const listed = await daemon.ask('GET', '/images');
  t.deepEqual(listed.list.map(({ uuid }) => uuid).sort(), uuids.toSorted());
  t.is(scraped(await daemon.ask('GET', '/metrics', { as: 'admin' })).value('blobs_staged'), 0);

  const { code, stderr } = await daemon.kill('SIGTERM');
  t.is(code, 0);
  const levels = stderr.split('\n').flatMap((line) => /^\{"level":(\d+)/.exec(line)?.[1] ?? []);
  t.deepEqual(
    [...new Set(levels)],
    ['30'],
    stderr.split('\n').find((line) => /^\{"level":[456]/.test(line)),
  );
});

async function addImage({ ask }: Daemon): Promise<string> {
  const body = { name: 'steady', version: '1.0.0', type: 'other', os: 'other', public: true };
  const { uuid } = (await ask('POST', '/images', { body })).json;
  await ask('PUT', `/images/${uuid}/file?compression=none`, { body: randomBytes(SIZE) });
  await ask('POST', `/images/${uuid}?action=activate`);
  return uuid;
}

/** All that was cut has been thrown away, and no more is open than before; where that never comes, time runs out. */
async function quiet({ child, data }: Daemon, open: number): Promise<void> {
  const isBusy = async () =>
    (await openHandles(child.pid!)).length > open || (await readdir(join(data, 'files', 'tmp'))).length > 0;
  while (await isBusy());
}
