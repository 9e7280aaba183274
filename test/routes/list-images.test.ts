import test, { type ExecutionContext } from 'ava';
import type { Mode } from '../../imgapi/image.js';
import { UNSET_OWNER } from '../../imgapi/image.js';
import { images } from '../../server/model/image.js';
import { ADMIN } from '../../server/model/user.js';
import { addUser, importImage, numbered } from '../support/fixtures.js';
import { type Ask, type ServerOptions, startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';

const OTHER = '0f4d0d53-31f7-4d2a-b6d5-5d4a3e2b1c0d';

async function names({ ask }: Pick<TestServer, 'ask'>, query: string, options?: Ask): Promise<string> {
  const { list } = await ask('GET', `/images${query}`, options);
  return list.map(({ name }) => name).join(' ');
}

test('an empty server lists nothing', async (t) => {
  const { ask } = await startServer(t);
  const { status, headers, bytes } = await ask('GET', '/images');
  t.is(status, 200);
  t.is(headers['content-type'], 'application/json');
  t.is(headers['content-length'], '2');
  t.is(headers.etag, undefined);
  t.is(bytes.toString(), '[]');
});

test('a list is an array of what GetImage gives, to the letter', async (t) => {
  const server = await startServer(t, { channels: [{ name: 'dev', description: '', default: true }] });
  await server.image({ name: 'a', tags: { deep: { er: [1] } }, description: 'two\nlines\t"quoted" ü' });
  await server.image({ name: 'b', acl: [OTHER], billing_tags: ['x'] });
  for (const query of ['', '?inclAdminFields=true']) {
    for (const version of ['~1', '~2']) {
      const options: Ask = { as: 'admin', headers: { 'accept-version': version } };
      const { bytes, list, headers } = await server.ask('GET', `/images${query}`, options);
      const each = await Promise.all(
        list.map(async ({ uuid }) => (await server.ask('GET', `/images/${uuid}${query}`, options)).json),
      );
      t.is(each.length, 2);
      t.is(bytes.toString(), JSON.stringify(each, null, 2));
      t.is(headers['content-length'], String(bytes.length));
      t.is('channels' in each[0]!, version === '~2');
    }
  }
});

test('HEAD has the headers of GET, and no body', async (t) => {
  const { ask, image } = await startServer(t);
  await image();
  const get = await ask('GET', '/images');
  const head = await ask('HEAD', '/images');
  t.is(head.status, 200);
  t.is(head.bytes.length, 0);
  t.is(head.headers['content-length'], get.headers['content-length']);
});

// States, for those who see everything and for those who do not

const byState = table<'query' | 'operator' | 'anonymous'>(`
  query                operator                                          anonymous
  -                    act                                               act
  ?state=              act                                               act
  ?state=active        act                                               act
  ?state=disabled      dis                                               -
  ?state=unactivated   crea fail unact unact-dis                         -
  ?state=all           act crea dis fail unact unact-dis                 act
  ?state=creating      crea                                              -
  ?state=failed        fail                                              -
`);

for (const mode of ['public', 'private', 'dc'] as const) {
  test(`mode ${mode}: states`, async (t) => {
    const server = await startServer(t, { mode });
    const { ask, image } = server;
    const act = (uuid: string, action: string, body?: object) =>
      ask('POST', `/images/${uuid}?action=${action}`, body ? { body } : {});
    await image({ name: 'act' });
    await act((await image({ name: 'dis' })).uuid, 'disable');
    await image({ name: 'unact' }, { activate: false });
    await act((await image({ name: 'unact-dis' }, { file: null })).uuid, 'disable');
    await act((await image({ name: 'crea' }, { file: null })).uuid, 'update', { state: 'creating' });
    await act((await image({ name: 'fail' }, { file: null })).uuid, 'update', { state: 'failed' });
    for (const { query, operator, anonymous } of byState) {
      const sorted = async (options: Ask) => (await names(server, query, options)).split(' ').sort().join(' ');
      t.is(await sorted({ as: 'admin' }), operator, query);
      t.is(await sorted({ as: 'anonymous' }), anonymous, query);
    }
  });
}

test('mode dc: callers without credentials see what is public; trusted ones all, owners their own', async (t) => {
  const trusting = { now: false };
  const server = await startServer(t, { trusts: () => trusting.now });
  const { uuid: owner, headers } = await addUser(server, 'owner');
  await server.image({ name: 'public', owner });
  await server.image({ name: 'private', public: false, owner });
  await server.image({ name: 'other', public: false });
  const sorted = async (options?: Ask) => (await names(server, '', options)).split(' ').sort().join(' ');
  t.is(await sorted(), 'public');
  t.is(await sorted({ headers }), 'private public');
  t.is(await sorted({ as: 'admin' }), 'other private public');
  trusting.now = true;
  t.is(await sorted(), 'other private public');
});

test('mode private lists private images to everybody', async (t) => {
  const server = await startServer(t, { mode: 'private' });
  await server.image({ name: 'a', public: false });
  t.is(await names(server, ''), 'a');
});

// Filters

const filters = table<'query' | 'found'>(`
  query                                  found
  -                                      alpha beta gamma
  ?name=alpha                            alpha
  ?name=alph                             -
  ?name=Alpha                            -
  ?name=~lph                             alpha
  ?name=~a                               alpha beta gamma
  ?name=~A                               -
  ?name=~ta                              beta
  ?name=~                                alpha beta gamma
  ?name=~~                               -
  ?name=                                 -
  ?name=.*                               -
  ?version=1.0.0                         alpha
  ?version=~.0.                          alpha beta
  ?version=                              -
  ?owner=ADMIN                           alpha gamma
  ?owner=OTHER                           beta
  ?owner=UNSET                           -
  ?owner=nobody                          -
  ?owner=                                -
  ?os=smartos                            alpha gamma
  ?os=linux                              beta
  ?os=!linux                             -
  ?os=nonsense                           -
  ?type=zone-dataset                     alpha gamma
  ?type=!zone-dataset                    beta
  ?type=lx-dataset                       beta
  ?type=!nonsense                        alpha beta gamma
  ?type=nonsense                         -
  ?type=!                                alpha beta gamma
  ?public=true                           alpha beta
  ?public=false                          gamma
  ?tag.color=red                         alpha
  ?tag.color=blue                        beta
  ?tag.color=green                       -
  ?tag.color=                            -
  ?tag.number=5                          alpha
  ?tag.number=5.0                        -
  ?tag.flag=true                         alpha
  ?tag.flag=false                        beta
  ?tag.docker:repo=busybox               beta
  ?tag.docker%3Arepo=busybox             beta
  ?tag.a.b.c=dots                        alpha
  ?tag.a.b=dots                          -
  ?tag.nested=                           alpha
  ?tag.nested=[object+Object]            -
  ?tag.list=                             alpha
  ?tag.nothing=                          alpha
  ?tag.nothing=null                      -
  ?tag.empty=                            alpha
  ?tag.long=                             alpha
  ?tag.short=HUNDRED                     alpha
  ?tag.equals=a%3Db                      alpha
  ?tag.unknown=x                         -
  ?tag.=x                                -
  ?tag=x                                 alpha beta gamma
  ?tag.color=red&tag.number=5            alpha
  ?tag.color=red&tag.number=6            -
  ?tag.color=red&tag.color=red           -
  ?tag.color=red&tag.color=blue          -
  ?billing_tag=gold                      alpha beta
  ?billing_tag=gold&billing_tag=old      alpha
  ?billing_tag=gold&billing_tag=none     -
  ?billing_tag=gol                       -
  ?billing_tag=                          -
  ?name=alpha&version=1.0.0&os=smartos   alpha
  ?name=alpha&version=2.0.0              -
  ?uuid=nonsense                         alpha beta gamma
  ?origin=nonsense                       alpha beta gamma
  ?acl=nonsense                          alpha beta gamma
  ?nonsense=x&nonsense=y                 alpha beta gamma
  ?__proto__=x                           alpha beta gamma
  ?constructor=x                         alpha beta gamma
`);

test('filters', async (t) => {
  const server = await startServer(t);
  await importImage(server, {
    uuid: numbered(1),
    name: 'alpha',
    version: '1.0.0',
    owner: ADMIN.uuid,
    public: true,
    billing_tags: ['gold', 'old'],
    tags: {
      color: 'red',
      number: 5,
      flag: true,
      'a.b.c': 'dots',
      nested: { a: 1 },
      list: ['a'],
      nothing: null,
      empty: '',
      long: 'x'.repeat(101),
      short: 'x'.repeat(100),
      equals: 'a=b',
    },
  });
  await importImage(server, {
    uuid: numbered(2),
    name: 'beta',
    version: '2.0.1',
    owner: OTHER,
    public: true,
    os: 'linux',
    type: 'lx-dataset',
    billing_tags: ['gold'],
    tags: { color: 'blue', flag: false, 'docker:repo': 'busybox' },
  });
  await importImage(server, { uuid: numbered(3), name: 'gamma', version: '3', owner: ADMIN.uuid, public: false });
  for (const { query, found } of filters) {
    const asked = query
      .replace('ADMIN', ADMIN.uuid)
      .replace('OTHER', OTHER)
      .replace('UNSET', UNSET_OWNER)
      .replace('HUNDRED', 'x'.repeat(100));
    t.is((await names(server, asked, { as: 'admin' })).split(' ').sort().join(' '), found, query);
  }
});

test('mode public filters on billing tags that it does not show', async (t) => {
  const server = await startServer(t, { mode: 'public' });
  await server.image({ name: 'a', billing_tags: ['gold'] });
  t.is(await names(server, '?billing_tag=gold'), 'a');
  t.is(await names(server, '?billing_tag=old'), '');
});

test('what has changed is found by what it is, not by what it was', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({ name: 'before', tags: { a: 'x' } });
  await server.ask('POST', `/images/${uuid}?action=update`, { body: { name: 'after', tags: { a: 'y' } } });
  t.is(await names(server, '?name=before'), '');
  t.is(await names(server, '?tag.a=x'), '');
  t.is(await names(server, '?name=after&tag.a=y'), 'after');
  await server.ask('DELETE', `/images/${uuid}`);
  t.is(await names(server, ''), '');
});

