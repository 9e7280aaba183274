import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ava from 'ava';
import { datacenters } from '../../server/model/datacenter.js';
import { nodes } from '../../server/model/node.js';
import { nodeSources } from '../../server/model/node-source.js';
import { nodeTokens } from '../../server/model/node-token.js';
import { pushSourcesDue } from '../../server/operations/push-sources.js';
import { refreshNode } from '../../server/operations/refresh-node.js';
import { nodeNamed } from '../../server/operations/save-node.js';
import { type Campaigning, lacking, startCampaigns, statesOf } from '../support/campaigns.js';
import { keptLog } from '../support/log.js';
import { isMet } from '../support/needs.js';
import type { TestServer } from '../support/server.js';
import { sourcesOf, startSmartosNode } from '../support/smartos.js';
import { needsZfs } from '../support/zfs.js';

const test = lacking === undefined ? ava : (ava.skip as unknown as typeof ava);
const about = (title: string) => (lacking === undefined ? title : `${title} (${lacking})`);

const OTHER = 'https://images.example.com';

interface Row {
  node: string;
  state: string;
  wanted: string[];
  there: string[] | null;
  before: string[] | null;
  error: string | null;
}

const list = async ({ ask }: TestServer) =>
  (await ask('GET', '/api/nodesource?full', { as: 'admin' })).json.result as unknown as Row[];

const push = ({ ask }: TestServer, name: string) => ask('PUT', `/api/node/${name}/source`, { as: 'admin', body: {} });

const configure = ({ ask }: TestServer, sources: string[]) =>
  ask('PUT', '/api/dc/main/settings', { as: 'admin', body: { VMS_IMAGE_SOURCES: sources } });

async function madeTokens({ deps }: TestServer) {
  const found = [];
  for await (const token of deps.catalog.list(nodeTokens)) found.push(token);
  return found;
}

test(
  about('a node is told what is configured, again when that changes, and when somebody else has changed it'),
  async (t) => {
    const { log, lines } = keptLog();
    const world = await startCampaigns(t, { one: {} }, { log });
    const { server, node } = world;
    const { deps, ask, image } = server;
    const url = deps.policy.publicUrl ?? '';
    const one = node('one');
    await one.writeSources(['http://before.example.com']);
    t.like((await list(server))[0], { node: 'one', state: 'differs', wanted: [`${url}/n/…`], there: null });

    await pushSourcesDue(deps);
    const [own = '', ...others] = await one.sources();
    t.true(own.startsWith(`${url}/n/slipway_`), own);
    t.deepEqual(others, []);
    const [row] = await list(server);
    t.like(row, { state: 'ok', there: [`${url}/n/…`], before: ['http://before.example.com'], error: null });

    const { uuid } = await image({ public: false });
    const path = new URL(own).pathname;
    t.is((await ask('GET', `${path}/images/${uuid}`, { as: 'anonymous' })).status, 200, 'by which it is known');

    t.is((await configure(server, [OTHER])).status, 200);
    t.is((await list(server))[0]?.state, 'differs');
    await pushSourcesDue(deps);
    t.deepEqual(await one.sources(), [own, OTHER], 'by the same token');

    await one.writeSources([OTHER, 'http://evil.example.com']);
    await refreshNode(deps, await nodeNamed(deps.catalog, 'one'));
    const corrected = await one.sources();
    t.is(corrected.length, 2);
    t.not(corrected[0], own, 'what it has lost is good for nothing any more');
    t.is((await ask('GET', `${path}/images/${uuid}`, { as: 'anonymous' })).status, 401);
    t.is((await madeTokens(server)).length, 1);
    t.deepEqual((await list(server))[0]?.before, [OTHER, 'http://evil.example.com']);

    const [{ name: token } = { name: '' }] = await madeTokens(server);
    t.is((await ask('DELETE', `/api/node/one/token/${token}`, { as: 'admin' })).status, 200);
    const pushed = await push(server, 'one');
    t.is(pushed.status, 200, pushed.bytes.toString());
    const last = await one.sources();
    t.not(last[0], corrected[0], 'who revokes it gives the node another');

    const secrets = [own, corrected[0] ?? '', last[0] ?? ''].map((source) => source.split('/n/')[1] ?? '');
    t.true(secrets.every((secret) => secret.length > 30));
    const said = [
      JSON.stringify(lines),
      JSON.stringify(await list(server)),
      pushed.bytes.toString(),
      (await ask('GET', '/api/audit?full', { as: 'admin' })).bytes.toString(),
      (await ask('GET', '/api/node/one/token?full', { as: 'admin' })).bytes.toString(),
      JSON.stringify(await everything(server)),
    ].join('\n');
    for (const secret of secrets) t.false(said.includes(secret), 'it is told nowhere');
    t.deepEqual(await one.left(), []);
  },
);

