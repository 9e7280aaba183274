import test, { type ExecutionContext } from 'ava';
import { makeKey } from '../../server/hypervisors/node-key.js';
import type { openHypervisors } from '../../server/hypervisors/open.js';
import { auditEntries } from '../../server/model/audit.js';
import { nodes } from '../../server/model/node.js';
import { secrets } from '../../server/model/secret.js';
import { addDatacenter } from '../support/datacenters.js';
import { keptLog } from '../support/log.js';
import { isMet } from '../support/needs.js';
import { type Answer, startServer, type TestServer } from '../support/server.js';
import { startSshd } from '../support/sshd.js';
import { table } from '../support/table.js';
import { cell, told } from '../support/told.js';

const resultOf = ({ json }: Answer) => json.result as Record<string, unknown>;
const hostKey = makeKey('h').public;

const wayOf = async (server: TestServer, name: string) =>
  resultOf(await server.ask('GET', `/api/node/${name}`, { as: 'admin' })).connection;

test('how a node is reached is given, changed piece by piece, and taken away', async (t) => {
  const server = await startServer(t);
  const { ask } = server;
  const made = await ask('POST', '/api/node/n1', {
    body: { address: '10.0.0.5', host_keys: [`${hostKey} a comment`] },
  });
  const given = {
    address: '10.0.0.5',
    port: 22,
    user: 'root',
    host_keys: [hostKey],
    key: null,
    agent: false,
    jump: null,
    platform: null,
    places: [],
  };
  t.deepEqual(resultOf(made).connection, given);
  await ask('PUT', '/api/node/n1', { body: { port: '2222', agent: true, platform: 'qemu', places: '/vms,/more' } });
  const changed = { ...given, port: 2222, agent: true, platform: 'qemu', places: ['/vms', '/more'] };
  t.deepEqual(await wayOf(server, 'n1'), changed);
  await ask('PUT', '/api/node/n1', { body: { dcs: ['main'] } });
  t.deepEqual(await wayOf(server, 'n1'), changed);
  await ask('PUT', '/api/node/n1', { body: { address: 'fd00::1', agent: false, platform: null, host_keys: [] } });
  t.like(await wayOf(server, 'n1'), { address: 'fd00::1', agent: false, platform: null, host_keys: [] });
  t.is((await ask('PUT', '/api/node/n1', { body: { address: null } })).status, 200);
  t.is(await wayOf(server, 'n1'), null);
  t.is((await server.deps.catalog.get(nodes, 'n1'))?.connection, undefined);
});

const refused = table<'body' | 'told'>(`
  body                                          told
  {"port":22}                                   400 InvalidInput port:Invalid
  {"user":"x","places":["/a"]}                  400 InvalidInput user:Invalid places:Invalid
  {"address":"-oProxyCommand=x"}                400 InvalidInput address:Invalid
  {"address":"a b"}                             400 InvalidInput address:Invalid
  {"address":"a*300"}                           400 InvalidInput address:Invalid
  {"address":"h","port":0}                      400 InvalidInput port:Invalid
  {"address":"h","port":65536}                  400 InvalidInput port:Invalid
  {"address":"h","user":"-l"}                   400 InvalidInput user:Invalid
  {"address":"h","host_keys":["ssh-rsa"]}       400 InvalidInput host_keys:Invalid
  {"address":"h","host_keys":["ssh-dss_AAAA"]}  400 InvalidInput host_keys:Invalid
  {"address":"h","key":"nope"}                  400 InvalidInput key:Invalid
  {"address":"h","key":"web"}                   400 InvalidInput key:Invalid
  {"address":"h","jump":"nope"}                 400 InvalidInput jump:Invalid
  {"address":"h","jump":"bare"}                 400 InvalidInput jump:Invalid
  {"address":"h","jump":"n1"}                   400 InvalidInput jump:Invalid
  {"address":"h","platform":"vmware"}           400 InvalidInput platform:Invalid
  {"address":"h","places":["-rf"]}              400 InvalidInput places.0:Invalid
`);

