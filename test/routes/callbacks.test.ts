import { createHmac } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { callbackKeys, callbacks } from '../../server/model/callback.js';
import { newTask, tasks } from '../../server/model/task.js';
import { startDaemon } from '../support/daemon.js';
import { addDatacenter, grant } from '../support/datacenters.js';
import { addUser } from '../support/fixtures.js';
import { gate } from '../support/gate.js';
import { isSigned, NEVER, receiver } from '../support/receiver.js';
import { openServer, type ServerOptions, startServer, type TestServer } from '../support/server.js';
import { told } from '../support/told.js';

const NOTHING = { action: 'label', label: 'red', images: ['none'] };
const admin = { as: 'admin' } as const;

const keyOf = async ({ ask }: TestServer, headers = {}) => {
  const { json } = await ask('PUT', '/api/account/callback-key', { body: {}, headers });
  return (json.result as { key: string }).key;
};

/** The callback of a task when nothing more is done with it. */
async function settled({ deps }: TestServer, id: string) {
  const { opened, open } = gate();
  const look = async () => {
    const callback = await deps.catalog.get(callbacks, id);
    if (callback && callback.state !== 'waiting') open();
  };
  const unfollow = deps.catalog.follow(callbacks, (changes) => {
    if (changes.some((change) => change.id === id && change.record?.state !== 'waiting')) open();
  });
  await look();
  await opened;
  unfollow();
  return deps.catalog.get(callbacks, id);
}

const startWith = (t: ExecutionContext, options: ServerOptions = {}) =>
  startServer(t, { callbackPauses: [1, 1, 1], ...options });

test('the end of a task is told once, signed with the key of whoever wanted it', async (t) => {
  const server = await startWith(t);
  const there = await receiver(t);
  const key = await keyOf(server);
  const body = { ...NOTHING, cb_url: `${there.url}/hook/?x=1` };
  const { status, json } = await server.ask('POST', '/api/bulk/image', { body });
  t.is(status, 201);
  const [one] = await there.count(1);
  t.like(one, { method: 'POST', url: '/hook/?x=1' });
  t.like(one?.json, { task_id: json.task_id, status: 'SUCCESS', name: 'bulk images' });
  t.true(isSigned(one!, key));
  const { 'slipway-timestamp': at, 'slipway-signature': signature, 'slipway-event': event } = one!.headers;
  t.is(signature, `sha256=${createHmac('sha256', key).update(`${at}.${one!.body}`).digest('hex')}`);
  t.is(event, 'task');
  t.is(one!.headers['slipway-delivery'], String(json.task_id));
  t.is((await settled(server, String(json.task_id)))?.state, 'delivered');
  const { result } = (await server.ask('GET', `/api/task/${json.task_id}/callback`, admin)).json;
  t.like(result, { url: there.url, method: 'POST', state: 'delivered', next: null });
  t.like((result as { attempts: object[] }).attempts, { 0: { status: 204, error: null }, length: 1 });
  t.is(there.received.length, 1);
});

test('as PUT or GET; a GET tells it in the query, and signs that', async (t) => {
  const server = await startWith(t);
  const there = await receiver(t);
  const key = await keyOf(server);
  for (const method of ['PUT', 'get']) {
    const cb_url = `${there.url}/hook?x=1`;
    await server.ask('POST', '/api/bulk/image', { body: { ...NOTHING, cb_url, cb_method: method } });
    await there.count(method === 'PUT' ? 1 : 2);
  }
  const [put, get] = there.received;
  t.is(put?.method, 'PUT');
  t.is(put?.json.status, 'SUCCESS');
  t.is(get?.method, 'GET');
  const query = new URL(get!.url, there.url).searchParams;
  t.is(query.get('x'), '1');
  t.is(query.get('status'), 'SUCCESS');
  for (const one of there.received) t.true(isSigned(one, key));
});

test('what is done at once is told too, and its parameters stand in a query as well', async (t) => {
  const server = await startWith(t);
  const there = await receiver(t);
  const made = await server.ask('POST', `/api/group/g?cb_url=${there.url}/a`, {});
  t.is(made.status, 201);
  const [one] = await there.count(1);
  t.deepEqual(one?.json, { task_id: made.json.task_id, status: 'SUCCESS', result: null });
  t.is((await settled(server, String(made.json.task_id)))?.state, 'delivered');
  const removed = await server.ask('DELETE', '/api/group/g', { body: { cb_url: `${there.url}/b` } });
  t.is(removed.status, 200);
  t.is((await there.count(2))[1]?.json.task_id, removed.json.task_id);
});

