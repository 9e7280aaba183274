import test from 'ava';
import { labels } from '../../server/model/registration.js';
import { userUuid } from '../../server/model/user.js';
import { addMachine, grant, place, stored } from '../support/datacenters.js';
import { addUser } from '../support/fixtures.js';
import { addImage, type Fleet, manifest, resultOf, said, startFleet } from '../support/managed.js';
import { kept } from '../support/told.js';

const NOBODY = '00000000-0000-4000-8000-000000000001';
const named = (answer: Parameters<typeof resultOf>[0]) => resultOf<string[]>(answer);

type Standing = 'mine' | 'open' | 'gone' | 'theirs' | 'common' | 'inner';

async function standing(t: Parameters<typeof startFleet>[0]): Promise<Fleet & { uuids: Record<Standing, string> }> {
  const fleet = await startFleet(t);
  const uuids = {
    mine: await addImage(fleet, 'mine'),
    open: await addImage(fleet, 'open', { access: 1 }),
    gone: await addImage(fleet, 'gone', { access: 4 }),
    theirs: await addImage(fleet, 'theirs', { dc: 'west' }),
    common: await addImage(fleet, 'common', { dc_bound: false }),
    inner: await addImage(fleet, 'inner'),
  };
  await place(fleet, uuids.inner, { access: 'internal' });
  return { ...fleet, uuids };
}

test('who lists which images', async (t) => {
  const { root, eve, dora, will, sam } = await standing(t);
  t.deepEqual(named(await root('GET', '/api/image')), ['common', 'gone', 'mine', 'open', 'theirs']);
  t.deepEqual(named(await root('GET', '/api/image?internal=true&search=inn')), ['inner']);
  t.deepEqual(named(await eve('GET', '/api/image?internal=true')), ['gone', 'mine', 'open']);
  t.deepEqual(named(await will('GET', '/api/image/')), ['theirs']);
  for (const other of [dora, sam]) t.is(said(await other('GET', '/api/image')), '403 NotPermitted');
  t.deepEqual(named(await root('GET', '/api/image?dc=west')), ['theirs']);
  t.deepEqual(named(await root('GET', '/api/image?deleted=false')), ['common', 'mine', 'open', 'theirs']);
  t.deepEqual(named(await eve('GET', '/api/image?deleted=true')), ['gone', 'mine', 'open']);
  t.is(said(await eve('GET', '/api/image?deleted=perhaps')), '400 InvalidInput deleted');
  t.is(said(await eve('GET', '/api/image?dc=west')), '400 InvalidInput dc');
  t.is(said(await eve('GET', '/api/image?dc=nowhere')), '400 InvalidInput dc');
});

test('who is shown an image: hidden ones are answered like absent ones', async (t) => {
  const { root, eve, dora, will, sam, uuids } = await standing(t);
  const spoken = async (ask: Fleet['eve'], name: string) => {
    const { status, json } = await ask('GET', `/api/image/${name}`);
    return `${status} ${String(json.message).replaceAll(name, 'NAME')}`;
  };
  for (const name of ['theirs', uuids.theirs, 'inner', uuids.inner]) {
    t.is(await spoken(eve, name), await spoken(eve, 'absent'), name);
    t.is(await spoken(eve, name), '404 there is no image "NAME"', name);
    for (const other of [dora, sam]) t.is(await spoken(other, name), await spoken(other, 'absent'), name);
  }
  for (const name of ['common', uuids.common]) {
    t.is(said(await eve('GET', `/api/image/${name}`)), '403 NotPermitted', 'it is shared, so others manage it');
    t.is(said(await will('GET', `/api/image/${name}`)), '404 ResourceNotFound', 'it is attached to east only');
  }
  for (const name of ['mine', uuids.mine, 'gone']) t.is((await eve('GET', `/api/image/${name}/`)).status, 200, name);
  t.is((await root('GET', '/api/image/inner')).status, 200);
  t.is(said(await dora('GET', '/api/image/mine')), '403 NotPermitted');
});

