import test from 'ava';
import { fileNameOf, namedBy, stemOfFile } from '../../cli/file-names.js';

const names: [name: string, version: string, type: string, compression: string, file: string][] = [
  ['base', '1.0.0', 'zone-dataset', 'gzip', 'base-1.0.0.zfs.gz'],
  ['base-64-lts', '21.4.0', 'zvol', 'bzip2', 'base-64-lts-21.4.0.zfs.bz2'],
  ['alpine', '20261101', 'docker', 'xz', 'alpine-20261101.tar.xz'],
  ['firmware', '2', 'other', 'none', 'firmware-2.img'],
  ['library/base os', '1.0+b/2', 'other', 'none', 'library_base os-1.0+b_2.img'],
  ['-rf', '1', 'other', 'none', '_rf-1.img'],
  ['.bashrc', '1', 'other', 'none', '_bashrc-1.img'],
];

for (const [name, version, type, compression, file] of names) {
  test(`the file of ${name}@${version} is called ${file}`, (t) => {
    t.is(fileNameOf({ name, version, type }, compression), file);
  });
}

test('a file of a disk is called as its image says', (t) => {
  const image = { name: 'web', version: '1', type: 'zvol' };
  t.is(fileNameOf({ ...image, tags: { format: 'raw' } }, 'gzip'), 'web-1.raw.gz');
  t.is(fileNameOf({ ...image, type: 'other', tags: { format: 'qcow2' } }, 'none'), 'web-1.qcow2');
  t.is(fileNameOf({ ...image, tags: { format: '../x' } }, 'none'), 'web-1.zfs');
});

test('whatever a server calls its images, the file is one of the directory, with a name that fits', (t) => {
  const hostile = { name: '../../etc/\x1b[2J', version: `/..\0\u202e${'x'.repeat(1000)}`, type: 'constructor' };
  const file = fileNameOf(hostile, '../gzip');
  t.regex(file, /^[A-Za-z0-9._+ -]+$/);
  t.true(file.startsWith('__.._etc'));
  t.true(file.length < 255);
});

const files: [file: string, name: string | undefined, version?: string][] = [
  ['base-1.0.0.zfs.gz', 'base', '1.0.0'],
  ['/images/base-64-lts-21.4.0.zfs.bz2', 'base-64-lts', '21.4.0'],
  ['ubuntu-22.04-server-cloudimg-amd64.img', 'ubuntu', '22.04-server-cloudimg-amd64'],
  ['base-v2.qcow2', 'base', '2'],
  ['base-1.0.0', 'base', '1.0.0'],
  ['BASE-1.ZFS.XZ', 'BASE', '1'],
  ['base.zfs.gz', undefined],
  ['base-latest.zfs.gz', undefined],
  ['-1.0.0.zfs', undefined],
  ['/tmp-1/base', undefined],
];

for (const [file, name, version] of files) {
  test(`${file} names ${name === undefined ? 'nothing' : `${name}@${version}`}`, (t) => {
    t.deepEqual(namedBy(file), name === undefined ? undefined : { name, version });
  });
}

test('what a file is called apart from how it is written', (t) => {
  t.is(stemOfFile('base-1.0.0.zfs.gz'), 'base-1.0.0');
  t.is(stemOfFile('disk.gz'), 'disk');
  t.is(stemOfFile('base-1.0.0'), 'base-1.0.0');
});
