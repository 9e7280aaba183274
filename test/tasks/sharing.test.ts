import test, { type ExecutionContext } from 'ava';
import { pino } from 'pino';
import { noRights } from '../../server/model/rights.js';
import { newTask, type Task, tasks } from '../../server/model/task.js';
import { ADMIN } from '../../server/model/user.js';
import { type TaskKind, type TaskKinds, TaskRunner } from '../../server/tasks/runner.js';
import type { Catalog } from '../../storage/catalog.js';
import { StorageDown } from '../../storage/errors.js';
import { openCatalog } from '../../storage/open.js';
import { wrappedCatalog } from '../../storage/wrapped-catalog.js';
import { gate } from '../support/gate.js';
import { type Sharing, sharing } from '../support/members.js';

const NOW = new Date('2030-01-01T00:00:00.000Z');
const caller = { kind: 'user', user: { ...ADMIN, superAdmin: true, created: '' }, rights: noRights } as const;
const notes = { name: 'notes', id: ({ id }: { id: string }) => id };

type Perform = TaskKind['perform'];

interface Daemon extends Sharing {
  runner: TaskRunner;
  /** What it has begun, by id. */
  begun: string[];
}

/** Two daemons, each with a way of its own to perform what is called "work". */
async function two(
  t: ExecutionContext,
  kindsOf: (name: 'a' | 'b', catalog: Catalog) => TaskKinds,
  { atOnce = 4, headStart = 5 } = {},
): Promise<{ a: Daemon; b: Daemon; catalog: Catalog }> {
  const catalog = await openCatalog({ kind: 'memory' });
  const started = async (name: 'a' | 'b', one: Sharing): Promise<Daemon> => {
    const log = pino({ level: 'silent' });
    const pauses = { headStart, again: 5 };
    const shared = one.catalog;
    const runner = new TaskRunner({ catalog: shared, catalogOf: () => shared, log, now: () => NOW, atOnce, pauses });
    const begun: string[] = [];
    const noting = (kind: TaskKind): TaskKind => ({
      ...kind,
      perform: (task, ...rest) => {
        begun.push(task.id);
        return kind.perform(task, ...rest);
      },
    });
    const kinds = Object.entries(kindsOf(name, shared)).map(([what, kind]) => [what, noting(kind)]);
    await runner.open(Object.fromEntries(kinds));
    t.teardown(() => runner.close());
    return { ...one, runner, begun };
  };
  const [first, second] = sharing(catalog, ['a', 'b']);
  return { catalog, a: await started('a', first!), b: await started('b', second!) };
}

async function add({ catalog, runner }: Daemon, id: string, what = 'work'): Promise<void> {
  const wanted = newTask(id, caller, { what, objects: [], params: { id } }, NOW);
  await catalog.write((tx) => tx.insert(tasks, wanted));
  runner.enqueue(wanted);
}

async function ended({ catalog, runner }: Daemon, id: string): Promise<Task | undefined> {
  await runner.settled(id, new AbortController().signal);
  return catalog.get(tasks, id);
}

const work = (perform: Perform, resumes = true): TaskKinds => ({ work: { resumes, perform } });

const aborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    const fail = () => reject(signal.reason);
    if (signal.aborted) fail();
    signal.addEventListener('abort', fail, { once: true });
  });

test('each task is taken by one of them, and its end is known to both', async (t) => {
  const { a, b } = await two(t, (name) => work(async () => name));
  const ids = Array.from({ length: 60 }, (_, n) => String(n));
  await Promise.all(ids.map((id, n) => add(n % 2 === 0 ? a : b, id)));
  for (const id of ids) {
    const seen = await ended(a, id);
    t.is(seen?.status, 'SUCCESS');
    t.deepEqual(await ended(b, id), seen);
    t.is(seen?.runner, (seen?.result === 'a' ? a : b).catalog.members.self.id);
  }
  t.deepEqual([...a.begun, ...b.begun].sort(), ids.sort(), 'each once');
});

test('what one has no place for the other takes', async (t) => {
  const end = gate();
  const full = gate();
  let begun = 0;
  const perform = async () => {
    begun += 1;
    if (begun === 4) full.open();
    await end.opened;
  };
  const { a, b } = await two(t, () => work(perform), { atOnce: 2 });
  const ids = ['1', '2', '3', '4', '5'];
  for (const id of ids) await add(a, id);
  await full.opened;
  t.deepEqual([a.begun, b.begun], [ids.slice(0, 2), ids.slice(2, 4)]);
  end.open();
  for (const id of ids) t.is((await ended(b, id))?.status, 'SUCCESS');
  t.is(a.begun.length + b.begun.length, 5);
});

