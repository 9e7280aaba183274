import test from 'ava';
import { byteRange } from '../../server/model/byte-range.js';
import { table } from '../support/table.js';

const rows = table<'header' | 'size' | 'found'>(`
  header                   size  found
  bytes=0-0                10    0-0
  bytes=0-9                10    0-9
  bytes=0-                 10    0-9
  bytes=3-5                10    3-5
  bytes=9-                 10    9-9
  bytes=9-1000             10    9-9
  bytes=10-                10    outside
  bytes=10-11              10    outside
  bytes=-1                 10    9-9
  bytes=-10                10    0-9
  bytes=-11                10    0-9
  bytes=-0                 10    outside
  bytes=007-008            10    7-8
  bytes=0-99999999999999999999999999  10  0-9
  bytes=99999999999999999999999999-  10  outside
  bytes=-99999999999999999999999999  10  0-9
  BYTES=0-0                10    0-0
  bytes=5-4                10    ignored
  bytes=50-40              10    ignored
  bytes=-                  10    ignored
  bytes=                   10    ignored
  bytes                    10    ignored
  bytes=1                  10    ignored
  bytes=--1                10    ignored
  bytes=-1-                10    ignored
  bytes=+1-2               10    ignored
  bytes=1.0-2              10    ignored
  bytes=0x1-2              10    ignored
  bytes=1-2,4-5            10    ignored
  bytes=1-2, 20-           10    ignored
  items=1-2                10    ignored
  =1-2                     10    ignored
  -                        10    ignored
  bytes=0-                 20000000000  0-19999999999
  bytes=19999999999-       20000000000  19999999999-19999999999
`);

for (const { header, size, found } of rows) {
  test(`"${header}" of ${size} bytes: ${found}`, (t) => {
    const range = byteRange(header, Number(size));
    t.is(typeof range === 'object' ? `${range.start}-${range.end}` : (range ?? 'ignored'), found);
  });
}
