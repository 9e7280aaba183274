import test, { type ExecutionContext } from 'ava';
import { pino } from 'pino';
import { ImgapiError } from '../../imgapi/errors.js';
import { noRights } from '../../server/model/rights.js';
import { newTask, type Task, tasks } from '../../server/model/task.js';
import { ADMIN } from '../../server/model/user.js';
import { type TaskKinds, TaskRunner } from '../../server/tasks/runner.js';
import type { Catalog } from '../../storage/catalog.js';
import { openCatalog } from '../../storage/open.js';
import { gate } from '../support/gate.js';

const NOW = new Date('2030-01-01T00:00:00.000Z');
const caller = { kind: 'user', user: { ...ADMIN, superAdmin: true, created: '' }, rights: noRights } as const;
const notes = { name: 'notes', id: ({ id }: { id: string }) => id };

interface Runs {
  catalog: Catalog;
  runner: TaskRunner;
  /** Keeps and queues one. */
  add(id: string, what?: string): Promise<void>;
  task(id: string): Promise<Task | undefined>;
  ended(id: string): Promise<Task | undefined>;
}

async function running(
  t: ExecutionContext,
  kinds: TaskKinds,
  { catalog, atOnce = 4 }: { catalog?: Catalog; atOnce?: number } = {},
): Promise<Runs> {
  const kept = catalog ?? (await openCatalog({ kind: 'memory' }));
  const log = pino({ level: 'silent' });
  const runner = new TaskRunner({ catalog: kept, catalogOf: () => kept, log, now: () => NOW, atOnce });
  await runner.open(kinds);
  t.teardown(() => runner.close());
  const task = (id: string) => kept.get(tasks, id);
  return {
    catalog: kept,
    runner,
    task,
    add: async (id, what = 'work') => {
      const wanted = newTask(id, caller, { what, objects: [], params: { id } }, NOW);
      await kept.write((tx) => tx.insert(tasks, wanted));
      runner.enqueue(wanted);
    },
    ended: async (id) => {
      await runner.settled(id, new AbortController().signal);
      return task(id);
    },
  };
}

const aborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    const fail = () => reject(signal.reason);
    if (signal.aborted) fail();
    signal.addEventListener('abort', fail, { once: true });
  });

test('a task is performed, and its result is kept', async (t) => {
  const runs = await running(t, { work: { resumes: false, perform: async ({ params }) => ({ did: params }) } });
  await runs.add('1');
  t.like(await runs.ended('1'), {
    status: 'SUCCESS',
    result: { did: { id: '1' } },
    started: NOW.toISOString(),
    finished: NOW.toISOString(),
  });
});

test('what is refused is told, what is a bug is not', async (t) => {
  const runs = await running(t, {
    refused: {
      resumes: false,
      perform: async () => {
        throw new ImgapiError('ImageInUse', 'it is used');
      },
    },
    bug: {
      resumes: false,
      perform: async () => {
        throw new Error('a secret');
      },
    },
  });
  for (const what of ['refused', 'bug', 'unknown']) await runs.add(what, what);
  const code = async (id: string) => {
    const task = await runs.ended(id);
    return [task?.status, (task?.result as { code?: string } | undefined)?.code];
  };
  t.deepEqual(await code('refused'), ['FAILURE', 'ImageInUse']);
  t.deepEqual(await code('bug'), ['FAILURE', 'InternalError']);
  t.deepEqual(await code('unknown'), ['FAILURE', 'NotAvailable']);
  t.notRegex(JSON.stringify(await runs.task('bug')), /secret/);
});

test('so many run side by side, the others wait for their turn', async (t) => {
  const gates = new Map(['1', '2', '3', '4', '5'].map((id) => [id, { begun: gate(), end: gate() }]));
  const begun: string[] = [];
  const perform = async ({ id }: Task) => {
    begun.push(id);
    gates.get(id)?.begun.open();
    await gates.get(id)?.end.opened;
  };
  const runs = await running(t, { work: { resumes: false, perform } }, { atOnce: 2 });
  for (const id of gates.keys()) await runs.add(id);
  await gates.get('2')?.begun.opened;
  t.deepEqual(begun, ['1', '2']);
  t.is((await runs.task('3'))?.status, 'PENDING');
  gates.get('2')?.end.open();
  await gates.get('3')?.begun.opened;
  t.deepEqual(begun, ['1', '2', '3']);
  for (const { end } of gates.values()) end.open();
  for (const id of gates.keys()) t.is((await runs.ended(id))?.status, 'SUCCESS');
});

