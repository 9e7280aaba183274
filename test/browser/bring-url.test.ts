import { createHash, randomBytes } from 'node:crypto';
import { broughtIn, fillIn, told, wrongIn, wrongWith } from '../support/bringing.js';
import { ADDRESS, beginByUrl, heldFile, IMAGE, manifestIn, press, UUID } from '../support/bringing-by-url.js';
import { numbered } from '../support/fixtures.js';
import { BYTES, fileOf, liars, manifestOf } from '../support/lying-remote.js';
import { addImage, resultOf } from '../support/managed.js';
import type { Reply } from '../support/remote.js';
import { seriousOf, takeSeat, test } from '../support/seat.js';

test('a manifest is read while its address is typed: what is not typed over is as it says', async (t) => {
  const { file, open } = heldFile(t);
  const seat = await beginByUrl(t, { [IMAGE]: manifestOf(BYTES, { description: 'theirs' }), [`${IMAGE}/file`]: file });
  const { fleet, from, page, complaints } = seat;
  const url = `${from.url}/images/${UUID}`;
  await fillIn(page, { Alias: 'ours', [ADDRESS]: url });
  await manifestIn(seat).waitFor();
  const said = await manifestIn(seat).innerText();
  for (const words of ['remote', '1.0.0', 'zone-dataset', `${BYTES.length} B`, fileOf(BYTES).sha1, UUID]) {
    t.true(said.includes(words), words);
  }
  const filled = (label: string) => page.getByRole('textbox', { name: label, exact: true }).inputValue();
  t.deepEqual(
    [await filled('Name'), await filled('Alias'), await filled('Version'), await filled('Description')],
    ['remote', 'ours', '1.0.0', 'theirs'],
  );
  t.deepEqual(await seriousOf(page), []);
  await press(seat);

  await told(broughtIn(page), 'It is on its way.');
  await page.getByRole('progressbar', { name: /remote/ }).waitFor();
  const tasks = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await tasks.open('/tasks');
  const row = tasks.page.getByRole('row').filter({ hasText: 'remote' });
  await row.getByText('at work').waitFor();
  t.deepEqual(await seriousOf(page), []);
  open();
  await told(broughtIn(page), 'It is here.');
  await row.getByText('done').waitFor();
  await page.getByRole('link', { name: 'Look at remote' }).click();
  await page.getByRole('heading', { level: 1, name: /ours/ }).waitFor();
  t.like(resultOf(await fleet.eve('GET', '/api/image/remote')), {
    ...{ uuid: UUID, name: 'remote', alias: 'ours', version: '1.0.0', desc: 'theirs', dcs: ['east'], status: 1 },
  });

  await seat.open('/bring/url');
  await fillIn(page, { [ADDRESS]: url });
  await manifestIn(seat).getByText('It can not be imported').waitFor();
  t.regex(await manifestIn(seat).innerText(), /exists already: ours 1\.0\.0/);
  await press(seat);
  t.regex(await wrongWith(page, 'Name'), /remote/);
  await fillIn(page, { Name: 'again' });
  await press(seat);
  t.regex(await wrongWith(page, ADDRESS), /exists already/);
  await manifestIn(seat).getByRole('link', { name: 'Look at what is here' }).click();
  await page.getByRole('heading', { level: 1, name: /ours/ }).waitFor();
  t.deepEqual([...complaints, ...tasks.complaints], []);
});

test('what is wrong with an address is said at its field while it is typed, and what was typed stays', async (t) => {
  const seat = await beginByUrl(t, {
    'GET /page': liars['a page for people'] as Reply,
    'GET /bare': { v: 2, uuid: UUID, name: 'bare' },
    'GET /two': manifestOf(BYTES, { files: [fileOf(BYTES), fileOf('b')] }),
    'GET /good': manifestOf(BYTES),
    'GET /hidden': manifestOf(BYTES, { uuid: numbered(9) }),
  });
  const { fleet, from, page, received, complaints } = seat;
  await fleet.root('POST', '/api/image/hid', {
    manifest: { ...manifestOf(BYTES), uuid: numbered(9), name: 'hid' },
    dc: 'west',
  });
  await addImage(fleet, 'taken');
  const wrong: [url: string, words: RegExp][] = [
    ['ftp://x/y', /http/],
    ['http://127.0.0.1:9/x', /127\.0\.0\.1:9/],
    [`${from.url}/none`, /404|no \/none/],
    [`${from.url}/page`, /JSON/],
    [`${from.url}/bare`, /without version/],
    [`${from.url}/two`, /2 files/],
  ];
  await fillIn(page, { Alias: 'typed' });
  for (const [url, words] of wrong) {
    await fillIn(page, { [ADDRESS]: url });
    await told(page.locator('.field .error'), words);
    t.deepEqual(Object.keys(await wrongIn(page)), [ADDRESS], url);
  }
  await press(seat);
  await told(page.locator('.field .error'), /2 files/);
  t.is(await page.getByRole('textbox', { name: 'Alias', exact: true }).inputValue(), 'typed');

  await fillIn(page, { [ADDRESS]: `${from.url}/hidden` });
  await manifestIn(seat).getByText('is already registered; a SuperAdmin can attach its image').waitFor();
  t.is(await manifestIn(seat).getByRole('link').count(), 0);
  t.false(received.some((text) => text.includes('hid 1.0.0')));

  await fillIn(page, { [ADDRESS]: `${from.url}/good`, Name: 'taken' });
  t.regex(await wrongWith(page, 'Name'), /taken/);
  await page.getByText('Advanced').click();
  await fillIn(page, { Name: 'free', 'Address of the file': `${from.url}/nowhere` });
  await press(seat);
  t.regex(await wrongWith(page, 'Address of the file'), /the file can not be had/);
  t.is((await fleet.eve('GET', '/api/image/free')).status, 404);
  t.deepEqual(complaints, []);
});

