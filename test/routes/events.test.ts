import { once } from 'node:events';
import { connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { groups } from '../../server/model/group.js';
import { tokens } from '../../server/model/token.js';
import { users } from '../../server/model/user.js';
import { startTask } from '../../server/operations/start-task.js';
import { addDatacenter, grant, place } from '../support/datacenters.js';
import { listen } from '../support/events.js';
import { addUser } from '../support/fixtures.js';
import { gate } from '../support/gate.js';
import { type ServerOptions, startServer } from '../support/server.js';

const limits = { keepAlive: 60_000, patience: 60_000, mostBehind: 10 };

/** Two data centers, each with its administrator, and an image in each. */
async function fleet(t: ExecutionContext, options: ServerOptions = {}) {
  const server = await startServer(t, { eventLimits: limits, ...options });
  for (const name of ['north', 'south']) await addDatacenter(server, name);
  const [nora, sam, plain] = await Promise.all(['nora', 'sam', 'plain'].map((name) => addUser(server, name)));
  const group = await grant(server, nora!, 'north', 'admin');
  await grant(server, sam!, 'south', 'admin');
  const [north, south] = [await server.image({ name: 'northern' }), await server.image({ name: 'southern' })];
  await place(server, north.uuid, { datacenters: ['north'], boundTo: 'north' });
  await place(server, south.uuid, { datacenters: ['south'], boundTo: 'south' });
  const admin = { authorization: `Bearer ${server.token}` };
  const follow = async (headers: Record<string, string>, path?: string) => {
    const listening = await listen(server.port, headers, path);
    t.teardown(listening.close);
    return listening;
  };
  const describe = (uuid: string, description: string) =>
    server.ask('POST', `/images/${uuid}?action=update`, { body: { description } });
  return { ...server, admin, nora: nora!, sam: sam!, plain: plain!, group, north, south, follow, describe };
}

test('everybody is told what changes where they administer, and nothing else', async (t) => {
  const { follow, admin, nora, sam, plain, north, south, describe } = await fleet(t);
  const [all, nors, sams, plains] = await Promise.all(
    [admin, nora.headers, sam.headers, plain.headers].map((who) => follow(who)),
  );
  for (const one of [all, nors, sams, plains]) t.is((await one!.next()).event, 'ready');
  await describe(south.uuid, 'first');
  await describe(north.uuid, 'second');
  await describe(south.uuid, 'third');
  const told = (uuid: string, name: string, dc: string) => ({
    event: 'change',
    data: { kind: 'images', action: 'changed', uuid, name, datacenters: [dc], what: 'ActOnImage update', who: 'admin' },
  });
  t.like(await all!.next(), told(south.uuid, 'southern', 'south'));
  t.like(await all!.next(), told(north.uuid, 'northern', 'north'));
  t.like(await nors!.next(), told(north.uuid, 'northern', 'north'));
  t.like(await sams!.next(), told(south.uuid, 'southern', 'south'));
  t.like(await sams!.next(), told(south.uuid, 'southern', 'south'));
  plains!.close();
  nors!.close();
  t.deepEqual(await plains!.ended, []);
  t.deepEqual(await nors!.ended, []);
});

test('who was cut off goes on behind the last event, by header or by query', async (t) => {
  const { follow, nora, north, south, describe } = await fleet(t);
  const first = await follow(nora.headers);
  const ready = await first.next();
  await describe(north.uuid, 'one');
  const one = await first.next();
  first.close();
  await describe(south.uuid, 'hidden');
  await describe(north.uuid, 'two');
  await describe(north.uuid, 'three');
  const seen = async (path: string | undefined, headers: Record<string, string>, count: number) => {
    const stream = await follow({ ...nora.headers, ...headers }, path);
    const events = [];
    for (let n = 0; n < count; n++) events.push((await stream.next()).data.time);
    stream.close();
    return events.length;
  };
  t.is(await seen(undefined, { 'last-event-id': one.id! }, 2), 2);
  t.is(await seen(`/api/events/?after=${one.id}`, {}, 2), 2);
  t.is(await seen(undefined, { 'last-event-id': ready.id! }, 3), 3, 'even where nothing had happened yet');
});

test('an event that is not known, not to be known or too old is answered by a reset', async (t) => {
  const { follow, admin, nora, south, describe } = await fleet(t);
  const stream = await follow(admin);
  const { id: old } = await stream.next();
  await describe(south.uuid, 'x');
  const { id: hidden } = await stream.next();
  for (const after of ['no-such-event', hidden]) {
    const answer = await (await follow({ ...nora.headers, 'last-event-id': after! })).next();
    t.is(answer.event, 'reset');
    t.deepEqual(answer.data, {});
  }
  for (let n = 0; n < limits.mostBehind; n++) await describe(south.uuid, `${n}`);
  t.is((await (await follow({ ...admin, 'last-event-id': old! })).next()).event, 'reset');
});

test('whoever loses a right is told to read all anew and no more, and whoever is locked out is cut off', async (t) => {
  const { follow, nora, group, north, describe, deps } = await fleet(t);
  const stream = await follow(nora.headers);
  await stream.next();
  await describe(north.uuid, 'still seen');
  t.is((await stream.next()).data.name, 'northern');
  await deps.catalog.write(async (tx) => tx.replace(groups, { ...(await tx.get(groups, group))!, members: [] }));
  t.is((await stream.next()).event, 'reset');
  await describe(north.uuid, 'no more');
  await deps.catalog.write(async (tx) => {
    const user = await tx.get(users, nora.uuid);
    await tx.replace(users, { ...user!, inactive: true });
  });
  t.deepEqual(await stream.ended, []);
});

test('whoever is given a right is told to read all anew, as no event tells what has come into view', async (t) => {
  const { follow, sam, group, north, describe, deps } = await fleet(t);
  const stream = await follow(sam.headers);
  t.is((await stream.next()).event, 'ready');
  await deps.catalog.write(async (tx) => {
    const known = await tx.get(groups, group);
    await tx.replace(groups, { ...known!, members: [...known!.members, sam.uuid] });
  });
  t.is((await stream.next()).event, 'reset');
  t.is((await stream.next()).data.name, group);
  await describe(north.uuid, 'seen from now on');
  t.is((await stream.next()).data.name, 'northern');
});

test('whoever comes back after rights were given or taken meanwhile is told so, and others go on', async (t) => {
  const server = await fleet(t);
  const { follow, sam, group, north, south, describe, deps } = server;
  const first = await follow(sam.headers);
  const { id } = await first.next();
  first.close();
  const back = async () => {
    const stream = await follow({ ...sam.headers, 'last-event-id': id! });
    const { event, data } = await stream.next();
    stream.close();
    return data.name ?? event;
  };
  await addUser(server, 'somebody-else');
  await describe(south.uuid, 'seen as before');
  t.is(await back(), 'southern');
  await deps.catalog.write(async (tx) => {
    const known = await tx.get(groups, group);
    await tx.replace(groups, { ...known!, members: [...known!.members, sam.uuid] });
  });
  await describe(north.uuid, 'seen from now on');
  t.is(await back(), 'reset');
});

test('a token that is revoked, or expires, ends the stream', async (t) => {
  let time = Date.parse('2030-01-01T00:00:00.000Z');
  const { follow, nora, ask, admin, deps } = await fleet(t, { now: () => new Date(time) });
  const revoked = await follow(nora.headers);
  await revoked.next();
  const [token] = [...deps.directory.tokens.values()].filter(({ user }) => user === nora.uuid);
  await deps.catalog.write((tx) => tx.delete(tokens, token!.hash));
  t.deepEqual(await revoked.ended, []);

  const made = await ask('POST', '/api/token', { body: { name: 'brief', expires: '1h' } });
  const { token: secret } = made.json.result as { token: string };
  const expiring = await follow({ authorization: `Bearer ${secret}` });
  await expiring.next();
  time += 3_600_000;
  await ask('POST', '/api/token', { body: { name: 'another' }, headers: admin });
  t.deepEqual(await expiring.ended, []);
});

test('the owner of a task hears of it, as do those who administer its data center', async (t) => {
  const go = gate();
  t.teardown(go.open);
  const { follow, nora, sam, plain, deps } = await fleet(t, {
    kinds: {
      slow: {
        resumes: false,
        perform: async (_, __, { report }) => {
          report({ done: 1, total: 2 });
          await go.opened;
        },
      },
    },
  });
  const [nors, sams, plains] = await Promise.all([nora, sam, plain].map(({ headers }) => follow(headers)));
  for (const one of [nors, sams, plains]) await one!.next();
  const user = deps.directory.users.get(plain.uuid)!;
  const caller = { kind: 'user', user, rights: deps.directory.rightsOf(user) } as const;
  const { task } = await startTask(deps, caller, { what: 'slow', datacenter: 'north', objects: [], params: {} });
  go.open();
  for (const one of [nors, plains]) {
    const events = new Set<unknown>();
    for (let n = 0; n < 4; n++) {
      const { data, id } = await one!.next();
      t.is(data.uuid, task.id);
      t.is(data.action === 'progress', id === undefined);
      events.add(data.action);
    }
    t.deepEqual([...events].sort(), ['changed', 'created', 'progress']);
  }
  sams!.close();
  t.deepEqual(await sams!.ended, []);
});

test('signs of life keep a quiet stream open', async (t) => {
  const { follow, admin } = await fleet(t, { eventLimits: { ...limits, keepAlive: 5 } });
  const stream = await follow(admin);
  await stream.next();
  while (stream.comments() < 3) await new Promise(setImmediate);
  t.pass();
});

test('a client that does not read is cut off', async (t) => {
  const { admin, port, deps } = await fleet(t, { eventLimits: { ...limits, patience: 20 } });
  const socket = connect(port, '127.0.0.1');
  socket.write(`GET /api/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${admin.authorization}\r\n\r\n`);
  await once(socket, 'readable');
  socket.pause();
  const closed = once(socket, 'close');
  socket.on('error', () => {});
  const group = { alias: '', permissions: [], members: [], datacenters: [], created: '' };
  // One event for each of them, in one write: more than the connection and its buffers hold.
  await deps.catalog.write(async (tx) => {
    for (let n = 0; n < 20_000; n++) await tx.insert(groups, { ...group, name: `${n}-${'g'.repeat(500)}` });
  });
  // What has come is read, and the end of it, once we are cut off.
  while (deps.events.listeners > 0) await new Promise(setImmediate);
  socket.resume();
  await closed;
  t.pass();
});

test('one caller has so many streams, and no more', async (t) => {
  const { follow, nora, sam } = await fleet(t);
  const open = await Promise.all(Array.from({ length: 16 }, () => follow(nora.headers)));
  for (const one of open) await one.next();
  t.is((await follow(nora.headers)).status, 429);
  t.is((await follow(sam.headers)).status, 200);
  open[0]!.close();
  await open[0]!.ended;
  let again = await follow(nora.headers);
  while (again.status === 429) again = await follow(nora.headers);
  t.is(again.status, 200);
});

test('a stop ends the streams', async (t) => {
  const { follow, admin, deps } = await fleet(t);
  const stream = await follow(admin);
  await stream.next();
  deps.events.close();
  t.deepEqual(await stream.ended, []);
});

test('events are refused as all else is', async (t) => {
  const { ask, admin } = await fleet(t);
  t.is((await ask('GET', '/api/events')).status, 401);
  t.is((await ask('GET', '/api/events?before=1', { headers: admin })).json.code, 'InvalidInput');
  const head = await ask('HEAD', '/api/events', { headers: admin });
  t.is(head.status, 200);
  t.is(head.headers['content-type'], 'text/event-stream');
});
