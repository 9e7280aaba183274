import test, { type ExecutionContext } from 'ava';
import { Exchange } from '../../imgapi/exchange.js';
import { auditEntries } from '../../server/model/audit.js';
import { repositories } from '../../server/model/repository.js';
import { secrets } from '../../server/model/secret.js';
import { newTask, tasks } from '../../server/model/task.js';
import { usableSecret } from '../../server/operations/find-secret.js';
import { addDatacenter, grant } from '../support/datacenters.js';
import { addUser, numbered } from '../support/fixtures.js';
import { keptLog } from '../support/log.js';
import { remote } from '../support/remote.js';
import { type Answer, startServer, type TestServer } from '../support/server.js';
import { told } from '../support/told.js';

const VALUE = 's3cret-of-the-source';
const basic = { host: 'images.example.com', type: 'basic', username: 'me', value: VALUE };

const resultOf = ({ json }: Answer) => json.result as Record<string, unknown>;

async function withImporter(t: ExecutionContext) {
  const { log, lines } = keptLog();
  const server = await startServer(t, { log });
  await addDatacenter(server, 'D');
  await addDatacenter(server, 'E');
  const importer = await addUser(server, 'importer');
  await grant(server, importer, 'D', 'admin', 'image_admin', 'image_import_admin');
  return { server, lines, importer };
}

async function keptSecrets({ deps }: TestServer) {
  const found: string[] = [];
  for await (const { name, datacenter = '' } of deps.catalog.list(secrets)) found.push(`${datacenter}/${name}`);
  return found.sort();
}

test('a secret is kept sealed, and in no answer, log or entry of the audit', async (t) => {
  const { server, lines } = await withImporter(t);
  const made = await server.ask('POST', '/api/secret/source', { body: basic });
  t.is(made.status, 201);
  const { created, changed, ...shown } = resultOf(made);
  t.deepEqual(shown, {
    name: 'source',
    dc: null,
    host: 'images.example.com',
    type: 'basic',
    username: 'me',
    public_key: null,
  });
  const answers = [
    made,
    await server.ask('GET', '/api/secret/source', { as: 'admin' }),
    await server.ask('GET', '/api/secret?full=true', { as: 'admin' }),
    await server.ask('PUT', '/api/secret/source', { body: { value: `${VALUE}-2` } }),
    await server.ask('POST', '/api/secret/source', { body: basic }),
    await server.ask('POST', '/api/secret/other', { body: { ...basic, value: `${VALUE}\n` } }),
    await server.ask('GET', '/api/audit', { as: 'admin' }),
  ];
  t.deepEqual(
    answers.map(({ status }) => status),
    [201, 200, 200, 200, 406, 400, 200],
  );
  for (const { bytes } of answers) t.false(bytes.toString().includes(VALUE));
  t.false(JSON.stringify(lines).includes(VALUE));
  const kept = await server.deps.catalog.get(secrets, 'source');
  t.false(JSON.stringify(kept).includes(VALUE));
  t.false(JSON.stringify(kept).includes(Buffer.from(VALUE).toString('base64url')));
  for await (const entry of server.deps.catalog.list(auditEntries)) t.false(JSON.stringify(entry).includes(VALUE));
});

test('it is told to its host only', async (t) => {
  const { server } = await withImporter(t);
  const seen: (string | undefined)[] = [];
  const source = await remote(t, {
    'GET /': (request, response) => {
      seen.push(request.headers.authorization);
      response.end('{}');
    },
  });
  const { host, port } = new URL(source.url);
  await server.ask('POST', '/api/secret/source', { body: { ...basic, host } });
  await server.ask('POST', '/api/secret/token', { body: { host, type: 'bearer', value: 'the-token' } });
  const { outgoing } = server.deps;
  const ask = (url: string, secret: string) =>
    new Exchange(outgoing.to(url, { trusted: true, secret })).json('GET', '/');
  await ask(source.url, 'source');
  await ask(source.url, 'token');
  await ask(`http://localhost:${port}`, 'token');
  t.throws(() => outgoing.to(source.url, { trusted: true, secret: 'none' }), { message: /no secret "none" any more/ });
  const authorization = `Basic ${Buffer.from(`me:${VALUE}`).toString('base64')}`;
  t.deepEqual(seen, [authorization, 'Bearer the-token', undefined]);
  const { credentials } = outgoing.to(`http://${basic.host}/`, { trusted: true, secret: 'source' });
  t.is(credentials, undefined);
});

