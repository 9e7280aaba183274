import { createHash } from 'node:crypto';
import test from 'ava';
import type { Mode } from '../../imgapi/image.js';
import { ADMIN } from '../../server/model/user.js';
import { grant } from '../support/datacenters.js';
import { addUser, importImage, numbered } from '../support/fixtures.js';
import { type Ask, sample, startServer } from '../support/server.js';
import { table } from '../support/table.js';
import { cell, kept, told } from '../support/told.js';

const modes: Mode[] = ['dc', 'public', 'private'];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const trusted = { trusts: () => true };

for (const mode of modes) {
  test(`${mode}: the least that an image needs, and all that it then is`, async (t) => {
    const server = await startServer(t, { mode });
    const { status, headers, bytes, json } = await server.ask('POST', '/images', { body: sample(mode) });
    t.is(status, 200);
    t.deepEqual(Object.entries(json), [
      ['v', 2],
      ['uuid', json.uuid],
      ['owner', ADMIN.uuid],
      ['name', 'sample'],
      ['version', '1.0.0'],
      ['state', 'unactivated'],
      ['disabled', false],
      ['public', mode !== 'private'],
      ['type', 'zone-dataset'],
      ['os', 'smartos'],
      ['files', []],
    ]);
    t.regex(json.uuid, UUID);
    t.is(headers.etag, `"${createHash('sha1').update(JSON.stringify(json)).digest('hex')}"`);
    t.is(headers['content-type'], 'application/json');
    t.is(headers.location, undefined);
    t.is(bytes.toString(), JSON.stringify(json, null, 2));
    const got = await server.ask('GET', `/images/${json.uuid}`, { as: 'admin' });
    t.deepEqual(got.json, json);
    t.is(got.headers.etag, headers.etag);
    t.deepEqual(await kept(server), { images: [json.uuid], whole: 0, staged: 0 });
  });
}

test('every image gets a uuid of its own, names may be the same', async (t) => {
  const server = await startServer(t);
  const uuids = new Set<string>();
  for (let n = 0; n < 20; n += 1) uuids.add((await server.image({}, { file: null })).uuid);
  t.is(uuids.size, 20);
});

// Fields

/** What is sent beside the least; what is shown of it: `=` the same, `-` nothing. */
const taken = table<'sent' | 'shown'>(`
  sent                                                             shown
  {"v": 2}                                                         =
  {"v": "2"}                                                       {"v": 2}
  {"v": 3}                                                         =
  {"name": "a*1024"}                                               =
  {"name": "base-64 v.1/x_y"}                                      =
  {"name": 64}                                                     {"name": "64"}
  {"version": "a*512"}                                             =
  {"version": "1.0+2/x_y-z"}                                       =
  {"version": 1.5}                                                 {"version": "1.5"}
  {"disabled": true}                                               =
  {"disabled": "true"}                                             {"disabled": true}
  {"disabled": "false"}                                            {"disabled": false}
  {"public": "true"}                                               {"public": true}
  {"public": "false"}                                              {"public": false}
  {"type": "lx-dataset"}                                           =
  {"type": "lxd"}                                                  =
  {"type": "docker"}                                               =
  {"type": "other"}                                                =
  {"os": "linux"}                                                  =
  {"os": "windows"}                                                =
  {"os": "bsd"}                                                    =
  {"os": "illumos"}                                                =
  {"os": "other"}                                                  =
  {"error": {"message": "only shown of failed images"}}            -
  {"acl": []}                                                      -
  {"acl": ["00000000-0000-4000-8000-000000000001"]}                =
  {"description": "a*10240"}                                       =
  {"description": "with \\nlines, ümläuts and 😀"}                 =
  {"description": ""}                                              -
  {"homepage": "http://example.com/"}                              =
  {"homepage": "HTTPS://example.com/"}                             =
  {"eula": "https://example.com/eula?x=y#z"}                       =
  {"requirements": {}}                                             =
  {"requirements": {"min_ram": 64, "max_ram": 64}}                 =
  {"requirements": {"min_ram": 0, "max_ram": 1}}                   =
  {"requirements": {"brand": "lx", "ssh_key": true}}               =
  {"requirements": {"brand": "bhyve", "bootrom": "uefi"}}          =
  {"requirements": {"brand": "bhyve", "bootrom": "bios"}}          =
  {"requirements": {"min_platform": {"7.0": "20130308T102805Z"}}}  =
  {"requirements": {"max_platform": {"x": "20121231T235959Z"}}}    =
  {"requirements": {"networks": []}}                               =
  {"requirements": {"networks": [{"name": "a", "description": "b"}]}}  =
  {"users": []}                                                    =
  {"users": [{"name": "root"}, {"name": "admin"}]}                 =
  {"billing_tags": ["xl", "a*128"]}                                =
  {"billing_tags": []}                                             -
  {"traits": {"ssd": true, "rack": "b", "nics": ["a", "b"]}}       =
  {"traits": {}}                                                   -
  {"tags": {"role": "db", "n": 1, "o": {"x": [null, true]}}}       =
  {"tags": {}}                                                     =
  {"tags": {"x": "a*102392"}}                                      =
  {"generate_passwords": true}                                     =
  {"generate_passwords": false}                                    =
  {"generate_passwords": "false"}                                  {"generate_passwords": false}
  {"inherited_directories": []}                                    =
  {"inherited_directories": ["/opt", "/usr"]}                      =
  {"icon": true}                                                   -
  {"icon": "whatever"}                                             -
  {"files": [{"sha1": "x"}]}                                       -
  {"files": "whatever"}                                            -
  {"channels": ["dev"]}                                            -
`);

