import test from 'ava';
import type { Mode } from '../../imgapi/image.js';
import { images } from '../../server/model/image.js';
import { ADMIN } from '../../server/model/user.js';
import { addUser, numbered } from '../support/fixtures.js';
import { type Ask, startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';
import { cell, holders, kept, told } from '../support/told.js';

const update = ({ ask }: TestServer, uuid: string, body: object | undefined, query = '', options: Ask = {}) =>
  ask('POST', `/images/${uuid}?action=update${query}`, { ...(body && { body }), ...options });

const DRIVEN = { type: 'zvol', nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host', image_size: 1024 };

const changed = table<'sent' | 'shown'>(`
  sent                                                     shown
  {"name": "other"}                                        =
  {"name": 5}                                              {"name": "5"}
  {"version": "2.0.0"}                                     =
  {"description": "a*10240"}                               =
  {"description": ""}                                      {"description": null}
  {"homepage": "https://example.com"}                      =
  {"eula": "https://example.com/eula"}                     =
  {"public": false}                                        =
  {"public": "false"}                                      {"public": false}
  {"os": "linux"}                                          =
  {"acl": ["00000000-0000-4000-8000-000000000009"]}        =
  {"acl": []}                                              {"acl": null}
  {"requirements": {"max_ram": 5}}                         =
  {"users": [{"name": "admin"}]}                           =
  {"tags": {"b": 2}}                                       =
  {"tags": {}}                                             =
  {"generate_passwords": false}                            =
  {"generate_passwords": "true"}                           {"generate_passwords": true}
  {"inherited_directories": ["/var"]}                      =
  {"name": "a", "version": "b", "os": "bsd"}               =
  {"homepage": null}                                       =
  {"description": null, "name": "c"}                       =
`);

const full = {
  public: true,
  description: 'before',
  homepage: 'https://before.example.com',
  requirements: { min_ram: 64 },
  users: [{ name: 'root' }],
  tags: { a: 1, c: { d: [2] } },
  acl: [numbered(8)],
  inherited_directories: ['/opt'],
};

/** Members that are null are those that are gone. */
const merged = (before: object, changes: object) =>
  Object.fromEntries(Object.entries({ ...before, ...changes }).filter(([, value]) => value !== null));

test('what anyone may change of an own image; objects and lists are replaced whole', async (t) => {
  const server = await startServer(t);
  const user = await addUser(server, 'someone');
  for (const activate of [false, true]) {
    for (const query of ['', `&account=${user.uuid}`]) {
      for (const { sent, shown } of changed) {
        const before = await server.image({ ...full, owner: user.uuid }, { activate });
        const { status, json, headers } = await update(server, before.uuid, cell(sent), query);
        t.is(status, 200, `${sent} ${json.message}`);
        t.deepEqual(json, merged(before, cell(shown === '=' ? sent : shown)) as object, sent);
        const got = await server.ask('GET', `/images/${before.uuid}`, { as: 'admin' });
        t.deepEqual(got.json, json, sent);
        t.is(got.headers.etag, headers.etag, sent);
      }
    }
  }
});

test('the drivers and the size of a zvol', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image(DRIVEN);
  const changes = { nic_driver: 'e1000', disk_driver: 'ide', cpu_type: 'qemu64', image_size: '2048' };
  t.like((await update(server, uuid, changes)).json as object, { ...changes, image_size: 2048 });
});

// Who may change what

const may = table<'sent' | 'operator' | 'operator, active' | 'account' | 'account, active'>(`
  sent                           operator    operator, active  account     account, active
  {"name": "other"}              200         200               200         200
  {"billing_tags": ["xl"]}       200         200               NotAllowed  NotAllowed
  {"traits": {"ssd": true}}      200         200               NotAllowed  NotAllowed
  {"error": {"message": "x"}}    200         200               NotAllowed  NotAllowed
  {"state": "failed"}            200         200               NotAllowed  NotAllowed
  {"origin": "ORIGIN"}           200         NotAllowed        NotAllowed  NotAllowed
  {"uuid": "NEW"}                200         NotAllowed        NotAllowed  NotAllowed
  {"files": [{"digest": "x"}]}   200         NotAllowed        NotAllowed  NotAllowed
  {"v": 2}                       NotAllowed  NotAllowed        NotAllowed  NotAllowed
  {"urn": "a:b:c:d"}             NotAllowed  NotAllowed        NotAllowed  NotAllowed
  {"type": "zone-dataset"}       NotAllowed  NotAllowed        NotAllowed  NotAllowed
  {"disabled": true}             NotAllowed  NotAllowed        NotAllowed  NotAllowed
  {"activated": true}            NotAllowed  NotAllowed        NotAllowed  NotAllowed
  {"published_at": null}         NotAllowed  NotAllowed        NotAllowed  NotAllowed
  {"expires_at": null}           NotAllowed  NotAllowed        NotAllowed  NotAllowed
  {"icon": true}                 NotAllowed  NotAllowed        NotAllowed  NotAllowed
  {"colour": "red"}              NotAllowed  NotAllowed        NotAllowed  NotAllowed
  {"constructor": null}          NotAllowed  NotAllowed        NotAllowed  NotAllowed
  {"": 1}                        NotAllowed  NotAllowed        NotAllowed  NotAllowed
`);

test('who may change what, and until when', async (t) => {
  const server = await startServer(t);
  const user = await addUser(server, 'someone');
  const origin = await server.image();
  let next = 100;
  for (const { sent, ...expected } of may) {
    for (const [who, outcome] of Object.entries(expected)) {
      const { uuid } = await server.image({ owner: user.uuid }, { activate: who.endsWith('active') });
      const before = await server.stored(uuid);
      next += 1;
      const body = cell(sent.replace('ORIGIN', origin.uuid).replace('NEW', numbered(next)));
      const answer = await update(server, uuid, body, who.startsWith('account') ? `&account=${user.uuid}` : '');
      const [field] = Object.keys(body);
      t.is(told(answer), outcome === '200' ? '200' : `422 ValidationFailed ${field}:NotAllowed`, `${sent} ${who}`);
      if (outcome !== '200') t.deepEqual(await server.stored(uuid), before);
    }
  }
});

test('one field that may not be changed keeps the others from it', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image();
  const answer = await update(server, uuid, { name: 'other', type: 'other', description: 'x', colour: 'red' });
  t.is(told(answer), '422 ValidationFailed type:NotAllowed colour:NotAllowed');
  t.like((await server.stored(uuid)) as object, { name: 'sample', type: 'zone-dataset' });
  t.is((await server.stored(uuid))?.description, undefined);
});

