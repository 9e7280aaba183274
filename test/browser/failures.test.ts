import { groups } from '../../server/model/group.js';
import { images } from '../../server/model/image.js';
import { wrappedCatalog } from '../../storage/wrapped-catalog.js';
import { ownCatalog } from '../support/engines.js';
import { startProxy } from '../support/failing-proxy.js';
import { addImage, manifest, startFleet } from '../support/managed.js';
import { navigation } from '../support/navigation.js';
import { consoleFiles, takeSeat, test } from '../support/seat.js';

test('while the server is gone the page says so, keeps what was typed, and goes on when it is back', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const way = await startProxy(t, () => server.port);
  const { page, open, complaints } = await takeSeat(
    t,
    { url: `http://127.0.0.1:${way.port}` },
    { token: server.token },
  );
  await open('/groups');
  await page.getByText('live', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Make a group …' }).click();
  const form = page.getByRole('dialog', { name: 'A new group' });
  await form.getByLabel('Name').fill('makers');
  way.refuse();
  way.cut();
  await form.getByRole('button', { name: 'Make it' }).click();
  await form.getByText('the server does not answer').waitFor();
  await form.getByText('What you typed is kept: send it again when the server is back.').waitFor();
  t.is(await form.getByLabel('Name').inputValue(), 'makers');
  t.is(await server.deps.catalog.get(groups, 'makers'), undefined);
  await page.keyboard.press('Escape');

  await page.getByRole('navigation').getByRole('button', { name: 'Server' }).click();
  await page.getByRole('navigation').getByRole('link', { name: 'Audit' }).click();
  await page.getByText('this page could not be fetched').waitFor();
  way.allow();
  await page.getByRole('heading', { name: 'Audit', level: 1 }).waitFor();
  await page.getByText('live', { exact: true }).waitFor();

  await page.goBack();
  await page.getByRole('button', { name: 'Make a group …' }).click();
  t.is(await form.getByLabel('Name').inputValue(), 'makers');
  await form.getByRole('button', { name: 'Make it' }).click();
  await page.getByRole('heading', { name: /makers/, level: 1 }).waitFor();
  t.truthy(await server.deps.catalog.get(groups, 'makers'));
  t.deepEqual(complaints, []);
});

test('a server that takes long is waited for, and one can go elsewhere meanwhile', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const way = await startProxy(t, () => server.port);
  const { page, open } = await takeSeat(t, { url: `http://127.0.0.1:${way.port}` }, { token: server.token });
  await open('/groups');
  await page.getByText(/^\d+ rows$/).waitFor();
  way.hold('down');
  const asked = page.waitForRequest((request) => request.url().includes('search=nothing'));
  await page.getByRole('searchbox', { name: 'Search groups' }).fill('nothing');
  await asked;
  await page.getByText('loading …').first().waitFor();
  await page.getByRole('searchbox', { name: 'Search groups' }).fill('east');
  way.release();
  await page.getByText(/^[1-9]\d* rows?$/).waitFor();
  t.is(new URL(page.url()).searchParams.get('search'), 'east', 'of the two answers the one that was meant');
});

test('what fails inside the server is told as that, and is there when it works again', async (t) => {
  let isBroken = false;
  const stored = await ownCatalog();
  const broken = (name: string) => {
    if (isBroken && name === images.name) throw new Error('what only the log may tell');
  };
  const catalog = wrappedCatalog(stored, {
    get: async (kind, id) => {
      broken(kind.name);
      return stored.get(kind, id);
    },
  });
  const server = await startFleet(t, { console: consoleFiles, catalog });
  await addImage(server, 'fine');
  const { page, open, received, complaints } = await takeSeat(t, server, { token: server.token });
  isBroken = true;
  await open('/image/fine');
  await page.getByRole('alert').getByText('The log of the server tells why.').first().waitFor();
  isBroken = false;
  await page.getByRole('heading', { level: 1, name: /base/ }).waitFor();
  await page.getByRole('alert').first().waitFor({ state: 'detached' });
  t.false(received.some((text) => text.includes('what only the log')));
  t.deepEqual(complaints, []);
});

