import anyTest from 'ava';
import { startCluster } from '../support/cluster.js';
import { isMet } from '../support/needs.js';
import { sample } from '../support/server.js';

const need = (['postgresql, to keep records', 'ceph, to keep bytes'] as const).find((each) => !isMet[each]);
const test = need ? anyTest.skip : anyTest;
const why = need ? ` (${need})` : '';

test(`what is done at one daemon is there at the other, and outlives both${why}`, async (t) => {
  const cluster = await startCluster(t);
  const [a, b] = cluster.daemons;
  const { json: image } = await a!.ask('POST', '/images', { body: sample('dc') });
  const path = `/images/${image.uuid}`;
  t.is((await b!.ask('GET', path, { as: 'admin' })).json.state, 'unactivated');
  t.is((await b!.ask('PUT', `${path}/file?compression=none`, { body: 'the bytes' })).status, 200);
  t.is((await a!.ask('POST', `${path}?action=activate`)).json.state, 'active');
  t.is((await b!.ask('GET', '/images')).list.length, 1);
  t.is((await a!.ask('GET', `${path}/file`)).bytes.toString(), 'the bytes');

  t.is((await a!.kill('SIGTERM')).code, 0);
  t.is((await b!.ask('POST', `${path}?action=update`, { body: { description: 'alone' } })).status, 200);
  t.is((await b!.kill('SIGTERM')).code, 0);
  const again = await cluster.start(0);
  t.is((await again.ask('GET', path)).json.description, 'alone');
  t.is((await again.ask('GET', `${path}/file`)).bytes.toString(), 'the bytes');
});

test(`after one daemon has died, the other one still writes${why}`, async (t) => {
  const { daemons } = await startCluster(t, { lease: 10 });
  const [a, b] = daemons;
  await a!.kill('SIGKILL');
  const { status } = await b!.ask('POST', '/images', { body: sample('dc') });
  t.is(status, 200);
  t.is((await b!.ask('GET', '/images?state=all', { as: 'admin' })).list.length, 1);
});
