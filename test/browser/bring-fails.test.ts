import { join } from 'node:path';
import { broughtIn, fillIn, told, wrongWith } from '../support/bringing.js';
import { ADDRESS, beginByUrl, heldFile, IMAGE, manifestIn, press, UUID } from '../support/bringing-by-url.js';
import { startDaemon } from '../support/daemon.js';
import { startProxy } from '../support/failing-proxy.js';
import { numbered } from '../support/fixtures.js';
import { leftBy, NOTHING } from '../support/imports.js';
import { BYTES, liars, manifestOf } from '../support/lying-remote.js';
import { addImage, resultOf, startFleet } from '../support/managed.js';
import { type Reply, remote } from '../support/remote.js';
import { rememberRepository } from '../support/repositories.js';
import { scratch } from '../support/scratch.js';
import { consoleFiles, takeSeat, test } from '../support/seat.js';

const sends: Reply = (_, response) => response.end(BYTES);

test('an import that fails or is cancelled says so, and leaves nothing', async (t) => {
  const { file, open } = heldFile(t);
  const [liar, longer] = [numbered(2), numbered(3)];
  const seat = await beginByUrl(t, {
    [`GET /images/${liar}`]: manifestOf(BYTES, { uuid: liar, name: 'liar' }),
    [`GET /images/${liar}/file`]: liars['another file of the same size'] as Reply,
    [`GET /images/${longer}`]: manifestOf(BYTES, { uuid: longer, name: 'longer' }),
    [`GET /images/${longer}/file`]: liars['too much, and says so'] as Reply,
    [IMAGE]: manifestOf(BYTES),
    [`${IMAGE}/file`]: file,
  });
  const { fleet, from, page, complaints } = seat;
  await fillIn(page, { [ADDRESS]: `${from.url}/images/${liar}`, Name: 'lies' });
  await press(seat);
  await told(broughtIn(page), /It has failed: nothing of it was kept\. .*sha1/);
  t.deepEqual(await leftBy(fleet), NOTHING);
  t.is((await fleet.eve('GET', '/api/image/lies')).status, 404);

  await page.getByRole('button', { name: 'Back to the form' }).click();
  await fillIn(page, { [ADDRESS]: `${from.url}/images/${longer}`, Name: 'more' });
  await press(seat);
  const more = `has ${BYTES.length + 1} bytes for the file of image ${longer}, and says ${BYTES.length}`;
  t.true((await wrongWith(page, ADDRESS)).includes(more));
  t.deepEqual(await leftBy(fleet), NOTHING);
  t.is((await fleet.eve('GET', '/api/image/more')).status, 404);

  await fillIn(page, { [ADDRESS]: `${from.url}/images/${UUID}`, Name: 'first' });
  await press(seat);
  await told(broughtIn(page), 'It is on its way.');
  const other = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await other.open('/bring/url');
  await fillIn(other.page, { [ADDRESS]: `${from.url}/images/${UUID}`, Name: 'second' });
  await press(other);
  t.regex(await wrongWith(other.page, ADDRESS), /exists already/);
  await other.open('/tasks');
  await other.page.getByRole('button', { name: /cancel import/i }).click();
  await other.page.getByRole('button', { name: 'Cancel it' }).click();
  await told(broughtIn(page), 'It was cancelled: nothing of it was kept.');
  open();
  // what runs takes a moment to see it
  await fleet.deps.tasks.close();
  t.deepEqual(await leftBy(fleet), NOTHING);
  t.deepEqual([...complaints, ...other.complaints], []);
});

test('what there is no room for is refused before a byte of it has come', async (t) => {
  const seat = await beginByUrl(
    t,
    { [IMAGE]: manifestOf(BYTES), [`${IMAGE}/file`]: sends },
    { space: async () => ({ free: 10, size: 100 }) },
  );
  const { fleet, from, page, complaints } = seat;
  await fillIn(page, { [ADDRESS]: `${from.url}/images/${UUID}` });
  await press(seat);
  await page.getByRole('alert').getByText(`${BYTES.length} bytes are needed on the disk, 10 are available`).waitFor();
  t.deepEqual(await leftBy(fleet), NOTHING);
  t.deepEqual(resultOf(await fleet.root('GET', '/api/task')), []);
  t.deepEqual(complaints, []);
});

const MANY = /data center east may have 1 image, and has 1/;