// What is refused

const refused = table<'image' | 'sent' | 'told'>(`
  image   sent                                        told
  active  {}                                          422 ValidationFailed
  active  []                                          422 ValidationFailed
  active  [1]                                         422 ValidationFailed 0:NotAllowed
  active  -                                           422 ValidationFailed body:MissingParameter
  active  {"name": ""}                                422 ValidationFailed name:Invalid
  active  {"name": null}                              422 ValidationFailed name:MissingParameter
  active  {"version": null, "os": null}               422 ValidationFailed version:MissingParameter os:MissingParameter
  active  {"owner": null}                             422 ValidationFailed owner:MissingParameter
  active  {"owner": "nonsense"}                       422 ValidationFailed owner:Invalid
  active  {"owner": "NOBODY"}                         422 OwnerDoesNotExist
  active  {"owner": "NOBODY", "name": ""}             422 ValidationFailed name:Invalid
  active  {"owner": "NOBODY", "type": "other"}        422 ValidationFailed type:NotAllowed
  active  {"public": null}                            422 ValidationFailed public:MissingParameter
  active  {"public": "perhaps"}                       422 ValidationFailed public:Invalid
  active  {"state": null}                             422 ValidationFailed state:MissingParameter
  active  {"state": "nonsense"}                       422 ValidationFailed state:Invalid
  active  {"error": "x"}                              422 ValidationFailed error:Invalid
  active  {"os": "null"}                              422 ValidationFailed os:Invalid
  active  {"tags": []}                                422 ValidationFailed tags:Invalid
  active  {"tags": {"x": "a*102393"}}                 422 ValidationFailed tags:Invalid
  active  {"acl": ["nonsense"]}                       422 ValidationFailed acl:Invalid
  active  {"homepage": "example.com"}                 422 ValidationFailed homepage:Invalid
  active  {"requirements": {"min_ram": "5"}}          422 ValidationFailed requirements.min_ram:Invalid
  active  {"nic_driver": "virtio"}                    422 ValidationFailed nic_driver:Invalid
  active  {"image_size": 5}                           422 ValidationFailed image_size:Invalid
  active  {"channels": ["dev"]}                       422 ValidationFailed channels:Invalid
  active  {"traits": {"a": 5}, "billing_tags": "x"}   422 ValidationFailed billing_tags:Invalid traits:Invalid
  zvol    {"nic_driver": null}                        422 ValidationFailed nic_driver:MissingParameter
  zvol    {"image_size": null}                        422 ValidationFailed image_size:MissingParameter
  zvol    {"image_size": 1.5}                         422 ValidationFailed image_size:Invalid
  zvol    {"inherited_directories": []}               422 ValidationFailed inherited_directories:Invalid
  fresh   {"uuid": "nonsense"}                        422 ValidationFailed uuid:Invalid
  fresh   {"uuid": null}                              422 ValidationFailed uuid:MissingParameter
  fresh   {"origin": "nonsense"}                      422 ValidationFailed origin:Invalid
  fresh   {"origin": "NOBODY"}                        422 OriginDoesNotExist
  fresh   {"files": null}                             422 ValidationFailed files:NotAllowed
  fresh   {"files": []}                               422 ValidationFailed files:NotAllowed
  fresh   {"files": [{"sha1": "other"}]}              422 ValidationFailed files:NotAllowed
  fresh   {"files": [{"size": 1}]}                    422 ValidationFailed files:NotAllowed
  fresh   {"files": [{"compression": "xz"}]}          422 ValidationFailed files:NotAllowed
  fresh   {"files": [{"sha256": "other"}]}            422 ValidationFailed files:NotAllowed
  fresh   {"files": [{"stor": "manta"}]}              422 ValidationFailed files:NotAllowed
  fresh   {"files": [{"colour": "red"}]}              422 ValidationFailed files:NotAllowed
  fresh   {"files": [{}, {}]}                         422 ValidationFailed files:NotAllowed
  fresh   {"files": ["x"]}                            422 ValidationFailed files:NotAllowed
  fresh   {"files": "x"}                              422 ValidationFailed files:Invalid
  fresh   {"files": [{"digest": 5}]}                  422 ValidationFailed files:Invalid
`);

