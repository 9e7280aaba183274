import test from 'ava';
import { hashToken, tokens } from '../../server/model/token.js';
import { userUuid } from '../../server/model/user.js';
import { addImage, type Fleet, resultOf, said, startFleet } from '../support/managed.js';
import type { Answer } from '../support/server.js';

interface Row {
  image: string;
  status: string;
  code: string | null;
  detail: string | null;
}

/** What the task has come to, once it has ended. */
async function rowsOf({ deps, root }: Fleet, started: Answer): Promise<Row[]> {
  const id = String(started.json.task_id);
  await deps.tasks.settled(id, AbortSignal.timeout(60_000));
  return resultOf<Row[]>(await root('GET', `/api/task/${id}/status`));
}

const told = (rows: Row[]) => rows.map(({ image, code }) => `${image} ${code ?? 'ok'}`);

test('too many at once are refused, and it is told how many are not', async (t) => {
  const fleet = await startFleet(t);
  const images = Array.from({ length: 1001 }, (_, n) => `image-${n}`);
  const refused = await fleet.eve('POST', '/api/bulk/image', { action: 'delete', images });
  t.is(said(refused), '400 InvalidInput images');
  t.regex(String(refused.json.message), /1000 at most/);
});

test('many at once, a row for each: what fails does not stop the others', async (t) => {
  const fleet = await startFleet(t);
  for (const name of ['a', 'b', 'c']) await addImage(fleet, name);
  await addImage(fleet, 'theirs', { dc: 'west' });
  await addImage(fleet, 'common', { dc_bound: false });
  const images = ['a', 'absent', 'b', 'theirs', 'common', 'c'];
  const started = await fleet.eve('POST', '/api/bulk/image/', { action: 'deprecate', images, reason: 'old' });
  t.is(started.status, 201);
  const rows = await rowsOf(fleet, started);
  t.deepEqual(told(rows), [
    'a ok',
    'absent ResourceNotFound',
    'b ok',
    'theirs ResourceNotFound',
    'common NotPermitted',
    'c ok',
  ]);
  t.is(rows[1]?.detail?.replace('absent', 'X'), rows[3]?.detail?.replace('theirs', 'X'), 'hidden as absent');
  t.deepEqual(resultOf<string[]>(await fleet.root('GET', '/api/image?deprecated=true')), ['a', 'b', 'c']);
  t.like(resultOf(await fleet.eve('GET', '/api/image/b')), { deprecated: { reason: 'old', by: 'eve' } });
});

test('each of the actions', async (t) => {
  const fleet = await startFleet(t);
  const { root } = fleet;
  await addImage(fleet, 'a');
  await addImage(fleet, 'b');
  const images = ['a', 'b'];
  const does = async (action: string, fields: object, shown: object) => {
    const rows = await rowsOf(fleet, await root('POST', '/api/bulk/image', { action, images, ...fields }));
    t.deepEqual(told(rows), ['a ok', 'b ok'], action);
    for (const name of images) t.like(resultOf(await root('GET', `/api/image/${name}`)), shown, action);
  };
  await does('label', { label: 'star' }, { label: 'star' });
  await does('label', { label: null }, { label: null });
  await does('access', { access: 4 }, { access: 4 });
  await does('deprecate', {}, { badges: ['deprecated', 'retired', 'not ready'] });
  await does('undeprecate', {}, { deprecated: null });
  await does('share', { users: ['mia'], global: true }, { users: ['mia'], global: true });
  await does('share', { global: false }, { global: false });
  await does('attach', { dc: 'west' }, { dcs: ['east', 'west'] });
  await does('detach', { dc: 'west' }, { dcs: ['east'] });
  t.deepEqual(told(await rowsOf(fleet, await root('POST', '/api/bulk/image', { action: 'delete', images }))), [
    'a ok',
    'b ok',
  ]);
  t.is(fleet.deps.listing.size, 0);
});

test('what can never be is refused at once', async (t) => {
  const fleet = await startFleet(t);
  const { eve, dora, sam } = fleet;
  const images = ['a'];
  for (const by of [dora, sam]) {
    t.is(said(await by('POST', '/api/bulk/image', { action: 'delete', images })), '403 NotPermitted');
  }
  t.is(said(await eve('POST', '/api/bulk/image', { action: 'explode', images })), '400 InvalidInput action');
  t.is(said(await eve('POST', '/api/bulk/image', { action: 'delete' })), '400 InvalidInput images');
  t.is(said(await eve('POST', '/api/bulk/image', { action: 'label', images })), '400 InvalidInput label');
  t.is(said(await eve('POST', '/api/bulk/image', { action: 'attach', images })), '400 InvalidInput dc');
  t.is(said(await eve('POST', '/api/bulk/image', { action: 'access', images, access: 9 })), '400 InvalidInput access');
});

test('a task has no more rights than the credentials that started it', async (t) => {
  const fleet = await startFleet(t);
  await addImage(fleet, 'mine');
  await addImage(fleet, 'theirs', { dc: 'west' });
  const created = new Date().toISOString();
  const record = { hash: hashToken('narrow'), name: 'narrow', user: userUuid('admin'), created, dc: 'east' };
  await fleet.deps.catalog.write((tx) => tx.insert(tokens, record));
  const headers = { authorization: 'Bearer narrow' };
  const body = { action: 'delete', images: ['mine', 'theirs'], force: true };
  const forced = await fleet.ask('POST', '/api/bulk/image', { as: 'anonymous', headers, body });
  t.deepEqual(told(await rowsOf(fleet, forced)), ['mine NotPermitted', 'theirs ResourceNotFound']);
  const attaching = { action: 'attach', images: ['mine'], dc: 'west' };
  const attached = await fleet.ask('POST', '/api/bulk/image', { as: 'anonymous', headers, body: attaching });
  t.deepEqual(told(await rowsOf(fleet, attached)), ['mine NotPermitted']);
  t.is(fleet.deps.listing.size, 2);
});
