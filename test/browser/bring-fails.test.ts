import { broughtIn, fillIn, told, wrongWith } from '../support/bringing.js';
import { ADDRESS, beginByUrl, heldFile, IMAGE, press, UUID } from '../support/bringing-by-url.js';
import { numbered } from '../support/fixtures.js';
import { leftBy, NOTHING } from '../support/imports.js';
import { BYTES, liars, manifestOf } from '../support/lying-remote.js';
import { resultOf, startFleet } from '../support/managed.js';
import type { Reply } from '../support/remote.js';
import { consoleFiles, takeSeat, test } from '../support/seat.js';

const sends: Reply = (_, response) => response.end(BYTES);

test('an import that fails or is cancelled says so, and leaves nothing', async (t) => {
  const { file, open } = heldFile(t);
  const liar = numbered(2);
  const seat = await beginByUrl(t, {
    [`GET /images/${liar}`]: manifestOf(BYTES, { uuid: liar, name: 'liar' }),
    [`GET /images/${liar}/file`]: liars['another file of the same size'] as Reply,
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
  await fillIn(page, { [ADDRESS]: `${from.url}/images/${UUID}` });
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

test('to whoever may not import it is not offered', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-will' });
  await open('/bring');
  await page.getByRole('heading', { level: 1, name: 'Bring in an image' }).waitFor();
  const ways = page.getByRole('navigation', { name: 'ways to bring an image in' }).getByRole('link');
  t.deepEqual(await ways.allInnerTexts(), ['By upload', 'From a snapshot']);
  t.deepEqual(complaints, []);
});