test('at the limit of a data center no way brings an image in, and none leaves anything; shared ones are not counted', async (t) => {
  const replies = { [IMAGE]: manifestOf(BYTES), [`${IMAGE}/file`]: sends };
  const seat = await beginByUrl(t, replies);
  const { fleet, from, page, open, complaints } = seat;
  const limit = (images: number | null) => fleet.root('PUT', '/api/dc/east/settings', { VMS_IMAGE_LIMIT: images });
  await addImage(fleet, 'common', { dc_bound: false });
  await addImage(fleet, 'one');
  await rememberRepository(fleet, { name: 'theirs', url: from.url }, [manifestOf(BYTES)]);
  t.is((await limit(1)).status, 200);
  const before = await leftBy(fleet);
  const said = () => page.getByRole('alert').getByText(MANY);

  await fillIn(page, { [ADDRESS]: `${from.url}/images/${UUID}` });
  await manifestIn(seat).waitFor();
  await press(seat);
  await said().waitFor();
  await open('/bring/repository?repo=theirs');
  await page.getByRole('button', { name: 'Import remote 1.0.0' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Import', exact: true }).click();
  await said().waitFor();
  await open('/bring/upload');
  const file = { name: 'sent.raw', mimeType: '', buffer: Buffer.from('the bytes') };
  await page.locator('fieldset.drop input[type=file]').setInputFiles(file);
  await page.getByRole('button', { name: 'Upload', exact: true }).click();
  await said().waitFor();
  t.deepEqual(await leftBy(fleet), before);
  t.deepEqual(resultOf(await fleet.root('GET', '/api/task')), []);

  t.is((await limit(2)).status, 200);
  await page.getByRole('button', { name: 'Upload', exact: true }).click();
  await page.getByRole('link', { name: 'Look at sent' }).waitFor();
  t.is((await limit(null)).status, 200);
  await open('/bring/url');
  await fillIn(page, { [ADDRESS]: `${from.url}/images/${UUID}` });
  await manifestIn(seat).waitFor();
  await press(seat);
  await told(broughtIn(page), 'It is here.');
  for (const name of ['sent', 'remote']) {
    t.like(resultOf(await fleet.eve('GET', `/api/image/${name}`)), { dcs: ['east'], status: 1 });
  }
  t.deepEqual(complaints, []);
});

test('a daemon that is killed goes on with its imports, and the pages that were open show it, and cancel one', async (t) => {
  const { file, open: letThrough } = heldFile(t);
  const other = numbered(2);
  const from = await remote(t, {
    [IMAGE]: manifestOf(BYTES, { name: 'first' }),
    [`${IMAGE}/file`]: file,
    [`GET /images/${other}`]: manifestOf(BYTES, { uuid: other, name: 'other' }),
    [`GET /images/${other}/file`]: heldFile(t).file,
  });
  const data = join(await scratch(t), 'data');
  let daemon = await startDaemon(t, { data, config: { mode: 'dc' } });
  const way = await startProxy(t, () => daemon.port);
  const url = `http://127.0.0.1:${way.port}`;
  const begun = async (uuid: string) => {
    const seat = await takeSeat(t, { url }, { token: daemon.token });
    await seat.open('/bring/url');
    await fillIn(seat.page, { [ADDRESS]: `${from.url}/images/${uuid}` });
    await manifestIn(seat).waitFor();
    await press(seat);
    await told(broughtIn(seat.page), 'It is on its way.');
    return seat;
  };
  const seats = [await begun(UUID), await begun(other)];
  const list = await takeSeat(t, { url }, { token: daemon.token });
  await list.open('/tasks');
  const row = (name: string) => list.page.getByRole('row').filter({ hasText: name });
  await row('first').getByText('at work').waitFor();
  const everywhere = (words: string | RegExp) =>
    Promise.all([...seats, list].map(({ page }) => page.getByText(words, { exact: true }).waitFor()));
  await everywhere('live');

  // Its port may be given to somebody else meanwhile.
  way.refuse();
  await daemon.kill('SIGKILL');
  daemon.close();
  await everywhere('the server is out of reach: what is shown may be old');
  daemon = await startDaemon(t, { data, config: { mode: 'dc' } });
  way.allow();
  await everywhere('live');
  await list.page.getByRole('button', { name: /cancel import.*other/i }).click();
  await list.page.getByRole('button', { name: 'Cancel it' }).click();
  await told(broughtIn(seats[1]!.page), 'It was cancelled: nothing of it was kept.');
  await row('other').getByText('cancelled').waitFor();
  letThrough();
  await told(broughtIn(seats[0]!.page), 'It is here.');
  await row('first').getByText('done').waitFor();
  const { json } = await daemon.ask('GET', '/api/image/first', { as: 'admin' });
  t.like(json.result, { uuid: UUID, status: 1, bytes: BYTES.length });
  t.is((await daemon.ask('GET', '/api/image/other', { as: 'admin' })).status, 404);
  t.deepEqual(
    [...seats, list].flatMap(({ complaints }) => complaints),
    [],
  );
});

test('to whoever may not import it is not offered', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-will' });
  await open('/bring');
  await page.getByRole('heading', { level: 1, name: 'Bring in an image' }).waitFor();
  const ways = page.getByRole('navigation', { name: 'ways to bring an image in' }).getByRole('link');
  t.deepEqual(await ways.allInnerTexts(), ['By upload', 'From a snapshot']);
  t.deepEqual(complaints, []);
});
