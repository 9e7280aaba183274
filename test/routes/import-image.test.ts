import test from 'ava';
import type { Image, Mode } from '../../imgapi/image.js';
import { images } from '../../server/model/image.js';
import { ADMIN } from '../../server/model/user.js';
import { grant } from '../support/datacenters.js';
import { addUser, numbered } from '../support/fixtures.js';
import { type Ask, type ServerOptions, startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';
import { cell, kept, told } from '../support/told.js';

const modes: Mode[] = ['dc', 'public', 'private'];
const UUID = numbered(1);
const UNSET = '00000000-0000-0000-0000-000000000000';
const trusted = { trusts: () => true };

const manifest = (mode: Mode = 'dc') => ({
  v: 2,
  uuid: UUID,
  owner: ADMIN.uuid,
  name: 'sample',
  version: '1.0.0',
  os: 'smartos',
  type: 'zone-dataset',
  public: mode !== 'private',
});

const doImport = ({ ask }: TestServer, body: object | undefined, query = '', options: Ask = {}) =>
  ask('POST', `/images/${UUID}?action=import${query}`, { ...(body && { body }), ...options });

/** A record as a job leaves it that is still to make the image. */
const placeholder: Image = {
  v: 2,
  uuid: UUID,
  owner: ADMIN.uuid,
  name: 'announced',
  version: '0',
  state: 'creating',
  disabled: false,
  activated: false,
  public: false,
  type: 'null',
  os: 'null',
  files: [],
  expires_at: '2030-01-01T00:00:00.000Z',
};

const insert = ({ deps }: TestServer, image: Image) => deps.catalog.write((tx) => tx.insert(images, image));

// What is kept

const taken = table<'sent' | 'shown'>(`
  sent                                            shown
  {}                                              {}
  {"v": "2"}                                      {}
  {"published_at": "2013-05-21T00:06:16Z"}        =
  {"published_at": "2013-05-21T00:06:16.123Z"}    =
  {"urn": "sdc:admin:base:1.0.0"}                 =
  {"disabled": true}                              =
  {"disabled": "true"}                            {"disabled": true}
  {"acl": ["00000000-0000-4000-8000-000000000009"]}  =
  {"tags": {"role": "db"}}                        =
  {"billing_tags": ["xl"]}                        =
  {"traits": {"ssd": true}}                       =
  {"description": "what it is"}                   =
  {"generate_passwords": false}                   =
  {"type": "zvol", "nic_driver": "virtio", "disk_driver": "virtio", "cpu_type": "host", "image_size": 1024}  =
  {"state": "active"}                             {}
  {"state": "nonsense"}                           {}
  {"files": [{"sha1": "x"}]}                      {}
  {"files": "nonsense"}                           {}
  {"channels": ["release"]}                       {}
  {"channels": 5}                                 {}
  {"icon": true}                                  {}
  {"icon": "nonsense"}                            {}
  {"error": {"message": "was failed once"}}       {}
`);

test('a manifest keeps its uuid, its dates and all else; the image is unactivated', async (t) => {
  for (const { sent, shown } of taken) {
    const server = await startServer(t);
    const body = { ...manifest(), ...cell(sent) };
    const { status, json, headers } = await doImport(server, body);
    t.is(status, 200, sent);
    const expected = shown === '=' ? cell(sent) : cell(shown);
    t.deepEqual(json, { ...manifest(), state: 'unactivated', disabled: false, files: [], ...expected }, sent);
    t.truthy(headers.etag);
    t.deepEqual((await server.ask('GET', `/images/${UUID}`, { as: 'admin' })).json, json, sent);
  }
});

test('activation keeps the date of the manifest', async (t) => {
  const server = await startServer(t);
  const published_at = '2013-05-21T00:06:16Z';
  await doImport(server, { ...manifest(), published_at });
  await server.ask('PUT', `/images/${UUID}/file?compression=none`, { body: 'bytes' });
  const { json } = await server.ask('POST', `/images/${UUID}?action=activate`);
  t.like(json as object, { state: 'active', published_at });
});

for (const mode of modes) {
  test(`${mode}: what a server says of an image is taken back, icon and files notwithstanding (D-03)`, async (t) => {
    const source = await startServer(t, { mode });
    const made = await source.image({ tags: { a: 1 }, description: 'x', requirements: { min_ram: 64 } });
    const headers = { 'content-type': 'image/png' };
    await source.ask('PUT', `/images/${made.uuid}/icon`, { body: 'an icon', headers });
    const { json: body } = await source.ask('GET', `/images/${made.uuid}`, { headers: { 'accept-version': '*' } });
    t.true(body.icon);
    t.is(body.files?.length, 1);

    const target = await startServer(t, { mode });
    const { status, json } = await target.ask('POST', `/images/${made.uuid}?action=import`, { body });
    t.is(status, 200, json.message);
    const { icon: _, ...rest } = body;
    const owner = mode === 'dc' ? ADMIN.uuid : UNSET;
    t.deepEqual(json, { ...rest, owner, state: 'unactivated', files: [] });
    t.is((await target.ask('GET', `/images/${made.uuid}/icon`, { as: 'admin' })).status, 404);
    t.is((await target.ask('GET', `/images/${made.uuid}/file`, { as: 'admin' })).status, 404);
  });
}

// What is refused

const refused = table<'sent' | 'told'>(`
  sent                                      told
  {"uuid": "DROP"}                          422 InvalidParameter uuid:Invalid
  {"uuid": "nonsense"}                      422 InvalidParameter uuid:Invalid
  {"uuid": null}                            422 InvalidParameter uuid:Invalid
  {"uuid": "00000000-0000-4000-8000-000000000002"}  422 InvalidParameter uuid:Invalid
  {"v": "DROP"}                             422 ValidationFailed v:MissingParameter
  {"v": "DROP", "name": "DROP"}             422 ValidationFailed v:MissingParameter name:MissingParameter
  {"origin": "00000000-0000-4000-8000-000000000002"}  422 OriginDoesNotExist
  {"origin": "nonsense"}                    422 OriginDoesNotExist
  {"owner": "nonsense"}                     422 ValidationFailed owner:Invalid
  {"owner": null}                           422 ValidationFailed owner:Invalid
  {"owner": 5}                              422 ValidationFailed owner:Invalid
  {"published_at": 5}                       422 InvalidParameter published_at:Invalid
  {"published_at": null}                    422 InvalidParameter published_at:Invalid
  {"published_at": "2013-05-21"}            422 ValidationFailed published_at:Invalid
  {"published_at": "2013-05-21T00:06Z"}     422 ValidationFailed published_at:Invalid
  {"published_at": ""}                      422 ValidationFailed published_at:Invalid
  {"activated": true}                       422 InvalidParameter activated:Invalid
  {"activated": false}                      422 InvalidParameter activated:Invalid
  {"expires_at": "2030-01-01T00:00:00Z"}    422 InvalidParameter expires_at:Invalid
  {"nic_driver": "virtio"}                  422 InvalidParameter nic_driver:Invalid
  {"image_size": 5}                         422 InvalidParameter image_size:Invalid
  {"colour": "red", "name": ""}             422 InvalidParameter colour:Invalid
  {"type": "zvol"}                          422 ValidationFailed nic_driver:MissingParameter disk_driver:MissingParameter cpu_type:MissingParameter image_size:MissingParameter
  {"type": "null"}                          422 ValidationFailed type:Invalid
  {"urn": 5}                                422 ValidationFailed urn:Invalid
  {"name": "", "os": "x"}                   422 ValidationFailed name:Invalid os:Invalid
  {"disabled": "perhaps"}                   422 ValidationFailed disabled:Invalid
`);

test('what is wrong is refused, and nothing is imported', async (t) => {
  const server = await startServer(t);
  for (const { sent, told: expected } of refused) {
    const all = Object.entries({ ...manifest(), ...cell(sent) });
    const body = Object.fromEntries(all.filter(([, value]) => value !== 'DROP'));
    t.is(told(await doImport(server, body)), expected, sent);
  }
  t.is(told(await doImport(server, undefined)), '422 ValidationFailed body:MissingParameter');
  t.is(told(await doImport(server, [manifest()])), '422 ValidationFailed body:MissingParameter');
  t.is(told(await doImport(server, {})), '422 InvalidParameter uuid:Invalid');
  const text = { body: JSON.stringify(manifest()), headers: { 'content-type': 'text/plain' } };
  t.is(told(await doImport(server, undefined, '', text)), '422 ValidationFailed body:MissingParameter');
  t.deepEqual(await kept(server), { images: [], whole: 0, staged: 0 });
});

for (const uuid of ['nonsense', UUID.toUpperCase().replace('0', 'A'), `${UUID}0`]) {
  test(`a path with ${uuid} is none, whatever the body says`, async (t) => {
    const server = await startServer(t);
    const answer = await server.ask('POST', `/images/${uuid}?action=import`, { body: { ...manifest(), uuid } });
    t.is(told(answer), '404 ResourceNotFound');
    t.deepEqual((await kept(server)).images, []);
  });
}

const order = table<'query' | 'sent' | 'told'>(`
  query                             sent                                                          told
  &account=ADMIN                    {"uuid": "x", "owner": "x"}                                   403 OperatorOnly
  &account=ADMIN&source=http://x    -                                                             403 OperatorOnly
  &account=bad                      {"uuid": "x", "owner": "x"}                                   422 InvalidParameter account:Invalid
  &skip_owner_check=x               {"uuid": "x", "owner": "x", "origin": "x"}                    422 InvalidParameter uuid:Invalid
  &skip_owner_check=x               {"owner": "x", "origin": "x", "colour": 1}                    422 InvalidParameter skip_owner_check:Invalid
  &skip_owner_check=true&skip_owner_check=true  {}                                                422 InvalidParameter skip_owner_check:Invalid
  &existing                         {"owner": "x", "origin": "x", "colour": 1}                    409 ImageUuidAlreadyExists
  -                                 {"owner": "x", "origin": "x", "colour": 1, "name": ""}        422 OriginDoesNotExist
  -                                 {"owner": "x", "colour": 1, "name": ""}                       422 ValidationFailed owner:Invalid
  -                                 {"colour": 1, "name": "", "published_at": 5}                  422 InvalidParameter colour:Invalid
  -                                 {"name": "", "published_at": 5}                               422 InvalidParameter published_at:Invalid
`);

test('the order of checks', async (t) => {
  for (const { query, sent, told: expected } of order) {
    const server = await startServer(t);
    if (query === '&existing') await insert(server, { ...placeholder, state: 'failed' });
    const body = sent ? { ...manifest(), ...cell(sent) } : undefined;
    t.is(told(await doImport(server, body, query.replace('ADMIN', ADMIN.uuid))), expected, `${query} ${sent}`);
    t.is((await server.stored(UUID))?.name, query === '&existing' ? 'announced' : undefined);
  }
});

// What is there already

const existing = table<'state' | 'activated' | 'disabled' | 'told'>(`
  state        activated  disabled  told
  unactivated  false      false     409 ImageUuidAlreadyExists
  unactivated  false      true      409 ImageUuidAlreadyExists
  active       true       false     409 ImageUuidAlreadyExists
  disabled     true       true      409 ImageUuidAlreadyExists
  failed       false      false     409 ImageUuidAlreadyExists
  creating     false      false     200
`);

const NOW = '2030-01-02T03:04:05.678Z';

test('only a placeholder is overwritten, and whole', async (t) => {
  for (const { state, activated, disabled, told: expected } of existing) {
    const server = await startServer(t, { now: () => new Date(NOW) });
    const before: Image = {
      ...placeholder,
      state: state as Image['state'],
      activated: activated === 'true',
      disabled: disabled === 'true',
      description: 'of the placeholder',
    };
    await insert(server, before);
    const answer = await doImport(server, manifest());
    t.is(told(answer), expected, state);
    const after = await server.stored(UUID);
    if (answer.status === 409) t.deepEqual(after, before, state);
    else
      t.deepEqual(after, {
        ...manifest(),
        type: 'zone-dataset',
        os: 'smartos',
        disabled: false,
        files: [],
        activated: false,
        state: 'unactivated',
        registration: {
          name: 'sample',
          access: 'public',
          datacenters: ['main'],
          provenance: { by: 'admin' },
          created: NOW,
          changed: NOW,
        },
      });
  }
});

test('of two imports of the same image one wins', async (t) => {
  const server = await startServer(t);
  const names = ['a', 'b', 'c', 'd'];
  const answers = await Promise.all(names.map((name) => doImport(server, { ...manifest(), name })));
  t.deepEqual(answers.map(told).sort(), ['200', ...Array(3).fill('409 ImageUuidAlreadyExists')]);
  const winner = answers.find(({ status }) => status === 200)?.json.name;
  t.is((await server.stored(UUID))?.name, winner as string);
});

test('an image can come again after it was deleted', async (t) => {
  const server = await startServer(t);
  await doImport(server, manifest());
  t.is((await server.ask('DELETE', `/images/${UUID}`)).status, 204);
  t.is((await doImport(server, { ...manifest(), name: 'again' })).json.name, 'again');
});

// Owners

const owners = table<'mode' | 'caller' | 'skip' | 'owner' | 'told' | 'becomes'>(`
  mode     caller   skip   owner   told                                         becomes
  dc       admin    -      admin   200                                          admin
  dc       admin    -      user    200                                          user
  dc       admin    -      unset   200                                          admin
  dc       admin    -      nobody  200                                          admin
  dc       admin    false  nobody  200                                          admin
  dc       admin    true   nobody  200                                          nobody
  dc       admin    true   unset   200                                          admin
  dc       admin    true   bad     422 ValidationFailed owner:Invalid           -
  dc       admin    -      -       200                                          admin
  dc       trusted  -      user    200                                          user
  dc       trusted  -      unset   200                                          admin
  dc       trusted  -      nobody  422 OwnerDoesNotExist                        -
  dc       trusted  true   nobody  200                                          nobody
  dc       trusted  -      -       422 ValidationFailed owner:MissingParameter  -
  dc       user     -      user    403 NotPermitted                             -
  dc       maker    -      user    403 NotPermitted                             -
  dc       bringer  -      user    200                                          user
  dc       bringer  -      nobody  200                                          bringer
  dc       bringer  -      unset   200                                          bringer
  dc       bringer  -      -       200                                          bringer
  dc       bringer  -      bad     422 ValidationFailed owner:Invalid           -
  dc       bringer  true   nobody  403 OperatorOnly                             -
  public   admin    -      admin   200                                          unset
  public   admin    -      nobody  200                                          unset
  public   admin    true   nobody  200                                          unset
  public   admin    -      -       200                                          unset
  public   trusted  -      -       200                                          unset
  public   admin    -      bad     200                                          unset
  private  admin    -      nobody  200                                          unset
  private  admin    true   nobody  200                                          unset
  private  trusted  -      -       200                                          unset
`);

test('whose image it becomes', async (t) => {
  for (const { mode, caller, skip, owner, told: expected, becomes } of owners) {
    const options: ServerOptions = { mode: mode as Mode, ...(caller === 'trusted' && trusted) };
    const server = await startServer(t, options);
    const user = await addUser(server, 'someone');
    const maker = await addUser(server, 'maker');
    const bringer = await addUser(server, 'bringer');
    await grant(server, maker, 'main', 'admin', 'image_admin');
    await grant(server, bringer, 'main', 'admin', 'image_admin', 'image_import_admin');
    const headers = { user: user.headers, maker: maker.headers, bringer: bringer.headers };
    const uuids: Record<string, string> = {
      admin: ADMIN.uuid,
      user: user.uuid,
      bringer: bringer.uuid,
      nobody: numbered(7),
      unset: UNSET,
      bad: 'nonsense',
    };
    const body = { ...manifest(mode as Mode), owner: uuids[owner] };
    const answer = await doImport(server, body, skip && `&skip_owner_check=${skip}`, {
      as: caller === 'admin' ? 'admin' : 'anonymous',
      ...(caller in headers && { headers: headers[caller as keyof typeof headers] }),
    });
    const why = [mode, caller, skip, owner].join(' ');
    t.is(told(answer), expected, why);
    t.is((await server.stored(UUID))?.owner, becomes ? uuids[becomes] : undefined, why);
  }
});

// Old manifests

const old = {
  name: 'smartos64',
  version: '1.4.6',
  type: 'zone-dataset',
  description: 'Base template',
  published_at: '2011-11-14T07:00Z',
  created_at: '2011-11-11T07:00:00Z',
  os: 'smartos',
  files: [{ path: 'smartos64.zfs.bz2', sha1: 'aa', size: 5, url: 'https://x/smartos64.zfs.bz2' }],
  requirements: { networks: [{ name: 'net0', description: 'public' }], ssh_key: true },
  uuid: UUID,
  creator_uuid: numbered(5),
  vendor_uuid: numbered(6),
  creator_name: 'sdc',
  platform_type: 'smartos',
  cloud_name: 'sdc',
  urn: 'sdc:sdc:smartos64:1.4.6',
  _url: 'https://x/datasets/',
};

for (const mode of modes) {
  test(`${mode}: an old manifest is upgraded (D-04)`, async (t) => {
    const server = await startServer(t, { mode });
    const restricted = mode === 'private' ? { restricted_to_uuid: numbered(9) } : {};
    const { status, json } = await doImport(server, { ...old, ...restricted }, '&skip_owner_check=true');
    t.is(status, 200, json.message);
    t.deepEqual(json, {
      v: 2,
      uuid: UUID,
      owner: mode === 'dc' ? old.creator_uuid : UNSET,
      name: 'smartos64',
      version: '1.4.6',
      state: 'unactivated',
      disabled: false,
      public: mode !== 'private',
      published_at: '2011-11-14T07:00:00Z',
      type: 'zone-dataset',
      os: 'smartos',
      files: [],
      ...(mode === 'private' && { acl: [numbered(9)] }),
      description: 'Base template',
      urn: old.urn,
      requirements: old.requirements,
    } as object);
  });
}

const oldOnes = table<'sent' | 'told' | 'shown'>(`
  sent                                            told                                             shown
  {"disabled": true}                              200                                              {"disabled": true}
  {"published_at": "DROP"}                        200                                              {"published_at": "2011-11-11T07:00:00Z"}
  {"v": 1}                                        200                                              {"v": 2}
  {"v": "1"}                                      200                                              {"v": 2}
  {"type": "zvol", "image_size": "1024", "nic_driver": "a", "disk_driver": "b", "cpu_type": "c"}  200  {"image_size": 1024}
  {"v": 2}                                        422 InvalidParameter created_at:Invalid creator_uuid:Invalid vendor_uuid:Invalid creator_name:Invalid platform_type:Invalid cloud_name:Invalid _url:Invalid  -
  {"creator_uuid": "DROP", "owner": "ADMIN"}      422 InvalidParameter created_at:Invalid vendor_uuid:Invalid creator_name:Invalid platform_type:Invalid cloud_name:Invalid _url:Invalid  -
  {"owner": "ADMIN"}                              422 InvalidParameter created_at:Invalid creator_uuid:Invalid vendor_uuid:Invalid creator_name:Invalid platform_type:Invalid cloud_name:Invalid _url:Invalid  -
  {"creator_uuid": "nonsense"}                    422 ValidationFailed owner:Invalid                -
  {"name": ""}                                    422 ValidationFailed name:Invalid                 -
  {"colour": "red"}                               422 InvalidParameter colour:Invalid               -
`);

test('old manifests in their varieties', async (t) => {
  for (const { sent, told: expected, shown } of oldOnes) {
    const server = await startServer(t);
    const all = Object.entries({ ...old, ...cell(sent.replace('ADMIN', ADMIN.uuid)) });
    const body = Object.fromEntries(all.filter(([, value]) => value !== 'DROP'));
    const answer = await doImport(server, body, '&skip_owner_check=true');
    t.is(told(answer), expected, sent);
    if (shown) t.like(answer.json as object, cell(shown), sent);
    else t.deepEqual((await kept(server)).images, [], sent);
  }
});

// Old imgadm

const agents = table<'agent' | 'type' | 'origin' | 'becomes'>(`
  agent                              type          origin   becomes
  imgadm/3.7.3 (node/0.10; OpenSSL)  lx-dataset    -        -
  imgadm/3.7.3 (node/0.10; OpenSSL)  lx-dataset    with     of the origin
  imgadm/3.7.3 (node/0.10; OpenSSL)  lx-dataset    without  -
  imgadm/3.7.3 (node/0.10; OpenSSL)  zone-dataset  with     of the manifest
  imgadm/2.9.9 (node/0.10; OpenSSL)  lx-dataset    with     of the origin
  imgadm/3.6.12 (x)                  lx-dataset    with     of the origin
  imgadm/3.7.4 (node/0.10; OpenSSL)  lx-dataset    with     of the manifest
  imgadm/3.8.0 (node/0.10; OpenSSL)  lx-dataset    -        of the manifest
  imgadm/3.10.1 (x)                  lx-dataset    -        of the manifest
  imgadm/10.0.0 (x)                  lx-dataset    -        of the manifest
  imgadm/3.7.3                       lx-dataset    -        of the manifest
  curl/3.7.3 imgadm/3.7.3 (x)        lx-dataset    -        of the manifest
  -                                  lx-dataset    -        of the manifest
`);

const platforms: Record<string, object> = {
  'of the manifest': { '7.0': '20141030T081701Z' },
  'of the origin': { '7.0': '20130917T001310Z' },
};

test('old versions of imgadm write the platform of their own host', async (t) => {
  for (const { agent, type, origin, becomes } of agents) {
    const server = await startServer(t);
    const base = { type: 'lx-dataset', requirements: { min_ram: 64, min_platform: platforms['of the origin'] } };
    const origins: Record<string, string> = {
      with: (await server.image(base)).uuid,
      without: (await server.image({ type: 'lx-dataset' })).uuid,
    };
    const requirements = { brand: 'lx', min_platform: platforms['of the manifest'] };
    const { status, json } = await doImport(
      server,
      { ...manifest(), type, requirements, ...(origin && { origin: origins[origin] }) },
      '',
      { headers: { ...(agent && { 'user-agent': agent }) } },
    );
    t.is(status, 200);
    const min_platform = platforms[becomes];
    t.deepEqual(
      json.requirements,
      { brand: 'lx', ...(min_platform && { min_platform }) },
      `${agent} ${type} ${origin}`,
    );
  }
});

// Channels

test('an image is imported into the channel of the request', async (t) => {
  const channels = [
    { name: 'dev', description: '', default: true },
    { name: 'release', description: '' },
  ];
  for (const mode of modes) {
    for (const [query, expected] of [
      ['', ['dev']],
      ['&channel=', ['dev']],
      ['&channel=release', ['release']],
    ] as const) {
      const server = await startServer(t, { mode, channels });
      const body = { ...manifest(mode), channels: ['staging', 'dev'] };
      const { json } = await doImport(server, body, query, { headers: { 'accept-version': '~2' } });
      t.deepEqual(json.channels, expected, `${mode} ${query}`);
    }
    const server = await startServer(t, { mode, channels });
    for (const query of ['&channel=*', '&channel=staging', '&channel=dev&channel=dev']) {
      t.is(told(await doImport(server, manifest(mode), query)), '422 ValidationFailed channel:Invalid', query);
    }
    t.deepEqual((await kept(server)).images, []);
  }
});

test('a uuid is taken in whichever channel it is', async (t) => {
  const channels = [
    { name: 'dev', description: '', default: true },
    { name: 'release', description: '' },
  ];
  const server = await startServer(t, { channels });
  await doImport(server, manifest(), '&channel=release');
  t.is(told(await doImport(server, manifest(), '&channel=dev')), '409 ImageUuidAlreadyExists');
  t.deepEqual((await server.stored(UUID))?.channels, ['release']);
});

// From other servers

const remote = table<'query' | 'there' | 'told'>(`
  query                                              there  told
  action=import&source=http://127.0.0.1:1            no     503 RemoteSourceError
  action=import&source=http://127.0.0.1:1            yes    409 ImageUuidAlreadyExists
  action=import&source=http://x&skip_owner_check=x   no     422 InvalidParameter skip_owner_check:Invalid
  action=import&source=http://x&source=http://y      no     422 InvalidParameter source:Invalid
  action=import&source=http://x&account=ADMIN        yes    403 OperatorOnly
  action=import-remote                               no     422 ValidationFailed source:MissingParameter
  action=import-remote&source=                       no     422 ValidationFailed source:MissingParameter
  action=import-remote&source=http://127.0.0.1:1     no     503 RemoteSourceError
  action=import-remote&source=http://127.0.0.1:1     yes    409 ImageUuidAlreadyExists
  action=import-remote&source=http://x&account=ADMIN  yes   403 OperatorOnly
  action=import-remote&source=http://x&skip_owner_check=x  no  422 InvalidParameter skip_owner_check:Invalid
`);

test('a source that is not there is refused after all that could be wrong', async (t) => {
  for (const mode of modes) {
    for (const { query, there, told: expected } of remote) {
      const server = await startServer(t, { mode });
      if (there === 'yes') await insert(server, { ...placeholder, state: 'unactivated' });
      const answer = await server.ask('POST', `/images/${UUID}?${query.replace('ADMIN', ADMIN.uuid)}`);
      t.is(told(answer), expected, `${mode} ${query} ${there}`);
      t.is((await kept(server)).images.length, there === 'yes' ? 1 : 0);
    }
  }
});