test('what is no way to a node is refused by the field, and changes nothing', async (t) => {
  const server = await startServer(t);
  const { ask } = server;
  await ask('POST', '/api/node/bare');
  await ask('POST', '/api/node/n1');
  const web = { host: 'h.example.com', type: 'bearer', value: 'x' };
  await ask('POST', '/api/secret/web', { body: web });
  for (const { body, told: expected } of refused) {
    const answer = await ask('PUT', '/api/node/n1', { body: cell(body.replaceAll('_AAAA', ' AAAA')) });
    t.is(told(answer).replace(/host_keys\.0:/, 'host_keys:'), expected, body);
  }
  t.is(await wayOf(server, 'n1'), null);
});

test('ways through other nodes lead in no circle, and nobody takes away what they lead through', async (t) => {
  const { ask } = await startServer(t);
  for (const [name, jump] of [['a'], ['b', 'a'], ['c', 'b']]) {
    t.is((await ask('POST', `/api/node/${name}`, { body: { address: `${name}.example`, jump } })).status, 201);
  }
  const circle = await ask('PUT', '/api/node/a', { body: { jump: 'c' } });
  t.is(told(circle), '400 InvalidInput jump:Invalid');
  t.is(circle.json.errors?.[0]?.message, 'jump leads in a circle: a → c → b → a');
  const taken = await ask('PUT', '/api/node/a', { body: { address: null } });
  t.is(told(taken), '428 NodeInUse');
  t.true(taken.bytes.toString().includes('through node \\"a\\" these are reached: b'));
  t.is(told(await ask('DELETE', '/api/node/b')), '428 NodeInUse');
  t.is(told(await ask('DELETE', '/api/node/c')), '200');
  t.is(told(await ask('PUT', '/api/node/b', { body: { jump: null } })), '200');
  t.is(told(await ask('DELETE', '/api/node/a')), '200');
});

test('a key is kept sealed as a secret, shows what nodes are given, and stays while a node needs it', async (t) => {
  const { log, lines } = keptLog();
  const server = await startServer(t, { log });
  const { ask } = server;
  await addDatacenter(server, 'D');
  const key = makeKey('old');
  const value = key.private;
  const made = await ask('POST', '/api/secret/old', { body: { type: 'ssh-key', value } });
  t.like(resultOf(made), { name: 'old', host: '', type: 'ssh-key', username: null, public_key: key.public });
  const wrong = async (name: string, body: object) => told(await ask('POST', `/api/secret/${name}`, { body }));
  t.is(await wrong('x', { type: 'ssh-key', value: 'no key' }), '400 InvalidInput value:Invalid');
  t.is(await wrong('x', { type: 'ssh-key', value: key.public }), '400 InvalidInput value:Invalid');
  t.is(await wrong('x', { type: 'ssh-key' }), '400 InvalidInput value:MissingParameter');
  t.is(await wrong('x', { type: 'ssh-key', value, host: 'h.example.com' }), '400 InvalidInput host:Invalid');
  t.is(await wrong('x', { type: 'ssh-key', value, dc: 'D' }), '400 InvalidInput dc:Invalid');
  t.is(await wrong('x', { type: 'bearer', value: 'a\nb', host: 'h.example.com' }), '400 InvalidInput value:Invalid');

  t.is((await ask('POST', '/api/node/n1', { body: { address: 'n1.example', key: 'old' } })).status, 201);
  t.is(told(await ask('DELETE', '/api/secret/old')), '428 SecretInUse');
  const other = makeKey('new');
  const changed = await ask('PUT', '/api/secret/old', { body: { value: other.private.trimEnd() } });
  t.is(resultOf(changed).public_key, other.public);
  const retyped = await ask('PUT', '/api/secret/old', { body: { type: 'bearer', value: 'x', host: 'h' } });
  t.is(told(retyped), '400 InvalidInput type:Invalid');
  t.is(told(await ask('PUT', '/api/node/n1', { body: { key: null } })), '200');
  t.is(told(await ask('DELETE', '/api/secret/old')), '200');
  for await (const { name } of server.deps.catalog.list(secrets)) t.fail(name);

  const secret = value.split('\n')[3] ?? '';
  t.true(secret.length > 40);
  t.false(JSON.stringify(lines).includes(secret));
  for await (const entry of server.deps.catalog.list(auditEntries)) t.false(JSON.stringify(entry).includes(secret));
});