test('all there is to know of an image', async (t) => {
  const fleet = await startFleet(t);
  const uuid = await addImage(fleet, 'web', {
    manifest: { ...manifest, homepage: 'https://example.com', description: 'd'.repeat(200), tags: { kept: 'yes' } },
    tags: ['a b', 'c:d/e_f-g'],
    access: 1,
    label: 'flag-red',
    golden: true,
    owner: 'eve',
  });
  const { created, changed, published, files, ...rest } = resultOf<Record<string, never>>(
    await fleet.eve('GET', '/api/image/web?full=True'),
  );
  t.deepEqual(rest, {
    name: 'web',
    uuid,
    alias: 'base',
    version: '1.0',
    owner: 'eve',
    access: 1,
    desc: 'd'.repeat(128),
    homepage: 'https://example.com',
    ostype: 5,
    os: 'smartos',
    type: 'zone-dataset',
    size: 0,
    resize: true,
    deploy: false,
    tags: ['a b', 'c:d/e_f-g'],
    class: null,
    dc_bound: true,
    dcs: ['east'],
    global: false,
    groups: null,
    users: [],
    status: 1,
    pending: null,
    state: 'active',
    disabled: false,
    label: 'flag-red',
    golden: true,
    deprecated: null,
    ready: true,
    not_ready: null,
    badges: ['golden'],
    bytes: 9,
    provenance: { by: 'admin', repository: null, url: null, origin: null, machine: null },
    vms: 0,
    nodes: [],
    may: ['update', 'label', 'ungolden', 'share', 'unpublish', 'retire', 'deprecate', 'delete'],
    may_not: {
      golden: 'it is golden already',
      publish: 'it is public already',
      restore: 'it is not retired',
      undeprecate: 'it is not deprecated',
      upload: 'it is activated already',
      activate: 'it is activated already',
    },
  } as never);
  for (const date of [created, changed, published]) t.regex(String(date), /^2\d{3}-/);
  t.like(files?.[0], { size: 9, compression: 'none', sha256: (await fleet.stored(uuid))?.files[0]?.sha256 });
  t.deepEqual((await fleet.ask('GET', `/images/${uuid}`, { as: 'admin' })).json.tags, {
    kept: 'yes',
    erigones: ['a b', 'c:d/e_f-g'],
    resize: true,
    deploy: false,
    internal: false,
  });
});

test('what may be done depends on who asks, and on the state of the image', async (t) => {
  const fleet = await startFleet(t);
  const { root, eve, will, ask, dora } = fleet;
  const told = async (by: Fleet['eve'], where = '/api/dc/east/image/web') =>
    resultOf<{ may: string[]; may_not: Record<string, string> }>(await by('GET', where));
  const made = await root('POST', '/api/image/web', { manifest, dc: 'east' });
  const { uuid, ready, not_ready } = resultOf<{ uuid: string; ready: boolean; not_ready: string }>(made);
  t.deepEqual([ready, not_ready], [false, 'its file has not arrived']);
  const mine = ['update', 'label', 'golden', 'share', 'publish', 'retire', 'deprecate'];
  t.deepEqual((await told(eve)).may, [...mine, 'upload', 'delete']);
  t.is((await told(eve)).may_not.activate, 'its file has not arrived');
  t.like(await told(dora), { may: [], may_not: {} });
  await ask('PUT', `/images/${uuid}/file?compression=none`, { body: 'the bytes' });
  t.true((await told(eve)).may.includes('activate'));
  await ask('POST', `/images/${uuid}?action=activate`);
  t.deepEqual((await told(eve)).may, [...mine, 'delete']);
  t.false('attach' in (await told(eve)).may_not, 'what is not permitted is not told of');
  t.deepEqual((await told(root)).may, [...mine, 'delete', 'attach', 'detach', 'unbind', 'globalize']);
  await addImage(fleet, 'wild', { dc: 'west' });
  t.true((await told(will, '/api/image/wild')).may.includes('publish'), 'nobody but users of west see it then');
  await root('PUT', '/api/dc/west/settings', { anonymous: true });
  const { may, may_not } = await told(will, '/api/image/wild');
  t.false(may.includes('publish') || 'publish' in may_not, 'the whole world would see it');
  t.is(said(await will('PUT', '/api/image/wild', { access: 1 })), '403 NotPermitted');
  await place(fleet, uuid, { pending: { task: 'x', what: 'testing' } });
  const pending = await told(root);
  t.deepEqual(
    [pending.may, new Set(Object.values(pending.may_not))],
    [[], new Set(['something works on it: testing'])],
  );
});

