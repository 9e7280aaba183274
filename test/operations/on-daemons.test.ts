import test from 'ava';
import { reservationRecords } from '../../server/model/reservation.js';
import { begin, newTask, revoke, tasks } from '../../server/model/task.js';
import { heldCatalog, NotHeld } from '../../server/operations/held-catalog.js';
import { NodeBook } from '../../server/operations/node-book.js';
import { RepositoryBook } from '../../server/operations/repository-book.js';
import { Reservations } from '../../server/operations/reservations.js';
import { openCatalog } from '../../storage/open.js';
import { gate } from '../support/gate.js';
import { type Sharing, sharing } from '../support/members.js';

const NOW = new Date('2030-01-01T00:00:00.000Z');
const notes = { name: 'notes', id: ({ id }: { id: string }) => id };

async function two() {
  const catalog = await openCatalog({ kind: 'memory' });
  const [a, b] = sharing(catalog, ['a', 'b']) as [Sharing, Sharing];
  return { catalog, a, b };
}

test('room that one keeps counts at all, until it is used up, given back, or its daemon is gone', async (t) => {
  const { catalog, a, b } = await two();
  const [here, there] = [a, b].map((one) => new Reservations(one.catalog.members)) as [Reservations, Reservations];
  const counted = (own?: string) => Promise.all([here, there].map((one) => one.bytesBeside(catalog, 'owner:eve', own)));
  const keep = async (bytes: number) => {
    const reservation = here.open(['owner:eve', 'datacenter:east']);
    await a.catalog.write((tx) => here.keep(tx, reservation, bytes));
    return reservation;
  };
  const first = await keep(100);
  t.deepEqual(await counted(), [100, 100]);
  t.deepEqual(await counted(first.id), [0, 0], 'beside its own');
  t.is(await there.bytesBeside(catalog, 'owner:ev'), 0);
  await a.catalog.write((tx) => here.keep(tx, first, 300));
  const second = await keep(50);
  t.deepEqual(await counted(), [350, 350]);
  await a.catalog.write((tx) => here.settle(tx, first));
  t.deepEqual(await counted(), [50, 50]);
  await here.release(a.catalog, first);
  await here.release(a.catalog, second);
  t.deepEqual(await counted(), [0, 0]);

  await keep(70);
  a.die();
  t.is(await there.bytesBeside(catalog, 'owner:eve'), 0);
  await there.sweep(b.catalog);
  for await (const left of catalog.list(reservationRecords)) t.fail(JSON.stringify(left));
});

test('what a task writes is refused when it is another daemon’s, and not when it only was cancelled', async (t) => {
  const { catalog, a } = await two();
  const lost: Error[] = [];
  const { id: runner } = a.catalog.members.self;
  const held = heldCatalog(a.catalog, { task: '1', runner, lose: (cause) => void lost.push(cause) });
  const note = (id: string) => held.write((tx) => tx.insert(notes, { id }));
  const caller = { kind: 'trusted' } as const;
  const task = begin(newTask('1', caller, { what: 'work', objects: [], params: {} }, NOW), runner, NOW);
  await t.throwsAsync(note('before'), { instanceOf: NotHeld });
  await catalog.write((tx) => tx.insert(tasks, task));
  await note('own');
  await catalog.write((tx) => tx.replace(tasks, revoke(task, NOW)));
  await note('cancelled');
  await catalog.write((tx) => tx.replace(tasks, { ...task, runner: 'another' }));
  await t.throwsAsync(note('lost'), { instanceOf: NotHeld });
  await catalog.write((tx) => tx.replace(tasks, task));
  a.die();
  a.comeBack();
  await t.throwsAsync(note('another start'), { instanceOf: NotHeld });
  t.is(lost.length, 3);
  const left: string[] = [];
  for await (const { id } of catalog.list(notes)) left.push(id);
  t.deepEqual(left.sort(), ['cancelled', 'own']);
});

test('the inventory of a node, and the list of a repository, are asked for by one daemon at a time', async (t) => {
  const { a, b } = await two();
  const asking = gate();
  const books = await Promise.all([a, b].map((one) => NodeBook.open(one.catalog)));
  const running = books[0]!.alone('n1', () => asking.opened);
  await t.throwsAsync(
    books[1]!.alone('n1', async () => {}),
    { message: /is being taken already/ },
  );
  await books[1]!.alone('n2', async () => {});

  const lists = await Promise.all([a, b].map((one) => RepositoryBook.open(one.catalog)));
  const begun = gate();
  const refreshing = lists[0]!.alone('r', async () => {
    begun.open();
    await asking.opened;
    return 'done';
  });
  await begun.opened;
  t.deepEqual(
    lists.map((list) => list.isRefreshing('r')),
    [true, true],
  );
  t.is(await lists[1]!.alone('r', async () => 'also'), undefined);
  asking.open();
  await running;
  t.is(await refreshing, 'done');
  t.deepEqual(
    lists.map((list) => list.isRefreshing('r')),
    [false, false],
  );
  t.is(await lists[1]!.alone('r', async () => 'by itself'), 'by itself');
  for (const book of [...books, ...lists]) book.close();
});
