import { createHash, randomBytes } from 'node:crypto';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { fillIn, told, wrongWith } from '../support/bringing.js';
import { cuttingProxy } from '../support/cutting-proxy.js';
import { gatedProxy } from '../support/gated-proxy.js';
import { leftBy, NOTHING } from '../support/imports.js';
import { type Fleet, manifest, resultOf, startFleet } from '../support/managed.js';
import { scratch } from '../support/scratch.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

/** More than all that connections of this machine hold on their way. */
const SIZE = 24 << 20;
const MOST = 4 << 20;

const chooser = (page: Page) => page.locator('fieldset.drop input[type=file]');
const lineOf = (page: Page, title: string) => page.getByRole('region', { name: `upload of ${title}`, exact: true });
const statusOf = (page: Page, title: string) => lineOf(page, title).getByRole('status');

async function fileOf(t: ExecutionContext, name: string, bytes: Buffer): Promise<string> {
  const path = join(await scratch(t), name);
  await writeFile(path, bytes);
  return path;
}

async function begin(path: string, page: Page): Promise<void> {
  await chooser(page).setInputFiles(path);
  await page.getByRole('combobox', { name: 'Type' }).selectOption('other');
  await page.getByRole('button', { name: 'Upload' }).click();
}

/** What the server has kept of it, by the digest. */
async function sha256In({ eve, ask }: Fleet, name: string): Promise<string> {
  const { uuid } = resultOf<{ uuid: string }>(await eve('GET', `/api/image/${name}`));
  const { bytes } = await ask('GET', `/images/${uuid}/file`, { as: 'admin' });
  return sha256Of(bytes);
}

const sha256Of = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** From where on each part of a file was sent. */
function offsetsOf(page: Page): number[] {
  const offsets: number[] = [];
  page.on('request', (request) => {
    const offset = request.headers()['upload-offset'];
    if (request.method() === 'PATCH' && offset !== undefined) offsets.push(Number(offset));
  });
  return offsets;
}

/** Behind a connection that can be shut when a part of the file has gone through. */
async function behindGate(t: ExecutionContext) {
  const fleet = await startFleet(t, { console: consoleFiles });
  const gate = await gatedProxy(t, fleet.port);
  const seat = await takeSeat(t, gate, { token: 'token-of-eve' });
  const offsets = offsetsOf(seat.page);
  await seat.open('/bring/upload');
  const beginHeld = async (path: string) => {
    await chooser(seat.page).setInputFiles(path);
    await seat.page.getByRole('combobox', { name: 'Type' }).selectOption('other');
    const { held } = gate.shutAfter(MOST);
    await seat.page.getByRole('button', { name: 'Upload' }).click();
    await held;
  };
  /** As when a window is closed, and another one is opened later. */
  const leave = async () => {
    await seat.page.goto('about:blank');
    gate.open();
    await seat.open('/bring/upload');
  };
  return { fleet, gate, offsets, beginHeld, leave, ...seat };
}

test('a file that is let fall becomes an image, with the manifest beside it', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await open('/bring/upload');
  await page.getByRole('button', { name: 'Choose files …' }).waitFor();
  t.deepEqual(await seriousOf(page), []);
  // In the words of the page, of which the types of a server know nothing.
  const fallen = await page.evaluateHandle(`
    const all = new DataTransfer();
    const manifest = { name: 'fallen', version: '3.1', os: 'smartos', type: 'zone-dataset' };
    all.items.add(new File([JSON.stringify(manifest)], 'fallen.json'));
    all.items.add(new File(['the bytes'], 'fallen.zfs'));
    all;
  `);
  await page.locator('fieldset.drop').dispatchEvent('drop', { dataTransfer: fallen });
  await page.getByRole('heading', { name: 'fallen.zfs' }).waitFor();
  await page.getByText('Its manifest came along').waitFor();
  t.deepEqual(await seriousOf(page), []);
  const name = page.getByRole('textbox', { name: 'Name', exact: true });
  t.is(await name.inputValue(), 'fallen');
  await fillIn(page, { Name: '-' });
  t.regex(await wrongWith(page, 'Name'), /begin with a letter/);
  await fillIn(page, { Name: 'risen' });
  await page.getByRole('button', { name: 'Upload' }).click();
  await told(statusOf(page, 'fallen'), 'is here');
  t.like(resultOf(await fleet.eve('GET', '/api/image/risen')), {
    ...{ alias: 'fallen', version: '3.1', os: 'smartos', type: 'zone-dataset', state: 'active', dcs: ['east'] },
  });
  t.is(await sha256In(fleet, 'risen'), sha256Of(Buffer.from('the bytes')));
  await page.getByRole('link', { name: 'Look at fallen' }).click();
  await page.getByRole('heading', { level: 1, name: /fallen/ }).waitFor();
  t.deepEqual(complaints, []);
});