test('what is wrong is refused, and nothing is changed', async (t) => {
  const server = await startServer(t);
  const uuids: Record<string, string> = {
    active: (await server.image({ description: 'before' })).uuid,
    zvol: (await server.image(DRIVEN)).uuid,
    fresh: (await server.image({}, { activate: false })).uuid,
  };
  for (const { image, sent, told: expected } of refused) {
    const uuid = uuids[image]!;
    const before = await server.stored(uuid);
    const answer = await update(server, uuid, sent ? cell(sent.replace('NOBODY', numbered(7))) : undefined);
    t.is(told(answer), expected, `${image} ${sent}`);
    if (answer.json.code === 'ValidationFailed') t.true(Array.isArray(answer.json.errors), sent);
    t.deepEqual(await server.stored(uuid), before, sent);
  }
});

test('public and private servers keep to what they are for', async (t) => {
  for (const mode of ['public', 'private'] as const satisfies Mode[]) {
    const server = await startServer(t, { mode });
    const { uuid } = await server.image();
    t.is(told(await update(server, uuid, { public: mode !== 'public' })), '422 ValidationFailed public:Invalid');
    t.is(told(await update(server, uuid, { public: mode === 'public', name: 'x' })), '200');
    t.is(told(await update(server, uuid, { owner: numbered(7) })), '200', 'no owner has to be known');
  }
});

