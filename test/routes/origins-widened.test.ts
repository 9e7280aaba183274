import test, { type ExecutionContext } from 'ava';
import { images } from '../../server/model/image.js';
import type { Access } from '../../server/model/registration.js';
import { ADMIN } from '../../server/model/user.js';
import { addDatacenter, grant, place, stored } from '../support/datacenters.js';
import { addUser, numbered } from '../support/fixtures.js';
import { sample, startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';
import { told } from '../support/told.js';

// Whoever shows an image shows what it builds on: that takes the same right there.

const OPEN = 'open';
const BASE = numbered(1);
const GUEST = numbered(9);

const everything = ['admin', 'image_admin', 'image_import_admin', 'share_public'] as const;

async function arranged(t: ExecutionContext, settings = {}) {
  const server = await startServer(t);
  await addDatacenter(server, 'D', { settings });
  await addDatacenter(server, 'E');
  await addDatacenter(server, OPEN, { settings: { anonymous: true } });
  const maker = await addUser(server, 'maker');
  await grant(server, maker, 'D', 'admin', 'image_admin');
  const both = await addUser(server, 'both');
  for (const name of ['D', 'E', OPEN]) await grant(server, both, name, ...everything);
  const shy = await addUser(server, 'shy');
  await grant(server, shy, OPEN, 'admin', 'image_admin');
  const root = { uuid: ADMIN.uuid, headers: { authorization: `Bearer ${server.token}` } };
  return { server, users: { maker, both, shy, root } };
}

type Users = Awaited<ReturnType<typeof arranged>>['users'];

/** Origins, by where they stand: `D`, bound to it; `D+`, shared and attached to it. */
async function origin(server: TestServer, users: Users, where: string, access: string, owner: string): Promise<string> {
  const { uuid } = await server.image();
  const name = where.replace('+', '');
  await place(
    server,
    uuid,
    { access: access as Access, datacenters: [name], ...(where === name && { boundTo: name }) },
    { owner: owner === 'other' ? ADMIN.uuid : users[owner as keyof Users].uuid },
  );
  return uuid;
}

/** Who makes an image in a data center, on an origin; opens it there by an action; how that is answered. */
const cases = table<'origin' | 'access' | 'owner' | 'user' | 'in' | 'made' | 'opened by' | 'answer'>(`
  origin  access   owner  user   in    made                    opened by  answer
  D       public   other  maker  D     200                     public     200
  D       private  other  maker  D     200                     public     200
  D       deleted  other  maker  D     200                     public     200
  D+      public   other  maker  D     200                     public     200
  D+      public   other  maker  D     200                     owner      200
  D+      public   other  maker  D     200                     acl        200
  D+      private  other  maker  D     422 OriginDoesNotExist  -          -
  D+      deleted  other  maker  D     422 OriginDoesNotExist  -          -
  D+      private  maker  maker  D     200                     activate   200
  D+      private  maker  maker  D     200                     public     403 NotPermitted
  D+      private  maker  maker  D     200                     acl        403 NotPermitted
  D+      private  maker  maker  D     200                     owner      403 NotPermitted
  D+      private  maker  maker  D     200                     name       200
  E       public   other  maker  D     422 OriginDoesNotExist  -          -
  E+      public   other  maker  D     422 OriginDoesNotExist  -          -
  open+   public   other  maker  D     200                     public     200
  D       public   other  both   E     403 NotPermitted        -          -
  D+      public   other  both   E     403 NotPermitted        -          -
  D       private  both   both   E     403 NotPermitted        -          -
  open+   public   other  both   E     200                     public     200
  D       public   other  root   E     200                     public     200
  E+      private  other  root   D     200                     public     200
  open    private  other  both   open  200                     public     200
  open+   private  both   both   open  200                     public     403 NotPermitted
  open+   public   other  both   open  200                     public     200
  open    private  other  shy    open  200                     public     403 NotPermitted
  open    private  other  shy    open  200                     acl        200
`);

for (const { origin: where, access, owner, user, in: dc, made, 'opened by': how, answer } of cases) {
  test(`${user} builds in ${dc} on a ${access} image of ${owner} in ${where}, and opens it by ${how || 'nothing'}`, async (t) => {
    const { server, users } = await arranged(t);
    const base = await origin(server, users, where, access, owner);
    const { headers } = users[user as keyof Users];
    const body = { ...sample('dc'), owner: undefined, public: false, origin: base };
    const created = await server.ask('POST', `/images?dc=${dc}`, { body, headers });
    t.is(told(created), made);
    if (created.status !== 200) {
      t.is(server.deps.listing.size, 1, 'nothing was made');
      if (created.status === 403)
        t.regex(created.json.message ?? '', new RegExp(base), 'the origin, which is seen, is named');
      return;
    }
    const { uuid } = created.json;
    const ask = (query: string, body: object) => server.ask('POST', `/images/${uuid}${query}`, { body, headers });
    await server.ask('PUT', `/images/${uuid}/file?compression=none`, { body: 'bytes', headers });
    if (how !== 'activate') t.is((await ask('?action=activate', {})).status, 200, 'activated, and private');
    const before = await stored(server, uuid);
    const opened = await {
      activate: () => ask('?action=activate', {}),
      public: () => ask('?action=update', { public: true }),
      owner: () => ask('?action=update', { owner: users.both.uuid }),
      name: () => ask('?action=update', { name: 'other' }),
      acl: () => ask('/acl', [GUEST]),
    }[how as 'public']();
    t.is(told(opened), answer);
    if (opened.status === 200) return;
    t.deepEqual(await stored(server, uuid), before);
    if (user !== 'shy') t.regex(opened.json.message ?? '', new RegExp(base));
  });
}

test('where administrators may use private images, they build on them, and show them to nobody else', async (t) => {
  const { server, users } = await arranged(t, { privateUsableByDcAdmin: true });
  const base = await origin(server, users, 'D+', 'private', 'other');
  const { headers } = users.maker;
  const body = { ...sample('dc'), owner: undefined, public: false, origin: base };
  const { json, status } = await server.ask('POST', '/images', { body, headers });
  t.is(status, 200);
  await server.ask('PUT', `/images/${json.uuid}/file?compression=none`, { body: 'bytes', headers });
  t.is((await server.ask('POST', `/images/${json.uuid}?action=activate`, { headers })).status, 200);
  const opened = await server.ask('POST', `/images/${json.uuid}?action=update`, { body: { public: true }, headers });
  t.is(told(opened), '403 NotPermitted');
});

test('an origin that is not seen is not named', async (t) => {
  const { server, users } = await arranged(t);
  const below = await origin(server, users, 'E+', 'private', 'other');
  const base = await origin(server, users, 'D+', 'private', 'maker');
  await server.deps.catalog.write(async (tx) => {
    const image = await tx.get(images, base);
    if (image) await tx.replace(images, { ...image, origin: below });
  });
  const { headers } = users.maker;
  const body = { ...sample('dc'), owner: undefined, public: true, origin: base };
  const { json } = await server.ask('POST', '/images', { body, headers });
  await server.ask('PUT', `/images/${json.uuid}/file?compression=none`, { body: 'bytes', headers });
  const { json: refusal, status } = await server.ask('POST', `/images/${json.uuid}?action=activate`, { headers });
  t.is(status, 403);
  t.regex(refusal.message ?? '', new RegExp(`without its origin ${base}$`));
  t.notRegex(refusal.message ?? '', new RegExp(below));
});

test('what an import builds on is asked for like what a create does', async (t) => {
  const { server, users } = await arranged(t);
  const base = await origin(server, users, 'D+', 'private', 'other');
  const { headers } = users.both;
  const importing = (dc: string) =>
    server.ask('POST', `/images/${BASE}?action=import&dc=${dc}`, {
      body: { ...sample('dc'), v: 2, uuid: BASE, public: false, origin: base },
      headers,
    });
  t.is(told(await importing('D')), '422 OriginDoesNotExist');
  await place(server, base, { access: 'public' });
  t.is(told(await importing('E')), '403 NotPermitted');
  t.is(await server.stored(BASE), undefined);
  t.is(told(await importing('D')), '200');
});