test('why an image can not be deleted tells of no machine and no image that is hidden', async (t) => {
  const fleet = await startFleet(t);
  const { root, eve } = fleet;
  const uuid = await addImage(fleet, 'web');
  const images = [{ disk: 1, image: uuid }];
  const reasonFor = async (by: Fleet['eve']) =>
    resultOf<{ may_not: Record<string, string> }>(await by('GET', '/api/image/web')).may_not;
  await fleet.image({ name: 'child', origin: uuid });
  t.is((await reasonFor(root)).delete, '1 image builds on it');
  await addMachine(fleet, { hostname: 'one', datacenter: 'east', images });
  t.is((await reasonFor(eve)).delete, '1 machine uses it');
  t.is((await reasonFor(root)).detach, undefined, 'whoever may detach it may do so all the same');
  for (const hostname of ['two', 'three']) await addMachine(fleet, { hostname, datacenter: 'west', images });
  t.is((await reasonFor(eve)).delete, 'machines use it');
  t.is((await reasonFor(root)).delete, '3 machines use it');
  t.is(said(await eve('DELETE', '/api/image/web')), '428 ImageHasDependentImages');
});

test('a pending image is changed by nobody, over neither interface', async (t) => {
  const fleet = await startFleet(t);
  const uuid = await addImage(fleet, 'web');
  await place(fleet, uuid, { pending: { task: 'x', what: 'testing' } });
  const before = await fleet.stored(uuid);
  t.is(resultOf<{ status: number }>(await fleet.eve('GET', '/api/image/web')).status, 2);
  const calls: [string, string, object?][] = [
    ['PUT', '/api/image/web', { desc: 'x' }],
    ['DELETE', '/api/image/web'],
    ['PUT', '/api/image/web/deprecate', {}],
    ['POST', '/api/dc/west/image/web'],
    ['DELETE', '/api/dc/east/image/web'],
  ];
  for (const [method, path, body] of calls) {
    t.is(said(await fleet.root(method, path, body)), '417 ImagePending', `${method} ${path}`);
  }
  t.is(said(await fleet.eve('PUT', '/api/image/web', { owner: 'mia' })), '400 InvalidInput owner');
  t.is(said(await fleet.sam('PUT', '/api/image/web', { desc: 'x' })), '403 NotPermitted');
  t.is(said(await fleet.sam('PUT', '/api/image/web', { owner: 'mia' })), '403 NotPermitted');
  const update = await fleet.ask('POST', `/images/${uuid}?action=update`, { body: { description: 'x' } });
  t.is(said(update), '422 ImagePending');
  t.is(said(await fleet.ask('DELETE', `/images/${uuid}`)), '422 ImagePending');
  t.deepEqual(await fleet.stored(uuid), before);
});

const wrong: [field: string, value: unknown][] = [
  ['alias', ''],
  ['alias', 'a'.repeat(33)],
  ['alias', 'a<b'],
  ['alias', ' a'],
  ['version', ''],
  ['version', 'v'.repeat(17)],
  ['version', '1;2'],
  ['desc', 'd'.repeat(129)],
  ['desc', 'a "quote"'],
  ['desc', 'two\nlines'],
  ['tags', ['with.dot']],
  ['tags', ['$']],
  ['access', 2],
  ['access', 9],
  ['access', 'public'],
  ['owner', 'nobody'],
  ['resize', 'yes'],
  ['label', 'pink'],
  ['golden', 1],
  ['groups', ['nobody']],
  ['ostype', 3],
  ['size', 5],
  ['uuid', NOBODY],
  ['name', 'other'],
];

test('a field that is wrong is refused by its name, and nothing is changed', async (t) => {
  const fleet = await startFleet(t);
  const uuid = await addImage(fleet, 'web');
  const before = await fleet.stored(uuid);
  for (const [field, value] of wrong) {
    const answer = await fleet.eve('PUT', '/api/image/web', { desc: 'other', [field]: value });
    const fields = Object.keys(resultOf(answer) ?? {}).map((name) => name.split('.')[0]);
    t.is(answer.status, 400, `${field} ${value}`);
    t.deepEqual(fields, [field], `${field} ${value}`);
    t.is(answer.json.status, 'FAILURE');
  }
  t.deepEqual(await fleet.stored(uuid), before);
});