test('every field is taken in all its forms', async (t) => {
  const { ask } = await startServer(t);
  const least = { ...sample('dc'), public: true };
  const { json: bare } = await ask('POST', '/images', { body: least });
  for (const { sent, shown } of taken) {
    const body = cell(sent);
    const { status, json } = await ask('POST', '/images', { body: { ...least, ...body } });
    t.is(status, 200, `${sent} ${json.message}`);
    const expected = shown === '=' ? body : shown ? cell(shown) : {};
    t.deepEqual(json, { ...bare, ...expected, uuid: json.uuid }, sent);
    t.deepEqual((await ask('GET', `/images/${json.uuid}`, { as: 'admin' })).json, json, sent);
  }
});

test('public servers keep billing tags and traits to themselves', async (t) => {
  const body = { billing_tags: ['xl'], traits: { ssd: true } };
  for (const mode of modes) {
    const server = await startServer(t, { mode });
    const { json } = await server.ask('POST', '/images', { body: { ...sample(mode), ...body } });
    t.deepEqual([json.billing_tags, json.traits], mode === 'public' ? [undefined, undefined] : [['xl'], { ssd: true }]);
    t.like(await server.stored(json.uuid), body);
  }
});

const wrong = table<'sent' | 'errors'>(`
  sent                                                          errors
  {"v": -1}                                                     v:Invalid
  {"v": "two"}                                                  v:Invalid
  {"name": ""}                                                  name:Invalid
  {"name": "a*1025"}                                            name:Invalid
  {"name": "a:b"}                                               name:Invalid
  {"name": "ümlaut"}                                            name:Invalid
  {"name": ["a"]}                                               name:Invalid
  {"version": ""}                                               version:Invalid
  {"version": "a*513"}                                          version:Invalid
  {"version": "1 0"}                                            version:Invalid
  {"version": {}}                                               version:Invalid
  {"disabled": "yes"}                                           disabled:Invalid
  {"disabled": 1}                                               disabled:Invalid
  {"public": "yes"}                                             public:Invalid
  {"public": 0}                                                 public:Invalid
  {"type": "zone"}                                              type:Invalid
  {"type": "null"}                                              type:Invalid
  {"type": "toString"}                                          type:Invalid
  {"os": "SmartOS"}                                             os:Invalid
  {"os": "null"}                                                os:Invalid
  {"error": "broken"}                                           error:Invalid
  {"acl": {}}                                                   acl:Invalid
  {"acl": ["x", "y"]}                                           acl:Invalid
  {"description": "a*10241"}                                    description:Invalid
  {"homepage": "ftp://example.com"}                             homepage:Invalid
  {"homepage": "example.com"}                                   homepage:Invalid
  {"eula": "javascript:alert(1)"}                               eula:Invalid
  {"eula": "http://a*1018"}                                     eula:Invalid
  {"requirements": []}                                          requirements:Invalid
  {"requirements": "x"}                                         requirements:Invalid
  {"requirements": {"networks": {}}}                            requirements.networks:Invalid
  {"requirements": {"networks": [{"name": "a"}]}}               requirements.networks:Invalid
  {"requirements": {"brand": 5}}                                requirements.brand:Invalid
  {"requirements": {"ssh_key": "true"}}                         requirements.ssh_key:Invalid
  {"requirements": {"min_ram": "64"}}                           requirements.min_ram:Invalid
  {"requirements": {"min_ram": 2, "max_ram": 1}}                requirements.max_ram:Invalid
  {"requirements": {"min_platform": {}}}                        requirements.min_platform:Invalid
  {"requirements": {"min_platform": {"7.0": "x", "6.5": "y"}}}  requirements.min_platform:Invalid requirements.min_platform:Invalid
  {"requirements": {"max_platform": {"7.0": "20111231T000000Z"}}}  requirements.max_platform:Invalid
  {"requirements": {"bootrom": "uefi"}}                         requirements.bootrom:MissingParameter
  {"requirements": {"brand": "lx", "bootrom": "uefi"}}          requirements.bootrom:Invalid
  {"requirements": {"brand": "bhyve", "bootrom": "efi"}}        requirements.bootrom:Invalid
  {"requirements": {"sse42": true}}                             sse42:Invalid
  {"users": {}}                                                 users:Invalid
  {"users": ["root"]}                                           users:Invalid
  {"users": [{"name": "root", "uid": 0}]}                       users:Invalid
  {"billing_tags": "xl"}                                        billing_tags:Invalid
  {"billing_tags": [5]}                                         billing_tags:Invalid
  {"billing_tags": ["a*129"]}                                   billing_tags:Invalid
  {"traits": []}                                                traits:Invalid
  {"traits": {"ram": 5}}                                        traits:Invalid
  {"tags": []}                                                  tags:Invalid
  {"tags": "x"}                                                 tags:Invalid
  {"tags": {"x": "a*102393"}}                                   tags:Invalid
  {"generate_passwords": "no"}                                  generate_passwords:Invalid
  {"inherited_directories": "/opt"}                             inherited_directories:Invalid
  {"inherited_directories": [5]}                                inherited_directories:Invalid
  {"inherited_directories": [], "type": "other"}                inherited_directories:Invalid
  {"tags": [], "os": "x", "users": 1, "name": ""}               tags:Invalid name:Invalid os:Invalid users:Invalid
`);

