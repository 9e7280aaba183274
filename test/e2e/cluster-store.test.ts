import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import anyTest, { type ExecutionContext } from 'ava';
import { startOwnCeph } from '../support/ceph.js';
import { cli } from '../support/cli.js';
import { type ClusterOptions, startCluster } from '../support/cluster.js';
import type { Daemon } from '../support/daemon.js';
import { type FailingStore, type Fault, startFailingStore } from '../support/failing-store.js';
import { isMet } from '../support/needs.js';
import { sample } from '../support/server.js';

const need = (['postgresql, to keep records', 'ceph, to keep bytes'] as const).find((each) => !isMet[each]);
const test = need ? anyTest.skip : anyTest.serial;
const why = need ? ` (${need})` : '';

const MIB = 1 << 20;
const BYTES = randomBytes(9 * MIB);

/** Two daemons, and what stands between each of them and the store. */
async function harmed(t: ExecutionContext, options: ClusterOptions = {}) {
  t.timeout(300_000);
  const ways: FailingStore[] = [];
  const cluster = await startCluster(t, {
    lease: 10,
    between: async (place, engine, port) => {
      if (engine === 'database') return port;
      ways[place] ??= await startFailingStore(t, `http://127.0.0.1:${port}`);
      return Number(new URL(ways[place].url).port);
    },
    ...options,
  });
  const [a, b] = cluster.daemons as [Daemon, Daemon];
  const fail = (fault: (n: number, what: string) => Fault | undefined) => {
    for (const way of ways) {
      way.requests.length = 0;
      way.fault = ({ before, method, path }) => fault(before, `${method} ${path}`);
    }
  };
  return { ...cluster, a, b, fail };
}

async function withFile(daemon: Daemon, bytes = BYTES): Promise<string> {
  const { json } = await daemon.ask('POST', '/images', { body: sample('dc') });
  await put(daemon, json.uuid, bytes);
  await daemon.ask('POST', `/images/${json.uuid}?action=activate`);
  return `/images/${json.uuid}/file`;
}

const put = (daemon: Daemon, uuid: string, bytes: Buffer) =>
  daemon.ask('PUT', `/images/${uuid}/file?compression=none`, { body: bytes });

const AWAY: Fault = { status: 503, code: 'SlowDown' };

test(`while the store is away, what can be answered is, and all returns by itself${why}`, async (t) => {
  const { a, b, fail } = await harmed(t);
  const path = await withFile(a);
  const { json: waiting } = await a.ask('POST', '/images', { body: sample('dc') });
  for (const fault of [AWAY, 'reset'] as const) {
    fail(() => fault);
    for (const daemon of [a, b]) {
      t.is((await daemon.ask('GET', path.replace('/file', ''))).status, 200);
      t.is((await daemon.ask('GET', '/images')).status, 200);
      const answers = [await daemon.ask('GET', path), await put(daemon, waiting.uuid, BYTES)];
      for (const { status, headers } of answers) t.deepEqual([status, typeof headers['retry-after']], [503, 'string']);
      t.is((await daemon.ask('POST', '/images', { body: sample('dc') })).status, 200, 'records are not there');
    }
    fail(() => undefined);
    for (const daemon of [a, b]) t.true((await daemon.ask('GET', path)).bytes.equals(BYTES));
  }
  t.is((await put(b, waiting.uuid, BYTES)).status, 200);
  t.true((await a.ask('POST', `/images/${waiting.uuid}?action=activate`)).status === 200);
  t.true((await a.ask('GET', `/images/${waiting.uuid}/file`)).bytes.equals(BYTES));
});

/** Uploads and downloads at both, until as many as these have gone well. */
async function load(t: ExecutionContext, daemons: readonly Daemon[], rounds: number): Promise<void> {
  const workers = daemons.flatMap((daemon, n) => [
    async () => {
      const other = daemons[1 - n]!;
      for (let round = 0; round < rounds; round += 1) {
        const bytes = randomBytes(MIB + round);
        const path = await withFile(daemon, bytes);
        const { status, bytes: found } = await other.ask('GET', path);
        t.is(status, 200);
        t.true(found.equals(bytes));
      }
    },
  ]);
  await Promise.all(workers.map((work) => work()));
}

test(`requests that the store fails now and then are not noticed${why}`, async (t) => {
  const { a, b, fail } = await harmed(t);
  const faults: Fault[] = [{ status: 500, code: 'InternalError' }, AWAY, 'reset', { cutAfter: 200_000 }];
  // where others come between, one and the same might be met each time that it is tried
  const met = new Map<string, number>();
  fail((n, what) => {
    const times = met.get(what) ?? 0;
    if (n % 5 !== 4 || times === 2) return undefined;
    met.set(what, times + 1);
    return faults[Math.floor(n / 5) % faults.length];
  });
  await load(t, [a, b], 6);
  const path = await withFile(a);
  t.true((await b.ask('GET', path)).bytes.equals(BYTES));
});

test(`an OSD that is killed under load fails nobody${why}`, async (t) => {
  t.timeout(300_000);
  const ceph = await startOwnCeph(t);
  const { a, b } = await harmed(t, { ceph });
  const path = await withFile(a);
  const loading = load(t, [a, b], 12);
  await load(t, [a, b], 3);
  await ceph.killOsd(1);
  await loading;
  t.true((await b.ask('GET', path)).bytes.equals(BYTES));
});

test(`the command line downloads from the store itself, and verifies what it gets${why}`, async (t) => {
  const { a, token, store } = await startCluster(t).then((cluster) => ({ ...cluster, a: cluster.daemons[0]! }));
  const path = await withFile(a);
  const answer = await a.ask('GET', `${path}?redirect=1`);
  t.is(answer.status, 302);
  t.true(answer.headers.location?.startsWith(store.endpoint));
  t.false(JSON.stringify(answer.headers).includes(token));
  const { home, run } = await cli(t, { SLIPWAY_URL: a.url, SLIPWAY_TOKEN: token });
  const { code, stderr } = await run(['download', path.split('/')[2]!, '--redirect', '-O', 'fetched']);
  t.is(code, 0, stderr);
  const found = await readFile(join(home, 'fetched'));
  t.is(createHash('sha1').update(found).digest('hex'), createHash('sha1').update(BYTES).digest('hex'));
});
