import { createHash } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import type { Mode } from '../../imgapi/image.js';
import { images } from '../../server/model/image.js';
import { ADMIN } from '../../server/model/user.js';
import { addUser, numbered } from '../support/fixtures.js';
import { type Answer, type Ask, sample, startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';

const ABSENT = numbered(0);

test('the manifest: its form and its headers', async (t) => {
  const { ask, image } = await startServer(t, { now: () => new Date('2026-01-02T03:04:05.678Z') });
  const { uuid } = await image({ description: 'an image', tags: { a: 1 }, public: true });
  const { status, headers, bytes } = await ask('GET', `/images/${uuid}`);
  const manifest = {
    v: 2,
    uuid,
    owner: ADMIN.uuid,
    name: 'sample',
    version: '1.0.0',
    state: 'active',
    disabled: false,
    public: true,
    published_at: '2026-01-02T03:04:05.678Z',
    type: 'zone-dataset',
    os: 'smartos',
    files: [{ sha1: createHash('sha1').update('the bytes').digest('hex'), size: 9, compression: 'none' }],
    description: 'an image',
    tags: { a: 1 },
  };
  t.is(status, 200);
  t.is(bytes.toString(), JSON.stringify(manifest, null, 2));
  t.is(headers['content-type'], 'application/json');
  t.is(headers['content-length'], String(bytes.length));
  t.is(headers.etag, `"${createHash('sha1').update(JSON.stringify(manifest)).digest('hex')}"`);
});

test('HEAD has the headers of GET, and no body', async (t) => {
  const { ask, image } = await startServer(t);
  const { uuid } = await image();
  const get = await ask('GET', `/images/${uuid}`);
  const head = await ask('HEAD', `/images/${uuid}`);
  t.is(head.status, 200);
  t.is(head.bytes.length, 0);
  for (const name of ['etag', 'content-type', 'content-length']) t.is(head.headers[name], get.headers[name], name);
});

const notUuids = table<'uuid' | 'why'>(`
  uuid                                   why
  x                                      no uuid at all
  00000000-0000-4000-8000-00000000000    a digit too few
  00000000-0000-4000-8000-0000000000000  a digit too many
  00000000-0000-4000-8000-00000000000A   upper case
  00000000-0000-4000-8000-00000000000g   not hex
  000000000000400080000000000000000000   no dashes
  00000000-0000-4000-8000-000000000000%0A   a line feed behind it
  %00                                    NUL
`);

test('what is no uuid is not found, whoever asks', async (t) => {
  const { ask } = await startServer(t);
  for (const { uuid, why } of notUuids) {
    for (const headers of [undefined, { authorization: 'Bearer wrong' }]) {
      const { status, json } = await ask('GET', `/images/${uuid}?channel=a&account=b`, headers && { headers });
      t.is(status, 404, why);
      t.is(json.code, 'ResourceNotFound', why);
      t.true(json.message?.includes(uuid), why);
    }
  }
});

test('an image that is not there is not found', async (t) => {
  const { ask } = await startServer(t);
  for (const as of ['anonymous', 'admin'] as const) {
    const { status, json } = await ask('GET', `/images/${ABSENT}`, { as });
    t.is(status, 404);
    t.is(json.code, 'ResourceNotFound');
  }
});

// Who gets what: manifest, file, icon and jobs always agree.

const images_ = table<'kind' | 'public' | 'acl' | 'state'>(`
  kind              public  acl    state
  unactivated       true    -      unactivated
  creating          true    -      creating
  failed            true    -      failed
  public            true    -      active
  public disabled   true    -      disabled
  private           false   -      active
  private disabled  false   -      disabled
  shared            false   guest  active
  shared disabled   false   guest  disabled
  shared early      false   guest  unactivated
`);

const byCaller = table<'kind' | 'anonymous' | 'admin' | 'trusted' | 'owner' | 'stranger'>(`
  kind              anonymous  admin  trusted  owner  stranger
  unactivated       404        200    200      200    404
  creating          404        200    200      200    404
  failed            404        200    200      200    404
  public            200        200    200      200    200
  public disabled   404        200    200      200    404
  private           404        200    200      200    404
  private disabled  404        200    200      200    404
  shared            404        200    200      200    404
  shared disabled   404        200    200      200    404
  shared early      404        200    200      200    404
`);

const byAccount = table<'kind' | 'owner' | 'guest' | 'stranger'>(`
  kind              owner  guest  stranger
  unactivated       200    404    404
  creating          200    404    404
  failed            200    404    404
  public            200    200    200
  public disabled   200    200    200
  private           200    404    404
  private disabled  200    404    404
  shared            200    200    404
  shared disabled   200    200    404
  shared early      200    404    404
`);

test('mode dc: callers without an account', async (t) => {
  for (const caller of ['anonymous', 'admin', 'trusted', 'owner', 'stranger'] as const) {
    const { server, uuids, people } = await populated(t, 'dc', caller === 'trusted');
    const options: Ask =
      caller === 'admin' ? { as: 'admin' } : caller in people ? { headers: people[caller]!.headers } : {};
    for (const row of byCaller) {
      await sees(t, server, uuids.get(row.kind)!, '', options, row[caller], `${row.kind} to ${caller}`);
    }
  }
});

test('mode dc: operators who act for an account', async (t) => {
  for (const caller of ['admin', 'trusted'] as const) {
    const { server, uuids, people } = await populated(t, 'dc', caller === 'trusted');
    const options: Ask = caller === 'admin' ? { as: 'admin' } : {};
    for (const row of byAccount) {
      for (const account of ['owner', 'guest', 'stranger'] as const) {
        const query = `?account=${people[account]!.uuid}`;
        await sees(
          t,
          server,
          uuids.get(row.kind)!,
          query,
          options,
          row[account],
          `${row.kind} to ${caller} for ${account}`,
        );
      }
    }
  }
});

for (const mode of ['public', 'private'] as const) {
  test(`mode ${mode}: whoever can name an image gets it; an account narrows that`, async (t) => {
    const { server, uuids, people } = await populated(t, mode);
    for (const row of byAccount.filter(({ kind }) => uuids.has(kind))) {
      const uuid = uuids.get(row.kind)!;
      await sees(t, server, uuid, '', {}, '200', row.kind);
      await sees(t, server, uuid, '', { as: 'admin' }, '200', `${row.kind} to admin`);
      for (const account of ['owner', 'guest', 'stranger'] as const) {
        const query = `?account=${people[account]!.uuid}`;
        await sees(t, server, uuid, query, {}, row[account], `${row.kind} for ${account}`);
      }
    }
  });
}

test('mode dc: only for oneself can one act without being an operator', async (t) => {
  const { server, uuids, people } = await populated(t, 'dc');
  const uuid = uuids.get('public')!;
  const { owner, stranger } = people;
  for (const path of ['', '/file', '/icon', '/jobs']) {
    for (const [options, account, code] of [
      [{}, owner!.uuid, 'OperatorOnly'],
      [{ headers: stranger!.headers }, owner!.uuid, 'OperatorOnly'],
      [{ headers: owner!.headers }, owner!.uuid, undefined],
    ] as const) {
      const { status, json } = await server.ask('GET', `/images/${uuid}${path}?account=${account}`, options);
      t.is(status, code ? 403 : 200, path);
      t.is(json.code, code, path);
      const absent = await server.ask('GET', `/images/${ABSENT}${path}?account=${account}`, options);
      t.is(absent.status, code ? 403 : 404, path);
    }
  }
});

test('an account that is no uuid is refused, on every path of an image', async (t) => {
  const { ask, image } = await startServer(t);
  const { uuid } = await image();
  for (const path of ['', '/file', '/icon', '/jobs']) {
    for (const account of ['', 'x', ADMIN.uuid.toUpperCase(), `${ADMIN.uuid}&account=${ADMIN.uuid}`]) {
      const { status, json } = await ask('GET', `/images/${uuid}${path}?account=${account}`);
      t.is(status, 422, `${path} ${account}`);
      t.is(json.code, 'InvalidParameter');
      t.like(json.errors?.[0], { field: 'account', code: 'Invalid' });
    }
  }
});

test('a hidden image and an absent one get the same answer', async (t) => {
  const { ask, image } = await startServer(t);
  const hidden = [
    (await image({ public: false })).uuid,
    (await image({}, { activate: false })).uuid,
    (await image({}, { file: null })).uuid,
  ];
  for (const uuid of hidden) {
    for (const method of ['GET', 'HEAD']) {
      for (const path of [
        '',
        '/file',
        '/file?index=7',
        '/icon',
        '/jobs',
        '?inclAdminFields=true',
        '?inclAdminFields=x',
      ]) {
        const options = { headers: { 'x-request-id': 'same', range: 'bytes=100-', 'if-match': 'x' } };
        t.deepEqual(
          timeless(await ask(method, `/images/${uuid}${path}`, options), uuid),
          timeless(await ask(method, `/images/${ABSENT}${path}`, options), ABSENT),
          `${method} ${path}`,
        );
      }
    }
  }
});

test('mode dc: the origins of an image that is visible are so too, whatever their state', async (t) => {
  const { ask, image } = await startServer(t);
  const first = await image({ public: false });
  const second = await image({ origin: first.uuid });
  await ask('POST', `/images/${second.uuid}?action=disable`);
  const third = await image({ origin: second.uuid }, { activate: false });
  const chain = [first.uuid, second.uuid, third.uuid];
  const statuses = async () => Promise.all(chain.map(async (uuid) => (await ask('GET', `/images/${uuid}`)).status));

  t.deepEqual(await statuses(), [404, 404, 404], 'as long as nothing that is visible stands on them');
  const hidden = await image({ origin: third.uuid, public: false });
  t.deepEqual(await statuses(), [404, 404, 404], 'nor what stands on them is visible');
  const top = await image({ origin: third.uuid });
  t.deepEqual(await statuses(), [200, 200, 200]);
  t.is((await ask('GET', `/images/${first.uuid}/file`)).status, 200);
  t.deepEqual(
    (await ask('GET', '/images?state=all')).list.map(({ uuid }) => uuid),
    [top.uuid],
    'lists stay as they are',
  );
  t.is((await ask('GET', `/images/${hidden.uuid}`)).status, 404, 'siblings stay hidden');

  await ask('POST', `/images/${top.uuid}?action=disable`);
  t.deepEqual(await statuses(), [404, 404, 404], 'when it goes, they go');
});

test('mode dc: an account does not get the origins of what it sees', async (t) => {
  const server = await startServer(t);
  const { uuid: account } = await addUser(server, 'stranger');
  const origin = await server.image({ public: false });
  await server.image({ origin: origin.uuid });
  const { status } = await server.ask('GET', `/images/${origin.uuid}?account=${account}`, { as: 'admin' });
  t.is(status, 404);
});

test('a ring of origins ends', async (t) => {
  const { ask, image, stored, deps } = await startServer(t);
  const first = await image({ public: false });
  const second = await image({ public: false, origin: first.uuid });
  const record = await stored(first.uuid);
  await deps.catalog.write((tx) => tx.replace(images, { ...record!, origin: second.uuid }));
  t.is((await ask('GET', `/images/${first.uuid}`)).status, 404);
});

// inclAdminFields

const adminFields = table<'mode' | 'caller' | 'value' | 'status'>(`
  mode     caller     value  status
  public   anonymous  true   401
  public   anonymous  false  200
  public   admin      true   200
  public   trusted    true   200
  private  anonymous  true   401
  private  admin      true   200
  private  trusted    true   200
  dc       anonymous  true   401
  dc       admin      true   200
  dc       trusted    true   200
  dc       admin      false  200
  dc       admin      TRUE   422
  dc       admin      1      422
  dc       admin      -      422
  dc       anonymous  yes    422
`);

test('inclAdminFields', async (t) => {
  for (const { mode, caller, value, status } of adminFields) {
    const why = `${mode} ${caller} ${value}`;
    const { ask, image } = await startServer(t, { mode: mode as Mode, trusts: () => caller === 'trusted' });
    const { uuid } = await image();
    const options: Ask = { as: caller === 'admin' ? 'admin' : 'anonymous' };
    const one = await ask('GET', `/images/${uuid}?inclAdminFields=${value}`, options);
    const all = await ask('GET', `/images?inclAdminFields=${value}`, options);
    for (const answer of [one, all]) {
      t.is(answer.status, Number(status), why);
      if (status === '401') t.is(answer.json.code, 'UnauthorizedError', why);
      if (status === '422') {
        t.is(answer.json.code, 'InvalidParameter', why);
        t.like(answer.json.errors?.[0], { field: 'inclAdminFields', code: 'Invalid' }, why);
      }
    }
    if (status !== '200') continue;
    const stor = value === 'true' ? 'local' : undefined;
    t.is(one.json.files?.[0]?.stor, stor, why);
    t.is(all.list[0]?.files?.[0]?.stor, stor, why);
  }
});

test('what only the server needs is never shown', async (t) => {
  const { ask, image } = await startServer(t);
  const { uuid } = await image();
  const { json } = await ask('GET', `/images/${uuid}?inclAdminFields=true`, { as: 'admin' });
  t.deepEqual(Object.keys(json.files?.[0] ?? {}), ['sha1', 'size', 'compression', 'stor']);
  for (const name of ['activated', 'expires_at', 'channels', 'icon', 'acl']) t.false(name in json, name);
});

test('billing tags and traits are hidden in mode public', async (t) => {
  for (const mode of ['public', 'private', 'dc'] as const) {
    const { ask, image } = await startServer(t, { mode });
    const { uuid } = await image({ billing_tags: ['a'], traits: { ssd: true } });
    const { json } = await ask('GET', `/images/${uuid}`);
    const [listed] = (await ask('GET', '/images')).list;
    for (const shown of [json, listed!]) {
      t.deepEqual(shown.billing_tags, mode === 'public' ? undefined : ['a'], mode);
      t.deepEqual(shown.traits, mode === 'public' ? undefined : { ssd: true }, mode);
    }
  }
});

// Conditional requests

const conditions = table<'header' | 'value' | 'status'>(`
  header             value                          status
  if-none-match      "TAG"                          304
  if-none-match      TAG                            304
  if-none-match      W/"TAG"                        304
  if-none-match      *                              304
  if-none-match      "x", "TAG"                     304
  if-none-match      x,TAG                          304
  if-none-match      "x"                            200
  if-none-match      "TAG                           200
  if-match           "TAG"                          200
  if-match           TAG                            200
  if-match           *                              200
  if-match           "x", TAG                       200
  if-match           "x"                            412
  if-modified-since  Thu, 01 Jan 2099 00:00:00 GMT  200
  if-unmodified-since  Thu, 01 Jan 1970 00:00:00 GMT  200
`);

test('conditional requests', async (t) => {
  const { ask, image } = await startServer(t);
  const { uuid } = await image();
  const path = `/images/${uuid}`;
  const { etag = '' } = (await ask('GET', path)).headers;
  for (const { header, value, status } of conditions) {
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask(method, path, { headers: { [header]: value.replace('TAG', etag.replaceAll('"', '')) } });
      const why = `${method} ${header}: ${value}`;
      t.is(answer.status, Number(status), why);
      if (status !== '412') t.is(answer.headers.etag, etag, why);
      if (status === '304') t.is(answer.bytes.length, 0, why);
      if (status === '412' && method === 'GET') t.is(answer.json.code, 'PreconditionFailed', why);
    }
  }
});