test('failed and cancelled tasks are told as such', async (t) => {
  const { opened, open } = gate();
  const server = await startWith(t, {
    kinds: {
      'bulk images': {
        resumes: true,
        perform: async (_deps, _task, { signal }) => {
          await Promise.race([opened, new Promise((resolve) => signal.addEventListener('abort', resolve))]);
          throw new Error('out of luck');
        },
      },
    },
  });
  const there = await receiver(t);
  const body = { ...NOTHING, cb_url: there.url };
  const { json: first } = await server.ask('POST', '/api/bulk/image', { body });
  t.is((await server.ask('GET', `/api/task/${first.task_id}/callback`, admin)).status, 200);
  t.is(there.received.length, 0, 'not before its end');
  await server.ask('PUT', `/api/task/${first.task_id}/cancel`, { body: {} });
  await there.count(1);
  await server.ask('POST', '/api/bulk/image', { body });
  open();
  await there.count(2);
  t.deepEqual(
    there.received.map(({ json }) => json.status),
    ['REVOKED', 'FAILURE'],
  );
});

test('what was not taken is told again, and given up in the end', async (t) => {
  const server = await startWith(t);
  const there = await receiver(t, [500, 302]);
  const { json } = await server.ask('POST', '/api/bulk/image', { body: { ...NOTHING, cb_url: there.url } });
  const delivered = await settled(server, String(json.task_id));
  t.deepEqual(
    delivered?.attempts.map(({ status }) => status),
    [500, 302, 204],
  );
  const never = await receiver(t, [500, 500, 500, 500, 500]);
  const { json: other } = await server.ask('POST', '/api/bulk/image', { body: { ...NOTHING, cb_url: never.url } });
  const failed = await settled(server, String(other.task_id));
  t.is(failed?.state, 'failed');
  t.is(failed?.attempts.length, 4);
  t.is(failed?.next, undefined);
  t.is(never.received.length, 4);
  const { values } = await server.deps.metrics.instruments.deliveries_total.get();
  const counted = (kind: string, outcome: string) =>
    values.find(({ labels }) => labels.kind === kind && labels.outcome === outcome)?.value;
  t.deepEqual([counted('callback', 'arrived'), counted('callback', 'failed')], [1, 6]);
});

test('a bad URL or method is refused on its field, and nothing is done', async (t) => {
  const server = await startWith(t, { outgoing: { allowedAddresses: [] } });
  await addDatacenter(server, 'D');
  const user = await addUser(server, 'maker');
  await grant(server, user, 'D', 'admin', 'image_admin');
  const rows: [object, string][] = [
    [{ cb_url: 'nonsense' }, 'cb_url:Invalid'],
    [{ cb_url: 'ftp://example.com/' }, 'cb_url:Invalid'],
    [{ cb_url: 'http://me:secret@example.com/' }, 'cb_url:Invalid'],
    [{ cb_url: 7 }, 'cb_url:Invalid'],
    [{ cb_url: 'http://127.0.0.1/' }, 'cb_url:Invalid'],
    [{ cb_url: 'http://0x7f.1/' }, 'cb_url:Invalid'],
    [{ cb_url: 'http://169.254.169.254/latest' }, 'cb_url:Invalid'],
    [{ cb_url: 'http://localhost:1/' }, 'cb_url:Invalid'],
    [{ cb_url: 'https://example.com/', cb_method: 'DELETE' }, 'cb_method:Invalid'],
    [{ cb_method: 'POST' }, 'cb_url:MissingParameter'],
  ];
  for (const [more, expected] of rows) {
    const answer = await server.ask('POST', '/api/bulk/image', {
      body: { ...NOTHING, ...more },
      headers: user.headers,
    });
    t.is(told(answer), `400 InvalidInput ${expected}`, JSON.stringify(more));
    t.false(JSON.stringify(answer.json).includes('me:secret'));
  }
  t.is(told(await server.ask('GET', '/api/task?cb_url=http://a.example', admin)), '400 InvalidInput cb_url:NotAllowed');
  for await (const _ of server.deps.catalog.list(tasks)) t.fail('a task');
  for await (const _ of server.deps.catalog.list(callbacks)) t.fail('a callback');
});