test(about('a node that is away is told when it is back, and a failure is seen'), async (t) => {
  const world = await startCampaigns(t, { one: {} });
  const { server, node } = world;
  const { deps } = server;
  await node('one').sshd.stop();
  await pushSourcesDue(deps);
  const [away] = await list(server);
  t.is(away?.state, 'offline');
  t.regex(away?.error ?? '', /ECONNREFUSED|can not be reached/);
  t.is((await push(server, 'one')).status, 423);
  t.deepEqual(await madeTokens(server), [], 'no token for nobody');
  await node('one').sshd.start();
  await refreshNode(deps, await nodeNamed(deps.catalog, 'one'));
  t.is((await list(server))[0]?.state, 'ok');
  t.is((await node('one').sources()).length, 1);

  t.is((await server.ask('DELETE', '/api/node/one', { as: 'admin' })).status, 200);
  t.is(await deps.catalog.get(nodeSources, 'one'), undefined);
  t.deepEqual(await madeTokens(server), []);
});

test(about('a list of its own is left alone, and one that is known by its address needs no token'), async (t) => {
  const world = await startCampaigns(t, { own: {}, known: {} });
  const { server, node } = world;
  const { ask, deps } = server;
  await node('own').writeSources([OTHER]);
  t.is((await ask('PUT', '/api/node/own', { as: 'admin', body: { keep_sources: false } })).status, 200);
  const known = { addresses: ['127.0.0.9'], known_by_address: true };
  t.is((await ask('PUT', '/api/node/known', { as: 'admin', body: known })).status, 200);
  await pushSourcesDue(deps);
  await refreshNode(deps, await nodeNamed(deps.catalog, 'own'));
  t.deepEqual(await node('own').sources(), [OTHER]);
  t.deepEqual(await node('known').sources(), [deps.policy.publicUrl ?? '']);
  const rows = new Map((await list(server)).map((row) => [row.node, row.state]));
  t.deepEqual([...rows].sort(), [
    ['known', 'ok'],
    ['own', 'off'],
  ]);
  t.deepEqual(await madeTokens(server), []);
});

test(about('without a URL by which nodes find the server nothing is pushed'), async (t) => {
  const world = await startCampaigns(t, { one: {} });
  const { server, node } = world;
  for (const url of [undefined, 'http://localhost:8080']) {
    server.deps.policy.publicUrl = url;
    const { status, bytes } = await push(server, 'one');
    t.is(status, 428, bytes.toString());
    t.regex(bytes.toString(), /publicUrl/);
    await pushSourcesDue(server.deps);
    t.like((await list(server))[0], { wanted: [] });
    t.deepEqual(await node('one').sources(), []);
  }
  t.deepEqual(await madeTokens(server), []);
});

const zfs = (['sshd, to be talked to', needsZfs] as const).find((need) => !isMet[need]);
const onZfs = zfs === undefined ? ava : (ava.skip as unknown as typeof ava);