test('what lets the server in is told to operators as a line that allows no more than it needs', async (t) => {
  const nodeKey = makeKey('ours');
  const { ask } = await startServer(t, { nodeKey });
  const line = async (query = '') => resultOf(await ask('GET', `/api/nodekey${query}`, { as: 'admin' })).line;
  t.is(await line(), `restrict ${nodeKey.public} slipway`);
  t.is(await line('?from=10.0.0.1,fd00::/8'), `restrict,from="10.0.0.1,fd00::/8" ${nodeKey.public} slipway`);
  t.is(await line('?jump'), `restrict,port-forwarding ${nodeKey.public} slipway`);
  t.is(told(await ask('GET', '/api/nodekey?from=a"b', { as: 'admin' })), '400 InvalidInput from.0:Invalid');
  t.is(told(await ask('GET', '/api/nodekey', { as: 'anonymous' })), '401 UnauthorizedError');
});

const known = isMet['sshd, to be talked to'] ? test : test.skip;

/** What a command on the node prints, by the server's own way there. */
async function asked(t: ExecutionContext, server: TestServer, name: string): Promise<string> {
  const node = await server.deps.catalog.get(nodes, name);
  if (!node) throw new Error(`no node ${name}`);
  const { hypervisors } = server.deps;
  const host = await (hypervisors as ReturnType<typeof openHypervisors>).hostOf(node);
  const answer = await host.run(['echo', 'here'], { signal: AbortSignal.timeout(60_000) });
  t.is(answer, 'here\n');
  return host.name;
}

known('the first host key that a node shows is kept, in the audit, and another one is not believed', async (t) => {
  const sshd = await startSshd(t);
  const server = await startServer(t, { nodeKey: sshd.key });
  const { address, port, user } = sshd.connection;
  await server.ask('POST', '/api/node/n1', { body: { address, port, user } });
  await asked(t, server, 'n1');
  t.like(await wayOf(server, 'n1'), { host_keys: [sshd.hostKey] });
  const entries: string[] = [];
  for await (const { what, objects } of server.deps.catalog.list(auditEntries)) {
    if (what === 'first contact') entries.push(objects.map(({ name }) => name).join());
  }
  t.deepEqual(entries, ['n1']);

  const before = sshd.hostKey;
  await sshd.replaceHostKey();
  await sshd.cut();
  await t.throwsAsync(asked(t, server, 'n1'));
  await t.throwsAsync(asked(t, server, 'n1'), { message: /shows another host key/ });
  t.like(await wayOf(server, 'n1'), { host_keys: [before] });
  await server.ask('PUT', '/api/node/n1', { body: { host_keys: [sshd.hostKey] } });
  await asked(t, server, 'n1');
});

known('a node is reached with the key of a secret, and through another node', async (t) => {
  const near = await startSshd(t);
  const far = await startSshd(t);
  const server = await startServer(t, { nodeKey: near.key });
  const { ask } = server;
  await ask('POST', '/api/secret/far', { body: { type: 'ssh-key', value: far.key.private } });
  const way = ({ connection: { address, port, user } }: typeof near) => ({ address, port, user });
  await ask('POST', '/api/node/near', { body: way(near) });
  await ask('POST', '/api/node/far', { body: { ...way(far), key: 'far', jump: 'near' } });
  await asked(t, server, 'far');
  t.like(await wayOf(server, 'near'), { host_keys: [near.hostKey] });
  t.like(await wayOf(server, 'far'), { host_keys: [far.hostKey] });
  await ask('PUT', '/api/node/far', { body: { key: null } });
  await t.throwsAsync(asked(t, server, 'far'), { message: /takes none of the keys/ });
});