test('what may not be seen any more is gone from the page, and the page itself, without a reload', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  await addImage(server, 'of-east');
  const { page, open, complaints } = await takeSeat(t, server, { token: 'token-of-eve' });
  await open('/');
  await page.getByText('of-east').first().waitFor();
  await page.getByText('live', { exact: true }).waitFor();
  t.true((await navigation(page)).includes('Bring in'));
  await server.deps.catalog.write(async (tx) => {
    for (const { name } of server.deps.directory.groups.values()) {
      const group = await tx.get(groups, name);
      await tx.replace(groups, { ...group!, members: [] });
    }
  });
  await page.getByRole('heading', { name: 'You are in no data center yet' }).waitFor();
  t.is(await page.getByText('of-east').count(), 0);
  t.deepEqual(await navigation(page), ['Images to use', 'My account', 'Tasks', 'Tokens', 'Webhooks']);
  t.deepEqual(complaints, []);
});

test('an image that is deleted under the cursor is said to be gone', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const uuid = await addImage(server, 'brief');
  const { page, open, complaints } = await takeSeat(t, server, { token: 'token-of-eve' });
  await open(`/image/${uuid}`);
  await page.getByRole('heading', { level: 1, name: /base/ }).waitFor();
  await page.getByText('live', { exact: true }).waitFor();
  t.is((await server.root('DELETE', `/api/image/${uuid}`)).status, 200);
  // What is said in the corner goes by itself, and the page may take longer to find out.
  await Promise.all([
    page.getByRole('log', { name: 'what has happened' }).getByText('admin has deleted image brief').waitFor(),
    page.getByRole('heading', { name: 'This image is gone' }).waitFor(),
  ]);
  t.deepEqual(complaints, []);
});

const script = '<script>document.title="broken"</script><img src=x onerror=alert(1)>';
const names = ['W'.repeat(512), 'right-to-left'];

test('whatever is said of images is text, and the page keeps its width', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const described = {
    description: `${script} מערכת הפעלה نظام \u202egnitirw ${'W'.repeat(300)}`,
    tags: { note: script },
  };
  for (const [at, name] of names.entries()) {
    await server.image({ ...manifest, ...described, name, version: `1.${at}` });
  }
  for (const viewport of [
    { width: 1280, height: 800 },
    { width: 390, height: 844 },
  ]) {
    const { page, open, complaints } = await takeSeat(t, server, { token: server.token, viewport });
    page.on('dialog', (dialog) => complaints.push(dialog.message()));
    for (const name of names) {
      await open('/');
      const link = page.getByRole('row').filter({ hasText: name }).getByRole('link').first();
      const to = (await link.getAttribute('href')) ?? '';
      t.is(await wideness(page), 0, `the list with ${name} at ${viewport.width}`);
      await open(to.replace('/console', ''));
      await page.getByRole('heading', { level: 1 }).filter({ hasText: name }).waitFor();
      await page.getByText(script).first().waitFor();
      t.is(await wideness(page), 0, `the page of ${name} at ${viewport.width}`);
    }
    t.notRegex(await page.title(), /broken/);
    t.deepEqual(complaints, []);
  }
});

/** So many pixels are wider than the window. */
const wideness = (page: { evaluate: (script: string) => Promise<unknown> }) =>
  page.evaluate('Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)');

test('a browser whose clock is off by a day tells times as they are', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  await addImage(server, 'fresh');
  const DAY = 86_400_000;
  for (const off of [DAY, -DAY]) {
    const { page, open } = await takeSeat(t, server, { token: server.token });
    await page.clock.install({ time: Date.now() + off });
    await open('/audit');
    await page.getByRole('row').locator('time').first().waitFor();
    const told = await page.getByRole('row').locator('time').allTextContents();
    t.true(told.length > 3);
    for (const text of told) t.regex(text, /second|minute|now/, text);
    t.is(await page.getByRole('alert').count(), 0, 'no session ends for that');
  }
});

test('an answer that is cut in its middle is asked for again', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  // More than comes in one piece.
  await server.deps.catalog.write(async (tx) => {
    const rest = { permissions: [], members: [], datacenters: [], created: new Date().toISOString() };
    for (let n = 10; n < 90; n += 1) await tx.insert(groups, { name: `x${n}`, alias: 'long '.repeat(400), ...rest });
    await tx.insert(groups, { name: 'zz', alias: 'halfway', ...rest });
  });
  const way = await startProxy(t, () => server.port);
  const { page, open } = await takeSeat(t, { url: `http://127.0.0.1:${way.port}` }, { token: server.token });
  const cut = way.onceSent('halfway', 'cut', { way: 'down', first: 'act' });
  await open('/groups');
  await cut;
  await page.getByText(/^\d+ rows$/).waitFor();
  t.is(await page.getByRole('alert').count(), 0);
});
