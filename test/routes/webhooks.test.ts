import test, { type ExecutionContext } from 'ava';
import { auditEntries, entryId } from '../../server/model/audit.js';
import { webhookStates, webhooks } from '../../server/model/webhook.js';
import { startDaemon } from '../support/daemon.js';
import { addDatacenter, grant } from '../support/datacenters.js';
import { addUser } from '../support/fixtures.js';
import { gate } from '../support/gate.js';
import { isSigned, NEVER, type Received, receiver } from '../support/receiver.js';
import { type Answer, type ServerOptions, startServer, type TestServer } from '../support/server.js';
import { told } from '../support/told.js';

const admin = { as: 'admin' } as const;
const limits = { pauses: [1], giveUp: 24 * 3600 * 1000 };

const startWith = (t: ExecutionContext, options: ServerOptions = {}) =>
  startServer(t, { webhookLimits: limits, ...options });

const resultOf = ({ json }: Answer) => json.result as Record<string, unknown>;

/** Of all that has come, what it tells of: `groups.created a`. */
const eventsIn = (received: readonly Received[]): string[] =>
  received.flatMap(({ json }) =>
    json.events.map(({ event, name }: Record<string, string>) => [event, name].join(' ').trimEnd()),
  );

async function makeHook({ ask }: TestServer, body: object, headers = {}) {
  const made = await ask('POST', '/api/webhook/hook', { body, headers });
  if (made.status !== 201) throw new Error(`not made: ${made.bytes}`);
  return String(resultOf(made).secret);
}

async function makeGroups({ ask }: TestServer, ...names: string[]) {
  for (const name of names) {
    const { status } = await ask('POST', `/api/group/${name}`, { body: {} });
    if (status !== 201) throw new Error(`no group ${name}`);
  }
}

/** When the webhook is so. */
async function become({ deps }: TestServer, is: (one: { active: boolean }) => boolean) {
  const { opened, open } = gate();
  const unfollow = deps.catalog.follow(webhooks, (changes) => {
    if (changes.some(({ record }) => record && is(record))) open();
  });
  for await (const one of deps.catalog.list(webhooks)) if (is(one)) open();
  await opened;
  unfollow();
}

/** When it is written down that a webhook fails. */
async function fail({ deps }: TestServer) {
  const { opened, open } = gate();
  const unfollow = deps.catalog.follow(webhookStates, (changes) => {
    if (changes.some(({ record }) => record?.failingSince !== undefined)) open();
  });
  for await (const { failingSince } of deps.catalog.list(webhookStates)) if (failingSince !== undefined) open();
  await opened;
  unfollow();
}

test('a webhook is told what it asked for, in order, signed with its own key', async (t) => {
  const server = await startWith(t);
  const there = await receiver(t);
  const secret = await makeHook(server, { url: `${there.url}/hook/`, events: ['groups.*', 'datacenters.deleted'] });
  const names = Array.from({ length: 20 }, (_, n) => `group-${n}`);
  await makeGroups(server, ...names);
  await addDatacenter(server, 'D');
  await server.ask('DELETE', '/api/dc/D', { body: {} });
  const last = new Promise<void>((resolve) => {
    const look = () =>
      eventsIn(there.received).length >= 21 ? resolve() : void there.count(there.received.length + 1).then(look);
    look();
  });
  await last;
  t.deepEqual(eventsIn(there.received), [...names.map((name) => `groups.created ${name}`), 'datacenters.deleted D']);
  for (const one of there.received) {
    t.true(isSigned(one, secret));
    t.is(one.url, '/hook/');
    t.is(one.headers['slipway-event'], 'events');
    t.is(one.json.webhook, 'hook');
    for (const { id } of one.json.events) t.truthy(await server.deps.catalog.find(auditEntries, `id:${id}`));
  }
});