onZfs(
  `a SmartOS has its list from imgadm, and an image by a campaign${zfs === undefined ? '' : ` (${zfs})`}`,
  async (t) => {
    const { server, key, run } = await startCampaigns(t, {});
    const { deps, port } = server;
    const node = await startSmartosNode(t, { resolve: [`images.test:${port}:127.0.0.1`] });
    await writeFile(join(node.sshd.directory, 'authorized_keys'), `${key.public}\n`);
    const record = { name: 'smart', datacenters: ['main'], addresses: [], knownByAddress: false, created: '' };
    const connection = { ...node.sshd.connection, platform: 'smartos' as const };
    await deps.catalog.write((tx) => tx.insert(nodes, { ...record, connection }));
    await configure(server, [OTHER]);
    await pushSourcesDue(deps);
    const [own = '', ...others] = await sourcesOf(node);
    t.true(own.startsWith(`${deps.policy.publicUrl}/n/slipway_`), own);
    t.deepEqual(others, [OTHER]);
    t.like((await list(server))[0], { state: 'ok', before: ['https://images.smartos.org'] });

    const { pool } = node;
    await pool.zfs('create', `${pool.name}/made`);
    await pool.write(`${pool.name}/made`, 'bytes', 'content');
    await pool.zfs('snapshot', `${pool.name}/made@final`);
    const stream = await pool.send(`${pool.name}/made@final`);
    const { uuid } = await server.image({}, { file: stream as unknown as string });
    const newer = { requirements: { min_platform: { '7.0': '20990101T000000Z' } } };
    const late = await server.image({ name: 'late', ...newer }, { file: stream as unknown as string });
    t.deepEqual(statesOf(await run('POST', 'all', { image: uuid, bandwidth: 10 << 20 })), { smart: 'done' });
    const refused = await run('POST', 'late', { image: late.uuid });
    t.deepEqual(statesOf(refused), { smart: 'skipped' });
    t.regex(refused.nodes[0]?.error ?? '', /at least 20990101T000000Z, the node has 20240111T000000Z/);
  },
);

/** All records of the kinds that may have to do with it. */
async function everything({ deps }: TestServer): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const kind of [nodeSources, nodeTokens, nodes, datacenters]) {
    for await (const one of deps.catalog.list(kind as typeof nodes)) found.push(one);
  }
  return found;
}

test(about('a node is asked check by check whether it can have an image'), async (t) => {
  const world: Campaigning = await startCampaigns(t, { one: {}, full: { size: '1m' } });
  const { server, image, node } = world;
  const { uuid } = await image({}, 2 << 20);
  const look = async (name: string, id = uuid) => {
    const { status, json, bytes } = await server.ask('GET', `/api/node/${name}/preflight/${id}`, { as: 'admin' });
    t.is(status, 200, bytes.toString());
    return json.result as unknown as {
      ok: boolean;
      failed: string | null;
      checks: { name: string; ok: boolean | null }[];
    };
  };
  t.like(await look('one'), { ok: false, failed: 'sources' }, 'it was not told yet');
  await pushSourcesDue(server.deps);
  const good = await look('one');
  t.like(good, { ok: true, failed: null, pool: 'machines' }, JSON.stringify(good));
  t.is(good.checks.find(({ name }) => name === 'reaches')?.ok, true);
  t.like(await look('full'), { failed: 'room' });
  const zone = await server.image({ name: 'zone' });
  t.like(await look('one', zone.uuid), { failed: 'requirements' });
  const picky = await image({ name: 'picky', requirements: { min_platform: { '7.0': '20200101T000000Z' } } });
  t.true((await look('one', picky.uuid)).ok, 'what the node does not tell speaks against nothing');
  server.deps.policy.publicUrl = 'http://images.test:1';
  t.like(await look('one'), { failed: 'sources' });
  await node('one').sshd.stop();
  await node('one').sshd.cut();
  const away = await look('one');
  t.like(away, { ok: false, failed: 'online' });
  t.is((await server.ask('GET', `/api/node/none/preflight/${uuid}`, { as: 'admin' })).status, 404);
});
