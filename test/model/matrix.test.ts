import { readFileSync } from 'node:fs';
import test from 'ava';
import { type Column, cellsOf, columns, imgapi, management } from '../../server/model/matrix.js';
import { table } from '../support/table.js';
import { matrix } from './matrix-table.js';

const rows = table<'operation' | Column>(matrix);

test('the table asks every question of the law, once and in its order', (t) => {
  t.deepEqual(
    rows.map(({ operation }) => operation),
    [...Object.keys(management), ...Object.keys(imgapi)],
  );
  t.deepEqual(Object.keys(rows[0] ?? {}), ['operation', ...columns]);
});

for (const { operation, ...cells } of rows) {
  const face = operation in management ? management : imgapi;
  test(`who may: ${operation}`, (t) => {
    for (const [column, expected] of Object.entries(cells)) {
      t.is(cellsOf(face, operation, column as Column), expected || '-', `${column}: ${operation}`);
    }
  });
}

test('what is refused to a DCAdmin is refused to all who have less', (t) => {
  for (const { operation, DCAdmin, NoAdmin, Member } of rows) {
    for (const [at, cell] of [...DCAdmin].entries()) {
      if (cell !== '3' && cell !== '4') continue;
      for (const less of [NoAdmin, Member]) t.true(['3', '4'].includes(less[at] ?? ''), `${operation} ${less}`);
    }
  }
});

test('the page has the same table, line by line', (t) => {
  const page = readFileSync(new URL('../../../docs/permissions.md', import.meta.url), 'utf8');
  const [, shown = ''] = page.split('```');
  const lines = (text: string) => text.split('\n').flatMap((line) => line.trim() || []);
  t.deepEqual(lines(shown), lines(matrix));
});
