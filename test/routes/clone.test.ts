import test from 'ava';
import { type Image, UNSET_OWNER } from '../../imgapi/image.js';
import { images } from '../../server/model/image.js';
import { ADMIN } from '../../server/model/user.js';
import { sweep } from '../../server/operations/sweep.js';
import { grant, stored } from '../support/datacenters.js';
import { addUser, numbered } from '../support/fixtures.js';
import { startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';
import { holders, kept, told } from '../support/told.js';

const ACCOUNT = numbered(9);
const NOW = '2030-01-02T03:04:05.678Z';

const clone = ({ ask }: TestServer, uuid: string, query = `?account=${ACCOUNT}`) =>
  ask('POST', `/images/${uuid}/clone${query}`);

test('a copy of the manifest for the account that it is shared with', async (t) => {
  const server = await startServer(t, { now: () => new Date(NOW) });
  const { acl: _, ...original } = await server.image({
    public: false,
    acl: [numbered(8), ACCOUNT],
    tags: { a: 1 },
    billing_tags: ['xl'],
    description: 'x',
    requirements: { min_ram: 64 },
  });
  const { status, json, headers } = await clone(server, original.uuid);
  t.is(status, 200);
  t.not(json.uuid, original.uuid);
  t.deepEqual(json, { ...original, uuid: json.uuid, owner: ACCOUNT, published_at: NOW });
  t.is(headers.etag, undefined);
  t.deepEqual((await server.ask('GET', `/images/${json.uuid}`, { as: 'admin' })).json, json);
  const { list } = await server.ask('GET', `/images?account=${ACCOUNT}&owner=${ACCOUNT}`, { as: 'admin' });
  t.deepEqual(
    list.map(({ uuid }) => uuid),
    [json.uuid],
  );
  t.deepEqual((await server.ask('GET', `/images/${original.uuid}`, { as: 'admin' })).json.acl, [numbered(8), ACCOUNT]);
});

test('the bytes are shared, and stay for whichever is left', async (t) => {
  let time = Date.now();
  const server = await startServer(t, { now: () => new Date(time), blobGrace: 60 });
  const original = await server.image({ acl: [ACCOUNT] });
  await server.ask('PUT', `/images/${original.uuid}/icon`, { body: 'icon', headers: { 'content-type': 'image/png' } });
  const { json: copy } = await clone(server, original.uuid);
  const ofFile = (await holders(server)).find((names) => names.some((name) => name.endsWith('file0')));
  t.deepEqual(ofFile, [`${original.uuid}/file0`, `${copy.uuid}/file0`]);
  t.is((await kept(server)).whole, 2, 'a file and an icon');

  t.is((await server.ask('DELETE', `/images/${original.uuid}`)).status, 204);
  time += 61_000;
  await sweep(server.deps);
  t.is((await server.ask('GET', `/images/${copy.uuid}/file`, { as: 'admin' })).bytes.toString(), 'the bytes');
  const { json } = await server.ask('GET', `/images/${copy.uuid}`, { as: 'admin' });
  t.is((await server.ask('GET', `/images/${copy.uuid}/icon`, { as: 'admin' })).status, json.icon ? 200 : 404);

  t.is((await server.ask('DELETE', `/images/${copy.uuid}`)).status, 204);
  time += 61_000;
  await sweep(server.deps);
  t.deepEqual(await kept(server), { images: [], whole: 0, staged: 0 });
});

// Chains of origins

/** By the owners of a chain, base first: how many of its images are copied. */
const chains = table<'owners' | 'copied'>(`
  owners            copied
  user              1
  admin user        1
  unset user        1
  user user         2
  admin user user   2
  user admin user   1
  user user user    3
  user unset user   1
  user other user   3
  admin             1
  admin admin       1
`);

test('origins are copied up to the first that belongs to nobody in particular', async (t) => {
  for (const { owners, copied } of chains) {
    const server = await startServer(t, { now: () => new Date(NOW) });
    const user = await addUser(server, 'someone');
    const other = await addUser(server, 'other');
    const uuids: Record<string, string> = {
      admin: ADMIN.uuid,
      unset: UNSET_OWNER,
      user: user.uuid,
      other: other.uuid,
    };
    const originals: string[] = [];
    for (const owner of owners.split(' ')) {
      const position = originals.length;
      const { uuid } = await server.image(
        { name: `image ${position}`, origin: originals.at(-1), acl: [ACCOUNT] },
        { file: `file ${position}` },
      );
      await server.deps.catalog.write(async (tx) => {
        await tx.replace<Image>(images, { ...(await tx.get(images, uuid))!, owner: uuids[owner]! });
      });
      originals.push(uuid);
    }
    const { status, json } = await clone(server, originals.at(-1)!);
    t.is(status, 200, owners);

    const copies: Image[] = [];
    for (let next: string | undefined = json.uuid; next && !originals.includes(next); ) {
      const copy: Image | undefined = await server.stored(next);
      if (!copy) break;
      copies.push(copy);
      next = copy.origin;
    }
    t.is(copies.length, Number(copied), owners);
    t.is((await kept(server)).images.length, originals.length + copies.length, owners);
    t.is((await kept(server)).whole, originals.length, `${owners}: no bytes were copied`);
    const base = originals.length - copies.length - 1;
    t.is(copies.at(-1)?.origin, base < 0 ? undefined : originals[base], owners);
    for (const [index, copy] of copies.entries()) {
      const position = originals.length - 1 - index;
      t.like(copy, {
        owner: ACCOUNT,
        name: `image ${position}`,
        published_at: NOW,
        activated: true,
        disabled: index > 0,
        state: index > 0 ? 'disabled' : 'active',
      });
      t.is(copy.acl, undefined);
      const { bytes } = await server.ask('GET', `/images/${copy.uuid}/file`, { as: 'admin' });
      t.is(bytes.toString(), `file ${position}`, owners);
    }
  }
});

test('the account can have its copies, origins included', async (t) => {
  const server = await startServer(t);
  const user = await addUser(server, 'someone');
  const base = await server.image({ owner: user.uuid, public: false });
  const shared = await server.image({ owner: user.uuid, public: false, origin: base.uuid, acl: [ACCOUNT] });
  const { json: copy } = await clone(server, shared.uuid);
  for (const uuid of [copy.uuid, String(copy.origin)]) {
    const { status } = await server.ask('GET', `/images/${uuid}/file?account=${ACCOUNT}`, { as: 'admin' });
    t.is(status, 200);
  }
  t.is((await server.ask('GET', `/images/${base.uuid}?account=${ACCOUNT}`, { as: 'admin' })).status, 404);
});

test('a chain that can not be copied leaves no copy of its beginning', async (t) => {
  const server = await startServer(t);
  const user = await addUser(server, 'someone');
  const base = await server.image({ owner: user.uuid });
  const middle = await server.image({ owner: user.uuid, origin: base.uuid });
  const top = await server.image({ owner: user.uuid, origin: middle.uuid, acl: [ACCOUNT] });
  await server.deps.catalog.write(async (tx) => {
    const image = (await tx.get(images, middle.uuid))!;
    await tx.replace(images, { ...image, files: [...image.files, ...image.files] });
  });
  const before = await kept(server);
  t.is(told(await clone(server, top.uuid)), '400 NotImplemented');
  t.deepEqual(await kept(server), before);
  t.is((await holders(server)).flat().length, 3);
});

// Refusals

const refused = table<'image' | 'query' | 'told'>(`
  image        query                    told
  malformed    -                        404 ResourceNotFound
  shared       -                        422 InvalidParameter account:Invalid
  shared       ?account=                422 InvalidParameter account:Invalid
  shared       ?account=nonsense        422 InvalidParameter account:Invalid
  shared       ?account=UUID&account=UUID  422 InvalidParameter account:Invalid
  absent       -                        422 InvalidParameter account:Invalid
  absent       ?account=UUID            404 ResourceNotFound
  private      ?account=UUID            404 ResourceNotFound
  unactivated  ?account=UUID            404 ResourceNotFound
  own, fresh   ?account=UUID            422 ValidationFailed active:Invalid
  own          ?account=UUID            422 ImageNotShared
  public       ?account=UUID            422 ImageNotShared
  docker       ?account=UUID            422 ValidationFailed type:Invalid
  docker, own  ?account=UUID            422 ImageNotShared
  two files    ?account=UUID            400 NotImplemented
  shared       ?account=UUID            200
  disabled     ?account=UUID            200
`);

test('what can not be cloned', async (t) => {
  const server = await startServer(t);
  const user = await addUser(server, 'someone');
  const shared = { acl: [user.uuid] };
  const twoFiles = await server.image({ ...shared, type: 'lxd' });
  await server.deps.catalog.write(async (tx) => {
    const image = (await tx.get(images, twoFiles.uuid))!;
    await tx.replace(images, { ...image, files: [...image.files, ...image.files] });
  });
  const uuids: Record<string, string> = {
    malformed: 'nonsense',
    absent: numbered(7),
    shared: (await server.image(shared)).uuid,
    disabled: (await server.image({ ...shared, disabled: true })).uuid,
    private: (await server.image({ public: false })).uuid,
    unactivated: (await server.image(shared, { activate: false })).uuid,
    'own, fresh': (await server.image({ owner: user.uuid }, { activate: false })).uuid,
    own: (await server.image({ owner: user.uuid })).uuid,
    public: (await server.image()).uuid,
    docker: (await server.image({ ...shared, type: 'docker' })).uuid,
    'docker, own': (await server.image({ owner: user.uuid, type: 'docker' })).uuid,
    'two files': twoFiles.uuid,
  };
  for (const { image, query, told: expected } of refused) {
    const before = await kept(server);
    const answer = await clone(server, uuids[image]!, query.replaceAll('UUID', user.uuid));
    t.is(told(answer), expected, `${image} ${query}`);
    if (answer.status !== 200) t.deepEqual(await kept(server), before, image);
    else t.is(answer.json.state, image === 'disabled' ? 'disabled' : 'active');
  }
});

test('the refusal names the image and the account the right way round (D-14)', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image();
  const { json } = await clone(server, uuid);
  t.regex(String(json.message), new RegExp(`image ${uuid} .* account ${ACCOUNT}`));
});

