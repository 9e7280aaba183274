import { randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import anyTest from 'ava';
import { until } from '../support/catalogs.js';
import { startCluster } from '../support/cluster.js';
import { type FailingStore, startFailingStore } from '../support/failing-store.js';
import { isMet } from '../support/needs.js';
import { sample } from '../support/server.js';

const need = (['postgresql, to keep records', 'ceph, to keep bytes'] as const).find((each) => !isMet[each]);
const test = need ? anyTest.skip : anyTest.serial;
const why = need ? ` (${need})` : '';

test(`with a cache, files are read from the store once, and while it is away${why}`, async (t) => {
  t.timeout(300_000);
  const bytes = randomBytes((6 << 20) + 11);
  let store: FailingStore | undefined;
  const cluster = await startCluster(t, {
    daemons: 1,
    lease: 10,
    config: { storeCache: 64 << 20 },
    between: async (_, engine, port) => {
      if (engine === 'database') return port;
      store ??= await startFailingStore(t, `http://127.0.0.1:${port}`);
      return Number(new URL(store.url).port);
    },
  });
  const [a] = cluster.daemons;
  const { json } = await a!.ask('POST', '/images', { body: sample('dc') });
  const path = `/images/${json.uuid}/file`;
  await a!.ask('PUT', `${path}?compression=none`, { body: bytes });
  await a!.ask('POST', `/images/${json.uuid}?action=activate`);
  const whole = join(a!.data, 'cache', 'whole');
  const isRead = ({ method, path: name }: { method: string; path: string }) =>
    method === 'GET' && name.includes('/blobs/');

  const many = await Promise.all(Array.from({ length: 6 }, () => a!.ask('GET', path)));
  t.true(many.every((answer) => answer.bytes.equals(bytes)));
  t.is(store!.requests.filter(isRead).length, 1);
  await until(async () => (await readdir(whole)).length === 1, 'the file is in the cache');
  store!.fault = () => 'reset';
  t.true((await a!.ask('GET', path)).bytes.equals(bytes));
  const part = await a!.ask('GET', path, { headers: { range: 'bytes=5000000-' } });
  t.true(part.bytes.equals(bytes.subarray(5_000_000)));

  store!.fault = () => undefined;
  await a!.kill('SIGKILL');
  const [name = ''] = await readdir(whole);
  await writeFile(join(whole, name), randomBytes(bytes.length));
  const again = await cluster.start(0);
  t.true((await again.ask('GET', path)).bytes.equals(bytes), 'what was damaged on the disk is given to nobody');
});
