import { gzipSync } from 'node:zlib';
import test from 'ava';
import { compressionByContent, compressionByName, extensionOf } from '../../cli/compression.js';

const contents: [what: string, head: Buffer, compression: string][] = [
  ['gzip', gzipSync('x'), 'gzip'],
  ['bzip2', Buffer.from('BZh91AY&SY'), 'bzip2'],
  ['xz', Buffer.from('fd377a585a000004', 'hex'), 'xz'],
  ['something else', Buffer.from('the bytes'), 'none'],
  ['half of a beginning', Buffer.from('fd377a', 'hex'), 'none'],
  ['nothing', Buffer.alloc(0), 'none'],
];

for (const [what, head, compression] of contents) {
  test(`by its first bytes: ${what}`, (t) => t.is(compressionByContent(head), compression as never));
}

test('by its name, and back', (t) => {
  const pairs = [
    ['gzip', '.gz'],
    ['bzip2', '.bz2'],
    ['xz', '.xz'],
  ];
  for (const [compression = '', extension = ''] of pairs) {
    t.is(compressionByName(`base.zfs${extension}`), compression as never);
    t.is(compressionByName(`BASE${extension.toUpperCase()}`), compression as never);
    t.is(extensionOf(compression), extension);
  }
  t.is(compressionByName('base.zfs'), undefined);
  t.is(compressionByName('gz'), undefined);
  for (const other of ['none', 'constructor', undefined]) t.is(extensionOf(other), '');
});