test('a source that wants credentials is given a stored secret, of its own host only', async (t) => {
  const guarded =
    (body: string): Reply =>
    ({ headers }, response) => {
      const isKnown = headers.authorization === `Basic ${Buffer.from('me:sesame').toString('base64')}`;
      response.writeHead(isKnown ? 200 : 401).end(isKnown ? body : '{"code":"Unauthorized","message":"who are you"}');
    };
  const manifest = manifestOf(BYTES);
  const seat = await beginByUrl(t, { 'GET /m': guarded(JSON.stringify(manifest)), 'GET /m/file': guarded(BYTES) });
  const { fleet, from, page, received, complaints } = seat;
  const { host } = new URL(from.url);
  for (const [name, value, of] of [
    ['good', 'sesame', host],
    ['bad', 'guess', host],
    ['other', 'sesame', 'elsewhere.example'],
  ]) {
    const body = { host: of, type: 'basic', username: 'me', value, dc: 'east' };
    t.is((await fleet.eve('POST', `/api/secret/${name}`, body)).status, 201);
  }
  await page.reload();
  await fillIn(page, { [ADDRESS]: `${from.url}/m` });
  await told(page.locator('.field .error'), /401/);
  await page.getByText('Advanced').click();
  const choose = (name: string) => page.getByRole('combobox', { name: 'Credentials' }).selectOption(name);
  await choose('bad');
  await told(page.locator('.field .error'), /401/);
  await choose('other');
  await told(page.locator('.field .error'), /is for elsewhere\.example/);
  await choose('good');
  await manifestIn(seat).waitFor();
  t.is((await fleet.eve('DELETE', '/api/secret/good')).status, 200);
  await press(seat);
  await told(page.locator('.field .error'), /there is no secret "good"/);
  await fleet.eve('POST', '/api/secret/good', { host, type: 'basic', username: 'me', value: 'sesame', dc: 'east' });
  await press(seat);
  await told(broughtIn(page), 'It is here.');
  t.false(received.some((text) => text.includes('sesame')));
  t.deepEqual(complaints, []);
});

test('a bare file and what is typed of it become an image; what is unsafe in it is refused', async (t) => {
  const disk = qcow2();
  const seat = await beginByUrl(t, {
    'GET /disk': (_, response) => response.end(disk),
    'GET /child': (_, response) => response.end(qcow2({ backing: 512n })),
    'GET /page': liars['a page for people'] as Reply,
  });
  const { fleet, from, page, complaints } = seat;
  await page.getByRole('button', { name: 'A bare file' }).click();
  t.deepEqual(await seriousOf(page), []);
  const address = 'Address of the file';
  for (const [file, words] of [
    ['none', /none/],
    ['page', /page/],
    ['child', /backing file/],
  ] as const) {
    await fillIn(page, { [address]: `${from.url}/${file}`, Name: 'debian' });
    await press(seat);
    await told(page.locator('.field .error'), words);
    t.deepEqual(Object.keys(await wrongIn(page)), [address]);
  }
  await page.getByText('Advanced').click();
  await fillIn(page, { [address]: `${from.url}/disk`, Version: '12', 'SHA-256': 'abc' });
  t.regex(await wrongWith(page, 'SHA-256'), /sha256/);
  const sha256 = createHash('sha256').update(disk).digest('hex');
  await fillIn(page, { 'SHA-256': sha256 });
  await page.getByRole('combobox', { name: 'Format' }).selectOption('vmdk');
  await press(seat);
  t.regex(await wrongWith(page, 'Format'), /qcow2/);
  await page.getByRole('combobox', { name: 'Format' }).selectOption('found in its bytes');
  await press(seat);
  await told(broughtIn(page), 'It is here.');
  const image = resultOf<{ uuid: string }>(await fleet.eve('GET', '/api/image/debian'));
  t.like(image, { version: '12', os: 'linux', type: 'other', access: 3, dcs: ['east'], status: 1 });
  const { json } = await fleet.ask('GET', `/images/${image.uuid}`, { as: 'admin' });
  t.like(json, { tags: { format: 'qcow2' }, files: [{ size: disk.length }] });
  t.deepEqual(complaints, []);
});

function qcow2({ backing = 0n }: { backing?: bigint } = {}): Buffer {
  const file = Buffer.concat([Buffer.alloc(64 << 10), randomBytes(100_000)]);
  file.write('QFI\xfb', 'latin1');
  file.writeUInt32BE(3, 4);
  file.writeBigUInt64BE(backing, 8);
  file.writeBigUInt64BE(5n << 30n, 24);
  return file;
}