test('a wrong value is refused by the name of its field, and nothing is created', async (t) => {
  const server = await startServer(t);
  for (const { sent, errors } of wrong) {
    const answer = await server.ask('POST', '/images', { body: { ...sample('dc'), ...cell(sent) } });
    t.is(told(answer), `422 ValidationFailed ${errors}`, sent);
    const fields = answer.json.errors?.map(({ field }) => field).join(', ');
    t.is(answer.json.message, `invalid image data: ${fields}`, sent);
    t.is(answer.headers.etag, undefined, sent);
  }
  t.deepEqual(await kept(server), { images: [], whole: 0, staged: 0 });
});

test('what is missing is named in the order of the contract', async (t) => {
  const { ask } = await startServer(t);
  const { owner } = sample('dc');
  t.is(
    told(await ask('POST', '/images', { body: { owner } })),
    '422 ValidationFailed name:MissingParameter version:MissingParameter type:MissingParameter os:MissingParameter',
  );
  for (const name of ['name', 'version', 'type', 'os']) {
    const body = { ...sample('dc'), [name]: undefined };
    t.is(told(await ask('POST', '/images', { body })), `422 ValidationFailed ${name}:MissingParameter`);
  }
});

const publicity = table<'mode' | 'public' | 'told' | 'message'>(`
  mode     public   told                                 message
  dc       -        200                                  -
  dc       true     200                                  -
  dc       false    200                                  -
  public   -        422 ValidationFailed public:Invalid  private
  public   false    422 ValidationFailed public:Invalid  private
  public   "false"  422 ValidationFailed public:Invalid  private
  public   true     200                                  -
  public   "x"      422 ValidationFailed public:Invalid  invalid value
  private  -        200                                  -
  private  false    200                                  -
  private  true     422 ValidationFailed public:Invalid  public
  private  "true"   422 ValidationFailed public:Invalid  public
  private  "x"      422 ValidationFailed public:Invalid  invalid value
`);

