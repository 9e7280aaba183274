import test from 'ava';
import type { Image, Mode } from '../../imgapi/image.js';
import { images } from '../../server/model/image.js';
import { addUser, numbered } from '../support/fixtures.js';
import { type Ask, startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';
import { kept, told } from '../support/told.js';

const modes: Mode[] = ['dc', 'public', 'private'];
const channels = [
  { name: 'dev', description: '', default: true },
  { name: 'release', description: '' },
  { name: 'support', description: '' },
];
const NOW = '2030-01-02T03:04:05.678Z';

const act = ({ ask }: TestServer, uuid: string, action: string, options: Ask = {}) =>
  ask('POST', `/images/${uuid}?action=${action}`, options);

// Lifecycle

const lifecycle = table<'file' | 'steps' | 'told' | 'state' | 'disabled'>(`
  file   steps                                      told                        state        disabled
  bytes  activate                                   200                         active       false
  -      activate                                   422 NoActivationNoFile      unactivated  false
  bytes  activate activate                          422 ImageAlreadyActivated   active       false
  bytes  activate disable activate                  422 ImageAlreadyActivated   disabled     true
  bytes  disable                                    200                         unactivated  true
  -      disable                                    200                         unactivated  true
  -      disable activate                           422 NoActivationNoFile      unactivated  true
  bytes  disable disable                            200                         unactivated  true
  bytes  disable activate                           200                         disabled     true
  bytes  disable activate enable                    200                         active       false
  bytes  disable enable                             200                         unactivated  false
  bytes  enable                                     200                         unactivated  false
  bytes  activate disable                           200                         disabled     true
  bytes  activate disable disable                   200                         disabled     true
  bytes  activate enable                            200                         active       false
  bytes  activate disable enable                    200                         active       false
  bytes  activate disable enable enable disable     200                         disabled     true
`);

for (const mode of modes) {
  test(`${mode}: the life of an image`, async (t) => {
    const server = await startServer(t, { mode, now: () => new Date(NOW) });
    for (const { file, steps, told: expected, state, disabled } of lifecycle) {
      const made = await server.image({}, { file: file || null, activate: false });
      let answer = await server.ask('GET', `/images/${made.uuid}`, { as: 'admin' });
      for (const step of steps.split(' ')) answer = await act(server, made.uuid, step);
      t.is(told(answer), expected, steps);
      const got = await server.ask('GET', `/images/${made.uuid}`, { as: 'admin' });
      const activated = ['active', 'disabled'].includes(state);
      t.deepEqual(
        got.json,
        { ...made, state, disabled: disabled === 'true', ...(activated && { published_at: NOW }) },
        steps,
      );
      if (answer.status !== 200) continue;
      t.deepEqual(answer.json, got.json, steps);
      t.is(answer.headers.etag, got.headers.etag, steps);
      const { list } = await server.ask('GET', '/images?state=all', { as: 'admin' });
      t.is(list.find(({ uuid }) => uuid === made.uuid)?.state, state, `${steps}: lists say the same`);
    }
  });
}

test('activation looks at no origin', async (t) => {
  const server = await startServer(t);
  for (const origin of [
    await server.image({}, { file: null }),
    await server.image({}, { activate: false }),
    await server.image({ disabled: true }),
  ]) {
    t.is((await server.image({ origin: origin.uuid })).state, 'active');
  }
});

test('a placeholder that is activated does not expire any more', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({}, { activate: false });
  await server.deps.catalog.write(async (tx) => {
    const image = (await tx.get(images, uuid))!;
    await tx.replace<Image>(images, { ...image, state: 'creating', expires_at: '2020-01-01T00:00:00.000Z' });
  });
  t.is((await act(server, uuid, 'activate')).json.state, 'active');
  t.false('expires_at' in ((await server.stored(uuid)) ?? {}));
});

// Names of actions

const names = table<'query' | 'told'>(`
  query                          told
  -                              422 InvalidParameter action:MissingParameter
  action=                        422 InvalidParameter action:MissingParameter
  action=nonsense                422 InvalidParameter action:Invalid
  action=Activate                422 InvalidParameter action:Invalid
  action=activate%20             422 InvalidParameter action:Invalid
  action=toString                422 InvalidParameter action:Invalid
  action=__proto__               422 InvalidParameter action:Invalid
  action=create                  422 InvalidParameter action:Invalid
  action=add                     422 InvalidParameter action:Invalid
  action=create-from-vm          422 InvalidParameter action:Invalid
  action=activate&action=disable  422 InvalidParameter action:Invalid
  action=channel-add             422 InvalidParameter action:Invalid
`);