// Values that are refused

const refused = table<'query' | 'field' | 'as'>(`
  query                                field            as
  state=nonsense                       state            anonymous
  state=ACTIVE                         state            anonymous
  state=constructor                    state            anonymous
  state=__proto__                      state            anonymous
  state=active&state=all               state            anonymous
  public=yes                           public           anonymous
  public=                              public           anonymous
  public=TRUE                          public           anonymous
  public=hasOwnProperty                public           anonymous
  public=true&public=true              public           anonymous
  name=a&name=b                        name             anonymous
  version=a&version=b                  version          anonymous
  owner=a&owner=b                      owner            anonymous
  os=a&os=b                            os               anonymous
  type=a&type=b                        type             anonymous
  account=a&account=b                  account          admin
  limit=x                              limit            anonymous
  limit=1&limit=2                      limit            anonymous
  limit=NaN                            limit            anonymous
  limit=1,2                            limit            anonymous
  marker=nonsense                      marker           anonymous
  marker=a&marker=b                    marker           anonymous
  sort=name                            sort             anonymous
  sort=published_at&sort=published_at  sort             anonymous
  sort=-published_at                   sort             anonymous
  sort=.asc                            sort             anonymous
  inclAdminFields=x                    inclAdminFields  admin
`);

test('values that are refused', async (t) => {
  const { ask } = await startServer(t);
  for (const { query, field, as } of refused) {
    const { status, json } = await ask('GET', `/images?${query}`, { as: as as 'admin' });
    t.is(status, 422, query);
    t.is(json.code, 'InvalidParameter', query);
    t.is(json.errors?.length, 1, query);
    t.like(json.errors?.[0], { field, code: 'Invalid' }, query);
  }
});