test('public and private servers take only what suits them', async (t) => {
  for (const mode of modes) {
    const server = await startServer(t, { mode });
    for (const row of publicity.filter((row) => row.mode === mode)) {
      const body = { ...sample(mode), public: row.public ? cell(row.public) : undefined };
      const answer = await server.ask('POST', '/images', { body });
      const why = `${mode} ${row.public}`;
      t.is(told(answer), row.told, why);
      if (answer.status === 200) t.is(answer.json.public, row.public === 'true', why);
      else t.true(answer.json.errors?.[0]?.message?.includes(row.message), why);
    }
  }
});

// What is no field, or none of these

const extra = table<'sent' | 'fields'>(`
  sent                                             fields
  {"uuid": "00000000-0000-4000-8000-000000000001"}  uuid
  {"published_at": "2020-01-01T00:00:00Z"}         published_at
  {"published_at": 5}                              published_at
  {"urn": "sdc:admin:base:1.0.0"}                  urn
  {"activated": false}                             activated
  {"activated": "false"}                           activated
  {"expires_at": "2020-01-01T00:00:00Z"}           expires_at
  {"nic_driver": "virtio"}                         nic_driver
  {"disk_driver": "virtio"}                        disk_driver
  {"cpu_type": "host"}                             cpu_type
  {"image_size": 1024}                             image_size
  {"colour": "red"}                                colour
  {"": ""}                                         -
  {"constructor": 1}                               constructor
  {"creator_uuid": 1}                              creator_uuid
  {"uuid": 1, "urn": 2, "colour": 3}               uuid urn colour
  {"colour": "red", "name": "", "tags": []}        colour
`);

test('extra parameters are refused before any value is looked at', async (t) => {
  const server = await startServer(t);
  for (const { sent, fields } of extra) {
    const answer = await server.ask('POST', '/images', { body: { ...sample('dc'), ...cell(sent) } });
    const errors = fields.split(' ').map((field) => `${field}:Invalid`);
    t.is(told(answer), `422 InvalidParameter ${errors.join(' ')}`, sent);
    t.true(answer.json.message?.startsWith('extra parameters: '), sent);
  }
  const polluting = `{"__proto__": {"disabled": true}, ${JSON.stringify(sample('dc')).slice(1)}`;
  const headers = { 'content-type': 'application/json' };
  t.is(
    told(await server.ask('POST', '/images', { body: polluting, headers })),
    '422 InvalidParameter __proto__:Invalid',
  );
  t.deepEqual(await kept(server), { images: [], whole: 0, staged: 0 });
});

for (const state of ['active', 'unactivated', 'creating', 'nonsense', '', null, 5]) {
  test(`a state of ${JSON.stringify(state)} is not for clients to give`, async (t) => {
    const server = await startServer(t);
    const answer = await server.ask('POST', '/images', { body: { ...sample('dc'), state } });
    t.is(told(answer), '422 ValidationFailed state:NotAllowed');
    t.deepEqual((await kept(server)).images, []);
  });
}

// zvols