test('the size of a disk is filled in where its file says it, and asked for where it is packed', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await open('/bring/upload');
  const disk = page.getByRole('spinbutton', { name: 'Size of the disk' });
  const raw = randomBytes((2 << 20) + 512);
  const qcow2 = Buffer.alloc(512);
  qcow2.write('QFI\xfb', 'latin1');
  qcow2.writeBigUInt64BE(5n << 30n, 24);
  for (const [name, bytes, filled] of [
    ['disk.raw', raw, '3'],
    ['disk.qcow2', qcow2, '5120'],
    ['disk.raw.gz', gzipSync(raw), ''],
  ] as const) {
    await chooser(page).setInputFiles(await fileOf(t, name, bytes));
    await page.getByRole('heading', { name }).waitFor();
    t.is(await disk.inputValue(), filled, name);
    if (filled) await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  }
  await page.getByRole('button', { name: 'Upload' }).click();
  t.regex(await wrongWith(page, 'Size of the disk'), /is missing: the size of the disk, in MiB/);
  t.deepEqual(await leftBy(fleet), NOTHING);
  await disk.fill('3');
  await page.getByRole('button', { name: 'Upload' }).click();
  await told(statusOf(page, 'disk'), 'is here');
  t.like(resultOf(await fleet.eve('GET', '/api/image/disk')), { size: 3, state: 'active', type: 'zvol' });
  t.deepEqual(complaints, []);
});

test('an upload that is cut goes on where it was, by itself', async (t) => {
  let isTold = false; // it is cut until then
  const fleet = await startFleet(t, { console: consoleFiles });
  const proxy = await cuttingProxy(t, fleet.port, (broken) => (broken === 0 ? { up: MOST } : isTold ? {} : { up: 0 }));
  const { page, open, complaints } = await takeSeat(t, proxy, { token: 'token-of-eve' });
  const offsets = offsetsOf(page);
  await open('/bring/upload');
  const bytes = randomBytes(SIZE);
  await begin(await fileOf(t, 'disk.raw', bytes), page);
  await told(statusOf(page, 'disk'), 'the connection was cut: it is tried again');
  isTold = true;
  await told(statusOf(page, 'disk'), 'is here');
  t.true(proxy.broken() > 0);
  // The browser has tried all of it once more, of its own accord; we do not.
  t.true(offsets.length > 1);
  t.true(offsets.at(-1)! > 0, 'what had arrived was not sent again');
  t.like(resultOf(await fleet.eve('GET', '/api/image/disk')), { state: 'active', bytes: SIZE });
  t.is(await sha256In(fleet, 'disk'), sha256Of(bytes));
  t.like(resultOf(await fleet.eve('GET', '/api/upload?full=true')), [{ status: 'attached', offset: SIZE }]);
  // A connection that was cut is told of by the browser, too.
  t.deepEqual(
    complaints.filter((words) => !/ERR_(EMPTY_RESPONSE|CONNECTION)/.test(words)),
    [],
  );
});

