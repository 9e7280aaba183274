import test from 'ava';
import { nodes } from '../../server/model/node.js';
import { hashToken, tokens } from '../../server/model/token.js';
import { userUuid } from '../../server/model/user.js';
import { numbered } from '../support/fixtures.js';
import { addImage, disk, type Fleet, manifest, resultOf, said, startFleet } from '../support/managed.js';
import { kept } from '../support/told.js';

const vm = (number: number) => `/api/vm/${numbered(number)}`;
const using = (...images: string[]) => images.map((image, n) => ({ disk: n + 1, image }));

test('a machine is registered, shown, listed and forgotten', async (t) => {
  const fleet = await startFleet(t);
  const uuid = await addImage(fleet, 'web');
  const { root, dora, will, mia } = fleet;
  const body = { hostname: 'one', dc: 'east', owner: 'mia', tags: ['a'], images: [{ disk: 1, image: 'web', size: 9 }] };
  const registered = await dora('PUT', vm(1), body);
  t.is(registered.status, 200);
  const { created, changed, ...shown } = resultOf(registered);
  t.deepEqual(shown, {
    uuid: numbered(1),
    hostname: 'one',
    dc: 'east',
    node: null,
    registered_node: null,
    owner: 'mia',
    tags: ['a'],
    images: [{ disk: 1, image: uuid, size: 9 }],
    state: 'active',
    source: 'registered',
    found: null,
  });
  t.is(created, changed);
  t.deepEqual(resultOf(await dora('GET', `${vm(1)}/`)), resultOf(registered));
  t.deepEqual(resultOf<string[]>(await dora('GET', '/api/vm')), ['one']);
  t.deepEqual(resultOf<string[]>(await will('GET', '/api/vm')), []);
  for (const path of [vm(1), vm(2)]) t.is(said(await will('GET', path)), '404 ResourceNotFound');
  t.is(said(await will('DELETE', vm(1))), '404 ResourceNotFound');
  t.is(said(await mia('GET', vm(1))), '403 NotPermitted');
  t.is(said(await root('GET', '/api/vm/nonsense')), '404 ResourceNotFound');
  t.is((await dora('DELETE', vm(1))).status, 200);
  t.is(said(await dora('DELETE', vm(1))), '404 ResourceNotFound');
  t.deepEqual(resultOf<string[]>(await root('GET', '/api/vm')), []);
});

test('what is wrong with a machine is refused by its field, and nothing is registered', async (t) => {
  const fleet = await startFleet(t);
  await addImage(fleet, 'web');
  await addImage(fleet, 'theirs', { dc: 'west' });
  const created = new Date().toISOString();
  const node = { name: 'n-west', datacenters: ['west'], addresses: [], knownByAddress: false, created };
  await fleet.deps.catalog.write((tx) => tx.insert(nodes, node));
  await fleet.root('POST', '/api/image/empty', { manifest: { ...manifest, version: '3' }, dc: 'east' });
  const wrong: [field: string, body: object][] = [
    ['hostname', { hostname: 'no spaces' }],
    ['dc', { dc: 'west' }],
    ['dc', { dc: 'nowhere' }],
    ['dc', { dc: undefined }],
    ['node', { node: 'absent' }],
    ['node', { node: 'n-west' }],
    ['owner', { owner: 'absent' }],
    ['state', { state: 'off' }],
    ['tags.0', { tags: ['a.b'] }],
    ['images.0.image', { images: using('absent') }],
    ['images.0.image', { images: using('theirs') }],
    ['images.1.image', { images: using('web', 'empty') }],
    ['images.0.disk', { images: [{ disk: 0, image: 'web' }] }],
    ['images', { images: [...using('web'), ...using('web')] }],
  ];
  for (const [field, body] of wrong) {
    const answer = await fleet.dora('PUT', vm(1), { hostname: 'one', dc: 'east', ...body });
    t.is(said(answer), `400 InvalidInput ${field}`, JSON.stringify(body));
  }
  t.is(fleet.deps.fleet.size, 0);
});

