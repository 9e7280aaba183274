import anyTest from 'ava';
import { startCluster } from '../support/cluster.js';
import type { Daemon } from '../support/daemon.js';
import { isMet } from '../support/needs.js';
import { receiver } from '../support/receiver.js';
import { sample } from '../support/server.js';

const need = (['postgresql, to keep records', 'ceph, to keep bytes'] as const).find((each) => !isMet[each]);
const test = need ? anyTest.skip : anyTest;
const why = need ? ` (${need})` : '';

test(`a webhook hears of every change, in order, though whoever tells it is killed${why}`, async (t) => {
  t.timeout(300_000);
  const cluster = await startCluster(t, { lease: 10, config: { authType: 'none' } });
  const [a, b] = cluster.daemons as [Daemon, Daemon];
  const there = await receiver(t);
  const hook = { url: there.url, events: ['images.*'] };
  t.is((await a.ask('POST', '/api/webhook/hook', { as: 'admin', body: hook })).status, 201);
  const made: string[] = [];
  const make = async (daemon: Daemon) => {
    const { status, json } = await daemon.ask('POST', '/images', { body: sample('dc') });
    t.is(status, 200);
    made.push(String(json.uuid));
  };
  const heard = () => {
    const told = there.received.flatMap(({ json }) => json.events as { action: string; uuid: string }[]);
    return [...new Set(told.filter(({ action }) => action === 'created').map(({ uuid }) => uuid))];
  };
  for (let n = 0; n < 5; n += 1) await make(n % 2 === 0 ? a : b);
  await there.count(1);
  await a.kill('SIGKILL');
  for (let n = 0; n < 3; n += 1) await make(b);
  await cluster.start(0);
  await b.kill('SIGTERM');
  const [again] = cluster.daemons as [Daemon];
  await make(again);
  while (heard().length < made.length) await there.count(there.received.length + 1);
  t.deepEqual(heard(), made);
});