test('an update shows everywhere at once, and the uuid stays', async (t) => {
  const fleet = await startFleet(t);
  const uuid = await addImage(fleet, 'web', { manifest: { ...manifest, tags: { kept: 'yes' } } });
  const body = { alias: 'Web 2', version: '2.0', desc: 'new', tags: 'x, y', deploy: true, owner: 'mia', access: '1' };
  const changed = await fleet.eve('PUT', '/api/image/web/', body);
  t.is(changed.status, 200);
  t.like(resultOf(changed), {
    name: 'web',
    uuid,
    alias: 'Web 2',
    version: '2.0',
    owner: 'mia',
    access: 1,
    deploy: true,
  });
  const { json } = await fleet.ask('GET', `/images/${uuid}`, { as: 'admin' });
  t.like(json, { name: 'Web 2', version: '2.0', description: 'new', public: true });
  t.like(json.tags as object, { kept: 'yes', erigones: ['x', 'y'], deploy: true });
  t.is((await fleet.eve('PUT', '/api/image/web')).status, 200, 'nothing is a change too');
});

test('alias and version are taken together, whatever their case', async (t) => {
  const fleet = await startFleet(t);
  await addImage(fleet, 'one', { alias: 'Base', version: '1.0-A' });
  await addImage(fleet, 'two', { alias: 'other', version: '1' });
  await addImage(fleet, 'far', { alias: 'far', version: '1', dc: 'west' });
  const before = await kept(fleet);
  t.is(said(await fleet.eve('PUT', '/api/image/two', { alias: 'bASE', version: '1.0-a' })), '400 InvalidInput alias');
  const again = { manifest, alias: 'base', version: '1.0-A', dc: 'east' };
  t.is(said(await fleet.eve('POST', '/api/image/three', again)), '400 InvalidInput alias');
  t.is(said(await fleet.eve('POST', '/api/image/one', { manifest, dc: 'east' })), '406 ObjectAlreadyExists');
  t.deepEqual(await kept(fleet), before);
  t.is((await fleet.eve('PUT', '/api/image/two', { alias: 'base', version: '1.0' })).status, 200);
  t.is((await fleet.eve('PUT', '/api/image/one', { version: '1.0-a' })).status, 200, 'its own is not in its way');
});

test('names of other data centers refuse nothing, and tell nothing', async (t) => {
  const fleet = await startFleet(t);
  await addImage(fleet, 'web', { dc: 'west', alias: 'web', version: '1' });
  const common = await addImage(fleet, 'common', { dc: 'west', dc_bound: false, alias: 'common', version: '1' });
  for (const name of ['web', 'common']) {
    const made = await fleet.eve('POST', `/api/image/${name}`, { manifest, alias: name, version: '1' });
    t.is(made.status, 201, name);
    t.is((await fleet.eve('GET', `/api/image/${name}`)).status, 200, 'to those who see one it is clear which is meant');
    const asked = await fleet.root('GET', `/api/image/${name}`);
    t.is(said(asked), '400 InvalidInput dc', 'to those who see both it is not');
    t.regex(asked.json.message ?? '', /in east, west/);
    t.deepEqual(resultOf<{ dcs: string[] }>(await fleet.root('GET', `/api/image/${name}?dc=west`)).dcs, ['west']);
  }
  t.is((await fleet.root('PUT', '/api/image/common', { dc: 'west', desc: 'this one' })).status, 200);
  t.is((await fleet.stored(common))?.description, 'this one');
});