// Order and pages

/** Five images on three dates, one unpublished; by uuid in the order of their names. */
async function dated(t: ExecutionContext, options: ServerOptions = {}): Promise<TestServer> {
  const server = await startServer(t, options);
  const day = (number: number) => `2026-01-0${number}T00:00:00Z`;
  await importImage(server, { uuid: numbered(4), name: 'd', owner: ADMIN.uuid, public: true, published_at: day(1) });
  await importImage(server, { uuid: numbered(3), name: 'c', owner: ADMIN.uuid, public: true, published_at: day(2) });
  await importImage(server, { uuid: numbered(1), name: 'a', owner: ADMIN.uuid, public: true, published_at: day(2) });
  await importImage(server, { uuid: numbered(2), name: 'b', owner: ADMIN.uuid, public: true, published_at: day(2) });
  await importImage(server, { uuid: numbered(5), name: 'e', owner: ADMIN.uuid, public: true, published_at: day(3) });
  await importImage(server, { uuid: numbered(9), name: 'z', owner: ADMIN.uuid, public: true }, { activate: false });
  return server;
}

const pages = table<'query' | 'found'>(`
  query                                              found
  -                                                  d a b c e
  ?sort=                                             d a b c e
  ?sort=published_at                                 d a b c e
  ?sort=published_at.asc                             d a b c e
  ?sort=published_at.ASC                             d a b c e
  ?sort=published_at.desc                            e c b a d
  ?sort=published_at.DESC                            e c b a d
  ?sort=published_at.sideways                        e c b a d
  ?state=all                                         z d a b c e
  ?state=all&sort=published_at.desc                  e c b a d z
  ?limit=2                                           d a
  ?limit=0                                           d a b c e
  ?limit=                                            d a b c e
  ?limit=5                                           d a b c e
  ?limit=99                                          d a b c e
  ?limit=2&sort=published_at.desc                    e c
  ?limit=1&name=e                                    e
  ?marker=MARK1                                      a b c e
  ?marker=MARK2                                      b c e
  ?marker=MARK3                                      c e
  ?marker=MARK4                                      d a b c e
  ?marker=MARK5                                      e
  ?marker=MARK9                                      d a b c e
  ?marker=                                           d a b c e
  ?marker=MARK2&limit=2                              b c
  ?marker=MARK2&sort=published_at.desc               b a d
  ?marker=MARK2&sort=published_at.desc&limit=2       b a
  ?marker=MARK5&sort=published_at.desc               e c b a d
  ?marker=MARK9&sort=published_at.desc               e c b a d
  ?marker=MARK2&name=e                               e
  ?marker=2026-01-02                                 a b c e
  ?marker=2026-01-02T00:00:00.000Z                   a b c e
  ?marker=2026-01-02T00:00:00.001Z                   e
  ?marker=2099-01-01                                 -
  ?marker=2026-01-02T00:00:00Z&sort=published_at.desc  c b a d
  ?marker=2025-01-01&sort=published_at.desc          -
  ?marker=1970-01-01                                 d a b c e
`);