test('plain HTTP beyond this machine is told nothing, unless that is what was said', async (t) => {
  const { server } = await withImporter(t);
  await server.ask('POST', '/api/secret/tls', { body: basic });
  await server.ask('POST', '/api/secret/plain', { body: { ...basic, host: 'http://images.example.com' } });
  const told = (url: string, secret: string) =>
    server.deps.outgoing.to(url, { trusted: true, secret }).credentials !== undefined;
  t.true(told('https://images.example.com/x', 'tls'));
  t.true(told('https://images.example.com:443/x', 'tls'));
  t.false(told('https://images.example.com:8443/x', 'tls'));
  t.false(told('http://images.example.com/x', 'tls'));
  t.false(told('https://other.example.com/x', 'tls'));
  t.false(told('https://images.example.com.evil.test/x', 'tls'));
  t.false(told('https://images.example.com/x', 'plain'));
  t.true(told('http://images.example.com/x', 'plain'));
});

test('import administrators have those of their data centers, and know of no others', async (t) => {
  const { server, importer } = await withImporter(t);
  const { headers } = importer;
  const ask = (method: string, path: string, body?: object) =>
    server.ask(method, path, { headers, ...(body && { body }) });
  t.is((await server.ask('POST', '/api/secret/same', { body: basic })).status, 201);
  t.is((await server.ask('POST', '/api/secret/same', { body: { ...basic, dc: 'E' } })).status, 201);
  t.is(told(await ask('POST', '/api/secret/same', basic)), '400 InvalidInput dc:MissingParameter');
  t.is(told(await ask('POST', '/api/secret/same', { ...basic, dc: 'E' })), '404 ResourceNotFound');
  t.is(told(await ask('GET', '/api/secret/same')), '404 ResourceNotFound');
  t.is((await ask('POST', '/api/secret/same', { ...basic, dc: 'D' })).status, 201);
  t.is(resultOf(await ask('GET', '/api/secret/same')).dc, 'D');
  t.deepEqual((await ask('GET', '/api/secret')).json.result, ['same']);
  t.is(resultOf(await ask('PUT', '/api/secret/same', { username: 'other' })).username, 'other');
  t.is((await ask('DELETE', '/api/secret/same')).status, 200);
  t.deepEqual(await keptSecrets(server), ['/same', 'E/same']);
  t.is(told(await server.ask('GET', '/api/secret/same', { as: 'admin' })), '400 InvalidInput dc:MissingParameter');
  t.is(resultOf(await server.ask('GET', '/api/secret/same?dc=E', { as: 'admin' })).dc, 'E');
  const member = await addUser(server, 'member');
  await grant(server, member, 'D', 'admin', 'image_admin');
  for (const [method, path] of [
    ['GET', '/api/secret'],
    ['GET', '/api/secret/same'],
    ['DELETE', '/api/secret/none'],
  ] as const) {
    t.is(told(await server.ask(method, path, { headers: member.headers })), '403 NotPermitted');
  }
});

test('for another host or type it has to be given again', async (t) => {
  const { server } = await withImporter(t);
  await server.ask('POST', '/api/secret/source', { body: basic });
  const before = await server.deps.catalog.get(secrets, 'source');
  for (const body of [{ host: 'evil.example.com' }, { type: 'bearer' }]) {
    t.is(told(await server.ask('PUT', '/api/secret/source', { body })), '400 InvalidInput value:MissingParameter');
  }
  t.deepEqual(await server.deps.catalog.get(secrets, 'source'), before);
  const body = { host: 'other.example.com', type: 'bearer', value: 'v' };
  const result = resultOf(await server.ask('PUT', '/api/secret/source', { body }));
  t.deepEqual([result.host, result.type, result.username], ['other.example.com', 'bearer', null]);
  t.deepEqual(server.deps.outgoing.to('https://other.example.com', { trusted: true, secret: 'source' }).credentials, {
    kind: 'bearer',
    token: 'v',
  });
});