test('a name that leads inside shows in the log of the callback; operators may send there', async (t) => {
  const there = await receiver(t);
  const { port } = new URL(there.url);
  const server = await startWith(t, {
    outgoing: {
      allowedAddresses: [],
      lookup: (_name, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
    },
  });
  await addDatacenter(server, 'D');
  const user = await addUser(server, 'maker');
  await grant(server, user, 'D', 'admin', 'image_admin');
  const body = { ...NOTHING, cb_url: `http://inside.test:${port}/` };
  const { json } = await server.ask('POST', '/api/bulk/image', { body, headers: user.headers });
  t.is((await settled(server, String(json.task_id)))?.state, 'failed');
  const log = await server.ask('GET', `/api/task/${json.task_id}/callback`, { headers: user.headers });
  t.regex(JSON.stringify(log.json), /private or reserved/);
  t.false(JSON.stringify(log.json).includes('127.0.0.1'));
  t.is(there.received.length, 0);
  await server.ask('POST', '/api/bulk/image', { body });
  await there.count(1);
});

test('whoever does not see the task does not see its callback', async (t) => {
  const server = await startWith(t);
  const there = await receiver(t);
  const other = await addUser(server, 'other');
  const { json } = await server.ask('POST', '/api/bulk/image', { body: { ...NOTHING, cb_url: there.url } });
  const path = `/api/task/${json.task_id}/callback`;
  t.is(told(await server.ask('GET', path, { headers: other.headers })), '404 ResourceNotFound');
  const { json: without } = await server.ask('POST', '/api/bulk/image', { body: NOTHING });
  t.is(told(await server.ask('GET', `/api/task/${without.task_id}/callback`, admin)), '404 ResourceNotFound');
});

test('keys are kept sealed, each for its user, and a new one takes the place of the old', async (t) => {
  const server = await startWith(t);
  const there = await receiver(t);
  const user = await addUser(server, 'user');
  const first = await keyOf(server, user.headers);
  const second = await keyOf(server, user.headers);
  t.not(first, second);
  for await (const record of server.deps.catalog.list(callbackKeys)) t.false(JSON.stringify(record).includes(second));
  await addDatacenter(server, 'D');
  await grant(server, user, 'D', 'admin', 'image_admin');
  await server.ask('POST', '/api/bulk/image', { body: { ...NOTHING, cb_url: there.url }, headers: user.headers });
  await server.ask('POST', '/api/bulk/image', { body: { ...NOTHING, cb_url: there.url } });
  await there.count(2);
  t.is(there.received.filter((one) => isSigned(one, second)).length, 1);
  t.is(there.received.filter((one) => isSigned(one, first)).length, 0);
});

test('one whose task ended while the server was away is told after its start', async (t) => {
  const there = await receiver(t);
  const server = await openServer();
  const { catalog, now, directory } = server.deps;
  const [user] = [...directory.users.values()];
  const caller = { kind: 'user' as const, user: user!, rights: directory.rightsOf(user!) };
  const task = newTask('0f0f0f0f-0000-4000-8000-000000000001', caller, { what: 'x', objects: [], params: {} }, now());
  const { CallbackSender } = await import('../../server/webhooks/callback-sender.js');
  await server.deps.tasks.close();
  await catalog.write(async (tx) => {
    await tx.insert(tasks, { ...task, status: 'FAILURE', finished: now().toISOString() });
    const waiting = { state: 'waiting' as const, attempts: [], created: now().toISOString() };
    await tx.insert(callbacks, { task: task.id, user: user!.uuid, url: there.url, method: 'POST', ...waiting });
  });
  t.is(there.received.length, 0);
  const sender = await CallbackSender.open(server.deps, [1]);
  await there.count(1);
  await settled(server, task.id);
  await sender.close();
  await server.close();
});

test('a daemon that is killed between the end of a task and its callback tells it all the same', async (t) => {
  const closed = await receiver(t, [NEVER]);
  const first = await startDaemon(t);
  const body = { ...NOTHING, cb_url: closed.url };
  const { json } = await first.ask('POST', '/api/bulk/image', { body });
  await closed.count(1);
  await first.kill('SIGKILL');
  const second = await startDaemon(t, { data: first.data });
  const [, again] = await closed.count(2);
  t.is(again?.json.task_id, json.task_id);
  t.is((await second.kill('SIGTERM')).code, 0);
});