test('who may make images where', async (t) => {
  const fleet = await startFleet(t);
  const { root, eve, dora, will, sam } = fleet;
  const before = await kept(fleet);
  const make = (by: Fleet['eve'], body: object = {}) => by('POST', '/api/image/new', { manifest, ...body });
  t.is(said(await make(dora)), '403 NotPermitted');
  t.is(said(await make(sam, { dc: 'east' })), '403 NotPermitted');
  t.is(said(await make(eve, { dc: 'west' })), '400 InvalidInput dc');
  t.is(said(await make(eve, { dc: 'nowhere' })), '400 InvalidInput dc');
  t.is(said(await make(eve, { manifest: { ...manifest, os: 'dos' } })), '400 ValidationFailed os');
  t.is(said(await make(eve, { manifest: { ...manifest, origin: NOBODY } })), '400 OriginDoesNotExist');
  t.is(said(await make(eve, { manifest: undefined })), '400 InvalidInput manifest');
  t.is(said(await eve('POST', '/api/image/-new', { manifest })), '400 InvalidInput name');
  t.is(said(await eve('POST', `/api/image/${'n'.repeat(33)}`, { manifest })), '400 InvalidInput name');
  t.is(said(await make(will, { manifest: { ...manifest, uuid: NOBODY } })), '403 NotPermitted', 'that is an import');
  t.deepEqual(await kept(fleet), before);

  const made = await make(eve, { dc_bound: false });
  t.like(resultOf(made), { dc_bound: true, dcs: ['east'], access: 3, owner: 'eve', state: 'unactivated' });
  const imported = await eve('POST', '/api/image/known', {
    manifest: { ...manifest, v: 2, version: '7', uuid: NOBODY },
  });
  t.is(said(imported), '201');
  t.is(resultOf<{ uuid: string }>(imported).uuid, NOBODY);
  const again = { manifest: { ...manifest, v: 2, uuid: NOBODY }, dc: 'west' };
  t.is(said(await root('POST', '/api/image/again', again)), '406 ImageUuidAlreadyExists');
  const eveHerself = { uuid: userUuid('eve') };
  await grant(fleet, eveHerself, 'west', 'admin', 'image_admin');
  t.is(said(await eve('POST', '/api/image/third', { manifest })), '400 InvalidInput dc', 'east or west?');
  const shared = await root('POST', '/api/image/common', { manifest: { ...manifest, version: '8' }, dc_bound: false });
  t.like(resultOf(shared), { dc_bound: false, dcs: ['main'], access: 3 });
});

test('24 labels and none', async (t) => {
  const fleet = await startFleet(t);
  await addImage(fleet, 'web');
  t.is(labels.length, 24);
  for (const label of labels) {
    t.is(resultOf<{ label: string }>(await fleet.eve('PUT', '/api/image/web', { label })).label, label);
    t.deepEqual(named(await fleet.eve('GET', `/api/image?label=${label}`)), ['web']);
  }
  t.is(resultOf<{ label: null }>(await fleet.eve('PUT', '/api/image/web', { label: null })).label, null);
  t.deepEqual(named(await fleet.eve('GET', '/api/image?label=none')), ['web']);
  t.is(said(await fleet.eve('GET', '/api/image?label=pink')), '400 InvalidInput label');
});

test('lists are narrowed, searched, sorted and paged, with a total', async (t) => {
  const fleet = await startFleet(t);
  await addImage(fleet, 'a', { golden: true, owner: 'eve', tags: ['x'], desc: 'needle' });
  await addImage(fleet, 'b', { access: 1, tags: ['x', 'y'] });
  await addImage(fleet, 'c', { access: 4 });
  const list = async (query: string) => named(await fleet.eve('GET', `/api/image?${query}`));
  t.deepEqual(await list('golden=true'), ['a']);
  t.deepEqual(await list('golden=False'), ['b', 'c']);
  t.deepEqual(await list('owner=eve'), ['a']);
  t.deepEqual(await list('tag=x&access=1'), ['b']);
  t.deepEqual(await list('ready=false'), ['c']);
  t.deepEqual(await list('ostype=1'), []);
  t.deepEqual(await list('search=NEEDLE'), ['a']);
  t.deepEqual(await list('search=smartOS'), ['a', 'b', 'c'], 'by the operating system');
  t.deepEqual(await list('search=linux'), []);
  t.deepEqual(await list('order_by=-os&limit=1'), ['a']);
  t.deepEqual(await list('order_by=-name&limit=2'), ['c', 'b']);
  const page = await fleet.eve('GET', '/api/image?limit=1&offset=1');
  t.like(page.json, { total: 3, offset: 1, result: ['b'], status: 'SUCCESS' });
  await fleet.eve('PUT', '/api/image/a', { alias: 'zeta', desc: 'thread' });
  t.deepEqual(await list('order_by=-alias'), ['a', 'b', 'c'], 'as it is after a change');
  t.deepEqual([await list('search=needle'), await list('search=thread')], [[], ['a']]);
  await fleet.root('DELETE', '/api/image/c', {});
  t.deepEqual(await list('order_by=alias'), ['b', 'a']);
  t.is(said(await fleet.eve('GET', '/api/image?order_by=colour')), '400 InvalidInput order_by');
  t.is(said(await fleet.eve('GET', '/api/image?colour=red')), '400 InvalidInput colour');
  t.is(said(await fleet.eve('GET', '/api/image?limit=-1')), '400 InvalidInput limit');
});

