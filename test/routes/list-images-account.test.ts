import test, { type ExecutionContext } from 'ava';
import type { Mode } from '../../imgapi/image.js';
import { ADMIN } from '../../server/model/user.js';
import { grant } from '../support/datacenters.js';
import { addUser } from '../support/fixtures.js';
import { type Ask, sample, startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';

/** The images, by name: whose, and what. */
const cast = table<'name' | 'owner' | 'public' | 'acl' | 'state'>(`
  name            owner  public  acl  state
  my-pub          me     true    -    active
  my-pub-dis      me     true    -    disabled
  my-pub-new      me     true    -    unactivated
  my-priv         me     false   -    active
  my-priv-dis     me     false   -    disabled
  my-failed       me     true    -    failed
  her-pub         her    true    -    active
  her-pub-dis     her    true    -    disabled
  her-pub-new     her    true    -    unactivated
  her-priv        her    false   -    active
  her-shared      her    false   me   active
  her-shared-dis  her    false   me   disabled
  her-shared-new  her    false   me   unactivated
  his-pub         his    true    -    active
`);

// In the order of the names.
const lists = table<'query' | 'found'>(`
  query                        found
  -                            her-pub her-shared his-pub my-priv my-pub
  state=active                 her-pub her-shared his-pub my-priv my-pub
  state=disabled               my-priv-dis my-pub-dis
  state=unactivated            my-failed my-pub-new
  state=all                    her-pub her-pub-dis her-shared her-shared-dis his-pub my-failed my-priv my-priv-dis my-pub my-pub-dis my-pub-new
  public=true                  her-pub his-pub my-pub
  public=false                 her-shared my-priv
  name=her-pub                 her-pub
  name=~shared                 her-shared
  name=~shared&state=all       her-shared her-shared-dis
  name=her-priv                -
  public=false&state=all       her-shared her-shared-dis my-priv my-priv-dis
  owner=ME                     my-priv my-pub
  owner=ME&state=all           my-failed my-priv my-priv-dis my-pub my-pub-dis my-pub-new
  owner=ME&state=disabled      my-priv-dis my-pub-dis
  owner=ME&state=unactivated   my-failed my-pub-new
  owner=ME&state=failed        my-failed
  owner=HER                    her-pub her-shared
  owner=HER&state=all          her-pub her-pub-dis her-shared her-shared-dis
  owner=HER&state=disabled     -
  owner=HER&state=unactivated  -
  owner=HER&public=false       her-shared
  owner=HER&public=true        her-pub
  owner=nobody                 -
`);

async function populated(t: ExecutionContext, mode: Mode, trusting = false) {
  const server = await startServer(t, { mode, trusts: () => trusting });
  const people: Record<string, string> = {};
  for (const name of ['me', 'her', 'his']) people[name] = (await addUser(server, name)).uuid;
  for (const { name, owner, public: isPublic, acl, state } of cast) {
    const wanted = isPublic === 'true';
    if (mode !== 'dc' && sample(mode).public !== wanted) continue;
    const manifest = { name, owner: people[owner], public: wanted, ...(acl && { acl: [people[acl]] }) };
    const { uuid } = await server.image(manifest, { activate: state === 'active' || state === 'disabled' });
    if (state === 'disabled') await server.ask('POST', `/images/${uuid}?action=disable`);
    if (state === 'failed') await server.ask('POST', `/images/${uuid}?action=update`, { body: { state } });
  }
  return { server, people };
}

async function lists_(t: ExecutionContext, { ask }: TestServer, query: string, options: Ask, found: string) {
  const { list } = await ask('GET', `/images?${query}`, options);
  const names = list.map(({ name }) => String(name)).sort();
  t.is(names.join(' '), found, query);
}

for (const caller of ['admin', 'trusted'] as const) {
  test(`mode dc: what ${caller} lists for an account`, async (t) => {
    const { server, people } = await populated(t, 'dc', caller === 'trusted');
    for (const { query, found } of lists) {
      const asked = `account=${people.me}&${query.replace('ME', people.me!).replace('HER', people.her!)}`;
      await lists_(t, server, asked, { as: caller === 'admin' ? 'admin' : 'anonymous' }, found);
    }
  });
}

test('mode dc: a user lists for its own account only', async (t) => {
  const server = await startServer(t);
  const me = await addUser(server, 'me');
  await grant(server, me, 'main');
  await server.image({ name: 'shared', public: false, acl: [me.uuid] });
  await server.image({ name: 'mine', public: false, owner: me.uuid });
  await server.image({ name: 'hidden', public: false });
  await lists_(t, server, `account=${me.uuid}`, { headers: me.headers }, 'mine shared');
  for (const account of [ADMIN.uuid, 'nonsense', '']) {
    for (const options of [{ headers: me.headers }, {}]) {
      const { status, json } = await server.ask('GET', `/images?account=${account}`, options);
      t.is(status, 403, account);
      t.is(json.code, 'OperatorOnly', account);
    }
  }
});

for (const mode of ['public', 'private'] as const) {
  test(`mode ${mode}: an account in the list of somebody without credentials shows active images only`, async (t) => {
    const { server, people } = await populated(t, mode);
    const active = new Set(cast.filter(({ state }) => state === 'active').map(({ name }) => name));
    const here = new Set(cast.filter((image) => image.public === String(sample(mode).public)).map(({ name }) => name));
    for (const { query, found } of lists) {
      const asked = `account=${people.me}&${query.replace('ME', people.me!).replace('HER', people.her!)}`;
      const known = found.split(' ').filter((name) => here.has(name));
      await lists_(t, server, asked, { as: 'admin' }, known.join(' '));
      await lists_(t, server, asked, {}, known.filter((name) => active.has(name)).join(' '));
    }
  });
}

test('an account that is nobody sees what is public', async (t) => {
  const { server } = await populated(t, 'dc');
  await lists_(t, server, 'account=nonsense', { as: 'admin' }, 'her-pub his-pub my-pub');
  await lists_(t, server, 'account=', { as: 'admin' }, 'her-pub his-pub my-pub');
});

test('the lists of one’s own and of others’ images are one: sorted, limited, without doubles', async (t) => {
  const days = ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04'];
  const server = await startServer(t, { now: () => new Date(days[0]!) });
  const me = (await addUser(server, 'me')).uuid;
  for (const [index, owner] of [me, ADMIN.uuid, me, ADMIN.uuid].entries()) {
    const name = `n${index}`;
    const { uuid } = await server.image({ name, owner, acl: [me] }, { activate: false });
    server.deps.now = () => new Date(days[index]!);
    await server.ask('POST', `/images/${uuid}?action=activate`);
  }
  const listed = async (query: string) =>
    (await server.ask('GET', `/images?account=${me}${query}`, { as: 'admin' })).list.map(({ name }) => name).join(' ');
  t.is(await listed(''), 'n0 n1 n2 n3');
  t.is(await listed('&limit=3'), 'n0 n1 n2');
  t.is(await listed('&sort=published_at.desc&limit=2'), 'n3 n2');
});
