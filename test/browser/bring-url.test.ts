import { secrets } from '../../server/model/secret.js';
import { broughtIn, fillIn, refusedAt, told, wrongIn, wrongWith } from '../support/bringing.js';
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
  t.regex(await refusedAt(page, ADDRESS), /2 files/);
  t.is(await page.getByRole('textbox', { name: 'Alias', exact: true }).inputValue(), 'typed');

  await fillIn(page, { [ADDRESS]: `${from.url}/hidden` });
  await manifestIn(seat).getByText('is already registered; a SuperAdmin can attach its image').waitFor();
  t.is(await manifestIn(seat).getByRole('link').count(), 0);
  t.false(received.some((text) => text.includes('hid 1.0.0')));

  await fillIn(page, { [ADDRESS]: `${from.url}/good`, Name: 'taken' });
  t.regex(await wrongWith(page, 'Name'), /taken/);
  t.deepEqual(complaints, []);
});

test('a file is fetched from an address of its own, and not from beside its manifest; where it can not be had is said there', async (t) => {
  const seat = await beginByUrl(t, {
    [IMAGE]: manifestOf(BYTES),
    [`${IMAGE}/file`]: liars['another file of the same size'] as Reply,
    'GET /mirror': (_, response) => response.end(BYTES),
  });
  const { fleet, from, page, complaints } = seat;
  const file = 'Address of the file';
  await page.getByText('Advanced').click();
  await fillIn(page, { [ADDRESS]: `${from.url}/images/${UUID}`, [file]: `${from.url}/nowhere` });
  await manifestIn(seat).waitFor();
  for (const [address, words] of [
    [`${from.url}/nowhere`, /the file can not be had: 127\.0\.0\.1:\d+ .*no \/nowhere/],
    ['http://127.0.0.1:9/x', /the file can not be had: .*127\.0\.0\.1:9/],
    ['ftp://127.0.0.1/x', /http/],
  ] as const) {
    await fillIn(page, { [file]: address });
    await press(seat);
    t.regex(await refusedAt(page, file), words);
    t.deepEqual(Object.keys(await wrongIn(page)), [file]);
  }
  t.is((await fleet.eve('GET', '/api/image/remote')).status, 404);
  await fillIn(page, { [file]: `${from.url}/mirror` });
  await press(seat);
  await told(broughtIn(page), 'It is here.');
  const { uuid } = resultOf<{ uuid: string }>(await fleet.eve('GET', '/api/image/remote'));
  t.is(uuid, UUID);
  t.is(String((await fleet.ask('GET', `/images/${uuid}/file`, { as: 'admin' })).bytes), BYTES);
  t.true(from.asked.includes('GET /mirror'));
  t.false(from.asked.some((asked) => asked.startsWith(`${IMAGE}/file`)));
  t.deepEqual(complaints, []);
});

const PASSWORD = 'sesame';
const proofs = { basic: `Basic ${Buffer.from(`me:${PASSWORD}`).toString('base64')}`, bearer: `Bearer ${PASSWORD}` };

/** Sent to those only who prove it so. */
const guarded =
  (proof: string, body: string): Reply =>
  ({ headers: { authorization } }, response) => {
    const message = authorization === undefined ? 'who are you' : 'that is another word';
    if (authorization === proof) response.end(body);
    else response.writeHead(401).end(JSON.stringify({ code: 'UnauthorizedError', message }));
  };

test('a source that wants a password or a token is given a stored one, of its own host only, which nobody reads', async (t) => {
  const token = numbered(2);
  const seat = await beginByUrl(t, {
    'GET /basic': guarded(proofs.basic, JSON.stringify(manifestOf(BYTES))),
    'GET /basic/file': guarded(proofs.basic, BYTES),
    'GET /bearer': guarded(proofs.bearer, JSON.stringify(manifestOf(BYTES, { uuid: token, name: 'by-token' }))),
    'GET /bearer/file': guarded(proofs.bearer, BYTES),
  });
  const { fleet, from, page, open, received, settled, complaints } = seat;
  const { host } = new URL(from.url);
  const keep = async (name: string, value: string, more: object = { type: 'basic', username: 'me' }) => {
    const body = { host, value, dc: 'east', ...more };
    t.is((await fleet.eve('POST', `/api/secret/${name}`, body)).status, 201);
  };
  await keep('good', PASSWORD);
  await keep('bad', 'guess');
  await keep('other', PASSWORD, { host: 'elsewhere.example', type: 'basic', username: 'me' });
  await keep('token', PASSWORD, { type: 'bearer' });
  for await (const record of fleet.deps.catalog.list(secrets)) t.false(JSON.stringify(record).includes(PASSWORD));

  await open('/bring/url');
  await fillIn(page, { [ADDRESS]: `${from.url}/basic` });
  await told(page.locator('.field .error'), /401.*who are you/);
  await page.getByText('Advanced').click();
  const choose = (name: string) => page.getByRole('combobox', { name: 'Credentials' }).selectOption(name);
  await choose('bad');
  await told(page.locator('.field .error'), /401.*that is another word/);
  await choose('other');
  await told(page.locator('.field .error'), /is for elsewhere\.example/);
  await choose('good');
  await manifestIn(seat).waitFor();
  t.is((await fleet.eve('DELETE', '/api/secret/good')).status, 200);
  const refused = page.waitForResponse(
    (answer) => answer.status() >= 400 && !('x-check-only' in answer.request().headers()),
  );
  await press(seat);
  t.is((await refused).status(), 400);
  await told(page.locator('.field .error'), /there is no secret "good"/);
  await keep('good', PASSWORD);
  await press(seat);
  await told(broughtIn(page), 'It is here.');

  await page.getByRole('button', { name: 'Bring in another' }).click();
  await fillIn(page, { [ADDRESS]: `${from.url}/bearer` });
  await told(page.locator('.field .error'), /401.*who are you/);
  await page.getByText('Advanced').click();
  await choose('token');
  await manifestIn(seat).waitFor();
  await press(seat);
  await told(broughtIn(page), 'It is here.');
  for (const name of ['remote', 'by-token']) {
    t.like(resultOf(await fleet.eve('GET', `/api/image/${name}`)), { status: 1, bytes: BYTES.length });
  }
  await settled();
  t.false(received.some((text) => text.includes(PASSWORD)));
  t.deepEqual(complaints, []);
});
