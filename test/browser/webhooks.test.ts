import { confirmed, fillIn, opened, refusedWith, toasted } from '../support/forms.js';
import { addImage, resultOf, said, startFleet } from '../support/managed.js';
import { isSigned, receiver } from '../support/receiver.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

test('a webhook is made, pinged, told what happens, switched off and deleted; its key is shown once', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const there = await receiver(t, [500]);
  const { page, open, received, settled, complaints } = await takeSeat(t, server, { token: 'token-of-eve' });
  await open('/webhooks');
  await page.getByText('Nobody is told what happens.').waitFor();

  const making = await opened(page, 'Make a webhook …', 'A new webhook');
  await fillIn(making, { Name: 'ops', URL: 'nowhere' });
  await refusedWith(making, 'Make it', /url/i);
  await fillIn(making, { URL: there.url, 'What it is told of': 'images.exploded' });
  await refusedWith(making, 'Make it', /is not an event such as images.created/);
  const events = making.getByLabel('What it is told of');
  t.is(await events.getAttribute('aria-invalid'), 'true', 'what is wrong with one of them is said at the field');
  await fillIn(making, { 'What it is told of': 'images.*,', Where: 'in east only' });
  t.is(await events.inputValue(), 'images.*,', 'it stays as it was typed');
  await making.getByRole('button', { name: 'Make it' }).click();
  const once = page.getByRole('dialog', { name: 'The key of the webhook' });
  const key = (await once.locator('code').textContent()) ?? '';
  t.true(key.length > 20);
  t.deepEqual(await seriousOf(page), []);
  await once.getByRole('button', { name: 'I have it' }).click();
  await page.getByRole('link', { name: 'ops', exact: true }).click();
  await page.getByText('Nothing yet.').waitFor();
  await settled();
  t.is(received.filter((text) => text.includes(key)).length, 1, 'the key came once');

  await page.getByRole('button', { name: 'Ping it' }).click();
  await toasted(page, /^ops: .*500/);
  const deliveries = page.getByRole('list', { name: 'deliveries' });
  await deliveries.getByText('not taken').waitFor();
  await page.getByRole('button', { name: 'Ping it' }).click();
  await toasted(page, 'ops has answered 204');
  const [refused, ping] = await there.count(2);
  t.true(isSigned(ping!, key));
  t.true(isSigned(refused!, key));

  await addImage(server, 'base');
  const told = (await there.count(3)).slice(2);
  t.true(told.every((one) => isSigned(one, key)));
  t.true(told.some(({ body }) => body.includes('base')));
  await deliveries.getByText('answered 204').nth(1).waitFor();

  await fillIn(page, { 'Switched on': false });
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText(/^off/).waitFor();
  t.like(resultOf(await server.eve('GET', '/api/webhook/ops')), { active: false, dc: 'east', events: ['images.*'] });

  const renewing = await opened(page, 'Make a new key …', 'Make a new key for ops?');
  await renewing.getByRole('button', { name: 'Make it' }).click();
  const renewed = page.getByRole('dialog', { name: 'The new key of ops' });
  t.not(await renewed.locator('code').textContent(), key);
  await renewed.getByRole('button', { name: 'I have it' }).click();

  const dora = await takeSeat(t, server, { token: 'token-of-dora' });
  await dora.open('/webhooks');
  await dora.page.getByText('Nobody is told what happens.').waitFor();
  await dora.open('/webhooks/ops?user=eve');
  await dora.page.getByRole('alert').waitFor();
  t.false(dora.received.some((text) => text.includes(there.url)));

  await confirmed(await opened(page, 'Delete …', 'Delete the webhook ops?'), 'Delete');
  await page.getByText('Nobody is told what happens.').waitFor();
  t.is(said(await server.eve('GET', '/api/webhook/ops')), '404 ResourceNotFound');
  t.deepEqual([...complaints, ...dora.complaints], []);
});