test('an upload goes on after the page was loaded anew, with the same file and no other', async (t) => {
  const { fleet, offsets, beginHeld, leave, page, complaints } = await behindGate(t);
  const bytes = randomBytes(SIZE);
  const path = await fileOf(t, 'disk.raw', bytes);
  await beginHeld(path);
  await told(lineOf(page, 'disk').locator('.progress small'), /MiB of 24 MiB, .*\/s, .* left/);
  await leave();

  const earlier = page.getByRole('region', { name: 'begun earlier' });
  await told(earlier, /disk disk\.raw: .* of 24 MiB are here/);
  t.deepEqual(await seriousOf(page), []);
  const choose = (file: string) => earlier.getByLabel('file of disk', { exact: true }).setInputFiles(file);
  await choose(await fileOf(t, 'other.raw', Buffer.from('other')));
  await told(earlier.getByRole('alert'), 'That is another file: it is called other.raw, and not disk.raw.');
  const shorter = await fileOf(t, 'disk.raw', Buffer.from('other'));
  await choose(shorter);
  await told(earlier.getByRole('alert'), `it has 5 bytes, and not ${SIZE}`);
  await chooser(page).setInputFiles(shorter);
  await page.getByText('Another file of that name was begun earlier, for disk').waitFor();
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();

  await chooser(page).setInputFiles(path);
  await page.getByRole('button', { name: 'Go on with it' }).click();
  await told(statusOf(page, 'disk'), 'is here');
  t.is(offsets[0], 0);
  t.true(offsets.at(-1)! > 0, 'what had arrived was not sent again');
  t.is(await sha256In(fleet, 'disk'), sha256Of(bytes));
  t.is(await earlier.count(), 0);
  t.deepEqual(complaints, []);
});

test('a file that only looks like the one that was begun is not taken for it', async (t) => {
  const { fleet, beginHeld, leave, page, complaints } = await behindGate(t);
  const path = await fileOf(t, 'disk.raw', randomBytes(SIZE));
  const time = new Date('2026-01-02T03:04:05Z');
  await utimes(path, time, time);
  await beginHeld(path);
  await leave();
  const lie = await fileOf(t, 'disk.raw', randomBytes(SIZE));
  await utimes(lie, time, time);
  await page
    .getByRole('region', { name: 'begun earlier' })
    .getByLabel('file of disk', { exact: true })
    .setInputFiles(lie);
  await told(statusOf(page, 'disk'), /has failed: .*sha256/);
  t.like(resultOf(await fleet.eve('GET', '/api/image/disk')), { state: 'unactivated', bytes: 0 });
  await lineOf(page, 'disk').getByRole('button', { name: 'Cancel disk' }).click();
  await page.getByRole('button', { name: 'Cancel it' }).click();
  await lineOf(page, 'disk').waitFor({ state: 'detached' });
  t.deepEqual(await leftBy(fleet), NOTHING);
  t.deepEqual(complaints, []);
});

test('an upload that was begun earlier is discarded, and its image stays', async (t) => {
  const { fleet, beginHeld, leave, page, complaints } = await behindGate(t);
  await beginHeld(await fileOf(t, 'disk.raw', randomBytes(SIZE)));
  await leave();
  await page.getByRole('button', { name: 'Discard disk' }).click();
  await page.getByRole('button', { name: 'Discard it' }).click();
  await page.getByRole('region', { name: 'begun earlier' }).waitFor({ state: 'detached' });
  t.deepEqual(resultOf(await fleet.eve('GET', '/api/upload')), []);
  t.like(resultOf(await fleet.eve('GET', '/api/image/disk')), { state: 'unactivated', bytes: 0 });
  t.deepEqual(complaints, []);
});

test('an upload is paused, and gone on with', async (t) => {
  const { fleet, gate, offsets, beginHeld, page, complaints } = await behindGate(t);
  const bytes = randomBytes(SIZE);
  await beginHeld(await fileOf(t, 'disk.raw', bytes));
  const line = lineOf(page, 'disk');
  await line.getByRole('button', { name: 'Pause disk' }).click();
  await told(statusOf(page, 'disk'), 'paused');
  gate.open();
  await line.getByRole('button', { name: 'Go on with disk' }).click();
  await told(statusOf(page, 'disk'), 'is here');
  t.is(await sha256In(fleet, 'disk'), sha256Of(bytes));
  t.true(offsets.at(-1)! > 0, 'what had arrived was not sent again');
  await line.getByRole('button', { name: 'close disk' }).click();
  await line.waitFor({ state: 'detached' });
  t.deepEqual(complaints, []);
});

