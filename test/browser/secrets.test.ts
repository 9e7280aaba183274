import { confirmed, fillIn, opened, refusedWith, toasted } from '../support/forms.js';
import { resultOf, said, startFleet } from '../support/managed.js';
import { type Reply, remote } from '../support/remote.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

const PASSWORD = 'what-nobody-reads-again';

test('a secret is kept, replaced and deleted; while something uses it, it stays, and nobody is told what it is', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const { page, open, received, complaints } = await takeSeat(t, server, { token: server.token });
  await open('/secrets');

  const adding = await opened(page, 'Add a secret …', 'A new secret');
  await fillIn(adding, { Name: 'far', Host: 'far.example.com', 'User name': 'ann' });
  await refusedWith(adding, 'Add', /value is missing/);
  await fillIn(adding, { Host: 'not a host', 'The password or the token': PASSWORD });
  await refusedWith(adding, 'Add', /host is not a host such as/);
  await fillIn(adding, { Host: 'far.example.com' });
  t.deepEqual(await seriousOf(page), []);
  await confirmed(adding, 'Add');
  await page.getByRole('gridcell', { name: 'far', exact: true }).waitFor();
  const shown = async () => resultOf(await server.root('GET', '/api/secret/far'));
  t.like(await shown(), { host: 'far.example.com', type: 'basic', username: 'ann' });

  const changing = await opened(page, 'Change far …', 'Change far');
  t.is(await changing.getByLabel('The password or the token').inputValue(), '');
  await fillIn(changing, { Host: 'elsewhere.example.com' });
  await refusedWith(changing, 'Save', /has to be given again for another host/);
  await fillIn(changing, { Host: 'far.example.com', 'User name': 'bob', 'The password or the token': `${PASSWORD}-2` });
  await confirmed(changing, 'Save');
  await toasted(page, 'far is changed');
  t.like(await shown(), { host: 'far.example.com', username: 'bob' });

  await server.root('POST', '/api/repository/distant', {
    url: 'https://far.example.com',
    enabled: false,
    secret: 'far',
  });
  const deleting = await opened(page, 'Delete far …', 'Delete the secret far?');
  await refusedWith(deleting, 'Delete', /is used by repository distant/);
  t.is((await server.root('GET', '/api/secret/far')).status, 200);
  t.is((await server.root('PUT', '/api/repository/distant', { secret: null })).status, 200);
  await confirmed(deleting, 'Delete');
  await toasted(page, 'far is deleted');
  t.is(said(await server.root('GET', '/api/secret/far')), '404 ResourceNotFound');
  t.false(received.some((text) => text.includes(PASSWORD)));
  t.deepEqual(complaints, []);
});

test('a secret proves the server to a repository; what is wrong with it is said, and it is told to no other host', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const right = `Basic ${Buffer.from(`ann:${PASSWORD}`).toString('base64')}`;
  const reply: Reply = ({ headers }, response) => {
    const isKnown = headers.authorization === right;
    response.writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' });
    response.end(isKnown ? '[]' : '{"code":"Unauthorized","message":"who are you?"}');
  };
  const far = await remote(t, { 'GET /images': reply });
  await server.root('POST', '/api/secret/far', { host: far.url, type: 'basic', username: 'ann', value: 'wrong' });
  await server.root('POST', '/api/secret/other', { host: 'example.com', type: 'basic', username: 'ann', value: 'x' });
  const { page, open, received, complaints } = await takeSeat(t, server, { token: server.token });
  await open('/repositories');
  const adding = await opened(page, 'Add a repository …', 'A new repository');
  await fillIn(adding, { Name: 'far', URL: far.url, 'Secret that proves who asks': 'other' });
  await refusedWith(adding, 'Add', /"other" is for example.com, and is not told to/);
  await fillIn(adding, { 'Secret that proves who asks': 'far' });
  await confirmed(adding, 'Add');
  await page.getByRole('button', { name: 'refresh far' }).click();
  await toasted(page, /^far: .*401/);
  t.regex(String(resultOf(await server.root('GET', '/api/repository/far')).error), /401/);

  await open('/secrets');
  const changing = await opened(page, 'Change far …', 'Change far');
  await fillIn(changing, { 'The password or the token': PASSWORD });
  await confirmed(changing, 'Save');
  await open('/repositories');
  await page.getByRole('button', { name: 'refresh far' }).click();
  await toasted(page, 'far: refreshed');
  t.is(resultOf(await server.root('GET', '/api/repository/far')).error, null);
  t.false(received.some((text) => text.includes(PASSWORD)));
  t.deepEqual(complaints, []);
});

test('import administrators keep the secrets of their data centers, and know of no others', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const secret = { host: 'example.com', type: 'bearer', value: PASSWORD };
  for (const [name, dc] of [['hidden-one'], ['hidden-two', 'west'], ['ours', 'east']]) {
    await server.root('POST', `/api/secret/${name}`, { ...secret, ...(dc && { dc }) });
  }
  const eve = await takeSeat(t, server, { token: 'token-of-eve' });
  await eve.open('/secrets');
  await eve.page.getByText('1 row', { exact: true }).waitFor();
  const adding = await opened(eve.page, 'Add a secret …', 'A new secret');
  await fillIn(adding, { Name: 'mine', 'What it is': 'a token', Host: 'example.com' });
  await fillIn(adding, { 'The password or the token': PASSWORD });
  // Which there are is asked for when it opens.
  await adding.getByLabel('Data center').locator('option:checked', { hasText: 'east' }).waitFor({ state: 'attached' });
  t.is(await adding.getByLabel('Data center').inputValue(), 'east');
  await confirmed(adding, 'Add');
  await eve.page.getByText('2 rows', { exact: true }).waitFor();
  t.like(resultOf(await server.root('GET', '/api/secret/mine?dc=east')), { dc: 'east', type: 'bearer' });
  t.false(eve.received.some((text) => text.includes('hidden-') || text.includes(PASSWORD)));

  const dora = await takeSeat(t, server, { token: 'token-of-dora' });
  await dora.open('/secrets');
  await dora.page.getByRole('heading', { name: /not for you|no such page/i }).waitFor();
  t.false(dora.received.some((text) => text.includes('ours')));
  t.deepEqual([...eve.complaints, ...dora.complaints], []);
});