test('the tag follows every change of the manifest, and the form in which it is asked for', async (t) => {
  const { ask, image } = await startServer(t, { channels: [{ name: 'dev', description: '', default: true }] });
  const { uuid } = await image();
  const path = `/images/${uuid}`;
  const before = await ask('GET', path);
  const withChannels = await ask('GET', path, { headers: { 'accept-version': '~2' } });
  t.not(before.headers.etag, withChannels.headers.etag);
  const updated = await ask('POST', `${path}?action=update`, { body: { description: 'changed' } });
  const after = await ask('GET', path, { headers: { 'if-none-match': before.headers.etag ?? '' } });
  t.is(after.status, 200);
  t.is(after.headers.etag, updated.headers.etag);
});

/** One image of every kind that the mode allows, each with a file and an icon. */
async function populated(t: ExecutionContext, mode: Mode, trusting = false) {
  const server = await startServer(t, { mode, trusts: () => trusting });
  const { ask } = server;
  const people: Record<string, Awaited<ReturnType<typeof addUser>>> = {};
  for (const name of ['owner', 'guest', 'stranger']) people[name] = await addUser(server, name);
  const uuids = new Map<string, string>();
  for (const { kind, public: isPublic, acl, state } of images_) {
    const wanted = isPublic === 'true';
    if (mode !== 'dc' && sample(mode).public !== wanted) continue;
    const manifest = { public: wanted, owner: people.owner!.uuid, ...(acl && { acl: [people[acl]!.uuid] }) };
    const activate = state === 'active' || state === 'disabled';
    const { uuid } = await server.image(manifest, { activate });
    await ask('PUT', `/images/${uuid}/icon`, { body: 'icon', headers: { 'content-type': 'image/png' } });
    if (state === 'disabled') await ask('POST', `/images/${uuid}?action=disable`);
    if (state === 'creating' || state === 'failed') {
      await ask('POST', `/images/${uuid}?action=update`, { body: { state } });
    }
    t.is((await server.stored(uuid))?.state, state as never, kind);
    uuids.set(kind, uuid);
  }
  return { server, uuids, people };
}