test('one that is cancelled ends at once, and the write in which it learns that leaves nothing', async (t) => {
  const first = gate();
  const cancelled = gate();
  const done = gate();
  const runs = await running(t, {
    work: {
      resumes: true,
      perform: async (_, { keep }) => {
        const row = (id: string, n: number) =>
          runs.catalog.write(async (tx) => {
            await tx.insert(notes, { id });
            await keep(tx, { progress: { done: n, total: 2 }, result: [id] });
          });
        await row('a', 1);
        first.open();
        await cancelled.opened;
        await row('b', 2).finally(done.open);
      },
    },
  });
  await runs.add('1');
  await first.opened;
  await runs.runner.cancel(runs.catalog, '1');
  cancelled.open();
  await done.opened;
  t.like(await runs.ended('1'), { status: 'REVOKED', progress: { done: 1, total: 2 }, result: ['a'] });
  t.truthy(await runs.catalog.get(notes, 'a'));
  t.is(await runs.catalog.get(notes, 'b'), undefined);
  await t.throwsAsync(runs.runner.cancel(runs.catalog, '1'), { message: /REVOKED/ });
  await t.throwsAsync(runs.runner.cancel(runs.catalog, 'no such'), { message: /no task/ });
});

test('one that waits is cancelled before it begins, and never does', async (t) => {
  const hold = gate();
  let performed = 0;
  const perform = async () => {
    performed += 1;
    await hold.opened;
  };
  const runs = await running(t, { work: { resumes: false, perform } }, { atOnce: 1 });
  await runs.add('1');
  await runs.add('2');
  await runs.runner.cancel(runs.catalog, '2');
  hold.open();
  t.is((await runs.ended('1'))?.status, 'SUCCESS');
  await runs.add('3');
  await runs.ended('3');
  t.is((await runs.task('2'))?.status, 'REVOKED');
  t.is(performed, 2);
});

test('a stop aborts what runs and waits for it; the next start goes on, or tells that it was interrupted', async (t) => {
  const begun = { resumed: gate(), interrupted: gate() };
  const perform =
    (id: keyof typeof begun) =>
    async (task: Task, { signal, keep }: Parameters<TaskKinds[string]['perform']>[1]) => {
      if (task.result) return { went: 'on', from: task.result };
      await runs.catalog.write((tx) => keep(tx, { progress: { done: 1, total: 2 }, result: 'half' }));
      begun[id].open();
      return aborted(signal);
    };
  const kinds = {
    resumed: { resumes: true, perform: perform('resumed') },
    interrupted: { resumes: false, perform: perform('interrupted') },
    work: { resumes: false, perform: async () => 'worked' },
  };
  const runs = await running(t, kinds, { atOnce: 2 });
  await runs.add('r', 'resumed');
  await runs.add('i', 'interrupted');
  await runs.add('queued');
  await Promise.all(Object.values(begun).map(({ opened }) => opened));
  const waiting = runs.runner.settled('r', new AbortController().signal);
  await runs.runner.close();
  await waiting;
  t.deepEqual(await Promise.all(['r', 'i', 'queued'].map(async (id) => (await runs.task(id))?.status)), [
    'STARTED',
    'STARTED',
    'PENDING',
  ]);

  const next = await running(t, kinds, { catalog: runs.catalog });
  t.like(await next.ended('r'), { status: 'SUCCESS', result: { went: 'on', from: 'half' } });
  const interrupted = await next.ended('i');
  t.is(interrupted?.status, 'FAILURE');
  t.regex(JSON.stringify(interrupted?.result), /interrupted/);
  t.like(await next.ended('queued'), { status: 'SUCCESS', result: 'worked' });
});

test('progress is told to those who watch, and gone when the task is', async (t) => {
  const go = gate();
  const told: string[] = [];
  const runs = await running(t, {
    work: {
      resumes: false,
      perform: async (_, { report }) => {
        await go.opened;
        report({ done: 1, total: 2 });
        report({ done: 2, total: 2 });
      },
    },
  });
  const unwatch = runs.runner.watch(({ id }, { done, total }) => told.push(`${id} ${done}/${total}`));
  await runs.add('1');
  go.open();
  const task = await runs.ended('1');
  unwatch();
  t.deepEqual(told, ['1 1/2', '1 2/2']);
  t.is(runs.runner.progressOf(task!), undefined);
});