test('an image that machines use is neither deleted nor detached, in whatever state they are', async (t) => {
  for (const state of ['wanted', 'active', 'paused', 'template']) {
    const fleet = await startFleet(t);
    const uuid = await addImage(fleet, 'web');
    const { root, eve, dora, ask } = fleet;
    await dora('PUT', vm(1), { hostname: 'one', dc: 'east', state, images: using(uuid) });
    const refused = await eve('DELETE', '/api/image/web');
    t.is(said(refused), '428 ImageInUse', state);
    t.regex(refused.json.message ?? '', /is used by one$/);
    t.is(said(await root('DELETE', '/api/dc/east/image/web')), '428 ImageInUse');
    t.is(said(await ask('DELETE', `/images/${uuid}`)), '422 ImageInUse');
    t.is(said(await eve('DELETE', '/api/image/web', { force: true })), '403 NotPermitted');
    t.like(resultOf(await eve('GET', '/api/image/web')), { vms: 1, dc_bound: true });
    t.deepEqual((await kept(fleet)).images, [uuid]);
    await dora('DELETE', vm(1));
    t.is((await eve('DELETE', '/api/image/web')).status, 200, 'free again');
  }
});

test('SuperAdmins force it', async (t) => {
  const fleet = await startFleet(t);
  const uuids = [
    await addImage(fleet, 'one'),
    await addImage(fleet, 'two'),
    await addImage(fleet, 'three', { owner: 'eve' }),
  ];
  await fleet.dora('PUT', vm(1), { hostname: 'one', dc: 'east', images: using(...uuids) });
  t.is((await fleet.root('DELETE', '/api/dc/east/image/one', { force: true })).status, 200);
  t.is((await fleet.root('DELETE', '/api/image/two', { force: true })).status, 200);
  const guest = `account=${userUuid('eve')}`;
  t.is((await fleet.ask('DELETE', `/images/${uuids[2]}?force=true&${guest}`)).status, 403);
  t.is((await fleet.ask('DELETE', `/images/${uuids[2]}?force=true`)).status, 204);
  t.deepEqual((await kept(fleet)).images, [uuids[0]]);
  const again = { hostname: 'other', dc: 'east', images: using(uuids[0]!) };
  t.is((await fleet.dora('PUT', vm(1), again)).status, 200, 'a machine keeps what it has');
  t.is(said(await fleet.dora('PUT', vm(2), again)), '400 InvalidInput images.0.image');
});

test('only machines that are visible are named', async (t) => {
  const fleet = await startFleet(t);
  const uuid = await addImage(fleet, 'common', { dc_bound: false });
  const { root, eve, dora, will } = fleet;
  await root('POST', '/api/dc/west/image/common');
  await dora('PUT', vm(1), { hostname: 'eastern', dc: 'east', images: using(uuid) });
  await will('PUT', vm(2), { hostname: 'western', dc: 'west', images: using(uuid) });
  await root('PUT', vm(3), { hostname: 'floating', images: using(uuid) });
  t.regex((await root('DELETE', '/api/image/common')).json.message ?? '', /used by eastern, western, floating$/);
  t.deepEqual(resultOf<string[]>(await root('GET', '/api/image/common/vm')), ['eastern', 'floating', 'western']);
  t.is(resultOf<{ vms: number }>(await dora('GET', '/api/dc/east/image/common')).vms, 1);
  t.is(said(await eve('GET', '/api/image/common/vm')), '403 NotPermitted');
  t.regex((await root('DELETE', '/api/dc/west/image/common')).json.message ?? '', /used by western$/);
  const bound = await addImage(fleet, 'bound');
  await root('PUT', vm(4), { hostname: 'hidden', images: using(bound) });
  await dora('PUT', vm(5), { hostname: 'seen', dc: 'east', images: using(bound) });
  t.regex((await eve('DELETE', '/api/image/bound')).json.message ?? '', /used by seen, 1 others$/);
  t.deepEqual(resultOf<string[]>(await eve('GET', '/api/image/bound/vm/')), ['seen']);
  const full = resultOf<{ hostname: string }[]>(await eve('GET', '/api/image/bound/vm?full=true&order_by=-hostname'));
  t.deepEqual(
    full.map(({ hostname }) => hostname),
    ['seen'],
  );
});

test('a uuid that is registered elsewhere is not taken over', async (t) => {
  const fleet = await startFleet(t);
  await fleet.will('PUT', vm(1), { hostname: 'western', dc: 'west' });
  t.is(said(await fleet.dora('PUT', vm(1), { hostname: 'mine', dc: 'east' })), '406 ObjectAlreadyExists');
  t.is(resultOf<{ hostname: string }>(await fleet.will('GET', vm(1))).hostname, 'western');
});