test('what is no action is refused, after the image was found', async (t) => {
  for (const mode of modes) {
    const server = await startServer(t, { mode });
    const made = await server.image({}, { activate: false });
    for (const { query, told: expected } of names) {
      const body = { channel: 'dev', name: 'other' };
      t.is(told(await server.ask('POST', `/images/${made.uuid}?${query}`, { body })), expected, `${mode} ${query}`);
      if (query.includes('&')) continue;
      t.is(told(await server.ask('POST', `/images/${numbered(7)}?${query}`, { body })), '404 ResourceNotFound', query);
    }
    t.deepEqual((await server.ask('GET', `/images/${made.uuid}`, { as: 'admin' })).json, made);
  }
});

test('an action needs no body, and takes any', async (t) => {
  const server = await startServer(t);
  for (const options of [
    {},
    { body: '' },
    { body: '', headers: { 'content-type': 'application/json' } },
    { body: 'nonsense' },
    { body: { disabled: false, name: 'other' } },
  ] satisfies Ask[]) {
    const { uuid } = await server.image();
    const { json } = await act(server, uuid, 'disable', options);
    t.like(json as object, { state: 'disabled', name: 'sample' });
  }
});

// Who may, and in which channel

const access = table<'image' | 'account' | 'query' | 'told'>(`
  image      account  query            told
  malformed  bad      &channel=x       404 ResourceNotFound
  absent     bad      &channel=x       422 ValidationFailed channel:Invalid
  absent     bad      -                422 InvalidParameter account:Invalid
  absent     -        -                404 ResourceNotFound
  absent     user     -                404 ResourceNotFound
  hidden     user     -                404 ResourceNotFound
  private    user     -                404 ResourceNotFound
  shared     user     -                422 NotImageOwner
  others     user     -                422 NotImageOwner
  own        user     -                200
  own        -        -                200
  own        user     &channel=release  404 ResourceNotFound
  own        user     &channel=*       422 ValidationFailed channel:Invalid
`);

const bodies: Record<string, object> = { update: { name: 'other' }, 'channel-add': { channel: 'release' } };

for (const action of ['activate', 'disable', 'enable', 'update', 'channel-add', 'nonsense']) {
  test(`who may ${action}`, async (t) => {
    for (const { image, account, query, told: expected } of access) {
      const server = await startServer(t, { channels });
      const user = await addUser(server, 'someone');
      const fresh = { activate: action !== 'activate' };
      const uuids: Record<string, () => Promise<{ uuid: string }>> = {
        malformed: async () => ({ uuid: 'nonsense' }),
        absent: async () => ({ uuid: numbered(7) }),
        hidden: () => server.image({}, { activate: false }),
        private: () => server.image({ public: false }),
        shared: () => server.image({ public: false, acl: [user.uuid] }),
        others: () => server.image(),
        own: () => server.image({ owner: user.uuid }, fresh),
      };
      const { uuid } = await uuids[image]!();
      const before = await server.stored(uuid).catch(() => undefined);
      const named: Record<string, string> = { user: user.uuid, bad: 'nonsense' };
      const acting = account && `&account=${named[account]}`;
      const answer = await act(server, uuid, `${action}${acting}${query}`, { body: bodies[action] ?? {} });
      const outcome = action === 'nonsense' && expected === '200' ? '422 InvalidParameter action:Invalid' : expected;
      t.is(told(answer), outcome, [image, account, query].join(' '));
      if (answer.status !== 200) t.deepEqual(await server.stored(uuid), before);
    }
  });
}

// Conditional changes

const conditions = table<'headers' | 'told'>(`
  headers                                   told
  {"if-match": "QUOTED"}                    200
  {"if-match": "BARE"}                      200
  {"if-match": "*"}                         200
  {"if-match": "other, QUOTED"}             200
  {"if-match": "W/QUOTED"}                  200
  {"if-match": "other"}                     412 PreconditionFailed
  {"if-match": ""}                          412 PreconditionFailed
  {"if-none-match": "other"}                200
  {"if-none-match": "QUOTED"}               412 PreconditionFailed
  {"if-none-match": "BARE"}                 412 PreconditionFailed
  {"if-none-match": "*"}                    412 PreconditionFailed
  {"if-match": "QUOTED", "if-none-match": "other"}  200
  {"if-match": "QUOTED", "if-none-match": "QUOTED"}  412 PreconditionFailed
  {"if-modified-since": "Tue, 01 Jan 2030 00:00:00 GMT"}  200
  {"if-unmodified-since": "Tue, 01 Jan 2019 00:00:00 GMT"}  200
`);

