import anyTest, { type ExecutionContext } from 'ava';
import { startCluster } from '../support/cluster.js';
import type { Daemon } from '../support/daemon.js';
import { isMet } from '../support/needs.js';
import { type Cable, ownNetwork } from '../support/own-network.js';
import { sample } from '../support/server.js';

const needs = ['postgresql, to keep records', 'ceph, to keep bytes', 'network namespaces, to cut a link'] as const;
const need = needs.find((each) => !isMet[each]);
const test = need ? anyTest.skip : anyTest.serial;
const why = need ? ` (${need})` : '';

/** In seconds: long enough for a machine that others keep busy, too. */
const LEASE = 15;

interface Apart {
  /** Here, beside the engines. */
  near: Daemon;
  /** In a network of its own. */
  far: Daemon;
  /** Between that and the engines. */
  database: Cable;
  store: Cable;
}

async function apart(t: ExecutionContext): Promise<Apart> {
  t.timeout(300_000);
  const [clients, database, store] = [0, 1, 2];
  const network = ownNetwork(t, 3);
  const cable = (n: number) => network.cables[n]!;
  const cluster = await startCluster(t, { lease: LEASE, daemons: 1 });
  const portOf = (address: string) => Number(new URL(address).port);
  const there = (url: string, host: string) => url.replace(/(:\/\/(?:[^@/]*@)?)[^/]+/, `$1${host}`);
  const config = {
    address: cable(clients).inside,
    database: there(cluster.database, await cable(database).lead(portOf(cluster.database))),
    storeEndpoint: there(cluster.store.endpoint, await cable(store).lead(portOf(cluster.store.endpoint))),
  };
  const far = await cluster.start(1, { config, process: { through: network.through } });
  await network.reach(far.port);
  return { near: cluster.daemons[0]!, far, database: cable(database), store: cable(store) };
}

const create = async (daemon: Daemon) => daemon.ask('POST', '/images', { body: sample('dc') });

/** The same once the daemon is in touch: where a machine is too busy for a lease, it is out of it for a moment. */
const created = async (daemon: Daemon) =>
  until(
    () => create(daemon),
    ({ status }) => status === 200,
  );

const show = async (daemon: Daemon, uuid: unknown) => daemon.ask('GET', `/images/${uuid}`, { as: 'admin' });

const members = async (daemon: Daemon) =>
  ((await daemon.ask('GET', '/api/member', { as: 'admin' })).json.result as unknown[]).length;

/** Asks until it is so. */
async function until<T>(ask: () => Promise<T>, isSo: (found: T) => boolean): Promise<T> {
  for (const end = performance.now() + 90_000; ; ) {
    const found = await ask();
    if (isSo(found)) return found;
    if (performance.now() > end) throw new Error(`it has not become so: ${JSON.stringify(found)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test(`a daemon that is cut off from the database says so, never what is old, and returns by itself${why}`, async (t) => {
  const { near, far, database } = await apart(t);
  const before = (await created(far)).json.uuid;
  t.is((await show(near, before)).status, 200);

  database.cut();
  // while it may still answer by itself, nobody else is told that a write is done that it has not seen
  const written = await create(near);
  t.is(written.status, 200);
  const meanwhile = await show(far, written.json.uuid);
  t.is(meanwhile.status, 503, 'it was given up, and knows it');
  t.regex(`${meanwhile.headers['retry-after']}`, /^\d+$/);
  t.is((await far.ask('GET', '/healthz')).status, 200);
  const ready = await far.ask('GET', '/readyz');
  t.deepEqual([ready.status, { ...ready.json }.reasons], [
    503,
    { touch: 'this daemon has lost touch with the database' },
  ] as never);
  t.is((await create(far)).status, 503);
  t.is(await members(near), 1);

  database.mend();
  await until(
    () => far.ask('GET', '/readyz'),
    ({ status }) => status === 200,
  );
  for (const uuid of [before, written.json.uuid]) t.is((await show(far, uuid)).status, 200);
  const after = await created(far);
  t.is((await show(near, after.json.uuid)).status, 200);
  t.is(await members(near), 2);
});

test(`a daemon that is cut off from the store goes on with records, and has bytes again by itself${why}`, async (t) => {
  const { near, far, store } = await apart(t);
  const { uuid } = (await created(near)).json;
  const path = `/images/${uuid}`;
  t.is((await near.ask('PUT', `${path}/file?compression=none`, { body: 'the bytes' })).status, 200);
  t.is((await near.ask('POST', `${path}?action=activate`)).status, 200);
  t.is((await far.ask('GET', `${path}/file`)).bytes.toString(), 'the bytes');

  store.cut();
  t.is((await far.ask('GET', path)).status, 200);
  t.is((await far.ask('POST', `${path}?action=update`, { body: { description: 'meanwhile' } })).status, 200);
  t.is((await near.ask('GET', path)).json.description, 'meanwhile');
  t.is((await near.ask('GET', `${path}/file`)).bytes.toString(), 'the bytes');
  const [file, other] = [await far.ask('GET', `${path}/file`), (await create(far)).json];
  t.is(file.status, 503);
  t.is(file.headers['retry-after'], '5');
  const put = await far.ask('PUT', `/images/${other.uuid}/file?compression=none`, { body: 'more bytes' });
  t.is(put.status, 503);
  t.deepEqual({ ...(await show(near, other.uuid)).json }.files ?? [], []);
  const ready = await until(
    () => far.ask('GET', '/readyz'),
    ({ json }) => ({ ...json }).remarks !== undefined,
  );
  t.is(ready.status, 200, 'the others would be no better');

  store.mend();
  const served = await until(
    () => far.ask('GET', `${path}/file`),
    ({ status }) => status === 200,
  );
  t.is(served.bytes.toString(), 'the bytes');
  const again = await far.ask('PUT', `/images/${other.uuid}/file?compression=none`, { body: 'more bytes' });
  t.is(again.status, 200);
});