test('a machine stands in the one data center of its node, where nothing is said', async (t) => {
  const fleet = await startFleet(t);
  const created = new Date().toISOString();
  const at = (name: string, datacenters: string[]) => ({
    name,
    datacenters,
    addresses: [],
    knownByAddress: false,
    created,
  });
  await fleet.deps.catalog.write(async (tx) => {
    await tx.insert(nodes, at('n1', ['east']));
    await tx.insert(nodes, at('n2', ['east', 'west']));
  });
  t.is(resultOf<{ dc: string }>(await fleet.dora('PUT', vm(1), { hostname: 'one', node: 'n1' })).dc, 'east');
  t.is(said(await fleet.dora('PUT', vm(2), { hostname: 'two', node: 'n2' })), '400 InvalidInput dc');
  t.is(resultOf<{ dc: null }>(await fleet.root('PUT', vm(2), { hostname: 'two', node: 'n2' })).dc, null);
  t.is(said(await fleet.dora('GET', vm(2))), '404 ResourceNotFound');
  const onHidden = await fleet.will('PUT', vm(3), { hostname: 'three', node: 'n1' });
  const onAbsent = await fleet.will('PUT', vm(3), { hostname: 'three', node: 'n9' });
  t.is(onHidden.json.message, onAbsent.json.message, 'where a node of others stands is not told');
});

test('a machine is registered with a node, and without one again', async (t) => {
  const { root, dora } = await startFleet(t);
  await root('POST', '/api/node/n1', { dcs: ['east'] });
  const body = { hostname: 'one', dc: 'east' };
  t.like(resultOf(await dora('PUT', vm(1), { ...body, node: 'n1' })), { node: 'n1', registered_node: 'n1' });
  t.like(resultOf(await dora('PUT', vm(1), body)), { node: null, registered_node: null });
  t.like(resultOf(await dora('GET', vm(1))), { node: null, registered_node: null, dc: 'east' });
});

test('on a node with several data centers its rules say where a machine stands, by owner or tag', async (t) => {
  const { root, dora } = await startFleet(t);
  const rules = 'tag:web=west,owner:mia=east,tag:db=east';
  const made = await root('POST', '/api/node/n2', { dcs: 'east,west', vm_rules: rules });
  t.deepEqual(resultOf<{ vm_rules: string[] }>(made).vm_rules, rules.split(','));
  const placed = async (number: number, body: object, ask = root) => {
    const answer = await ask('PUT', vm(number), { hostname: `vm-${number}`, node: 'n2', ...body });
    return answer.status === 200 ? resultOf<{ dc: string | null }>(answer).dc : said(answer);
  };
  t.is(await placed(1, { tags: ['web'], owner: 'mia' }), 'west', 'the first that fits');
  t.is(await placed(2, { owner: 'mia' }), 'east');
  t.is(await placed(3, { tags: ['db'], dc: 'west' }), 'west', 'what is said goes before');
  t.is(await placed(4, { tags: ['other'] }), null);
  t.is(await placed(5, { tags: ['db'] }, dora), 'east');
  t.is(await placed(6, { tags: ['web'] }, dora), '400 InvalidInput dc', 'a data center that is hidden is not told');
  t.is(said(await root('PUT', '/api/node/n2', { dcs: 'east' })), '400 InvalidInput vm_rules');
  for (const number of [1, 3]) await root('DELETE', vm(number), {});
  t.is((await root('DELETE', '/api/dc/west', {})).status, 200);
  t.deepEqual(resultOf<{ vm_rules: string[] }>(await root('GET', '/api/node/n2')).vm_rules, [
    'owner:mia=east',
    'tag:db=east',
  ]);
});