test('by what an image is replaced is told to those who see that', async (t) => {
  const fleet = await startFleet(t);
  const { root, dora, will } = fleet;
  await addImage(fleet, 'old', { dc_bound: false });
  const replacement = await addImage(fleet, 'new');
  await root('POST', '/api/dc/west/image/old');
  await root('PUT', '/api/image/old/deprecate', { reason: 'too old', replacement: 'new' });
  const seen = async (asked: ReturnType<typeof root>) => resultOf<{ deprecated: object }>(await asked).deprecated;
  t.like(await seen(dora('GET', '/api/dc/east/image/old')), { reason: 'too old', replacement });
  const elsewhere = await seen(will('GET', '/api/dc/west/image/old'));
  t.like(elsewhere, { reason: 'too old' });
  t.false('replacement' in elsewhere);
});

test('deprecated, with a reason and a replacement, and back', async (t) => {
  const fleet = await startFleet(t);
  const uuid = await addImage(fleet, 'old', { access: 1 });
  const instead = await addImage(fleet, 'new');
  await addImage(fleet, 'far', { dc: 'west' });
  const path = '/api/image/old/deprecate';
  for (const replacement of ['far', 'absent', 'old']) {
    t.is(said(await fleet.eve('PUT', path, { replacement })), '400 InvalidInput replacement', replacement);
  }
  t.is(said(await fleet.eve('DELETE', path)), '409 AlreadyDone');
  const told = await fleet.eve('PUT', path, { reason: 'too old', replacement: 'new' });
  t.like(resultOf(told), {
    deprecated: { by: 'eve', reason: 'too old', replacement: instead },
    badges: ['deprecated'],
  });
  t.is((await fleet.ask('GET', `/images/${uuid}/file`, { as: 'admin' })).status, 200, 'it is still to be had');
  t.deepEqual(named(await fleet.eve('GET', '/api/image?deprecated=true')), ['old']);
  const deprecated = async (by: Fleet['eve'], body: object) =>
    resultOf<{ deprecated: object }>(await by('PUT', path, body)).deprecated;
  const first = resultOf<{ deprecated: object }>(told).deprecated;
  t.deepEqual(await deprecated(fleet.root, {}), first, 'once more changes nothing');
  t.deepEqual(await deprecated(fleet.root, { reason: 'older still' }), { ...first, reason: 'older still' });
  t.is(resultOf<{ deprecated: null }>(await fleet.eve('DELETE', `${path}/`)).deprecated, null);
});

test('shared with groups, users and everybody', async (t) => {
  const fleet = await startFleet(t);
  const uuid = await addImage(fleet, 'web');
  const { root, eve, mia, sam, deps } = fleet;
  const list = async (by: Fleet['eve']) => (await by('GET', '/images')).list.map((image) => image.uuid);
  t.deepEqual(await list(mia), []);
  t.is((await eve('PUT', '/api/image/web', { users: ['mia'] })).status, 200);
  t.deepEqual(await list(mia), [uuid]);
  for (const name of ['sam', 'will', 'absent']) {
    t.is(said(await eve('PUT', '/api/image/web', { users: [name] })), '403 NotPermitted', name);
  }
  t.deepEqual(resultOf<{ users: string[] }>(await eve('GET', '/api/image/web')).users, ['mia']);
  t.is(said(await root('PUT', '/api/image/web', { users: ['absent'] })), '400 InvalidInput users');
  await eve('PUT', '/api/image/web', { users: [] });
  t.deepEqual(await list(mia), []);

  const group = [...deps.directory.groups.values()].find(({ permissions }) => permissions.length === 0)!;
  const other = [...deps.directory.groups.values()].find(({ datacenters }) => datacenters.includes('west'))!;
  t.is(said(await eve('PUT', '/api/image/web', { groups: [other.name] })), '400 InvalidInput groups');
  t.is((await eve('PUT', '/api/image/web', { groups: [group.name], access: 1 })).status, 200);
  t.deepEqual(await list(mia), [uuid]);
  t.is((await eve('PUT', '/api/image/web', { groups: [] })).status, 200);
  t.deepEqual(await list(mia), [], 'public, but for nobody but administrators');
  await eve('PUT', '/api/image/web', { groups: null });
  t.deepEqual(await list(mia), [uuid]);

  t.is(said(await eve('PUT', '/api/image/web', { global: true })), '403 NotPermitted');
  t.deepEqual(await list(sam), []);
  t.is((await root('PUT', '/api/image/web', { global: true })).status, 200);
  t.deepEqual(await list(sam), [uuid], 'main answers everybody, and it is in main too');
  t.like(resultOf(await root('GET', '/api/image/web')), { global: true, dc_bound: false });
  await root('PUT', '/api/image/web', { global: false });
  t.deepEqual(await list(sam), []);
});

