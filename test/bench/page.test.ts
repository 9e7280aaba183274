import { readFile } from 'node:fs/promises';
import test from 'ava';
import { pageWith } from '../../bench/page.js';
import type { Part } from '../../bench/part.js';
import { parts } from '../../bench/parts.js';
import { holds, sectionOf, shown } from '../../bench/report.js';

const part = (name: string): Part => ({
  name,
  title: name,
  about: `About ${name}.`,
  measure: async () => ({ rows: [] }),
});
const some = [part('one'), part('two'), part('three')];

test('a part that is measured alone leaves the others as they were, in the order of the table', (t) => {
  const first = pageWith('', new Map([['three', 'old three']]), some);
  const second = pageWith(first, new Map([['one', 'one']]), some);
  const third = pageWith(second, new Map([['three', 'new three']]), some);
  t.true(third.indexOf('one') < third.indexOf('new three'));
  t.false(third.includes('old three'));
  t.false(third.includes('<!-- two -->'));
  t.is(pageWith(third, new Map(), some), third);
});

test('docs/performance.md has every part, as the bench writes it', async (t) => {
  const page = await readFile(new URL('../../../docs/performance.md', import.meta.url), 'utf8');
  t.is(pageWith(page, new Map(), parts), page);
  for (const { name, title } of parts) t.true(page.includes(`<!-- ${name} -->\n## ${title}`), name);
});

test('an aim holds for the ratio or for our own figure, and not where there is none', (t) => {
  const row = { what: '', unit: '', ours: 10, runs: 1 };
  t.is(holds(row), undefined);
  t.is(holds({ ...row, ratio: 0.94, aim: { of: 'ratio', atLeast: 0.95 } }), false);
  t.is(holds({ ...row, ratio: 0.95, aim: { of: 'ratio', atLeast: 0.95 } }), true);
  t.is(holds({ ...row, aim: { of: 'ours', atMost: 9 } }), false);
  t.is(holds({ ...row, aim: { of: 'ratio', atMost: 9 } }), undefined);
});

test('what was not measured is named, and what is missed stands out', (t) => {
  const row = { what: 'speed', unit: 's', ours: 10, ratio: 2, aim: { of: 'ratio', atMost: 1 }, runs: 9 } as const;
  const section = sectionOf(part('one'), { rows: [row], missing: ['nginx is not installed'] }, 'today');
  t.regex(section, /\*\*no\*\*/);
  t.regex(section, /\*\*Not measured:\*\* nginx is not installed\./);
});

test('figures have three digits that mean something', (t) => {
  t.deepEqual([0, 0.012345, 1.2345, 12.345, 1234.5].map(shown), ['0', '0.0123', '1.23', '12.3', '1235']);
});