test('a machine that is to come takes what may be used, with a disk that fits', async (t) => {
  const fleet = await startFleet(t);
  await addImage(fleet, 'gone', { access: 4 });
  await addImage(fleet, 'fixed', { manifest: disk });
  await addImage(fleet, 'growing', { manifest: disk, alias: 'growing', resize: true });
  const want = (image: string, size?: number, state = 'wanted') =>
    fleet.dora('PUT', vm(1), {
      hostname: 'one',
      dc: 'east',
      state,
      images: [{ disk: 1, image, ...(size && { size }) }],
    });
  t.is(said(await want('gone')), '400 InvalidInput images.0.image');
  t.is(said(await want('fixed', 10_239)), '400 InvalidInput images.0.size');
  t.is(said(await want('fixed', 10_241)), '400 InvalidInput images.0.size');
  t.is(said(await want('growing', 10_239)), '400 InvalidInput images.0.size');
  t.is(fleet.deps.fleet.size, 0);
  t.is(said(await want('fixed', 10_240)), '200');
  t.is(said(await want('fixed', 10_241)), '400 InvalidInput images.0.size', 'not afterwards either');
  t.is(said(await want('fixed', 10_240)), '200');
  t.is(said(await want('growing', 10_241)), '200');
  t.is(said(await want('gone', undefined, 'active')), '200', 'one that runs goes on to');
});

test('a machine moves where its images are', async (t) => {
  const fleet = await startFleet(t);
  const one = await addImage(fleet, 'one');
  const two = await addImage(fleet, 'two');
  const { root, dora } = fleet;
  await dora('PUT', vm(1), { hostname: 'one', dc: 'east', images: using(one, two, one) });
  const check = (by: Fleet['root'], dc: string) => by('GET', `${vm(1)}/move?dc=${dc}`);
  const lacking = await check(root, 'west');
  t.is(said(lacking), '400 InvalidInput images images');
  t.deepEqual(
    lacking.json.errors?.map(({ message }) => message?.includes(one) || message?.includes(two)),
    [true, true],
  );
  const moved = { hostname: 'one', dc: 'west', images: using(one, two) };
  t.is(said(await root('PUT', vm(1), moved)), '400 InvalidInput images.0.image');
  t.is(resultOf<{ dc: string }>(await root('GET', vm(1))).dc, 'east');
  for (const name of ['one', 'two']) await root('POST', `/api/dc/west/image/${name}`);
  t.deepEqual(resultOf(await check(root, 'west')), { missing: [] });
  t.is(said(await check(root, 'nowhere')), '400 InvalidInput dc');
  t.is(said(await check(dora, 'west')), '400 InvalidInput dc');
  t.is(said(await root('GET', `${vm(1)}/move`)), '400 InvalidInput dc');
  t.is(said(await root('GET', `${vm(9)}/move?dc=west`)), '404 ResourceNotFound');
  t.is(said(await root('PUT', vm(1), moved)), '200');
});

test('use and deletion at the same time: one of them is refused', async (t) => {
  const fleet = await startFleet(t);
  for (let n = 1; n <= 12; n += 1) {
    const uuid = await addImage(fleet, `web${n}`);
    const use = () => fleet.dora('PUT', vm(n), { hostname: `vm${n}`, dc: 'east', images: using(uuid) });
    const remove = () => fleet.eve('DELETE', `/api/image/${uuid}`);
    const calls = n % 2 === 0 ? [use(), remove()] : [remove(), use()];
    const answers = await Promise.all(calls);
    const [used, removed] = n % 2 === 0 ? answers : answers.toReversed();
    const isThere = (await fleet.stored(uuid)) !== undefined;
    t.deepEqual([used?.status, removed?.status], isThere ? [200, 428] : [400, 200], `${n}`);
  }
});

test('a token for one data center registers there and nowhere else', async (t) => {
  const fleet = await startFleet(t);
  const created = new Date().toISOString();
  const admin = { user: userUuid('admin'), created, dc: 'east' };
  await fleet.deps.catalog.write(async (tx) => {
    await tx.insert(tokens, { ...admin, hash: hashToken('manager'), name: 'manager' });
    await tx.insert(tokens, { ...admin, hash: hashToken('reader'), name: 'reader', scope: 'read' });
  });
  const put = (secret: string, dc: string) =>
    fleet.ask('PUT', vm(1), {
      as: 'anonymous',
      headers: { authorization: `Bearer ${secret}` },
      body: { hostname: 'one', dc },
    });
  t.is(said(await put('manager', 'west')), '400 InvalidInput dc');
  t.is(said(await put('reader', 'east')), '403 NotPermitted');
  t.is(said(await put('manager', 'east')), '200');
});