async function sees(
  t: ExecutionContext,
  { ask }: TestServer,
  uuid: string,
  query: string,
  options: Ask,
  status: string,
  why: string,
): Promise<void> {
  for (const path of ['', '/file', '/icon', '/jobs']) {
    const answer = await ask('GET', `/images/${uuid}${path}${query}`, options);
    t.is(answer.status, Number(status), `${why} ${path}`);
    if (status === '404') t.is(answer.json.code, 'ResourceNotFound', why);
  }
}

/** An answer without what differs between any two requests. */
function timeless({ status, headers, bytes }: Answer, uuid: string) {
  const { date: _, 'x-response-time': __, ...others } = headers;
  return { status, headers: others, body: bytes.toString().replaceAll(uuid, 'UUID') };
}

test('what was asked for before a change is not what is sent after it', async (t) => {
  const channels = [{ name: 'dev', description: '', default: true }];
  const { ask, image } = await startServer(t, { channels });
  const { uuid } = await image({ description: 'before' });
  const path = `/images/${uuid}`;
  const asPlain = () => ask('GET', path, { headers: { 'accept-version': '~1' } });
  const withChannels = () => ask('GET', path, { headers: { 'accept-version': '~2' } });
  const before = await asPlain();
  t.is(before.json.description, 'before');
  t.is(before.json.channels, undefined);
  t.deepEqual((await withChannels()).json.channels, ['dev']);
  t.deepEqual((await asPlain()).bytes, before.bytes);

  await ask('POST', `${path}?action=update`, { body: { description: 'after' } });
  const after = await asPlain();
  t.is(after.json.description, 'after');
  t.not(after.headers.etag, before.headers.etag);
  t.is((await withChannels()).json.description, 'after');

  t.is((await ask('DELETE', path)).status, 204);
  t.is((await asPlain()).status, 404);
  t.is((await withChannels()).status, 404);
});