test('when a member is gone another goes on from what was kept, and the one that was not dead changes nothing', async (t) => {
  const half = gate();
  const revived = gate();
  const refused = gate();
  const note = (catalog: Catalog, id: string) => catalog.write((tx) => tx.insert(notes, { id }));
  const { a, b } = await two(t, (name) =>
    work(async (task, { keep }, catalog) => {
      if (task.result) {
        await note(catalog, `${name} went on`);
        return { from: task.result, by: name };
      }
      await catalog.write((tx) => keep(tx, { progress: { done: 1, total: 2 }, result: 'half' }));
      half.open();
      await revived.opened;
      await note(catalog, `${name} was not dead`).catch(() => {});
      refused.open();
      return { by: name };
    }),
  );
  await add(a, '1');
  await half.opened;
  a.die();
  t.like(await ended(b, '1'), { status: 'SUCCESS', result: { from: 'half', by: 'b' } });
  revived.open();
  await refused.opened;
  a.comeBack();
  await a.runner.close(); // when all that it had begun has come to nothing
  t.like(await b.catalog.get(tasks, '1'), { status: 'SUCCESS', result: { from: 'half', by: 'b' } });
  t.truthy(await b.catalog.get(notes, 'b went on'));
  t.is(await b.catalog.get(notes, 'a was not dead'), undefined);
});

test('what can not be gone on with has failed, and is undone, once', async (t) => {
  const begun = gate();
  const undone: string[] = [];
  const { a, b } = await two(t, (name) => ({
    work: {
      resumes: false,
      perform: async (_, { signal }) => {
        begun.open();
        return aborted(signal);
      },
      undo: async (_, { id }) => void undone.push(`${id} by ${name}`),
    },
  }));
  await add(a, '1');
  await begun.opened;
  a.die();
  const task = await ended(b, '1');
  t.is(task?.status, 'FAILURE');
  t.regex(JSON.stringify(task?.result), /Interrupted/);
  t.deepEqual(undone, ['1 by b']);
  t.deepEqual([a.begun, b.begun], [['1'], []]);
});

test('one that was out for a while gives its tasks back, and takes others as another member', async (t) => {
  const begun = { 1: gate(), 2: gate() };
  let runs = 0;
  const { a, b } = await two(t, (name) =>
    work(async (_, { signal }) => {
      runs += 1;
      if (runs > 1) return name;
      begun[1].open();
      return aborted(signal);
    }),
  );
  const before = a.catalog.members.self.id;
  await add(a, '1');
  await begun[1].opened;
  a.die();
  a.comeBack();
  t.is((await ended(a, '1'))?.status, 'SUCCESS');
  t.is(runs, 2);
  await add(a, '2');
  const second = await ended(b, '2');
  t.is(second?.status, 'SUCCESS');
  t.not(second?.runner, before);
});

test('a task is cancelled from any of them', async (t) => {
  const begun = gate();
  const told = gate();
  const { a, b } = await two(t, (name) =>
    work(async (_, { signal }) => {
      t.is(name, 'a');
      begun.open();
      return aborted(signal).finally(told.open);
    }),
  );
  await add(a, '1');
  await begun.opened;
  await b.runner.cancel(b.catalog, '1');
  await told.opened;
  t.is((await ended(a, '1'))?.status, 'REVOKED');
  t.deepEqual(b.begun, []);
});

test('one that stops leaves what it had begun to the others at once', async (t) => {
  const begun = gate();
  const { a, b } = await two(t, (name) =>
    work(async (task, { signal, keep }, catalog) => {
      if (task.result) return { by: name, from: task.result };
      await catalog.write((tx) => keep(tx, { progress: { done: 1 }, result: 'half' }));
      begun.open();
      return aborted(signal);
    }),
  );
  await add(a, '1');
  await begun.opened;
  await a.runner.close();
  t.like(await ended(b, '1'), { status: 'SUCCESS', result: { by: 'b', from: 'half' } });
});

test('progress is seen by all of them, and by those who watch there, and gone when the task is', async (t) => {
  const go = gate();
  const begun = gate();
  const { a, b } = await two(t, () =>
    work(async (_, { report }) => {
      begun.open();
      await go.opened;
      report({ done: 1, total: 2 });
      await seen.opened;
    }),
  );
  const seen = gate();
  const told: string[] = [];
  b.runner.watch(({ id, params }, { done, total }) => {
    told.push(`${id} ${JSON.stringify(params)} ${done}/${total}`);
    seen.open();
  });
  await add(a, '1');
  await begun.opened;
  go.open();
  await seen.opened;
  const task = (await b.catalog.get(tasks, '1'))!;
  t.deepEqual(b.runner.progressOf(task), { done: 1, total: 2 });
  await ended(b, '1');
  t.deepEqual(told, ['1 {"id":"1"} 1/2']);
  t.is(b.runner.progressOf(task), undefined);
});