test('its key is told once, and kept sealed; a new one takes its place', async (t) => {
  const server = await startWith(t);
  const there = await receiver(t);
  const secret = await makeHook(server, { url: there.url, events: ['groups.*'] });
  const shown = await server.ask('GET', '/api/webhook/hook', admin);
  t.false(shown.bytes.toString().includes(secret));
  for await (const one of server.deps.catalog.list(webhooks)) t.false(JSON.stringify(one).includes(secret));
  const fresh = String(resultOf(await server.ask('PUT', '/api/webhook/hook', { body: { new_secret: true } })).secret);
  t.not(fresh, secret);
  await makeGroups(server, 'a');
  const [one] = await there.count(1);
  t.true(isSigned(one!, fresh));
});

test('it tells its owner’s eyes only, as they are then', async (t) => {
  const server = await startWith(t);
  await addDatacenter(server, 'D');
  await addDatacenter(server, 'E');
  const user = await addUser(server, 'viewer');
  const group = await grant(server, user, 'D', 'admin');
  const there = await receiver(t);
  await makeHook(server, { url: there.url, events: ['datacenters.*'] }, user.headers);
  await server.ask('PUT', '/api/dc/E', { body: { description: 'hidden' } });
  await server.ask('PUT', '/api/dc/D', { body: { description: 'seen' } });
  await there.count(1);
  t.deepEqual(eventsIn(there.received), ['datacenters.changed D']);
  t.is((await server.ask('DELETE', `/api/group/${group}`, { body: {} })).status, 200);
  await server.ask('PUT', '/api/dc/D', { body: { description: 'no more' } });
  await grant(server, user, 'E', 'admin');
  await server.ask('PUT', '/api/dc/E', { body: { description: 'seen now' } });
  await there.count(2);
  t.deepEqual(eventsIn(there.received), ['datacenters.changed D', 'datacenters.changed E']);
  t.false(JSON.stringify(there.received).includes('"E"') && eventsIn(there.received.slice(0, 1)).join().includes('E'));
});

test('for one data center it tells of that one, also to SuperAdmins', async (t) => {
  const server = await startWith(t);
  await addDatacenter(server, 'D');
  await addDatacenter(server, 'E');
  const there = await receiver(t);
  await makeHook(server, { url: there.url, events: ['datacenters.*'], dc: 'D' });
  await server.ask('PUT', '/api/dc/E', { body: { description: 'x' } });
  await server.ask('PUT', '/api/dc/D', { body: { description: 'x' } });
  await there.count(1);
  t.deepEqual(eventsIn(there.received), ['datacenters.changed D']);
  t.is(resultOf(await server.ask('GET', '/api/webhook/hook', admin)).dc, 'D');
});

test('what was not taken comes again, before what follows; the log tells of it', async (t) => {
  const server = await startWith(t);
  const there = await receiver(t, [500, 301, 404]);
  await makeHook(server, { url: there.url, events: ['groups.*'] });
  await makeGroups(server, 'a');
  await there.count(4);
  await makeGroups(server, 'b');
  await there.count(5);
  t.deepEqual(eventsIn(there.received), [...Array(4).fill('groups.created a'), 'groups.created b']);
  const state = async () => (await server.ask('GET', '/api/webhook/hook/delivery', admin)).json.result as object[];
  const { catalog } = server.deps;
  const { opened, open } = gate();
  catalog.follow(webhookStates, (changes) => {
    if (changes.some(({ record }) => record?.deliveries.length === 5)) open();
  });
  if ((await state()).length < 5) await opened;
  const log = (await state()) as { status: number; error: string | null; events: number }[];
  t.deepEqual(
    log.map(({ status }) => status),
    [204, 204, 404, 301, 500],
  );
  t.is(log[0]?.error, null);
  t.regex(log[4]?.error ?? '', /500/);
  const { values } = await server.deps.metrics.instruments.deliveries_total.get();
  const counted = values.filter(({ labels }) => labels.kind === 'webhook');
  t.deepEqual(
    counted.map(({ labels, value }) => [labels.outcome, value]),
    [
      ['arrived', 2],
      ['failed', 3],
    ],
  );
  t.is(resultOf(await server.ask('GET', '/api/webhook/hook', admin)).failing_since, null);
});