test('to publish to the world is a right of its own', async (t) => {
  const fleet = await startFleet(t);
  const { uuid: plain, headers } = await addUser(fleet, 'max');
  await grant(fleet, { uuid: plain }, 'main', 'admin', 'image_admin');
  const uuid = await addImage(fleet, 'web', { dc: 'main' });
  const publish = () =>
    fleet.ask('PUT', '/api/image/web', { as: 'anonymous', headers, body: { access: 1, desc: 'for all' } });
  t.is(said(await publish()), '403 NotPermitted');
  t.is((await fleet.ask('GET', `/images/${uuid}`)).status, 404);
  t.is((await fleet.stored(uuid))?.description, undefined);
  await grant(fleet, { uuid: plain }, 'main', 'share_public');
  t.is((await publish()).status, 200, 'on the next request');
  t.is((await fleet.ask('GET', `/images/${uuid}`)).status, 200);
});

test('binding again: what is in one data center, by SuperAdmins', async (t) => {
  const fleet = await startFleet(t);
  const uuid = await addImage(fleet, 'web');
  const { root, eve } = fleet;
  const bind = (by: Fleet['eve'], dc_bound: boolean) => by('PUT', '/api/image/web', { dc_bound });
  t.is(said(await bind(eve, false)), '400 InvalidInput dc_bound');
  t.is(said(await bind(eve, true)), '400 InvalidInput dc_bound');
  t.is(resultOf<{ dc_bound: boolean }>(await bind(root, false)).dc_bound, false);
  t.is(said(await bind(eve, true)), '403 NotPermitted', 'now it is shared');
  await root('POST', '/api/dc/west/image/web');
  t.is(said(await bind(root, true)), '400 InvalidInput dc_bound');
  await root('DELETE', '/api/dc/east/image/web');
  t.is((await bind(root, true)).status, 200);
  t.is((await stored(fleet, uuid)).registration?.boundTo, 'west');
  await root('DELETE', '/api/dc/west/image/web');
  t.is(said(await bind(root, true)), '400 InvalidInput dc_bound', 'it is nowhere');
});

test('deleted with all that it held', async (t) => {
  const fleet = await startFleet(t);
  const uuid = await addImage(fleet, 'web');
  await addImage(fleet, 'child', { manifest: { ...manifest, version: '9', origin: uuid } });
  t.is(said(await fleet.eve('DELETE', '/api/image/web')), '428 ImageHasDependentImages');
  t.is(said(await fleet.dora('DELETE', '/api/image/child')), '403 NotPermitted');
  t.is(said(await fleet.will('DELETE', '/api/image/child')), '404 ResourceNotFound');
  t.is((await fleet.eve('DELETE', '/api/image/child/', {})).status, 200);
  const answer = await fleet.eve('DELETE', '/api/image/web');
  t.deepEqual([answer.status, answer.json.result], [200, null]);
  t.deepEqual((await kept(fleet)).images, []);
  t.is(said(await fleet.eve('DELETE', '/api/image/web')), '404 ResourceNotFound');
});

test('an image that has got its file is activated', async (t) => {
  const { ask, root, eve, dora, will } = await startFleet(t);
  await root('POST', '/api/image/disk', { manifest, dc: 'east' });
  const { uuid } = resultOf<{ uuid: string }>(await eve('GET', '/api/image/disk'));
  const activate = async (who: Fleet['eve']) => said(await who('PUT', '/api/image/disk/activate', {}));
  t.is(await activate(eve), '422 NoActivationNoFile');
  await ask('PUT', `/images/${uuid}/file?compression=none`, { as: 'admin', body: 'bytes' });
  t.is(await activate(dora), '403 NotPermitted');
  t.is(await activate(will), '404 ResourceNotFound');
  t.is(await activate(eve), '200');
  t.like(resultOf(await eve('GET', '/api/image/disk')), { state: 'active', ready: true });
  t.is(await activate(eve), '422 ImageAlreadyActivated');
});
