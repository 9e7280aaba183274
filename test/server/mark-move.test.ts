import test from 'ava';
import { pino } from 'pino';
import { checkMoved } from '../../server/check-moved.js';
import { markMove } from '../../server/mark-move.js';
import { MOVE, type Move, moves } from '../../server/model/move.js';
import { openMemoryCatalog } from '../../storage/catalog/leveldb.js';
import { sharing } from '../support/members.js';
import { scratch } from '../support/scratch.js';

const marked = (state: Move['state']): Move => ({ id: MOVE, state, to: '/etc/other', at: '2026-01-01T00:00:00.000Z' });

test('a server leaves where nobody else is at work, and nobody was in between', async (t) => {
  const catalog = await openMemoryCatalog();
  t.teardown(() => catalog.close());
  const [one, two] = sharing(catalog, ['one', 'two']);
  const mark = (state: Move['state']) => markMove(one!.catalog, marked(state));
  await t.throwsAsync(mark('leaving'), { message: /other daemons are at work here: stop two first/ });
  t.is(await catalog.get(moves, MOVE), undefined);
  two!.die();
  await mark('leaving');
  two!.comeBack();
  await t.throwsAsync(mark('left'), { message: /stop two first/ });
  await checkMoved(two!.catalog, { data: await scratch(t), abortMigration: false }, pino({ enabled: false }));
  two!.die();
  await t.throwsAsync(mark('left'), { message: /another daemon was started here meanwhile/ });
  for (const state of ['leaving', 'leaving', 'left'] as const) await mark(state);
  t.is((await catalog.get(moves, MOVE))?.state, 'left');
});