test('after a day of failures it is switched off, says why, and goes on where it was when switched on', async (t) => {
  let time = Date.parse('2030-01-01T00:00:00Z');
  const server = await startWith(t, { now: () => new Date(time) });
  const there = await receiver(t, [500, NEVER]);
  await makeHook(server, { url: there.url, events: ['groups.*'] });
  await makeGroups(server, 'a');
  await there.count(1);
  await fail(server); // or the day that passes now would be one for which it has failed
  await makeGroups(server, 'b');
  time += 24 * 3600 * 1000;
  await server.ask('PUT', '/api/webhook/hook', { body: { url: 'http://127.0.0.1:1/' } });
  // Changed, it has failed for no time; a day later it has for a day.
  const { opened, open } = gate();
  server.deps.catalog.follow(webhookStates, (changes) => {
    if (changes.some(({ record }) => record?.failingSince !== undefined)) {
      time += 24 * 3600 * 1000;
      open();
    }
  });
  await opened;
  await become(server, ({ active }) => !active);
  const shown = resultOf(await server.ask('GET', '/api/webhook/hook', admin));
  t.false(shown.active);
  t.regex(String(shown.reason), /has failed since 2030-01-0\d.*ECONNREFUSED/);
  const anew = await receiver(t);
  const on = await server.ask('PUT', '/api/webhook/hook', { body: { url: anew.url, active: true } });
  t.like(resultOf(on), { active: true, reason: null, failing_since: null });
  await anew.count(1);
  t.deepEqual(eventsIn(anew.received), ['groups.created a', 'groups.created b']);
});

test('what is not known any more is told as a reset', async (t) => {
  const server = await startWith(t);
  const there = await receiver(t);
  await makeHook(server, { url: there.url, events: ['groups.*'], active: false });
  await makeGroups(server, 'a', 'b');
  await server.deps.catalog.write(async (tx) => {
    const entry = await tx.get(auditEntries, entryId({ chain: 'changes', seq: server.deps.events.head }));
    if (entry) await tx.delete(auditEntries, entryId(entry));
  });
  await server.ask('PUT', '/api/webhook/hook', { body: { active: true } });
  await there.count(1);
  t.deepEqual(eventsIn(there.received), ['groups.created a', 'reset']);
  await makeGroups(server, 'c');
  await there.count(2);
  t.deepEqual(eventsIn(there.received.slice(1)), ['groups.created c']);
});

test('who is too far behind is told a reset as well', async (t) => {
  const eventLimits = { keepAlive: 15_000, patience: 30_000, mostBehind: 2 };
  const server = await startWith(t, { eventLimits });
  const there = await receiver(t);
  await makeHook(server, { url: there.url, events: ['*'], active: false });
  await makeGroups(server, 'a', 'b', 'c');
  await server.ask('PUT', '/api/webhook/hook', { body: { active: true } });
  await there.count(1);
  t.deepEqual(eventsIn(there.received), ['reset']);
});

test('a ping tells at once whether it arrives', async (t) => {
  const server = await startWith(t);
  const there = await receiver(t, [204, 418]);
  const secret = await makeHook(server, { url: there.url, events: ['groups.*'], active: false });
  const good = await server.ask('POST', '/api/webhook/hook/ping', { body: {} });
  t.like(resultOf(good), { status: 204, error: null, events: 1 });
  t.deepEqual(eventsIn(there.received), ['ping']);
  t.true(isSigned(there.received[0]!, secret));
  const bad = resultOf(await server.ask('POST', '/api/webhook/hook/ping', { body: {} }));
  t.is(bad.status, 418);
  t.regex(String(bad.error), /418/);
  t.is((resultOf(await server.ask('GET', '/api/webhook/hook/delivery', admin)) as unknown as object[]).length, 2);
  t.is(resultOf(await server.ask('GET', '/api/webhook/hook', admin)).failing_since, null);
});

