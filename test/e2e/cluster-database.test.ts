import { isDeepStrictEqual } from 'node:util';
import anyTest, { type ExecutionContext } from 'ava';
import { until } from '../support/catalogs.js';
import { type Cluster, startCluster } from '../support/cluster.js';
import type { Daemon } from '../support/daemon.js';
import { type FailingProxy, startProxy } from '../support/failing-proxy.js';
import { isMet } from '../support/needs.js';
import { type OwnPostgres, startOwnPostgres } from '../support/postgres.js';
import { sample } from '../support/server.js';

const need = (['postgresql, to keep records', 'ceph, to keep bytes'] as const).find((each) => !isMet[each]);
const test = need ? anyTest.skip : anyTest.serial;
const why = need ? ` (${need})` : '';

/** In seconds: short enough to wait for, and long enough for a machine that is busy. */
const lease = 15;

interface Harmed extends Cluster {
  a: Daemon;
  b: Daemon;
  /** The way of each to the database. */
  ways: FailingProxy[];
  /** Where these ways lead. */
  lead(to: OwnPostgres): void;
}

async function harmed(t: ExecutionContext, postgres: OwnPostgres): Promise<Harmed> {
  t.timeout(300_000);
  const ways: FailingProxy[] = [];
  let there = postgres;
  const cluster = await startCluster(t, {
    lease,
    postgres,
    between: async (place, engine, port) => {
      if (engine === 'store') return port;
      ways[place] ??= await startProxy(t, () => there.port);
      return ways[place].port;
    },
  });
  const [a, b] = cluster.daemons as [Daemon, Daemon];
  const lead = (to: OwnPostgres) => {
    there = to;
  };
  return { ...cluster, a, b, ways, lead };
}

/** Images are made at both all the time; what was acknowledged is kept, and whatever else is said is 503. */
function makeImages(t: ExecutionContext, daemons: Daemon[]) {
  const acknowledged: string[] = [];
  let isOver = false;
  const making = daemons.map(async (daemon) => {
    while (!isOver) {
      const { status, headers, json } = await daemon.ask('POST', '/images', { body: sample('dc') });
      if (status === 200) acknowledged.push(json.uuid);
      else t.deepEqual([status, typeof headers['retry-after']], [503, 'string'], JSON.stringify(json));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
  return {
    goOn: async () => {
      const before = acknowledged.length;
      await until(() => acknowledged.length > before + 6, 'images are made');
    },
    /** Nothing that was acknowledged is missing anywhere. */
    end: async () => {
      isOver = true;
      await Promise.all(making);
      await Promise.all(daemons.map((daemon) => answers(daemon)));
      const lists = await Promise.all(daemons.map((daemon) => idsAt(daemon)));
      for (const list of lists) {
        t.deepEqual(
          acknowledged.filter((id) => !list.includes(id)),
          [],
        );
      }
      // what nobody was told of may be at one a moment before it is at the other
      await until(async () => isDeepStrictEqual(await idsAt(daemons[0]!), await idsAt(daemons[1]!)), 'all is at both');
    },
  };
}

const statusOf = async (daemon: Daemon) => (await daemon.ask('GET', '/images?state=all', { as: 'admin' })).status;
const answers = (daemon: Daemon) => until(async () => (await statusOf(daemon)) === 200, 'it answers');

async function idsAt(daemon: Daemon): Promise<string[]> {
  const { list } = await daemon.ask('GET', '/images?state=all&limit=1000', { as: 'admin' });
  return list.map(({ uuid }) => uuid).sort();
}

test(`connections to the database are cut and reset, and it is restarted and killed${why}`, async (t) => {
  const postgres = await startOwnPostgres(t);
  const { a, b, ways } = await harmed(t, postgres);
  const { goOn, end } = makeImages(t, [a, b]);
  await goOn();
  for (const how of ['cut', 'reset'] as const) {
    for (const way of ways) {
      way[how]();
      await goOn();
    }
  }
  await postgres.restart();
  await goOn();
  await postgres.stop('SIGKILL');
  await postgres.start();
  await goOn();
  await end();
});

test(`the database is away: what can be read is, and all returns by itself${why}`, async (t) => {
  const postgres = await startOwnPostgres(t);
  const { a, b } = await harmed(t, postgres);
  const { json: image } = await a.ask('POST', '/images', { body: sample('dc') });
  const path = `/images/${image.uuid}`;
  const began = performance.now();
  await postgres.stop('SIGKILL');
  for (const daemon of [a, b]) {
    const answer = await daemon.ask('GET', path, { as: 'admin' });
    // well within the lease; where the machine has taken that long, there is nothing to be seen
    if (performance.now() - began < lease * 250) t.is(answer.status, 200);
    const { status, headers } = await daemon.ask('POST', '/images', { body: sample('dc') });
    t.is(status, 503);
    t.truthy(headers['retry-after']);
  }
  for (const daemon of [a, b]) {
    await until(async () => (await daemon.ask('GET', path, { as: 'admin' })).status === 503, 'it answers no more');
    const { headers } = await daemon.ask('GET', path, { as: 'admin' });
    t.truthy(headers['retry-after']);
    t.is((await daemon.ask('GET', '/ping')).status, 200);
    t.is((await daemon.ask('GET', '/healthz')).status, 200);
    t.is((await daemon.ask('GET', '/readyz')).status, 503);
  }
  await postgres.start();
  for (const daemon of [a, b]) {
    await answers(daemon);
    t.is((await daemon.ask('GET', path, { as: 'admin' })).status, 200);
  }
  const { json: other } = await b.ask('POST', '/images', { body: sample('dc') });
  t.is((await a.ask('GET', `/images/${other.uuid}`, { as: 'admin' })).status, 200);
});

test(`the way to the database is silent for one of them: the other goes on, and it comes back${why}`, async (t) => {
  const postgres = await startOwnPostgres(t);
  const { a, b, ways } = await harmed(t, postgres);
  ways[1]!.hold();
  const { status, json: image } = await a.ask('POST', '/images', { body: sample('dc') });
  t.is(status, 200, 'it is acknowledged when the lease of the other is over');
  const path = `/images/${image.uuid}`;
  t.is((await b.ask('GET', path, { as: 'admin' })).status, 503, 'it knows that it may have missed something');
  t.is((await b.ask('POST', '/images', { body: sample('dc') })).status, 503);
  ways[1]!.release();
  await answers(b);
  t.is((await b.ask('GET', path, { as: 'admin' })).status, 200);
  t.is((await b.ask('POST', `${path}?action=update`, { body: { description: 'from the other' } })).status, 200);
  t.is((await a.ask('GET', path, { as: 'admin' })).json.description, 'from the other');
});

test(`its synchronous copy takes over, and no image that was acknowledged is lost${why}`, async (t) => {
  const postgres = await startOwnPostgres(t);
  const cluster = await harmed(t, postgres);
  const copy = await postgres.copy();
  const { goOn, end } = makeImages(t, [cluster.a, cluster.b]);
  await goOn();
  await postgres.stop('SIGKILL');
  await copy.promote();
  cluster.lead(copy);
  await goOn();
  await end();
});
