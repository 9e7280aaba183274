import test from 'ava';
import { type Column, note, printCsv, printJson, printTable, sizeText, sorted } from '../../cli/output.js';
import { terminal } from '../support/terminal.js';

interface Row {
  name: string;
  size: number;
}

const name: Column<Row> = { title: 'NAME', text: (row) => row.name };
const size: Column<Row> = {
  title: 'SIZE',
  text: (row) => String(row.size),
  compare: (a, b) => a.size - b.size,
  align: 'right',
};
const rows = [
  { name: 'b', size: 9 },
  { name: 'a', size: 10 },
  { name: 'a', size: 9 },
];

test('a table pads its columns, and only its titles are bold on a terminal', async (t) => {
  const { io, out } = terminal();
  await printTable(io, [name, size], rows, { header: true });
  t.is(out(), '\x1b[1mNAME  SIZE\x1b[22m\nb        9\na       10\na        9\n');
});

test('a table without rows and titles prints nothing', async (t) => {
  const { io, out } = terminal();
  await printTable(io, [name], [], { header: false });
  t.is(out(), '');
});

test('CSV quotes what would end a cell, and an end of line can be seen', async (t) => {
  const { io, out } = terminal();
  const cells = ['plain', 'a,b', 'say "a"', 'two\nlines'].map((text) => ({ name: text, size: 1 }));
  await printCsv(io, [name, size], cells, { header: true });
  t.is(out(), 'name,size\nplain,1\n"a,b",1\n"say ""a""",1\ntwo\\u000alines,1\n');
  await printCsv(io, [name], [], { header: false });
  t.true(out().endsWith('lines,1\n'));
});

test('rows are sorted by several columns, and equal ones keep their places', (t) => {
  const names = (order: Parameters<typeof sorted<Row>>[1]) => sorted(rows, order).map((row) => row.name + row.size);
  t.deepEqual(
    names([
      { column: name, descending: false },
      { column: size, descending: true },
    ]),
    ['a10', 'a9', 'b9'],
  );
  t.deepEqual(names([{ column: size, descending: true }]), ['a10', 'b9', 'a9']);
  t.deepEqual(names([]), ['b9', 'a10', 'a9']);
});

test('what others wrote can not steer the terminal, nor turn text around', async (t) => {
  const { io, out, err } = terminal();
  const evil = 'x\x1b]0;owned\x07\x9b2J\r\nnext\u202eend';
  await printTable(io, [name], [{ name: evil, size: 0 }], { header: false });
  note(io, evil);
  t.is(out(), 'x\\u001b]0;owned\\u0007\\u009b2J\\u000d\\u000anext\\u202eend\n');
  t.is(err(), `slipway: ${out()}`);
});

test('JSON says the same, and is safe to show', async (t) => {
  const { io, out } = terminal();
  const value = { description: '\x1b[2J\x9b\u202e' };
  await printJson(io, value);
  t.deepEqual(JSON.parse(out()), value);
  t.notRegex(out(), /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
});

test('sizes are for people', (t) => {
  t.deepEqual([0, 1, 1023, 1024, 1536, 20 * 1024 ** 3, 2 ** 80].map(sizeText), [
    '0 B',
    '1 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '20.0 GiB',
    '1073741824.0 PiB',
  ]);
});
