import { createHash, randomBytes } from 'node:crypto';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { broughtIn, fillIn, told, wrongWith } from '../support/bringing.js';
import { startDaemon } from '../support/daemon.js';
import { numbered } from '../support/fixtures.js';
import { leftBy, NOTHING } from '../support/imports.js';
import { addImage, resultOf, startFleet } from '../support/managed.js';
import { startRegistry, testImage } from '../support/registry.js';
import { scratch } from '../support/scratch.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();

test('an image of a container comes from a registry, with its layers', async (t) => {
  const registry = await startRegistry(t);
  registry.put('app', '1', testImage([randomBytes(100_000), 'top']));
  const registries = { insecure: [], lxd: {}, patience: 60_000, pauses: [1] };
  const fleet = await startFleet(t, { console: consoleFiles, registries });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await open('/bring/registry');
  await fillIn(page, { Image: 'Busy box' });
  t.regex(await wrongWith(page, 'Image'), /Busy box|REPO/);
  t.deepEqual(await seriousOf(page), []);
  await fillIn(page, { Image: `${registry.host}/app:2` });
  await press(page, 'Import');
  await page
    .getByRole('alert')
    .getByText(/\(app\): 2 is not there/)
    .waitFor();
  await fillIn(page, { Image: `${registry.host}/app:1` });
  await press(page, 'Import');
  await told(broughtIn(page), 'It is here.');
  await page.getByRole('link', { name: /^Look at/ }).click();
  await page.getByRole('heading', { level: 1, name: /docker-layer/ }).waitFor();
  const images = resultOf<{ dcs: string[]; access: number }[]>(await fleet.eve('GET', '/api/image?full=true'));
  t.deepEqual(
    images.map(({ dcs, access }) => ({ dcs, access })),
    [
      { dcs: ['east'], access: 3 },
      { dcs: ['east'], access: 3 },
    ],
  );
  await open('/bring/registry?of=lxd');
  await fillIn(page, { Image: 'alpine' });
  t.regex(await wrongWith(page, 'Image'), /REGISTRY|:/);
  t.deepEqual(complaints, []);
});

/** What another server has exported. */
async function bundleOf(t: ExecutionContext): Promise<Buffer> {
  const other = await startFleet(t);
  await addImage(other, 'first');
  return (await other.ask('GET', '/api/image/first/export', { as: 'admin' })).bytes;
}

test('a bundle is sent, and what has become of each image of it is told; a file that is none is refused', async (t) => {
  const bundle = await bundleOf(t);
  const fleet = await startFleet(t, { console: consoleFiles });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  const path = join(await scratch(t), 'first.tar');
  await writeFile(path, bundle);
  await open('/bring/bundle');
  const choose = async (file: string) => {
    await page.getByLabel('files', { exact: true }).setInputFiles(file);
    await press(page, 'Import');
  };
  await choose(path);
  const outcome = page.getByRole('region', { name: 'what has become of it' });
  await told(outcome, 'base: is here');
  t.deepEqual(await seriousOf(page), []);
  t.like(resultOf(await fleet.eve('GET', '/api/image/base')), { dcs: ['east'], state: 'active' });
  await choose(path);
  await told(outcome, 'base: was here already');
  await outcome.getByRole('link', { name: 'base' }).click();
  await page.getByRole('heading', { level: 1, name: /base/ }).waitFor();

  await open('/bring/bundle');
  const noise = join(await scratch(t), 'noise.tar');
  await writeFile(noise, randomBytes(5000));
  await choose(noise);
  await page
    .getByRole('alert')
    .getByText(/^it is no tar, or a damaged one: /)
    .waitFor();
  t.is(resultOf<object[]>(await fleet.eve('GET', '/api/image')).length, 1);
  t.deepEqual(complaints, []);
});

test('a bundle that is cut short says so, and leaves nothing that is not whole', async (t) => {
  const bundle = await bundleOf(t);
  const fleet = await startFleet(t, { console: consoleFiles });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  const path = join(await scratch(t), 'cut.tar');
  await writeFile(path, bundle.subarray(0, bundle.length - 1600));
  await open('/bring/bundle');
  await page.getByLabel('files', { exact: true }).setInputFiles(path);
  await press(page, 'Import');
  await told(page.getByRole('region', { name: 'what has become of it' }), /: refused: the tar is cut short/);
  t.deepEqual(await leftBy(fleet), NOTHING);
  t.deepEqual(complaints, []);
});

test('what was put into the folder of the server is listed as a repository of its own, and taken over', async (t) => {
  const data = join(await scratch(t), 'data');
  const daemon = await startDaemon(t, { data, config: { mode: 'dc' } });
  const bytes = randomBytes(100_000);
  const uuid = numbered(1);
  const there = join(data, 'drop', uuid);
  await mkdir(there, { recursive: true });
  const files = [{ sha1: createHash('sha1').update(bytes).digest('hex'), size: bytes.length, compression: 'none' }];
  const manifest = { v: 2, uuid, name: 'dropped', version: '1', type: 'other', os: 'other', state: 'active', files };
  await writeFile(join(there, 'file'), bytes);
  await writeFile(join(there, 'manifest'), JSON.stringify({ ...manifest, public: false }));
  await utimes(join(there, 'file'), new Date('2020-01-01'), new Date('2020-01-01'));
  const { page, open, complaints } = await takeSeat(t, daemon, { token: daemon.token });
  await open('/bring');
  await page.getByRole('link', { name: `_${hostname()}` }).click();
  await page.getByRole('button', { name: `Refresh _${hostname()}` }).click();
  await page.getByRole('button', { name: 'Import dropped 1' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Import', exact: true }).click();
  await told(broughtIn(page), 'It is here.');
  const { json } = await daemon.ask('GET', '/api/image/dropped', { as: 'admin' });
  t.like(json.result, { uuid, status: 1, bytes: bytes.length });
  t.deepEqual(complaints, []);
});