test('what is wrong with one is told by its field', async (t) => {
  const { server } = await withImporter(t);
  const rows: [object, string][] = [
    [{ ...basic, host: undefined }, 'host:MissingParameter'],
    [{ ...basic, host: 'https://a.example/path' }, 'host:Invalid'],
    [{ ...basic, host: 'me@a.example' }, 'host:Invalid'],
    [{ ...basic, host: '' }, 'host:Invalid'],
    [{ ...basic, type: 'digest' }, 'type:Invalid'],
    [{ ...basic, type: undefined }, 'type:MissingParameter'],
    [{ ...basic, username: undefined }, 'username:MissingParameter'],
    [{ ...basic, username: 'a:b' }, 'username:Invalid'],
    [{ ...basic, value: undefined }, 'value:MissingParameter'],
    [{ ...basic, value: '' }, 'value:Invalid'],
    [{ ...basic, value: 'a\r\nX-Evil: 1' }, 'value:Invalid'],
    [{ ...basic, other: 1 }, 'other:NotAllowed'],
  ];
  for (const [body, expected] of rows) {
    t.is(told(await server.ask('POST', '/api/secret/x', { body })), `400 InvalidInput ${expected}`);
  }
  t.is(told(await server.ask('POST', '/api/secret/-x', { body: basic })), '400 InvalidInput name:Invalid');
  t.is(told(await server.ask('POST', '/api/secret/x', { body: { ...basic, dc: 'none' } })), '404 ResourceNotFound');
  t.deepEqual(await keptSecrets(server), []);
});

test('one that is in use stays, and tells by what, as far as that is seen', async (t) => {
  const { server, importer } = await withImporter(t);
  const { catalog, now } = server.deps;
  const { headers } = importer;
  await server.ask('POST', '/api/secret/source', { body: { ...basic, dc: 'D' }, headers });
  await catalog.write(async (tx) => {
    await tx.insert(repositories, { name: 'rep', every: 0, secret: 'D/source' });
    await tx.insert(repositories, { name: 'other', every: 0, secret: 'D/source-2' });
    const wish = { what: 'import', objects: [], params: { steps: [{ from: { access: { secret: 'D/source' } } }] } };
    const task = newTask(numbered(1), { kind: 'trusted' }, wish, now());
    await tx.insert(tasks, task);
    await tx.insert(tasks, { ...task, id: numbered(2), status: 'SUCCESS' });
  });
  const own = await server.ask('DELETE', '/api/secret/source', { headers });
  t.is(told(own), '428 SecretInUse');
  t.regex(own.json.message ?? '', /used by repository rep, 1 others$/);
  const all = await server.ask('DELETE', '/api/secret/source', {});
  t.regex(all.json.message ?? '', new RegExp(`repository rep, task ${numbered(1)}$`));
  t.deepEqual(await keptSecrets(server), ['D/source']);
});

test('with its data center it goes', async (t) => {
  const { server } = await withImporter(t);
  await server.ask('POST', '/api/secret/source', { body: { ...basic, dc: 'E' } });
  await server.ask('POST', '/api/secret/source', { body: basic });
  t.is((await server.ask('DELETE', '/api/dc/E')).status, 200);
  t.deepEqual(await keptSecrets(server), ['/source']);
});

test('whoever names one for a source is told what is wrong with it, on its field', async (t) => {
  const { server, importer } = await withImporter(t);
  const { catalog, directory } = server.deps;
  await server.ask('POST', '/api/secret/source', { body: { ...basic, dc: 'D' } });
  await server.ask('POST', '/api/secret/source', { body: { ...basic, dc: 'E' } });
  const user = directory.users.get(importer.uuid)!;
  const caller = { kind: 'user' as const, user, rights: directory.rightsOf(user) };
  const url = 'https://images.example.com/x';
  t.is(await usableSecret(catalog, caller, { name: 'source', url }), 'D/source');
  t.is(await usableSecret(catalog, { kind: 'trusted' }, { name: 'source', dc: 'E', url }), 'E/source');
  t.is(await usableSecret(catalog, { kind: 'trusted' }, { name: 'E/source', url }), 'E/source');
  for (const wrong of [{ name: 'none' }, { name: 'E/source' }, { name: 'source', url: 'https://evil.example.com' }]) {
    const error = await t.throwsAsync(usableSecret(catalog, caller, wrong));
    t.like(error, { code: 'InvalidInput', errors: [{ field: 'secret' }] });
  }
  await t.throwsAsync(usableSecret(catalog, { kind: 'trusted' }, { name: 'source' }), { message: /one of D, E/ });
});