for (const action of ['activate', 'disable', 'enable', 'update', 'channel-add']) {
  test(`${action}, if the manifest is the one that the client knows`, async (t) => {
    for (const { headers, told: expected } of conditions) {
      const server = await startServer(t, { channels });
      const { uuid } = await server.image({}, { activate: action !== 'activate' });
      const { headers: current } = await server.ask('GET', `/images/${uuid}`, { as: 'admin' });
      const before = await server.stored(uuid);
      const quoted = String(current.etag);
      const given: Record<string, string> = JSON.parse(headers);
      const filled = Object.fromEntries(
        Object.entries(given).map(([name, value]) => [
          name,
          value.replace('QUOTED', quoted).replace('BARE', quoted.replaceAll('"', '')),
        ]),
      );
      const answer = await act(server, uuid, action, { body: bodies[action] ?? {}, headers: filled });
      t.is(told(answer), expected, headers);
      if (answer.status === 200) continue;
      t.is(answer.headers.etag, undefined, headers);
      t.deepEqual(await server.stored(uuid), before, headers);
    }
  });
}

test('the tag is that of the version that the client speaks', async (t) => {
  const server = await startServer(t, { channels });
  const { uuid } = await server.image();
  const tagFor = async (version: string) =>
    String((await server.ask('GET', `/images/${uuid}`, { headers: { 'accept-version': version } })).headers.etag);
  const [one, two] = [await tagFor('~1'), await tagFor('~2')];
  t.not(one, two);
  const disable = (ifMatch: string, version: string) =>
    act(server, uuid, 'disable', { headers: { 'if-match': ifMatch, 'accept-version': version } });
  t.is((await disable(one, '~2')).status, 412);
  t.is((await disable(two, '~1')).status, 412);
  t.is((await disable(two, '~2')).status, 200);
});

const first = table<'action' | 'query' | 'body' | 'told'>(`
  action       query             body               told
  activate     -                 -                  412 PreconditionFailed
  update       -                 -                  412 PreconditionFailed
  update       -                 {"type": "other"}  412 PreconditionFailed
  channel-add  -                 {}                 412 PreconditionFailed
  nonsense     -                 -                  412 PreconditionFailed
  update       &account=STRANGER  {"name": ""}      422 NotImageOwner
  export       -                 -                  422 ValidationFailed manta_path:MissingParameter
  change-stor  &stor=local       -                  200
`);

test('conditions come after the image and its owner, before what is wrong with the change', async (t) => {
  const server = await startServer(t, { channels });
  const { uuid } = await server.image();
  for (const { action, query, body: sent, told: expected } of first) {
    const answer = await act(server, uuid, action + query.replace('STRANGER', numbered(8)), {
      headers: { 'if-match': 'other' },
      ...(sent && { body: JSON.parse(sent) }),
    });
    t.is(told(answer), expected, action);
  }
});

test('other changes know no conditions', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({}, { activate: false });
  const headers = { 'if-match': 'other', 'if-none-match': '*' };
  const icon = { body: 'x', headers: { ...headers, 'content-type': 'image/png' } };
  t.is((await server.ask('PUT', `/images/${uuid}/file?compression=none`, { body: 'x', headers })).status, 200);
  t.is((await server.ask('PUT', `/images/${uuid}/icon`, icon)).status, 200);
  t.is((await server.ask('DELETE', `/images/${uuid}/icon`, { headers })).status, 200);
  t.is((await server.ask('POST', `/images/${uuid}/acl`, { body: [numbered(8)], headers })).status, 200);
  t.is((await server.ask('DELETE', `/images/${uuid}`, { headers })).status, 204);
});