test('order, limits and markers', async (t) => {
  const server = await dated(t);
  for (const { query, found } of pages) {
    const asked = query.replace(/MARK(\d)/, (_, digit: string) => numbered(Number(digit)));
    t.is(await names(server, asked, { as: 'admin' }), found, query);
  }
});

test('a marker that is not there is not found', async (t) => {
  const { ask } = await dated(t);
  const { status, json } = await ask('GET', `/images?marker=${numbered(7)}`);
  t.is(status, 404);
  t.is(json.code, 'ResourceNotFound');
});

for (const direction of ['asc', 'desc']) {
  test(`page by page, ${direction}, a client meets every image once`, async (t) => {
    const server = await startServer(t);
    for (let number = 1; number <= 9; number += 1) {
      const published_at = `2026-01-0${Math.ceil(number / 4)}T00:00:00Z`;
      await importImage(server, {
        uuid: numbered(number),
        name: `n${number}`,
        owner: ADMIN.uuid,
        public: true,
        published_at,
      });
    }
    const met: string[] = [];
    let marker: string | undefined;
    for (;;) {
      const query = `?limit=3&sort=published_at.${direction}${marker ? `&marker=${marker}` : ''}`;
      const page = (await server.ask('GET', `/images${query}`)).list.map(({ uuid }) => uuid);
      const fresh = page[0] === marker ? page.slice(1) : page;
      met.push(...fresh);
      if (fresh.length === 0) break;
      marker = fresh.at(-1);
    }
    t.is(met.length, 9);
    t.is(new Set(met).size, 9);
  });
}

test('lists are not cut at a thousand', async (t) => {
  const { ask, image, stored, deps } = await startServer(t);
  const record = (await stored((await image()).uuid))!;
  await deps.catalog.write(async (tx) => {
    for (let number = 1; number <= 1100; number += 1) await tx.insert(images, { ...record, uuid: numbered(number) });
  });
  t.is((await ask('GET', '/images')).list.length, 1101);
  t.is((await ask('GET', '/images?limit=1050')).list.length, 1050);
});

const hiddenMarkers = table<'mode' | 'caller' | 'status'>(`
  mode     caller     status
  dc       anonymous  404
  dc       user       404
  dc       owner      200
  dc       admin      200
  dc       trusted    200
  public   anonymous  200
  private  anonymous  200
`);

test('lists that fill what is sent at once exactly, by a byte more or less, or many times over', async (t) => {
  const { ask, image, deps } = await startServer(t);
  await image();
  await image();
  const { list, bytes } = await ask('GET', '/images');
  const describe = async (lengths: number[]) => {
    await deps.catalog.write(async (tx) => {
      for (const [n, length] of lengths.entries()) {
        const stored = await tx.get(images, list[n]!.uuid);
        await tx.replace(images, { ...stored!, description: 'x'.repeat(length) });
      }
    });
    return (await ask('GET', '/images')).bytes;
  };
  const label = (await describe([1, 1])).length - bytes.length - 2;
  const atOnce = 128 * 1024;
  for (const size of [atOnce - 1, atOnce, atOnce + 1, 2 * atOnce, 5 * atOnce + 7]) {
    const rest = size - bytes.length - label;
    for (const lengths of [
      [1, rest - 1],
      [rest - 1, 1],
    ]) {
      const whole = await describe(lengths);
      t.is(whole.length, size);
      t.is(whole.toString(), JSON.stringify(JSON.parse(whole.toString()), null, 2));
      t.deepEqual(
        JSON.parse(whole.toString()).map(({ description }: { description: string }) => description.length),
        lengths,
      );
    }
  }
});

