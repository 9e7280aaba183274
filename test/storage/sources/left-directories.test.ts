import { execFileSync } from 'node:child_process';
import { mkdir, symlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import test from 'ava';
import { openLeftDirectory } from '../../../storage/open.js';
import { numbered } from '../../support/fixtures.js';
import {
  currentRecord,
  danubeDirectory,
  danubeImage,
  md5,
  put,
  referenceDirectory,
  referenceImage,
  snapshot,
} from '../../support/old-directories.js';
import { scratch } from '../../support/scratch.js';

const signal = new AbortController().signal;
const [one, two, three] = [numbered(1), numbered(2), numbered(3)];

test('a reference directory is known by what is in it, also without a database in files', async (t) => {
  const place = await scratch(t);
  const path = await referenceDirectory(join(place, 'whole'), []);
  t.is((await openLeftDirectory(path))?.what, 'the base directory of a reference server');
  for (const name of ['images', 'archive']) await mkdir(join(place, 'moray', name), { recursive: true });
  t.is((await openLeftDirectory(join(place, 'moray')))?.what, 'the base directory of a reference server');
});

test('a Danube Cloud directory is known by its images', async (t) => {
  const path = await danubeDirectory(join(await scratch(t), 'datasets'), [danubeImage(one)]);
  t.is((await openLeftDirectory(path))?.what, 'the datasets directory of a Danube Cloud image server');
});

test('nothing else is known', async (t) => {
  const place = await scratch(t);
  t.is(await openLeftDirectory(place), undefined);
  t.is(await openLeftDirectory(join(place, 'absent')), undefined);
  await put(join(place, 'notes', 'manifest'), 'x');
  await put(join(place, one, 'other'), 'x');
  await put(join(place, two), 'a file');
  t.is(await openLeftDirectory(place), undefined);
  t.is(await openLeftDirectory(join(place, two)), undefined);
});

test('a reference directory tells images from what lies about', async (t) => {
  const path = await referenceDirectory(
    join(await scratch(t), 'old'),
    [
      { ...referenceImage(one), files: { file0: 'x', 'file0.0f9f0a4e-request': 'half', icon: 'i' } },
      { uuid: two, archive: currentRecord(two), files: { file0: 'its record was lost' } },
      { uuid: three, archive: currentRecord(three) },
      { uuid: numbered(4), files: { file0: 'nobody knows' } },
    ],
    { 'manifests/base.raw': '{}', [`manifests/${one}.raw.bak`]: '{}', 'images/000/readme': 'x' },
  );
  const directory = (await openLeftDirectory(path))!;
  const before = await snapshot(path);
  const { uuids, strays } = await directory.survey(signal);
  t.deepEqual(uuids, [one, two]);
  t.deepEqual(strays, [
    `manifests/${one}.raw.bak: its name is not that of a record, which is UUID.raw`,
    'manifests/base.raw: its name is not that of a record, which is UUID.raw',
    'archive: manifests without record and file, of images that were deleted there: 1',
    `images/000/${one}/file0.0f9f0a4e-request: an upload that was cut off`,
    `images/000/${numbered(4)}: belongs to no image`,
    'images/000/readme: belongs to no image',
  ]);
  t.deepEqual(await snapshot(path), before);
});

test('a Danube Cloud directory tells images from what lies about', async (t) => {
  const path = await danubeDirectory(join(await scratch(t), 'old'), [
    { ...danubeImage(one), files: { file: 'x', 'file.md5': md5('x'), 'file.part': 'x' } },
    { uuid: two, files: { file: 'half' } },
  ]);
  await put(join(path, 'lost+found'), 'x');
  const { uuids, strays } = await (await openLeftDirectory(path))!.survey(signal);
  t.deepEqual(uuids, [one]);
  t.deepEqual(strays, [
    `${one}/file.part: is no part of an image`,
    `${two}: has no manifest, so its import never ended`,
    'lost+found: is no directory of an image',
  ]);
});

test('files are found where they lie, with the time of their last change', async (t) => {
  const place = await scratch(t);
  const path = await referenceDirectory(join(place, 'old'), [referenceImage(one, {}, 'the bytes')]);
  const file0 = join(path, 'images', '000', one, 'file0');
  await utimes(file0, 0, 86_400);
  const directory = (await openLeftDirectory(path))!;
  const file = (await directory.file(one, 'file0'))!;
  t.is(file.path, file0);
  t.is(file.size, 9);
  t.is(file.modified.toISOString(), '1970-01-02T00:00:00.000Z');
  t.is((await buffer(file.open())).toString(), 'the bytes');
  t.is(Buffer.from(await file.head(3)).toString(), 'the');
  t.is(Buffer.from(await file.head(100)).toString(), 'the bytes');
  t.is(await directory.file(one, 'file1'), undefined);
  t.is(await directory.file(two, 'file0'), undefined);
});

test('a link to a file is one, anything that could block is none', async (t) => {
  const place = await scratch(t);
  const path = await referenceDirectory(join(place, 'old'), [{ uuid: one, record: currentRecord(one) }]);
  const directory = (await openLeftDirectory(path))!;
  const files = join(path, 'images', '000', one);
  await put(join(place, 'elsewhere'), 'the bytes');
  await mkdir(files, { recursive: true });
  await symlink(join(place, 'elsewhere'), join(files, 'file0'));
  await mkdir(join(files, 'file1'));
  execFileSync('mkfifo', [join(files, 'icon')]);
  t.is((await directory.file(one, 'file0'))?.size, 9);
  t.is(await directory.file(one, 'file1'), undefined);
  t.is(await directory.file(one, 'icon'), undefined);
});

test('links that lead to themselves are none, and end nothing', async (t) => {
  const path = await referenceDirectory(join(await scratch(t), 'old'), [referenceImage(one)], { 'images/readme': 'x' });
  for (const place of ['images', 'archive', `images/000/${one}`]) {
    const name = place.endsWith(one) ? 'icon' : 'loop';
    await symlink(name, join(path, place, name));
  }
  await symlink(`${two}.raw`, join(path, 'manifests', `${two}.raw`));
  const directory = (await openLeftDirectory(path))!;
  const { uuids, strays } = await directory.survey(signal);
  t.deepEqual(uuids, [one, two]);
  t.deepEqual(strays, ['images/readme: belongs to no image']);
  t.is(await directory.file(one, 'icon'), undefined);
  t.deepEqual(await directory.records(two), []);
});

test('records come with the one to believe first; a text of any size does not', async (t) => {
  const path = await referenceDirectory(join(await scratch(t), 'old'), [
    { uuid: one, record: '\uFEFF{"a":1}', archive: { b: 2 } },
    { uuid: two, record: Buffer.alloc((16 << 20) + 1) },
  ]);
  const directory = (await openLeftDirectory(path))!;
  const [raw, archived] = await directory.records(one);
  t.is(await raw?.text(), '{"a":1}');
  t.deepEqual(JSON.parse((await archived?.text()) ?? ''), { b: 2 });
  const [huge] = await directory.records(two);
  await t.throwsAsync(async () => huge?.text(), { message: /16777217 bytes/ });
  t.deepEqual(await directory.records(three), []);
});

test('an MD5 that was remembered is read as it was meant', async (t) => {
  const path = await danubeDirectory(join(await scratch(t), 'old'), [
    { ...danubeImage(one), files: { file: 'x', 'file.md5': `${md5('x')}\n` } },
    { ...danubeImage(two), files: { file: 'x', 'file.md5': `b'${md5('x')}'` } },
    { ...danubeImage(three), files: { file: 'x' } },
  ]);
  const directory = (await openLeftDirectory(path))!;
  const found = await Promise.all([one, two, three].map((uuid) => directory.rememberedMd5(uuid)));
  t.deepEqual(found, [md5('x'), md5('x'), undefined]);
});

test('keys and the configuration are found', async (t) => {
  const path = await referenceDirectory(join(await scratch(t), 'old'), [], {
    'etc/authkeys/local/alice.keys': 'a',
    'etc/authkeys/local/alice.keys~': 'b',
    'etc/authkeys/manta/bob.keys': 'c',
    'etc/imgapi.config.json': '{"mode":"private","password":"secret"}',
  });
  const directory = (await openLeftDirectory(path))!;
  t.deepEqual(
    (await directory.keyFiles()).map(({ name }) => name),
    ['local/alice.keys', 'manta/bob.keys'],
  );
  const configPath = join(path, 'etc', 'imgapi.config.json');
  t.deepEqual(await directory.configuration(), { path: configPath, mode: 'private' });
  await put(configPath, '{}');
  t.is((await directory.configuration())?.mode, 'public');
  await put(configPath, '{');
  t.is((await directory.configuration())?.mode, undefined);
});

test('a survey can be cut off', async (t) => {
  const place = await scratch(t);
  const stopped = AbortSignal.abort(new Error('stopped'));
  for (const path of [
    await referenceDirectory(join(place, 'reference'), [referenceImage(one)]),
    await danubeDirectory(join(place, 'danube'), [danubeImage(one)]),
  ]) {
    await t.throwsAsync(async () => (await openLeftDirectory(path))?.survey(stopped), { message: 'stopped' });
  }
});
