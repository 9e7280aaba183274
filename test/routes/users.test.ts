import test from 'ava';
import { addUser, numbered } from '../support/fixtures.js';
import { type Ask, startServer } from '../support/server.js';
import { table } from '../support/table.js';
import { kept, told } from '../support/told.js';

/** Every change of an image, on images that differ in what the user is to them. */
const changes = table<'method' | 'path' | 'own' | 'others' | 'hidden'>(`
  method  path                          own                            others             hidden
  POST    ?action=disable               200                            422 NotImageOwner  404 ResourceNotFound
  POST    ?action=enable                200                            422 NotImageOwner  404 ResourceNotFound
  POST    ?action=update                200                            422 NotImageOwner  404 ResourceNotFound
  POST    ?action=activate              422 ImageAlreadyActivated      422 NotImageOwner  404 ResourceNotFound
  POST    ?action=nonsense              422 InvalidParameter action:Invalid  422 NotImageOwner  404 ResourceNotFound
  POST    ?action=change-stor           403 OperatorOnly               403 OperatorOnly   404 ResourceNotFound
  POST    ?action=import                403 OperatorOnly               403 OperatorOnly   403 OperatorOnly
  POST    ?action=import-remote&source=http://x  403 OperatorOnly      403 OperatorOnly   403 OperatorOnly
  POST    ?action=export&manta_path=/x  503 StorageUnsupported         422 NotImageOwner  404 ResourceNotFound
  POST    /acl                          422 InvalidParameter acl:Invalid  422 NotImageOwner  404 ResourceNotFound
  POST    /push                         422 ValidationFailed type:Invalid  422 NotImageOwner  404 ResourceNotFound
  POST    /clone                        422 ImageNotShared             422 ImageNotShared  404 ResourceNotFound
  PUT     /file?compression=none        422 ImageFilesImmutable        422 NotImageOwner  404 ResourceNotFound
  POST    /file/from-url                422 ImageFilesImmutable        422 NotImageOwner  404 ResourceNotFound
  PUT     /icon                         400 Upload                     422 NotImageOwner  404 ResourceNotFound
  DELETE  /icon                         404 ResourceNotFound           422 NotImageOwner  404 ResourceNotFound
  DELETE  -                             204                            422 NotImageOwner  404 ResourceNotFound
`);

test('in mode dc a user who is no operator changes nothing but its own', async (t) => {
  const server = await startServer(t);
  const { uuid: owner, headers } = await addUser(server, 'someone');
  for (const { method, path, ...expected } of changes) {
    const uuids = {
      own: (await server.image({ owner })).uuid,
      others: (await server.image()).uuid,
      hidden: (await server.image({ public: false })).uuid,
    };
    for (const [image, outcome] of Object.entries(expected) as [keyof typeof uuids, string][]) {
      const before = await server.stored(uuids[image]);
      const options: Ask = { as: 'anonymous', headers, ...(method === 'POST' && { body: { name: 'other' } }) };
      const target = `/images/${uuids[image]}${path}`;
      t.is(told(await server.ask(method, target, options)), outcome, `${method} ${path} ${image}`);
      if (image !== 'own') t.deepEqual(await server.stored(uuids[image]), before, `${method} ${path} ${image}`);
    }
  }
});

test('and of its own no more than an account', async (t) => {
  const server = await startServer(t);
  const { uuid: owner, headers } = await addUser(server, 'someone');
  const { uuid } = await server.image({ owner }, { activate: false });
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
