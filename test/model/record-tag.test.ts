import { createHash } from 'node:crypto';
import test from 'ava';
import { expectedBy, isExpected, recordTags } from '../../server/model/record-tag.js';

const record = { uuid: 'a', name: 'base', nested: { list: [1, 2] } };

test('a tag is of all that stands in a record, and the same for the same', (t) => {
  const tagOf = recordTags('key');
  const tag = tagOf(record);
  t.regex(tag, /^"[\w-]{22}"$/);
  t.is(tagOf(structuredClone(record)), tag);
  const others = [{ ...record, name: 'Base' }, { ...record, more: null }, { ...record, nested: { list: [2, 1] } }, {}];
  t.is(new Set([tag, ...others.map(tagOf)]).size, others.length + 1);
  t.is(tagOf({ ...record, gone: undefined }), tag, 'what is not kept does not count');
  t.is(tagOf({ ...record, lastUsed: '2026-01-01T00:00:00.000Z' }), tag, 'nor does that it was used');
});

test('nobody finds out by trying what stands in a record', (t) => {
  const tag = recordTags('key')(record);
  t.not(recordTags('other key')(record), tag);
  const text = JSON.stringify(record);
  for (const algorithm of ['sha256', 'sha1', 'md5']) {
    const digest = createHash(algorithm).update(text).digest('base64url');
    t.not(`"${digest.slice(0, 22)}"`, tag, algorithm);
  }
});

test('a long header is read in no time', (t) => {
  const long = `${'"a", '.repeat(3000)}"b"`;
  const expected = expectedBy(long);
  t.true(expected !== undefined && isExpected(expected, '"b"'));
  for (const wrong of [`${long} x`, ','.repeat(16_000), ' \t,'.repeat(5000), `"${'a'.repeat(16_000)}`]) {
    // of the processor, which others may have meanwhile
    const begun = process.cpuUsage();
    t.is(expectedBy(wrong), undefined);
    t.true(process.cpuUsage(begun).user < 1_000_000);
  }
});