test('a cancelled upload leaves neither its session nor its image', async (t) => {
  const { fleet, gate, beginHeld, page, complaints } = await behindGate(t);
  await beginHeld(await fileOf(t, 'disk.raw', randomBytes(SIZE)));
  await lineOf(page, 'disk').getByRole('button', { name: 'Cancel disk' }).click();
  await page.getByRole('button', { name: 'Cancel it' }).click();
  gate.open();
  await lineOf(page, 'disk').waitFor({ state: 'detached' });
  t.deepEqual(resultOf(await fleet.eve('GET', '/api/upload')), []);
  t.is((await fleet.eve('GET', '/api/image/disk')).status, 404);
  t.deepEqual(await leftBy(fleet), NOTHING);
  t.deepEqual(complaints, []);
});

test('what there is no room for is told before a byte of it is sent', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles, space: async () => ({ free: 1000, size: 2000 }) });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await open('/bring/upload');
  await begin(await fileOf(t, 'disk.raw', randomBytes(5000)), page);
  await told(statusOf(page, 'disk'), 'has failed: 5000 bytes are needed on the disk, 1000 are available');
  await lineOf(page, 'disk').getByRole('button', { name: 'Cancel disk' }).click();
  await page.getByRole('button', { name: 'Cancel it' }).click();
  await lineOf(page, 'disk').waitFor({ state: 'detached' });
  t.deepEqual(await leftBy(fleet), NOTHING);
  t.deepEqual(complaints, []);
});

test('an image that was there before stays when its upload, gone on with later, is cancelled', async (t) => {
  const { fleet, gate, leave, page, open, complaints } = await behindGate(t);
  t.is((await fleet.eve('POST', '/api/image/new', { manifest, alias: 'new', dc: 'east' })).status, 201);
  const path = await fileOf(t, 'disk.raw', randomBytes(SIZE));
  await open('/image/new');
  const first = gate.shutAfter(MOST);
  await page.getByRole('region', { name: 'why it is not ready' }).locator('input[type=file]').setInputFiles(path);
  await first.held;
  await leave();
  const second = gate.shutAfter(MOST);
  const earlier = page.getByRole('region', { name: 'begun earlier' });
  await earlier.getByLabel('file of new', { exact: true }).setInputFiles(path);
  await second.held;
  await lineOf(page, 'new').getByRole('button', { name: 'Cancel new' }).click();
  await page.getByText('The image stays, and waits for another file.').waitFor();
  await page.getByRole('button', { name: 'Cancel it' }).click();
  gate.open();
  await lineOf(page, 'new').waitFor({ state: 'detached' });
  t.deepEqual(resultOf(await fleet.eve('GET', '/api/upload')), []);
  t.like(resultOf(await fleet.eve('GET', '/api/image/new')), { state: 'unactivated', bytes: 0 });
  t.deepEqual(complaints, []);
});

test('an upload that is on its way is not left by the history of the browser without a question', async (t) => {
  const { gate, beginHeld, page, complaints } = await behindGate(t);
  await page.getByRole('link', { name: 'Slipway' }).first().click();
  await page.waitForURL((url) => !url.pathname.endsWith('/bring/upload'));
  await page.goBack();
  await beginHeld(await fileOf(t, 'disk.raw', randomBytes(SIZE)));
  const asking = page.waitForEvent('dialog');
  const going = page.goForward();
  const dialog = await asking;
  t.regex(dialog.message(), /^Files are still being sent/);
  await dialog.dismiss();
  await going;
  await page.waitForURL(/\/bring\/upload$/);
  gate.open();
  await told(statusOf(page, 'disk'), 'is here');
  t.deepEqual(complaints, []);
});