test('what a task can not write while the records are away is done again when they are back', async (t) => {
  const catalog = await openCatalog({ kind: 'memory' });
  let isAway = false;
  const flaky = wrappedCatalog(catalog, {
    write: async (change) => {
      if (isAway) throw new StorageDown('writing', new Error('away'));
      return catalog.write(change);
    },
  });
  const log = pino({ level: 'silent' });
  const pauses = { again: 5 };
  const runner = new TaskRunner({ catalog: flaky, catalogOf: () => flaky, log, now: () => NOW, pauses });
  t.teardown(() => runner.close());
  let runs = 0;
  const away = gate();
  await runner.open(
    work(async (_, __, held) => {
      runs += 1;
      if (runs > 1) return 'done';
      isAway = true;
      const failing = held.write(async () => {});
      await failing.catch(() => {});
      away.open();
      return failing;
    }),
  );
  await catalog.write((tx) => tx.insert(tasks, newTask('1', caller, { what: 'work', objects: [], params: {} }, NOW)));
  runner.enqueue({ id: '1' });
  await away.opened;
  t.is((await catalog.get(tasks, '1'))?.status, 'STARTED');
  isAway = false;
  await runner.settled('1', new AbortController().signal);
  t.like(await catalog.get(tasks, '1'), { status: 'SUCCESS', result: 'done' });
  t.is(runs, 2);
});

test('a task whose record can not be read is tried again after a pause each time, and not at once', async (t) => {
  const catalog = await openCatalog({ kind: 'memory' });
  let isAway = true;
  let looks = 0;
  const failed = gate();
  const flaky = wrappedCatalog(catalog, {
    get: async (kind, id) => {
      if (!isAway) return catalog.get(kind, id);
      looks += 1;
      if (looks === 3) failed.open();
      throw new StorageDown('reading', new Error('away'));
    },
  });
  const log = pino({ level: 'silent' });
  const pauses = { again: 5 };
  const runner = new TaskRunner({ catalog: flaky, catalogOf: () => flaky, log, now: () => NOW, pauses });
  t.teardown(() => runner.close());
  await runner.open(work(async () => 'done'));
  await catalog.write((tx) => tx.insert(tasks, newTask('1', caller, { what: 'work', objects: [], params: {} }, NOW)));
  const began = performance.now();
  runner.enqueue({ id: '1' });
  const alive = setInterval(() => {}, 1000); // a runner that pauses keeps no process from its end
  t.teardown(() => clearInterval(alive));
  await failed.opened;
  t.true(performance.now() - began >= 2 * 4, 'a pause lies between two looks'); // timers may come a millisecond early
  isAway = false;
  await runner.settled('1', new AbortController().signal);
  t.like(await catalog.get(tasks, '1'), { status: 'SUCCESS', result: 'done' });
});

test('an end that could not be written is written when the records are back, and the work is not done again', async (t) => {
  const catalog = await openCatalog({ kind: 'memory' });
  let left = 0;
  const failed = gate();
  const flaky = wrappedCatalog(catalog, {
    write: async (change) => {
      left -= 1;
      if (left !== 0) return catalog.write(change);
      failed.open();
      throw new StorageDown('writing', new Error('away'));
    },
  });
  const log = pino({ level: 'silent' });
  const pauses = { again: 5 };
  const runner = new TaskRunner({ catalog: flaky, catalogOf: () => flaky, log, now: () => NOW, pauses });
  t.teardown(() => runner.close());
  let runs = 0;
  await runner.open(
    work(async () => {
      runs += 1;
      left = 1;
      return 'done';
    }),
  );
  await catalog.write((tx) => tx.insert(tasks, newTask('1', caller, { what: 'work', objects: [], params: {} }, NOW)));
  runner.enqueue({ id: '1' });
  await failed.opened;
  await runner.settled('1', new AbortController().signal);
  t.like(await catalog.get(tasks, '1'), { status: 'SUCCESS', result: 'done' });
  t.is(runs, 1);
});

test('what only another version knows is left to it', async (t) => {
  const catalog = await openCatalog({ kind: 'memory' });
  const [old, fresh] = sharing(catalog, ['old', 'fresh']);
  Object.assign(fresh!.catalog.members.self, { version: '2' });
  const log = pino({ level: 'silent' });
  const runners = [old!, fresh!].map(
    ({ catalog: shared }) =>
      new TaskRunner({ catalog: shared, catalogOf: () => shared, log, now: () => NOW, pauses: { headStart: 1 } }),
  );
  for (const runner of runners) t.teardown(() => runner.close());
  await runners[0]!.open({});
  await runners[1]!.open(work(async () => 'known'));
  await catalog.write((tx) => tx.insert(tasks, newTask('1', caller, { what: 'work', objects: [], params: {} }, NOW)));
  runners[0]!.enqueue({ id: '1' });
  await runners[0]!.settled('1', new AbortController().signal);
  t.like(await catalog.get(tasks, '1'), { status: 'SUCCESS', result: 'known' });
});