test('of changes that all expect the same state one wins', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image();
  for (let round = 0; round < 5; round += 1) {
    const { headers } = await server.ask('GET', `/images/${uuid}`);
    const options = { headers: { 'if-match': String(headers.etag) } };
    const bodies = Array.from({ length: 8 }, (_, n) => ({ description: `round ${round}, writer ${n}` }));
    const answers = await Promise.all(bodies.map((body) => act(server, uuid, 'update', { ...options, body })));
    t.deepEqual(answers.map(told).sort(), ['200', ...Array(7).fill('412 PreconditionFailed')]);
    const winner = answers.find(({ status }) => status === 200);
    t.deepEqual((await server.ask('GET', `/images/${uuid}`)).json, winner?.json);
  }
});

test('of activations at the same time one wins', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({}, { activate: false });
  const answers = await Promise.all(Array.from({ length: 6 }, () => act(server, uuid, 'activate')));
  t.deepEqual(answers.map(told).sort(), ['200', ...Array(5).fill('422 ImageAlreadyActivated')]);
});

test('changes without conditions all happen, one after another', async (t) => {
  const server = await startServer(t, { channels });
  const { uuid } = await server.image();
  const all = [
    act(server, uuid, 'update', { body: { description: 'x' } }),
    act(server, uuid, 'update', { body: { homepage: 'https://example.com' } }),
    act(server, uuid, 'disable'),
    act(server, uuid, 'channel-add', { body: { channel: 'release' } }),
    server.ask('POST', `/images/${uuid}/acl`, { body: [numbered(8)] }),
    server.ask('POST', `/images/${uuid}/acl`, { body: [numbered(9)] }),
  ];
  t.true((await Promise.all(all)).every(({ status }) => status === 200));
  const stored = await server.stored(uuid);
  t.like(stored, {
    description: 'x',
    homepage: 'https://example.com',
    state: 'disabled',
    channels: ['dev', 'release'],
  });
  t.deepEqual([...(stored?.acl ?? [])].sort(), [numbered(8), numbered(9)]);
});

// channel-add

const additions = table<'query' | 'body' | 'told' | 'becomes'>(`
  query             body                      told                                           becomes
  -                 {"channel": "release"}    200                                            dev release
  &channel=dev      {"channel": "release"}    200                                            dev release
  -                 {"channel": "dev"}        200                                            dev
  -                 {"channel": "release", "more": 1}  200                                   dev release
  &channel=release  {"channel": "dev"}        404 ResourceNotFound                           dev
  &channel=*        {"channel": "release"}    422 ValidationFailed channel:Invalid           dev
  -                 {"channel": "nope"}       422 ValidationFailed channel:Invalid           dev
  -                 {"channel": "*"}          422 ValidationFailed channel:Invalid           dev
  -                 {"channel": ["release"]}  422 ValidationFailed channel:Invalid           dev
  -                 {"channel": null}         422 ValidationFailed channel:Invalid           dev
  -                 {}                        422 ValidationFailed channel:MissingParameter  dev
  -                 []                        422 ValidationFailed channel:MissingParameter  dev
  -                 -                         422 ValidationFailed channel:MissingParameter  dev
`);

test('an image is added to a channel by those who find it in another', async (t) => {
  for (const mode of modes) {
    const server = await startServer(t, { mode, channels });
    for (const { query, body: sent, told: expected, becomes } of additions) {
      const { uuid } = await server.image();
      const answer = await act(server, uuid, `channel-add${query}`, {
        headers: { 'accept-version': '~2' },
        ...(sent && { body: JSON.parse(sent) }),
      });
      t.is(told(answer), expected, `${query} ${sent}`);
      t.deepEqual((await server.stored(uuid))?.channels, becomes.split(' '));
      if (answer.status === 200) t.deepEqual(answer.json.channels, becomes.split(' '));
    }
  }
});

test('adding to a channel twice is adding once, and old clients see no channels', async (t) => {
  const server = await startServer(t, { channels });
  const { uuid } = await server.image();
  for (const name of ['release', 'support', 'release']) {
    const { status, json } = await act(server, uuid, 'channel-add', { body: { channel: name } });
    t.is(status, 200);
    t.false('channels' in json);
  }
  t.deepEqual((await server.stored(uuid))?.channels, ['dev', 'release', 'support']);
  t.is((await server.ask('GET', `/images/${uuid}?channel=support`)).status, 200);
});

// change-stor and export