test('a marker that is hidden is not found either, in the same words', async (t) => {
  for (const { mode, caller, status } of hiddenMarkers) {
    const server = await startServer(t, { mode: mode as Mode, trusts: () => caller === 'trusted' });
    const owner = await addUser(server, 'owner');
    const user = await addUser(server, 'user');
    const { uuid } = await server.image({ owner: owner.uuid }, { activate: false });
    const people: Record<string, Ask> = {
      admin: { as: 'admin' },
      owner: { headers: owner.headers },
      user: { headers: user.headers },
    };
    const answer = await server.ask('GET', `/images?marker=${uuid}`, people[caller]);
    t.is(answer.status, Number(status), `${mode} ${caller}`);
    if (status === '200') continue;
    const absent = await server.ask('GET', `/images?marker=${numbered(7)}`, people[caller]);
    t.is(answer.bytes.toString().replace(uuid, numbered(7)), absent.bytes.toString());
  }
});

// Channels

const channels = [
  { name: 'dev', description: '', default: true },
  { name: 'release', description: '' },
];

const byChannel = table<'query' | 'found'>(`
  query                        found
  -                            both dev
  ?channel=                    both dev
  ?channel=dev                 both dev
  ?channel=release             both release
  ?channel=*                   both dev release
  ?channel=*&name=dev          dev
  ?channel=release&name=dev    -
`);

for (const mode of ['public', 'private', 'dc'] as const) {
  test(`mode ${mode}: channels select`, async (t) => {
    const server = await startServer(t, { mode, channels });
    const manifest = { owner: ADMIN.uuid, public: mode !== 'private' };
    await importImage(server, { uuid: numbered(1), name: 'dev', ...manifest });
    await importImage(server, { uuid: numbered(2), name: 'release', ...manifest }, { query: '&channel=release' });
    await importImage(server, { uuid: numbered(3), name: 'both', ...manifest });
    await server.ask('POST', `/images/${numbered(3)}?action=channel-add`, { body: { channel: 'release' } });
    for (const { query, found } of byChannel) {
      t.is((await names(server, query)).split(' ').sort().join(' '), found, query);
    }
  });
}

test('a marker may be in another channel', async (t) => {
  const server = await startServer(t, { channels });
  const manifest = { owner: ADMIN.uuid, public: true };
  const day = (number: number) => ({ published_at: `2026-01-0${number}T00:00:00Z` });
  await importImage(server, { uuid: numbered(1), name: 'a', ...manifest, ...day(1) });
  await importImage(server, { uuid: numbered(2), name: 'b', ...manifest, ...day(2) }, { query: '&channel=release' });
  await importImage(server, { uuid: numbered(3), name: 'c', ...manifest, ...day(3) });
  t.is(await names(server, `?marker=${numbered(2)}`), 'c');
});

const badChannels = table<'default' | 'query' | 'code'>(`
  default  query                            code
  yes      ?channel=nope                    Invalid
  yes      ?channel=dev&channel=release     Invalid
  no       -                                MissingParameter
  no       ?channel=                        MissingParameter
  no       ?channel=**                      Invalid
`);

test('channels that are refused', async (t) => {
  for (const { default: isDefault, query, code } of badChannels) {
    const configured =
      isDefault === 'yes' ? channels : channels.map(({ name, description }) => ({ name, description }));
    const { ask } = await startServer(t, { channels: configured });
    const { status, json } = await ask('GET', `/images${query}`);
    t.is(status, 422, query);
    t.is(json.code, 'ValidationFailed', query);
    t.like(json.errors?.[0], { field: 'channel', code }, query);
  }
});

test('channels are shown to those who know of them', async (t) => {
  const server = await startServer(t, { channels });
  await server.image();
  for (const [version, shown] of [
    ['', undefined],
    ['~1', undefined],
    ['~2', ['dev']],
    ['*', ['dev']],
  ] as const) {
    const { list } = await server.ask('GET', '/images', { headers: version ? { 'accept-version': version } : {} });
    t.deepEqual(list[0]?.channels, shown, version);
  }
});
