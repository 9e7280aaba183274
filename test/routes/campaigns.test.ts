import ava from 'ava';
import { campaignNodes, campaigns } from '../../server/model/campaign.js';
import { nodeTokens } from '../../server/model/node-token.js';
import { tasks } from '../../server/model/task.js';
import { type Campaigning, lacking, POOL, type Shown, startCampaigns, statesOf } from '../support/campaigns.js';
import { startServer, type TestServer } from '../support/server.js';

const test = lacking === undefined ? ava : (ava.skip as unknown as typeof ava);
const about = (title: string) => (lacking === undefined ? title : `${title} (${lacking})`);

const MANY = 5 << 20;

test(about('an image comes onto three nodes: one is away and comes back, one is full'), async (t) => {
  const world = await startCampaigns(t, { one: {}, away: {}, full: { size: '1m' } });
  const { server, node, image, until, start } = world;
  const { uuid } = await image({}, MANY);
  await node('away').sshd.stop();
  const task = await start('POST', 'all', { image: uuid, at_once: 1 });
  const before = await until('all', (shown) => {
    const states = statesOf(shown);
    return states.one === 'done' && states.full === 'skipped' && shown.nodes.some(({ away }) => away);
  });
  t.like(before, { state: 'running', done: 1, skipped: 1, total: 3 });
  t.regex(errorOf(before, 'full'), /too little room: \d+ bytes are needed/);
  t.regex(errorOf(before, 'away'), /ECONNREFUSED|refused/i);
  t.is((await server.ask('DELETE', '/api/campaign/all', { as: 'admin' })).status, 423, 'it runs');
  await node('away').sshd.start();
  await server.deps.tasks.settled(task, new AbortController().signal);
  const after = await world.show('all');
  t.deepEqual(statesOf(after), { away: 'done', full: 'skipped', one: 'done' });
  t.like(after, { state: 'done', error: null, pool: null });
  for (const name of ['one', 'away']) {
    t.deepEqual(await node(name).images(), [uuid], name);
    t.deepEqual(await node(name).left(), [], name);
  }
  t.deepEqual(await node('full').images(), []);
  t.is(await tokensOf(world), 0, 'no token is left of any pull');

  const again = await world.run('PUT', 'all', { action: 'retry' });
  t.deepEqual(statesOf(again), { away: 'done', full: 'skipped', one: 'done' });
  t.is((await server.ask('PUT', '/api/campaign/all', { as: 'admin', body: { action: 'start' } })).status, 409);
  t.is((await server.ask('DELETE', '/api/campaign/all', { as: 'admin' })).status, 200);
  t.is((await server.ask('GET', '/api/campaign/all', { as: 'admin' })).status, 404);
  t.deepEqual(await records(server), []);
  t.deepEqual(await node('one').images(), [uuid], 'what was brought stays');
});

test(about('it is stopped in the middle, and goes on where it was, no faster than it may'), async (t) => {
  const world = await startCampaigns(t, { one: {}, two: {} });
  const { server, node, image, until, start } = world;
  const { uuid } = await image({}, MANY);
  await start('POST', 'slow', { image: uuid, pool: POOL, at_once: 1, bandwidth: 2 << 20 });
  const under = await until('slow', ({ nodes }) => nodes.some((one) => (one.progress?.done ?? 0) > 0));
  t.like(under, { state: 'running', pulling: 1, waiting: 1 });
  const pull = under.nodes.find(({ state }) => state === 'pulling')?.task ?? '';
  const stopped = await server.ask('PUT', '/api/campaign/slow', { as: 'admin', body: { action: 'stop' } });
  t.is(stopped.status, 200);
  t.like(stopped.json.result, { state: 'stopped', waiting: 2, pulling: 0 });
  t.is((await server.deps.catalog.get(tasks, pull))?.status, 'REVOKED');
  for (const name of ['one', 'two']) {
    t.deepEqual(await node(name).left(), [], name);
    t.deepEqual(await node(name).images(), [], name);
  }
  await server.deps.tasks.settled(under.task, new AbortController().signal);
  t.is((await server.ask('PUT', '/api/campaign/slow', { as: 'admin', body: { action: 'stop' } })).status, 409);

  const begun = Date.now();
  const end = await world.run('PUT', 'slow', { action: 'start' });
  t.deepEqual(statesOf(end), { one: 'done', two: 'done' });
  t.true(Date.now() - begun > 4000, 'it has its bandwidth, and no more');
  t.is(await tokensOf(world), 0);
  const third = await world.run('POST', 'again', { image: uuid });
  t.deepEqual(statesOf(third), { one: 'done', two: 'done' }, 'what is there counts as done');
});

