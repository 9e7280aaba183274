import test from 'ava';
import { header, rowOf } from '../../console/parts/audit-csv.js';
import { csvRow } from '../../console/parts/csv.js';

test('what would break a row is quoted, and what would be a formula is text', (t) => {
  t.is(csvRow(['a', 'b,c', 'd"e', 'f\ng', undefined, null, 7]), 'a,"b,c","d""e","f\ng",,,7\r\n');
  t.is(csvRow(['=1+1', '@x', '-2', '+3']), "'=1+1,'@x,'-2,'+3\r\n");
});

test('an entry is a row with as many cells as the header', (t) => {
  const entry = {
    time: '2030-01-31T00:00:00.000Z',
    who: { name: 'alice', kind: 'user', token: 'ci' },
    what: 'UpdateImage',
    objects: [{ kind: 'images', name: 'base', fields: ['label', 'tags'] }],
    datacenters: ['north', 'south'],
    result: 'done',
    id: 'e1',
  };
  const row = rowOf(JSON.stringify(entry));
  t.is(row, '2030-01-31T00:00:00.000Z,alice,user,ci,,UpdateImage,images base,label; tags,north; south,done,,,,e1\r\n');
  t.is(row.split(',').length, header.split(',').length);
});

test('a seal is no entry', (t) => t.is(rowOf('{"seal":{"chain":"changes"}}'), ''));