const DRIVEN = { type: 'zvol', nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host', image_size: 1024 };

const zvols = table<'change' | 'told'>(`
  change                        told
  {}                            200
  {"image_size": "1024"}        200
  {"image_size": null}          422 ValidationFailed image_size:Invalid
  {"image_size": "big"}         422 ValidationFailed image_size:Invalid
  {"image_size": 1.5}           422 ValidationFailed image_size:Invalid
  {"image_size": -1}            422 ValidationFailed image_size:Invalid
  {"image_size": "DROP"}        422 ValidationFailed image_size:Invalid
  {"nic_driver": "DROP"}        422 ValidationFailed nic_driver:MissingParameter
  {"disk_driver": "DROP"}       422 ValidationFailed disk_driver:MissingParameter
  {"cpu_type": "DROP"}          422 ValidationFailed cpu_type:MissingParameter
  {"cpu_type": 5}               422 ValidationFailed cpu_type:Invalid
  {"nic_driver": ["virtio"]}    422 ValidationFailed nic_driver:Invalid
  {"inherited_directories": []}  422 ValidationFailed inherited_directories:Invalid
`);

test('a zvol needs its drivers and its size', async (t) => {
  const server = await startServer(t);
  for (const { change, told: expected } of zvols) {
    const body = Object.fromEntries(
      Object.entries({ ...sample('dc'), ...DRIVEN, ...cell(change) }).filter(([, value]) => value !== 'DROP'),
    );
    const answer = await server.ask('POST', '/images', { body });
    t.is(told(answer), expected, change);
    if (answer.status === 200) t.like(answer.json, DRIVEN, change);
  }
  const bare = { ...sample('dc'), type: 'zvol' };
  t.is(
    told(await server.ask('POST', '/images', { body: bare })),
    '422 ValidationFailed nic_driver:MissingParameter disk_driver:MissingParameter cpu_type:MissingParameter image_size:Invalid',
  );
  t.is((await kept(server)).images.length, 2);
});

// Owners

const owners = table<'mode' | 'caller' | 'account' | 'owner' | 'told' | 'becomes'>(`
  mode     caller   account  owner    told                                           becomes
  dc       admin    -        admin    200                                            admin
  dc       admin    -        user     200                                            user
  dc       admin    -        nobody   422 OwnerDoesNotExist                          -
  dc       admin    -        unset    422 OwnerDoesNotExist                          -
  dc       admin    -        bad      422 ValidationFailed owner:Invalid             -
  dc       admin    -        upper    422 ValidationFailed owner:Invalid             -
  dc       admin    -        -        200                                            admin
  dc       admin    user     -        200                                            user
  dc       admin    user     user     200                                            user
  dc       admin    user     admin    422 InvalidParameter owner:Invalid             -
  dc       admin    user     bad      422 InvalidParameter owner:Invalid             -
  dc       admin    nobody   -        422 OwnerDoesNotExist                          -
  dc       admin    bad      -        422 InvalidParameter account:Invalid           -
  dc       admin    bad      user     422 InvalidParameter account:Invalid           -
  dc       user     -        -        200                                            user
  dc       user     user     -        200                                            user
  dc       user     user     user     200                                            user
  dc       user     user     admin    422 InvalidParameter owner:Invalid             -
  dc       user     admin    -        403 OperatorOnly                               -
  dc       user     -        admin    200                                            admin
  dc       user     -        nobody   422 OwnerDoesNotExist                          -
  dc       member   -        -        403 NotPermitted                               -
  dc       member   member   -        403 NotPermitted                               -
  dc       member   admin    -        403 OperatorOnly                               -
  dc       trusted  -        -        422 ValidationFailed owner:MissingParameter    -
  dc       trusted  -        user     200                                            user
  dc       trusted  -        nobody   422 OwnerDoesNotExist                          -
  dc       trusted  user     -        200                                            user
  dc       trusted  user     admin    422 InvalidParameter owner:Invalid             -
  public   admin    -        nobody   200                                            nobody
  public   admin    -        unset    200                                            unset
  public   admin    -        bad      422 ValidationFailed owner:Invalid             -
  public   admin    nobody   -        200                                            nobody
  public   admin    nobody   admin    422 InvalidParameter owner:Invalid             -
  public   trusted  -        -        422 ValidationFailed owner:MissingParameter    -
  private  admin    -        nobody   200                                            nobody
  private  admin    nobody   nobody   200                                            nobody
  private  trusted  -        -        422 ValidationFailed owner:MissingParameter    -
`);

test('whose image it becomes', async (t) => {
  for (const { mode, caller, account, owner, told: expected, becomes } of owners) {
    const server = await startServer(t, { mode: mode as Mode, ...(caller === 'trusted' && trusted) });
    const user = await addUser(server, 'someone');
    const member = await addUser(server, 'member');
    await grant(server, user, 'main', 'admin', 'image_admin');
    await grant(server, member, 'main', 'admin');
    const uuids: Record<string, string> = {
      admin: ADMIN.uuid,
      user: user.uuid,
      member: member.uuid,
      nobody: numbered(7),
      unset: '00000000-0000-0000-0000-000000000000',
      bad: 'nonsense',
      upper: ADMIN.uuid.toUpperCase(),
    };
    const query = account && `?account=${uuids[account]}`;
    const options: Ask = {
      as: caller === 'admin' ? 'admin' : 'anonymous',
      ...(caller === 'user' && { headers: user.headers }),
      ...(caller === 'member' && { headers: member.headers }),
      body: { ...sample(mode as Mode), owner: uuids[owner] },
    };
    const answer = await server.ask('POST', `/images${query}`, options);
    const why = [mode, caller, account, owner].join(' ');
    t.is(told(answer), expected, why);
    t.is(answer.json.owner, becomes ? uuids[becomes] : undefined, why);
    t.is((await kept(server)).images.length, becomes ? 1 : 0, why);
  }
});

test('an owner that is no text is refused like one that is no uuid', async (t) => {
  const { ask } = await startServer(t);
  for (const owner of [5, null, [ADMIN.uuid], { uuid: ADMIN.uuid }, '']) {
    const body = { ...sample('dc'), owner };
    t.is(told(await ask('POST', '/images', { body })), '422 ValidationFailed owner:Invalid', JSON.stringify(owner));
  }
});

// Origins

const origins = table<'origin' | 'caller' | 'told'>(`
  origin       caller  told
  active       admin   200
  disabled     admin   200
  unactivated  admin   200
  private      admin   200
  absent       admin   422 OriginDoesNotExist
  malformed    admin   422 OriginDoesNotExist
  active       user    200
  disabled     user    200
  unactivated  user    422 OriginDoesNotExist
  private      user    422 OriginDoesNotExist
  shared       user    200
`);

test('an origin has to be there and the caller has to see it, whatever its state', async (t) => {
  const server = await startServer(t, trusted);
  const user = await addUser(server, 'someone');
  const uuids: Record<string, string> = {
    active: (await server.image()).uuid,
    disabled: (await server.image({ disabled: true })).uuid,
    unactivated: (await server.image({}, { activate: false })).uuid,
    private: (await server.image({ public: false })).uuid,
    shared: (await server.image({ public: false, acl: [user.uuid] })).uuid,
    absent: numbered(7),
    malformed: 'nonsense',
  };
  const before = (await kept(server)).images.length;
  for (const { origin, caller, told: expected } of origins) {
    const query = caller === 'user' ? `?account=${user.uuid}` : '';
    const body = { ...sample('dc'), owner: undefined, origin: uuids[origin] };
    const answer = await server.ask('POST', `/images${query}`, { body });
    t.is(told(answer), expected, `${origin} ${caller}`);
    if (answer.status === 200) t.is(answer.json.origin, uuids[origin], origin);
  }
  t.is((await kept(server)).images.length, before + origins.filter((row) => row.told === '200').length);
});

test('a hidden origin and an absent one are refused in the same words', async (t) => {
  const server = await startServer(t);
  const user = await addUser(server, 'someone');
  const { uuid } = await server.image({ public: false });
  const refusal = async (origin: string) => {
    const body = { ...sample('dc'), owner: undefined, origin };
    const { status, bytes } = await server.ask('POST', '/images', { body, headers: user.headers });
    return `${status} ${bytes.toString().replace(origin, 'ORIGIN')}`;
  };
  t.is(await refusal(uuid), await refusal(numbered(7)));
});

test('the origin may be in another channel', async (t) => {
  const server = await startServer(t, {
    channels: [
      { name: 'dev', description: '', default: true },
      { name: 'release', description: '' },
    ],
  });
  const base = await importImage(server, { uuid: numbered(1) }, { query: '&channel=release' });
  t.is((await server.ask('POST', '/images', { body: { ...sample('dc'), origin: base.uuid } })).status, 200);
});

// Order

/** Each row is wrong in several ways; the first that the contract checks is told. */
const order = table<'query' | 'sent' | 'told'>(`
  query             sent                                                         told
  ?account=bad      {"owner": "x", "state": "x", "origin": "x", "colour": 1}     422 InvalidParameter account:Invalid
  ?account=NOBODY   {"state": "x", "origin": "x", "colour": 1, "name": ""}       422 InvalidParameter owner:Invalid
  -                 {"state": "x", "owner": "NOBODY", "origin": "x"}             422 ValidationFailed state:NotAllowed
  -                 {"owner": "bad", "origin": "x", "colour": 1, "name": ""}     422 ValidationFailed owner:Invalid
  -                 {"owner": "NOBODY", "origin": "x", "colour": 1, "name": ""}  422 OwnerDoesNotExist
  -                 {"origin": "x", "colour": 1, "name": ""}                     422 OriginDoesNotExist
  -                 {"colour": 1, "name": ""}                                    422 InvalidParameter colour:Invalid
  -                 {"name": ""}                                                 422 ValidationFailed name:Invalid
  ?action=nonsense  {"state": "x"}                                               422 InvalidParameter action:Invalid
`);

test('the order of checks', async (t) => {
  const server = await startServer(t);
  const filled = (text: string) => text.replace('NOBODY', numbered(7));
  for (const { query, sent, told: expected } of order) {
    const body = { ...sample('dc'), ...cell(filled(sent)) };
    t.is(told(await server.ask('POST', `/images${filled(query)}`, { body })), expected, `${query} ${sent}`);
  }
  t.deepEqual((await kept(server)).images, []);
});

// Channels

const channels = [
  { name: 'experimental', description: '' },
  { name: 'dev', description: '', default: true },
];

const selected = table<'server' | 'query' | 'told' | 'becomes'>(`
  server      query                        told                                              becomes
  channels    -                            200                                               dev
  channels    channel=                     200                                               dev
  channels    channel=experimental         200                                               experimental
  channels    channel=*                    422 ValidationFailed channel:Invalid              -
  channels    channel=release              422 ValidationFailed channel:Invalid              -
  channels    channel=dev&channel=dev      422 ValidationFailed channel:Invalid              -
  no default  -                            422 ValidationFailed channel:MissingParameter     -
  no default  channel=experimental         200                                               experimental
  none        -                            200                                               -
  none        channel=*                    200                                               -
  none        channel=release              200                                               -
`);

test('an image is created in the channel of the request, whatever its manifest says', async (t) => {
  const configured: Record<string, typeof channels> = { channels, 'no default': channels.slice(0, 1), none: [] };
  for (const mode of modes) {
    for (const { server: name, query, told: expected, becomes } of selected) {
      const server = await startServer(t, { mode, channels: configured[name] ?? [] });
      for (const given of [undefined, ['release'], 'nonsense', [5]]) {
        const answer = await server.ask('POST', `/images?${query}`, {
          body: { ...sample(mode), channels: given },
          headers: { 'accept-version': '~2' },
        });
        t.is(told(answer), expected, `${name} ${query}`);
        t.deepEqual(answer.json.channels, becomes ? [becomes] : undefined, `${name} ${query}`);
      }
    }
  }
});

test('old clients are not shown the channel', async (t) => {
  const server = await startServer(t, { channels });
  const { json } = await server.ask('POST', '/images', { body: sample('dc') });
  t.false('channels' in json);
  t.deepEqual((await server.stored(json.uuid))?.channels, ['dev']);
});

// Other actions

for (const query of ['action=nonsense', 'action=import', 'action=update', 'action=toString', 'action=a&action=b']) {
  test(`POST /images?${query} is refused`, async (t) => {
    const server = await startServer(t);
    const answer = await server.ask('POST', `/images?${query}`, { body: sample('dc') });
    t.is(told(answer), '422 InvalidParameter action:Invalid');
    t.deepEqual((await kept(server)).images, []);
  });
}

test('an empty action is none', async (t) => {
  const { ask } = await startServer(t);
  t.is((await ask('POST', '/images?action=', { body: sample('dc') })).status, 200);
});