test(about('who is away for too long has failed, and so has a pull that somebody cancels'), async (t) => {
  let ahead = 0;
  const world = await startCampaigns(t, { one: {}, away: {} }, { now: () => new Date(Date.now() + ahead) });
  const { server, node, image, start, until } = world;
  const { uuid } = await image({}, MANY);
  await node('away').sshd.stop();
  const task = await start('POST', 'all', { image: uuid, pool: POOL, until: '1h', bandwidth: 1 << 20 });
  const shown = await until('all', ({ nodes }) => nodes.some((one) => (one.progress?.done ?? 0) > 0));
  const pull = shown.nodes.find(({ progress }) => (progress?.done ?? 0) > 0)?.task;
  ahead = 2 * 3_600_000;
  t.is((await server.ask('PUT', `/api/task/${pull}/cancel`, { as: 'admin', body: {} })).status, 410);
  await server.deps.tasks.settled(task, new AbortController().signal);
  const end = await world.show('all');
  t.deepEqual(statesOf(end), { away: 'failed', one: 'failed' });
  t.is(end.state, 'failed');
  t.regex(errorOf(end, 'away'), /it was away until .*ECONNREFUSED/);
  t.regex(errorOf(end, 'one'), /was cancelled/);
  await node('away').sshd.start();
  const again = await world.run('PUT', 'all', { action: 'retry' });
  t.deepEqual(statesOf(again), { away: 'done', one: 'done' });
});

ava('a campaign that can not be is refused before anything begins', async (t) => {
  const server = await startServer(t);
  const { ask, image, deps } = server;
  const { uuid } = await image();
  const create = (body: object, name = 'new') => ask('POST', `/api/campaign/${name}`, { as: 'admin', body });
  const refused = async (answer: Awaited<ReturnType<typeof ask>>, status: number, message: RegExp) => {
    t.is(answer.status, status, answer.bytes.toString());
    t.regex(answer.bytes.toString(), message);
    t.deepEqual(await records(server), []);
  };
  await refused(await create({ image: uuid }), 400, /no node is talked to/);
  await refused(await create({ image: uuid, dcs: ['main'] }), 400, /no node in main is talked to/);
  await refused(await create({ image: uuid, nodes: ['nobody'] }), 400, /names no node/);
  await refused(await create({ image: uuid, nodes: ['a'], dcs: ['main'] }), 400, /dcs does not go with nodes/);
  await refused(await create({ image: 'nothing' }), 404, /there is no image/);
  await refused(await create({ image: uuid, at_once: 0 }), 400, /at_once/);
  await refused(await create({ image: uuid, until: '2020-01-01' }), 400, /not in the future/);
  await refused(await create({ image: uuid }, 'a%20b'), 400, /name is not/);
  const announced = await image({ name: 'announced' }, { activate: false });
  await refused(await create({ image: announced.uuid }), 417, /is unactivated/);
  for (const action of ['stop', 'start', 'retry']) {
    const answer = await ask('PUT', '/api/campaign/none', { as: 'admin', body: { action } });
    await refused(answer, 404, /there is no campaign/);
  }
  await refused(await ask('PUT', '/api/campaign/none', { as: 'admin', body: { action: 'go' } }), 400, /stop, start/);

  t.is((await ask('POST', '/api/node/unmanaged', { as: 'admin', body: { dcs: ['main'] } })).status, 201);
  await refused(await create({ image: uuid, nodes: ['unmanaged'] }), 428, /publicUrl is not set/);
  deps.policy.publicUrl = 'http://127.0.0.1:80';
  await refused(await create({ image: uuid, nodes: ['unmanaged'] }), 428, /finds itself/);
  deps.policy.publicUrl = 'http://images.test';
  const named = await create({ image: uuid, nodes: ['unmanaged'] });
  t.is(named.status, 201, named.bytes.toString());
  await deps.tasks.settled(String(named.json.task_id), new AbortController().signal);
  const { result } = (await ask('GET', '/api/campaign/new', { as: 'admin' })).json;
  t.like(result, { state: 'done', skipped: 1 });
  t.regex(JSON.stringify(result), /has no address for ssh/);
  t.is((await create({ image: uuid, nodes: ['unmanaged'] })).status, 406);
});

const errorOf = ({ nodes }: Shown, name: string) => nodes.find(({ node }) => node === name)?.error ?? '';

async function tokensOf({ server }: Campaigning): Promise<number> {
  let count = 0;
  for await (const _ of server.deps.catalog.list(nodeTokens)) count += 1;
  return count;
}

async function records({ deps }: TestServer): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const one of deps.catalog.list(campaigns)) found.push(one);
  for await (const one of deps.catalog.list(campaignNodes)) found.push(one);
  return found;
}