test('only mode dc has clones', async (t) => {
  for (const mode of ['public', 'private'] as const) {
    const server = await startServer(t, { mode });
    const { uuid } = await server.image({ acl: [ACCOUNT] });
    t.is(told(await clone(server, uuid)), '404 ResourceNotFound');
    t.deepEqual((await kept(server)).images, [uuid]);
  }
});

test('a user clones for itself, and for nobody else, to where it may create images', async (t) => {
  const server = await startServer(t);
  const user = await addUser(server, 'someone');
  const { uuid } = await server.image({ public: false, acl: [user.uuid, ACCOUNT] });
  const as = (account: string, more = '') =>
    server.ask('POST', `/images/${uuid}/clone?account=${account}${more}`, { headers: user.headers });
  await grant(server, user, 'main', 'admin');
  t.is(told(await as(user.uuid)), '403 NotPermitted');
  t.deepEqual((await kept(server)).images, [uuid]);
  await grant(server, user, 'main', 'image_admin');
  t.is(told(await as(ACCOUNT)), '403 OperatorOnly');
  t.is(told(await as(user.uuid, '&dc=elsewhere')), '422 InvalidParameter dc:Invalid');
  const { json } = await as(user.uuid);
  t.is(json.owner, user.uuid);
  t.like((await stored(server, json.uuid)).registration, { boundTo: 'main', datacenters: ['main'] });
  t.is((await stored(server, uuid)).registration?.boundTo, undefined, 'shared, and not to be made by a user');
});

test('a copy is in the channels of its original', async (t) => {
  const channels = [
    { name: 'dev', description: '', default: true },
    { name: 'release', description: '' },
  ];
  const server = await startServer(t, { channels });
  const { uuid } = await server.image({ acl: [ACCOUNT] });
  t.is(told(await clone(server, uuid, `?account=${ACCOUNT}&channel=release`)), '404 ResourceNotFound');
  t.is(told(await clone(server, uuid, `?account=${ACCOUNT}&channel=*`)), '422 ValidationFailed channel:Invalid');
  const { json } = await clone(server, uuid);
  t.deepEqual((await server.stored(json.uuid))?.channels, ['dev']);
});