const stor = table<'image' | 'account' | 'query' | 'told'>(`
  image      account  query            told
  malformed  -        -                404 ResourceNotFound
  absent     -        &stor=local      404 ResourceNotFound
  hidden     user     &stor=local      404 ResourceNotFound
  others     user     -                403 OperatorOnly
  own        user     &stor=local      403 OperatorOnly
  own        -        -                422 ValidationFailed stor:MissingParameter
  own        -        &stor=           422 ValidationFailed stor:MissingParameter
  own        -        &stor=manta      422 ValidationFailed stor:Invalid
  own        -        &stor=s3         422 ValidationFailed stor:Invalid
  own        -        &stor=local      200
`);

test('the storage of an image is the one there is', async (t) => {
  const server = await startServer(t, { channels });
  const user = await addUser(server, 'someone');
  const own = await server.image({ owner: user.uuid });
  const uuids: Record<string, string> = {
    malformed: 'nonsense',
    absent: numbered(7),
    hidden: (await server.image({}, { file: null })).uuid,
    others: (await server.image()).uuid,
    own: own.uuid,
  };
  for (const { image, account, query, told: expected } of stor) {
    const acting = account && `&account=${user.uuid}`;
    const answer = await act(server, uuids[image]!, `change-stor${acting}${query}`);
    t.is(told(answer), expected, [image, account, query].join(' '));
    if (answer.status !== 200) continue;
    t.is(answer.headers.etag, undefined);
    t.deepEqual(answer.json as object, {
      ...own,
      files: own.files?.map((file) => ({ ...file, stor: 'local' })),
      channels: ['dev'],
    });
  }
});

const exports = table<'image' | 'account' | 'query' | 'told'>(`
  image   account  query                        told
  absent  -        -                            404 ResourceNotFound
  hidden  user     -                            404 ResourceNotFound
  others  user     -                            422 NotImageOwner
  own     user     -                            422 ValidationFailed manta_path:MissingParameter
  own     -        &manta_path=                 422 ValidationFailed manta_path:MissingParameter
  own     -        &manta_path=relative/path    422 InvalidParameter manta_path:Invalid
  own     -        &manta_path=/                422 InvalidParameter manta_path:Invalid
  own     -        &manta_path=//stor           422 InvalidParameter manta_path:Invalid
  own     -        &manta_path=/someone/stor/x  503 StorageUnsupported
  own     user     &manta_path=/someone/stor/x  503 StorageUnsupported
`);

test('there is no Manta to export to', async (t) => {
  for (const mode of modes) {
    const server = await startServer(t, { mode });
    const user = await addUser(server, 'someone');
    const uuids: Record<string, string> = {
      absent: numbered(7),
      hidden: (await server.image({}, { file: null })).uuid,
      own: (await server.image({ owner: user.uuid })).uuid,
      others: (await server.image({ acl: [user.uuid] })).uuid,
    };
    const before = await kept(server);
    for (const { image, account, query, told: expected } of exports) {
      const acting = account && `&account=${user.uuid}`;
      const answer = await act(server, uuids[image]!, `export${acting}${query}`);
      t.is(told(answer), expected, [mode, image, account, query].join(' '));
    }
    t.deepEqual(await kept(server), before);
  }
});

// import-from-datacenter

const datacenters = table<'mode' | 'uuid' | 'query' | 'told'>(`
  mode     uuid  query                                 told
  dc       bad   &datacenter=us-1&account=ACCOUNT      404 ResourceNotFound
  dc       good  &datacenter=us-1&account=ACCOUNT      422 ValidationFailed datacenter:Invalid
  dc       good  &account=ACCOUNT                      422 ValidationFailed datacenter:MissingParameter
  dc       good  &datacenter=us-1                      422 ValidationFailed account:Invalid
  dc       good  &datacenter=us-1&account=nonsense     422 ValidationFailed account:Invalid
  dc       good  -                                     422 ValidationFailed account:Invalid
  public   good  &datacenter=us-1&account=ACCOUNT      422 InvalidParameter action:Invalid
  private  good  &datacenter=us-1&account=ACCOUNT      422 InvalidParameter action:Invalid
`);

test('there is no other datacenter to import from', async (t) => {
  for (const mode of modes) {
    const server = await startServer(t, { mode });
    const user = await addUser(server, 'someone');
    for (const row of datacenters.filter((row) => row.mode === mode)) {
      const uuid = row.uuid === 'good' ? numbered(1) : 'nonsense';
      const answer = await act(server, uuid, `import-from-datacenter${row.query.replace('ACCOUNT', user.uuid)}`);
      t.is(told(answer), row.told, `${mode} ${row.query}`);
    }
    t.deepEqual((await kept(server)).images, []);
  }
});