// Fields that need more than one line

test('digests of a file are kept, and shown to nobody', async (t) => {
  const server = await startServer(t);
  const before = await server.image({}, { activate: false });
  const [file] = before.files!;
  for (const files of [
    [{ digest: 'sha256:aa', uncompressedDigest: 'sha256:bb' }],
    [{ ...file, digest: 'sha256:cc' }],
  ]) {
    const { status, json } = await update(server, before.uuid, { files });
    t.is(status, 200);
    t.deepEqual(json, before);
  }
  t.like((await server.stored(before.uuid))?.files[0] as object, {
    ...file,
    digest: 'sha256:cc',
    uncompressedDigest: 'sha256:bb',
    stor: 'local',
  });
  t.is((await server.ask('GET', `/images/${before.uuid}/file`, { as: 'admin' })).bytes.toString(), 'the bytes');
});

test('a state is taken as it comes, and is no more than shown', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image();
  const error = { message: 'broken', code: 'Broken' };
  const { json } = await update(server, uuid, { state: 'failed', error });
  t.like(json as object, { state: 'failed', error });
  const { list } = await server.ask('GET', '/images');
  t.deepEqual(
    list.map((image) => image.state),
    ['failed'],
    'lists go by what is activated and disabled',
  );
  t.is((await server.ask('GET', `/images/${uuid}/file`)).status, 200);
});

test('an error is shown while the image is failed', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({}, { file: null });
  const error = { message: 'broken' };
  t.is((await update(server, uuid, { error })).json.error, undefined);
  t.deepEqual((await update(server, uuid, { state: 'failed' })).json.error, error);
  t.is((await update(server, uuid, { state: 'unactivated' })).json.error, undefined);
});

test('an account that gives its image away has it no more', async (t) => {
  const server = await startServer(t);
  const user = await addUser(server, 'someone');
  const { uuid } = await server.image({ owner: user.uuid, public: true });
  const query = `&account=${user.uuid}`;
  t.is((await update(server, uuid, { owner: ADMIN.uuid }, query)).json.owner, ADMIN.uuid);
  t.is(told(await update(server, uuid, { name: 'x' }, query)), '422 NotImageOwner');
  await update(server, uuid, { public: false });
  t.is(told(await update(server, uuid, { name: 'x' }, query)), '404 ResourceNotFound');
});

test('an origin is taken away, and the image that was one is free', async (t) => {
  const server = await startServer(t);
  const origin = await server.image();
  const { uuid } = await server.image({ origin: origin.uuid }, { activate: false });
  t.is(told(await server.ask('DELETE', `/images/${origin.uuid}`)), '422 ImageHasDependentImages');
  t.false('origin' in (await update(server, uuid, { origin: null })).json);
  t.is((await server.ask('DELETE', `/images/${origin.uuid}`)).status, 204);
});

test('a new uuid takes file and icon along, and the old one is gone', async (t) => {
  const server = await startServer(t);
  const before = await server.image({}, { activate: false });
  const icon = { body: 'an icon', headers: { 'content-type': 'image/png' } };
  await server.ask('PUT', `/images/${before.uuid}/icon`, icon);
  const uuid = numbered(42);
  const { status, json } = await update(server, before.uuid, { uuid, name: 'moved' });
  t.is(status, 200);
  t.deepEqual(json, { ...before, uuid, name: 'moved', icon: true });
  t.is((await server.ask('GET', `/images/${uuid}/file`, { as: 'admin' })).bytes.toString(), 'the bytes');
  t.is((await server.ask('GET', `/images/${uuid}/icon`, { as: 'admin' })).bytes.toString(), 'an icon');
  for (const path of ['', '/file', '/icon']) {
    t.is((await server.ask('GET', `/images/${before.uuid}${path}`, { as: 'admin' })).status, 404, path);
  }
  t.deepEqual((await holders(server)).flat().sort(), [`${uuid}/file0`, `${uuid}/icon`]);
  t.deepEqual(await kept(server), { images: [uuid], whole: 2, staged: 0 });
});

