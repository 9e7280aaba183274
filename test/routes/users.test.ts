import test, { type ExecutionContext } from 'ava';
import type { Permission } from '../../server/model/group.js';
import { ADMIN } from '../../server/model/user.js';
import { addDatacenter, grant, place, stored } from '../support/datacenters.js';
import { addUser, numbered } from '../support/fixtures.js';
import { type Ask, startServer } from '../support/server.js';
import { table } from '../support/table.js';
import { kept, told } from '../support/told.js';

/** Every change of an image, on images that differ in what the user is to them: a manager, a reader, or nobody. */
const changes = table<'method' | 'path' | 'managed' | 'shared' | 'hidden'>(`
  method  path                          managed                        shared            hidden
  POST    ?action=disable               200                            403 NotPermitted  404 ResourceNotFound
  POST    ?action=enable                200                            403 NotPermitted  404 ResourceNotFound
  POST    ?action=update                200                            403 NotPermitted  404 ResourceNotFound
  POST    ?action=activate              422 ImageAlreadyActivated      403 NotPermitted  404 ResourceNotFound
  POST    ?action=nonsense              422 InvalidParameter action:Invalid  403 NotPermitted  404 ResourceNotFound
  POST    ?action=change-stor           403 OperatorOnly               403 OperatorOnly  404 ResourceNotFound
  POST    ?action=import                403 NotPermitted               403 NotPermitted  403 NotPermitted
  POST    ?action=import-remote&source=http://x  403 NotPermitted      403 NotPermitted  403 NotPermitted
  POST    ?action=export&manta_path=/x  503 StorageUnsupported         403 NotPermitted  404 ResourceNotFound
  POST    /acl                          422 InvalidParameter acl:Invalid  403 NotPermitted  404 ResourceNotFound
  POST    /push                         422 ValidationFailed type:Invalid  403 NotPermitted  404 ResourceNotFound
  POST    /clone?account=ME             422 ImageNotShared             422 ImageNotShared  404 ResourceNotFound
  PUT     /file?compression=none        422 ImageFilesImmutable        403 NotPermitted  404 ResourceNotFound
  POST    /file/from-url                422 ImageFilesImmutable        403 NotPermitted  404 ResourceNotFound
  PUT     /icon                         400 Upload                     403 NotPermitted  404 ResourceNotFound
  DELETE  /icon                         404 ResourceNotFound           403 NotPermitted  404 ResourceNotFound
  DELETE  -                             204                            403 NotPermitted  404 ResourceNotFound
`);

async function arranged(t: ExecutionContext, ...permissions: Permission[]) {
  const server = await startServer(t);
  await addDatacenter(server, 'elsewhere');
  const user = await addUser(server, 'someone');
  await grant(server, user, 'main', ...permissions);
  return { server, user };
}

test('in mode dc a user changes what its roles are for: images bound to their data center', async (t) => {
  const { server, user } = await arranged(t, 'admin', 'image_admin');
  for (const { method, path, ...expected } of changes) {
    const uuids = {
      managed: (await server.image()).uuid,
      shared: (await server.image()).uuid,
      hidden: (await server.image({ owner: ADMIN.uuid })).uuid,
    };
    await place(server, uuids.managed, { boundTo: 'main' });
    await place(server, uuids.hidden, { datacenters: ['elsewhere'], boundTo: 'elsewhere' });
    for (const [image, outcome] of Object.entries(expected) as [keyof typeof uuids, string][]) {
      const before = await server.stored(uuids[image]);
      const options: Ask = { headers: user.headers, ...(method === 'POST' && { body: { name: 'other' } }) };
      const target = `/images/${uuids[image]}${path.replace('ME', user.uuid)}`;
      t.is(told(await server.ask(method, target, options)), outcome, `${method} ${path} ${image}`);
      if (image !== 'managed') t.deepEqual(await server.stored(uuids[image]), before, `${method} ${path} ${image}`);
    }
  }
});

test('whoever has the role nowhere is refused before anything is looked up, owners too', async (t) => {
  const { server, user } = await arranged(t, 'admin', 'image_import_admin');
  for (const { method, path } of changes) {
    const own = await server.image({ owner: user.uuid, public: false });
    await place(server, own.uuid, { boundTo: 'main' });
    const before = await kept(server);
    for (const uuid of [own.uuid, numbered(7)]) {
      const options: Ask = { headers: user.headers, ...(method === 'POST' && { body: { name: 'other' } }) };
      const target = `/images/${uuid}${path.replace('ME', user.uuid)}`;
      t.is(told(await server.ask(method, target, options)), '403 NotPermitted', `${method} ${path} ${uuid}`);
    }
    t.deepEqual(await kept(server), before);
    t.is((await stored(server, own.uuid)).name, 'sample');
  }
});

test('and of these no more than an account', async (t) => {
  const { server, user } = await arranged(t, 'admin', 'image_admin');
  const { headers } = user;
  const { uuid } = await server.image({ owner: user.uuid }, { activate: false });
  await place(server, uuid, { boundTo: 'main' });
  for (const [field, value] of Object.entries({
    billing_tags: ['xl'],
    traits: {},
    state: 'failed',
    uuid: numbered(1),
    files: [{ digest: 'x' }],
  })) {
    const answer = await server.ask('POST', `/images/${uuid}?action=update`, { headers, body: { [field]: value } });
    t.is(told(answer), `422 ValidationFailed ${field}:NotAllowed`);
  }
  const stored = await server.ask('PUT', `/images/${uuid}/file?compression=none&storage=local`, { headers, body: 'x' });
  t.is(told(stored), '422 InvalidParameter storage:NotAllowed');
  t.deepEqual((await kept(server)).images, [uuid]);
});

test('on public and private servers all that have credentials are operators over images', async (t) => {
  for (const mode of ['public', 'private'] as const) {
    const server = await startServer(t, { mode });
    const { headers } = await addUser(server, 'someone');
    const { uuid } = await server.image();
    const body = { name: 'other', traits: { a: true } };
    t.is((await server.ask('POST', `/images/${uuid}?action=update`, { headers, body })).json.name, 'other');
    t.is((await server.ask('DELETE', `/images/${uuid}`, { headers })).status, 204);
  }
});