test('each has its own; SuperAdmins have all', async (t) => {
  const server = await startWith(t);
  const [one, other] = [await addUser(server, 'one'), await addUser(server, 'other')];
  const body = { url: 'https://example.com/', events: 'images.*,groups.created' };
  t.is((await server.ask('POST', '/api/webhook/hook', { body, headers: one.headers })).status, 201);
  t.is((await server.ask('POST', '/api/webhook/hook', { body, headers: other.headers })).status, 201);
  const get = (path: string, headers: object) => server.ask('GET', path, { headers: { ...headers } });
  t.deepEqual((await get('/api/webhook', one.headers)).json.result, ['hook']);
  t.is(told(await get('/api/webhook/hook?user=other', one.headers)), '404 ResourceNotFound');
  t.is(told(await server.ask('GET', '/api/webhook/hook', admin)), '404 ResourceNotFound');
  t.like(resultOf(await server.ask('GET', '/api/webhook/hook?user=other', admin)), {
    user: 'other',
    events: ['images.*', 'groups.created'],
  });
  t.deepEqual((await server.ask('GET', '/api/webhook', admin)).json.result, ['hook', 'hook']);
  t.is((await server.ask('DELETE', '/api/webhook/hook', { headers: one.headers })).status, 200);
  t.is(told(await get('/api/webhook/hook', one.headers)), '404 ResourceNotFound');
  t.is((await server.ask('DELETE', '/api/user/other', {})).status, 200);
  for await (const { name } of server.deps.catalog.list(webhooks)) t.fail(name);
  for await (const { webhook } of server.deps.catalog.list(webhookStates)) t.fail(webhook);
});

test('what is wrong with one is told by its field', async (t) => {
  const server = await startWith(t, { outgoing: { allowedAddresses: [] } });
  const user = await addUser(server, 'user');
  const good = { url: 'https://example.com/', events: ['*'] };
  const rows: [object, string][] = [
    [{ ...good, url: undefined }, '400 InvalidInput url:MissingParameter'],
    [{ ...good, url: 'nonsense' }, '400 InvalidInput url:Invalid'],
    [{ ...good, url: 'http://a:b@example.com/' }, '400 InvalidInput url:Invalid'],
    [{ ...good, url: 'http://[::1]/' }, '400 InvalidInput url:Invalid'],
    [{ ...good, events: undefined }, '400 InvalidInput events:MissingParameter'],
    [{ ...good, events: ['images.exploded'] }, '400 InvalidInput events.0:Invalid'],
    [{ ...good, dc: 'none' }, '400 InvalidInput dc:Invalid'],
    [{ ...good, user: 'admin' }, '404 ResourceNotFound'],
    [{ ...good, more: 1 }, '400 InvalidInput more:NotAllowed'],
  ];
  for (const [body, expected] of rows) {
    const answer = await server.ask('POST', '/api/webhook/x', { body, headers: user.headers });
    t.is(told(answer), expected, JSON.stringify(body));
  }
  for (let n = 0; n < 16; n += 1) {
    t.is((await server.ask('POST', `/api/webhook/n${n}`, { body: good, headers: user.headers })).status, 201);
  }
  t.is(told(await server.ask('POST', '/api/webhook/x', { body: good, headers: user.headers })), '400 QuotaExceeded');
  t.is(
    told(await server.ask('POST', '/api/webhook/n1', { body: good, headers: user.headers })),
    '406 ObjectAlreadyExists',
  );
});

test('a daemon that is killed while it tells loses nothing, and tells it in order', async (t) => {
  const there = await receiver(t, [NEVER]);
  const first = await startDaemon(t);
  const ask = (method: string, path: string, body: object) => first.ask(method, path, { body });
  t.is((await ask('POST', '/api/webhook/hook', { url: there.url, events: ['groups.*'] })).status, 201);
  t.is((await ask('POST', '/api/group/a', {})).status, 201);
  await there.count(1);
  t.is((await ask('POST', '/api/group/b', {})).status, 201);
  await first.kill('SIGKILL');
  const second = await startDaemon(t, { data: first.data });
  await there.count(2);
  t.deepEqual(eventsIn(there.received), ['groups.created a', 'groups.created a', 'groups.created b']);
  t.is((await second.kill('SIGTERM')).code, 0);
});