test('a uuid that is taken is not taken over (D-10)', async (t) => {
  const server = await startServer(t);
  const [a, b] = [await server.image({ name: 'a' }, { activate: false }), await server.image({ name: 'b' })];
  t.is(told(await update(server, a.uuid, { uuid: b.uuid })), '409 ImageUuidAlreadyExists');
  t.deepEqual((await server.ask('GET', `/images/${b.uuid}`, { as: 'admin' })).json, b);
  t.deepEqual((await server.ask('GET', `/images/${a.uuid}`, { as: 'admin' })).json, a);
  t.is((await update(server, a.uuid, { uuid: a.uuid })).status, 200, 'its own is no change');
});

test('an image of several files keeps its uuid', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({ type: 'lxd' }, { activate: false });
  await server.deps.catalog.write(async (tx) => {
    const image = (await tx.get(images, uuid))!;
    await tx.replace(images, { ...image, files: [...image.files, ...image.files] });
  });
  t.is(told(await update(server, uuid, { uuid: numbered(42) })), '400 NotImplemented');
  t.deepEqual((await kept(server)).images, [uuid]);
});

test('channels may be any', async (t) => {
  const channels = [
    { name: 'dev', description: '', default: true },
    { name: 'release', description: '' },
  ];
  const headers = { 'accept-version': '~2' };
  const server = await startServer(t, { channels });
  const { uuid } = await server.image();
  const { json } = await update(server, uuid, { channels: ['dev', 'unknown'] }, '', { headers });
  t.deepEqual(json.channels, ['dev', 'unknown']);
  t.is(told(await update(server, uuid, { channels: 'dev' })), '422 ValidationFailed channels:Invalid');
  t.is(told(await update(server, uuid, { channels: [5] })), '422 ValidationFailed channels:Invalid');
  t.is(told(await update(server, uuid, { channels: null })), '422 ValidationFailed channels:MissingParameter');
  t.is(told(await update(server, uuid, { name: 'x' }, '&channel=release')), '404 ResourceNotFound');
  await update(server, uuid, { channels: ['release'] });
  t.is(told(await update(server, uuid, { name: 'x' })), '404 ResourceNotFound');
  t.is((await update(server, uuid, { name: 'x' }, '&channel=release')).status, 200);
});

test('a form changes what text can say', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const body = 'name=other&public=false&description=a+b';
  const { json } = await update(server, uuid, undefined, '', { body, headers });
  t.like(json as object, { name: 'other', public: false, description: 'a b' });
});

const unowned = table<'mode' | 'activate' | 'body' | 'answer'>(`
  mode     activate  body                                  answer
  dc       yes       {"state": "creating", "owner": null}   422 ValidationFailed owner:MissingParameter
  dc       no        {"state": "creating", "owner": null}   422 ValidationFailed owner:MissingParameter
  public   yes       {"state": "creating", "public": null}  422 ValidationFailed public:MissingParameter
  public   no        {"state": "creating", "public": null}  422 ValidationFailed public:MissingParameter
  private  yes       {"state": "creating", "public": null}  422 ValidationFailed public:MissingParameter
`);

for (const { mode, activate, body, answer } of unowned) {
  test(`no state excuses an image from its owner and its visibility: ${mode} ${activate} ${body}`, async (t) => {
    const server = await startServer(t, { mode: mode as Mode });
    const { uuid } = await server.image({}, { activate: activate === 'yes' });
    const before = await server.stored(uuid);
    t.is(told(await update(server, uuid, cell(body))), answer);
    t.deepEqual(await server.stored(uuid), before);
  });
}

test('an active image that is said to be creating is no placeholder', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image();
  t.is(told(await update(server, uuid, { state: 'creating' })), '200');
  const body = { ...(await server.ask('GET', `/images/${uuid}`, { as: 'admin' })).json };
  t.is(told(await server.ask('POST', `/images/${uuid}?action=import`, { body })), '409 ImageUuidAlreadyExists');
});
