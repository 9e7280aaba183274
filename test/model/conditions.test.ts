import test from 'ava';
import { type Conditions, isStillCurrent, judge } from '../../server/model/conditions.js';
import { table } from '../support/table.js';

const MODIFIED = new Date('2026-01-02T03:04:05.678Z');

/** Dates by name: the second of the change, the one before it and the one after. */
const dates: Record<string, string> = {
  before: 'Fri, 02 Jan 2026 03:04:04 GMT',
  same: 'Fri, 02 Jan 2026 03:04:05 GMT',
  after: 'Fri, 02 Jan 2026 03:04:06 GMT',
  nonsense: 'nonsense',
};

const verdicts = table<'match' | 'unmodified' | 'none' | 'modified' | 'dated' | 'undated'>(`
  match      unmodified  none       modified  dated      undated
  -          -           -          -         proceed    proceed
  "a"        -           -          -         proceed    proceed
  a          -           -          -         proceed    proceed
  W/"a"      -           -          -         proceed    proceed
  *          -           -          -         proceed    proceed
  "b", "a"   -           -          -         proceed    proceed
  b,a        -           -          -         proceed    proceed
  "b"        -           -          -         failed     failed
  "A"        -           -          -         failed     failed
  ""         -           -          -         failed     failed
  ,          -           -          -         failed     failed
  "a b"      -           -          -         failed     failed
  -          before      -          -         failed     proceed
  -          same        -          -         proceed    proceed
  -          after       -          -         proceed    proceed
  -          nonsense    -          -         proceed    proceed
  "a"        before      -          -         proceed    proceed
  "b"        after       -          -         failed     failed
  -          -           "a"        -         unchanged  unchanged
  -          -           a          -         unchanged  unchanged
  -          -           W/"a"      -         unchanged  unchanged
  -          -           *          -         unchanged  unchanged
  -          -           "b", "a"   -         unchanged  unchanged
  -          -           "b"        -         proceed    proceed
  -          -           -          before    proceed    proceed
  -          -           -          same      unchanged  proceed
  -          -           -          after     unchanged  proceed
  -          -           -          nonsense  proceed    proceed
  -          -           "b"        after     proceed    proceed
  -          -           "a"        before    unchanged  unchanged
  "b"        -           "a"        -         failed     failed
  "a"        -           "a"        -         unchanged  unchanged
  -          before      "a"        after     failed     unchanged
`);

for (const { match, unmodified, none, modified, dated, undated } of verdicts) {
  const given = Object.entries({ match, unmodified, none, modified }).filter(([, value]) => value !== '');
  test(`${given.map(([name, value]) => `${name}: ${value}`).join('; ') || 'no conditions'}`, (t) => {
    const conditions: Conditions = {
      ...(match && { ifMatch: match }),
      ...(none && { ifNoneMatch: none }),
      ...(unmodified && { ifUnmodifiedSince: dates[unmodified] }),
      ...(modified && { ifModifiedSince: dates[modified] }),
    };
    t.is(judge(conditions, { etag: 'a', modified: MODIFIED }), dated as ReturnType<typeof judge>);
    t.is(judge(conditions, { etag: 'a' }), undated as ReturnType<typeof judge>);
  });
}

test('an empty header is a condition that nothing meets', (t) => {
  t.is(judge({ ifMatch: '' }, { etag: 'a' }), 'failed');
  t.is(judge({ ifNoneMatch: '' }, { etag: 'a' }), 'proceed');
});

const ranges = table<'header' | 'dated' | 'undated'>(`
  header    dated  undated
  "a"       yes    yes
  a         yes    yes
  W/"a"     no     no
  "b"       no     no
  before    no     no
  same      yes    no
  after     no     no
  nonsense  no     no
`);

test('If-Range', (t) => {
  for (const { header, dated, undated } of ranges) {
    t.is(isStillCurrent(dates[header] ?? header, { etag: 'a', modified: MODIFIED }), dated === 'yes', header);
    t.is(isStillCurrent(dates[header] ?? header, { etag: 'a' }), undated === 'yes', header);
  }
});
