import { createHash, randomBytes } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { broughtIn, fillIn, refusedAt, told, wrongIn, wrongWith } from '../support/bringing.js';
import { beginByUrl, press } from '../support/bringing-by-url.js';
import { leftBy, NOTHING } from '../support/imports.js';
import { liars } from '../support/lying-remote.js';
import { resultOf } from '../support/managed.js';
import type { Reply } from '../support/remote.js';
import { seriousOf, test } from '../support/seat.js';

const FILE = 'Address of the file';

/** Of these bytes, by its address alone. */
async function beginBare(t: ExecutionContext, files: Record<string, Buffer | Reply>) {
  const replies = Object.entries(files).map(([name, file]): [string, Reply] => [
    `GET /${name}`,
    typeof file === 'function' ? file : (_, response) => response.end(file),
  ]);
  const seat = await beginByUrl(t, Object.fromEntries(replies));
  await seat.page.getByRole('button', { name: 'A bare file' }).click();
  return seat;
}

const choose = (page: Page, label: string, value: string) =>
  page.getByRole('combobox', { name: label, exact: true }).selectOption(value);

test('a bare file is looked into, and refused in words at its field where it is unsafe or not what is said', async (t) => {
  const disk = qcow2();
  const seat = await beginBare(t, {
    disk,
    child: qcow2({ backing: 512n }),
    parted: qcow2({ isParted: true }),
    page: liars['a page for people'] as Reply,
    empty: Buffer.alloc(0),
  });
  const { fleet, from, page, complaints } = seat;
  t.deepEqual(await seriousOf(page), []);
  for (const [file, words] of [
    ['none', /the file can not be had: 127\.0\.0\.1:\d+ .*no \/none/],
    ['page', /it is a page, not an image/],
    ['child', /it is a qcow2 that builds on another file \(its backing file\)/],
    ['parted', /it is a qcow2 that keeps its data in another file/],
    ['empty', /127\.0\.0\.1:\d+.* has an empty file there/],
  ] as const) {
    await fillIn(page, { [FILE]: `${from.url}/${file}`, Name: 'debian' });
    await press(seat);
    t.regex(await refusedAt(page, FILE), words);
    t.deepEqual(Object.keys(await wrongIn(page)), [FILE]);
  }
  await page.getByText('Advanced').click();
  await fillIn(page, { [FILE]: `${from.url}/disk`, 'SHA-256': 'abc' });
  t.regex(await wrongWith(page, 'SHA-256'), /sha256/);
  await fillIn(page, { 'SHA-256': createHash('sha256').update(disk).digest('hex') });
  await choose(page, 'Format', 'vmdk');
  await press(seat);
  t.regex(await wrongWith(page, 'Format'), /qcow2/);
  await choose(page, 'Format', '');
  await choose(page, 'Type', 'zone-dataset');
  await press(seat);
  t.regex(await wrongWith(page, 'Format'), /images of type zone-dataset are zfs/);
  t.deepEqual(await leftBy(fleet), NOTHING);
  await choose(page, 'Type', '');
  await press(seat);
  await told(broughtIn(page), 'It is here.');
  t.deepEqual(complaints, []);
});

test('bare files of a raw disk, a qcow2 and a zfs stream become images as they are found to be, and as is said of them', async (t) => {
  const files = { raw: rawDisk(), qcow2: qcow2(), zfs: zfsStream() };
  const seat = await beginBare(t, files);
  const { fleet, from, page, complaints } = seat;
  for (const [file, os, type, manifest] of [
    ['raw', 'linux', 'zvol', { type: 'zvol', image_size: 3, disk_driver: 'virtio' }],
    ['qcow2', 'windows', '', { type: 'other', tags: { format: 'qcow2' } }],
    ['zfs', 'smartos', 'zone-dataset', { type: 'zone-dataset' }],
  ] as const) {
    await fillIn(page, { Name: `of-${file}`, Alias: file, Version: '12', Description: 'typed' });
    await fillIn(page, { [FILE]: `${from.url}/${file}` });
    await choose(page, 'OS', os);
    await choose(page, 'Type', type);
    await press(seat);
    await told(broughtIn(page), 'It is here.');
    const image = resultOf<{ uuid: string }>(await fleet.eve('GET', `/api/image/of-${file}`));
    t.like(image, { alias: file, version: '12', desc: 'typed', os, access: 3, dcs: ['east'], status: 1 });
    const { json } = await fleet.ask('GET', `/images/${image.uuid}`, { as: 'admin' });
    t.like(json, { ...manifest, files: [{ size: files[file].length, compression: 'none' }] });
    t.true((await fleet.ask('GET', `/images/${image.uuid}/file`, { as: 'admin' })).bytes.equals(files[file]));
    await page.getByRole('button', { name: 'Bring in another' }).click();
  }
  t.deepEqual(complaints, []);
});

function qcow2({ backing = 0n, isParted = false }: { backing?: bigint; isParted?: boolean } = {}): Buffer {
  const file = Buffer.concat([Buffer.alloc(64 << 10), randomBytes(100_000)]);
  file.write('QFI\xfb', 'latin1');
  file.writeUInt32BE(3, 4);
  file.writeBigUInt64BE(backing, 8);
  file.writeBigUInt64BE(5n << 30n, 24);
  if (isParted) file.writeBigUInt64BE(4n, 72);
  return file;
}

function zfsStream(): Buffer {
  const file = randomBytes(100_000);
  file.writeBigUInt64LE(0x2f5bacbacn, 8);
  return file;
}

function rawDisk(): Buffer {
  const file = randomBytes((2 << 20) + 512);
  file.write('\x55\xaa', 510, 'latin1');
  return file;
}
