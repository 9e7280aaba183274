import test, { type ExecutionContext } from 'ava';
import { asFirst } from '../../server/as-first.js';
import { nodeTokens } from '../../server/model/node-token.js';
import { hashToken } from '../../server/model/token.js';
import { startTask } from '../../server/operations/start-task.js';
import { openMemoryBlobs } from '../../storage/blobs/memory.js';
import { openMemoryCatalog } from '../../storage/catalog/leveldb.js';
import { wrappedCatalog } from '../../storage/wrapped-catalog.js';
import { listen } from '../support/events.js';
import { gate } from '../support/gate.js';
import { type Sharing, sharing } from '../support/members.js';
import { type ServerOptions, startServer, type TestServer } from '../support/server.js';

/** Two daemons on the same records and bytes. */
async function daemons(t: ExecutionContext, options: ServerOptions = {}) {
  const catalog = await openMemoryCatalog();
  const blobs = await openMemoryBlobs();
  const members = sharing(catalog, ['one', 'two']) as [Sharing, Sharing];
  t.teardown(() => catalog.close());
  const servers: TestServer[] = [];
  for (const { catalog: shared } of members) {
    servers.push(
      await startServer(t, { ...options, catalog: wrappedCatalog(shared, { close: async () => {} }), blobs }),
    );
  }
  const [one, two] = servers as [TestServer, TestServer];
  return { members, one, two };
}

const operator = { kind: 'trusted' } as const;

const aborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

const eventsOf = async (t: ExecutionContext, { port, token }: TestServer, path?: string) => {
  const listening = await listen(port, { authorization: `Bearer ${token}` }, path);
  t.teardown(listening.close);
  return listening;
};

test('a task is seen as it runs, and cancelled, at any of them', async (t) => {
  const go = gate();
  const begun = gate();
  const { one, two } = await daemons(t, {
    kinds: {
      waiting: {
        resumes: true,
        perform: async (_deps, _task, { signal, report }) => {
          begun.open();
          await go.opened;
          report({ done: 3, total: 7 });
          return aborted(signal);
        },
      },
    },
  });
  const { task } = await startTask(one.deps, operator, { what: 'waiting', objects: [], params: {} });
  await begun.opened;
  const events = await eventsOf(t, two);
  t.is((await events.next()).event, 'ready');
  go.open();
  const told = await events.next();
  t.like(told, { event: 'progress' });
  t.like(told.data, { name: 'waiting', progress: { done: 3, total: 7 } });
  const shown = (await two.ask('GET', `/api/task/${task.id}`, { as: 'admin' })).json.result;
  t.like(shown, { status: 'STARTED', runner: 'one', progress: { done: 3, total: 7 } });
  const cancelled = await two.ask('PUT', `/api/task/${task.id}/cancel`, { as: 'admin' });
  t.is(cancelled.status, 410, String(cancelled.bytes));
  await one.deps.tasks.settled(task.id, AbortSignal.timeout(60_000));
  t.like((await one.ask('GET', `/api/task/${task.id}`, { as: 'admin' })).json.result, { status: 'REVOKED' });
});

test('who follows the events at one goes on at the other, where it was', async (t) => {
  const { one, two } = await daemons(t);
  const events = await eventsOf(t, one);
  t.is((await events.next()).event, 'ready');
  await two.image({ name: 'first' });
  const first = await events.next();
  t.like(first.data, { kind: 'images', action: 'created' });
  events.close();
  const seen = [...(await events.ended), first].findLast(({ id }) => id !== undefined);
  const { uuid } = await one.image({ name: 'second' });
  const again = await eventsOf(t, two, `/api/events?after=${seen?.id}`);
  for (;;) {
    const { event, data } = await again.next();
    t.not(event, 'reset');
    if (data.uuid === uuid) break;
  }
  const lost = await eventsOf(t, two, '/api/events?after=unheard-of');
  t.is((await lost.next()).event, 'reset');
});

test('what is done once for all is done by the first, and begins at the next when that is gone', async (t) => {
  const { one, two, members } = await daemons(t);
  const log: string[] = [];
  const ended = gate();
  const stops = await Promise.all(
    [one, two].map(({ deps }, at) =>
      asFirst(members[at]!.catalog, deps.log, async () => {
        log.push(`${at} begins`);
        if (at === 1) ended.open();
        return async () => void log.push(`${at} ends`);
      }),
    ),
  );
  t.deepEqual(log, ['0 begins']);
  members[0].die();
  await ended.opened;
  t.deepEqual(log, ['0 begins', '1 begins']);
  members[0].comeBack();
  await Promise.all(stops.map((stop) => stop()));
  t.deepEqual(log.sort(), ['0 begins', '0 ends', '1 begins', '1 ends']);
});

test('what a node fetches from one is seen by the one whose task waits for it', async (t) => {
  const { one, two } = await daemons(t);
  const { uuid } = await one.image({}, { file: 'x'.repeat(50_000) });
  const hash = hashToken('lent');
  const created = one.deps.now().toISOString();
  await one.deps.catalog.write((tx) => tx.insert(nodeTokens, { hash, name: 'lent', node: 'n', created, task: 'some' }));
  const watched = one.deps.nodeWork.watch(hash);
  t.is(watched.sent(), 0);
  const socket = { bytesWritten: 0 } as Parameters<typeof two.deps.nodeWork.sending>[2];
  await two.deps.nodeWork.sending(hash, { image: uuid, size: 50_000 }, socket, async () => {
    Object.assign(socket, { bytesWritten: 60_000 });
  });
  t.is(watched.sent(), 50_000, 'and no more than there is');
  watched.stop();
});

test('room on the disk that was planned at one is free when the other has done what it was for', async (t) => {
  const { one, two } = await daemons(t);
  const { uuid } = await one.image({}, { activate: false });
  one.deps.imports.expect(uuid, 1000);
  t.is(one.deps.imports.awaited(), 1000);
  await two.ask('POST', `/images/${uuid}?action=activate`);
  t.is(one.deps.imports.awaited(), 0);
});
