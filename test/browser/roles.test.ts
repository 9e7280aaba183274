import type { Locator, Page } from 'playwright-core';
import { grant } from '../support/datacenters.js';
import { addUser } from '../support/fixtures.js';
import { confirmed, fillIn, opened } from '../support/forms.js';
import { addImage, type Fleet, resultOf, startFleet } from '../support/managed.js';
import { navigation } from '../support/navigation.js';
import { consoleFiles, takeSeat, test } from '../support/seat.js';

interface Role {
  /** Whose token. */
  who: string;
  /** What the navigation leads to. */
  pages: string;
  /** Of the image that is bound to east: what is offered of it, some of it greyed. */
  actions: string;
  /** Calls that are refused, made all the same, and what is answered. */
  calls: string;
}

const everybody = 'Images to use, My account, Tasks, Tokens, Webhooks';
const admin = `Audit, Data centers, Groups, Images, ${everybody}, Machines, Overview`;

/** Those of ImageAdmins; to operators come these of the third line. */
const actions = 'Change, Deprecate, Label, Make private, Mark as golden, Retire, Share with groups and users, Delete';
const forSuperAdmins =
  'Attach to a data center, Attach to all data centers, Bring onto nodes, Detach from a data center, Share among data centers, Share with one data center only';

/** Rows 34 to 37 of the list of features, as a browser sees them. */
const roles: Record<string, Role> = {
  'a SuperAdmin': {
    who: 'admin',
    pages: `${admin}, Bring in, Campaigns, Follows, Nodes, Repositories, Secrets, The whole server, Users`,
    actions: `${actions}, ${forSuperAdmins}`,
    calls: '',
  },
  'who administrates the images of a data center, and imports': {
    who: 'eve',
    pages: `${admin}, Bring in, Secrets`,
    actions,
    calls: `
      GET    /user                     403
      PUT    /repository/far           403
      PUT    /dc/east/settings         403
      POST   /dc/east/image/base       403
      POST   /group/mine               403
      GET    /node                     403
      GET    /audit/head               403`,
  },
  'who administrates images, and imports none': {
    who: 'ida',
    pages: `${admin}, Bring in`,
    actions,
    calls: `
      POST   /image/other              403  {"manifest_url":"http://127.0.0.1:9/x","dc":"east"}
      GET    /imagestore               403
      GET    /secret                   403
      GET    /user                     403
      POST   /dc/east/image/base       403`,
  },
  'who administrates a data center, and looks only': {
    who: 'dora',
    pages: admin,
    actions: '',
    calls: `
      PUT    /image/base               403
      DELETE /image/base               403
      POST   /image/new                403
      PUT    /image/base/deprecate     403
      GET    /image                    403
      GET    /imagestore               403
      GET    /secret                   403
      GET    /user                     403
      PUT    /dc/east                  403
      PUT    /dc/east/settings         403
      POST   /dc/east/group/crew       403
      DELETE /dc/east/image/base       403
      GET    /dc/west/image            404`,
  },
  'who has the permission for images without being an administrator': {
    who: 'ivan',
    pages: everybody,
    actions: '',
    calls: `
      PUT    /image/base               403
      DELETE /image/base               403
      POST   /image/new                403
      GET    /dc/east/image            403
      GET    /imagestore               403
      GET    /audit                    403`,
  },
  'who may import, and administrates no images': {
    who: 'ian',
    pages: `${admin}, Bring in, Secrets`,
    actions: '',
    calls: `
      PUT    /image/base               403
      POST   /image/new                403
      DELETE /image/base               403
      GET    /user                     403`,
  },
  'a member': {
    who: 'mia',
    pages: everybody,
    actions: '',
    calls: `
      PUT    /image/base               403
      DELETE /image/base               403
      GET    /audit                    403
      GET    /dc/east/image            403
      GET    /group                    403
      GET    /secret                   403
      GET    /imagestore               403
      GET    /user                     403
      GET    /overview                 403`,
  },
  nobody: {
    who: 'sam',
    pages: everybody,
    actions: '',
    calls: `
      PUT    /image/base               403
      GET    /dc/east/image            403
      GET    /image                    403
      GET    /audit                    403
      GET    /user                     403`,
  },
};

async function filled(fleet: Fleet): Promise<void> {
  for (const [name, ...permissions] of [
    ['ida', 'admin', 'image_admin'],
    ['ivan', 'image_admin', 'image_import_admin'],
    ['ian', 'admin', 'image_import_admin'],
  ] as const) {
    await grant(fleet, await addUser(fleet, name), 'east', ...permissions);
  }
  await addImage(fleet, 'base', { access: 1 });
}

const sorted = (text: string) => text.split(', ').filter(Boolean).sort();

async function offered(menu: Locator, page: Page): Promise<string[]> {
  if ((await menu.count()) === 0) return [];
  await menu.first().click();
  const lines = await page.locator('.menu-line').evaluateAll((all) => all.map((line) => line.firstChild?.textContent));
  await page.keyboard.press('Escape');
  return lines.map((line) => String(line).replace(/ …$/, '')).sort();
}

/** As the page itself asks: with the cookie of the session. */
const called = (page: Page, call: { method: string; path: string; body: string }) =>
  page.evaluate(async ({ method, path, body }) => {
    const isWrite = method !== 'GET' && method !== 'DELETE';
    const sent = isWrite ? { headers: { 'Content-Type': 'application/json' }, body } : {};
    return (await fetch(`/api${path}`, { method, ...sent })).status;
  }, call);

for (const [title, { who, pages, actions, calls }] of Object.entries(roles)) {
  test(`${title}: pages, buttons and refusals`, async (t) => {
    const server = await startFleet(t, { console: consoleFiles });
    await filled(server);
    const token = who === 'admin' ? server.token : `token-of-${who}`;
    const { page, open, complaints } = await takeSeat(t, server, { token });
    const tag = (await server.root('GET', '/api/image/base')).headers.etag;
    const isAdmin = pages.includes('Audit');
    await open(isAdmin ? '/' : '/offered');
    t.deepEqual(await navigation(page), sorted(pages));

    if (isAdmin) {
      await page.getByRole('link', { name: 'base', exact: true }).waitFor();
      const menu = page.getByRole('button', { name: 'actions of base' });
      t.deepEqual(await offered(menu, page), sorted(actions), 'in the list');
      await page.getByRole('link', { name: 'base', exact: true }).click();
      await page.getByRole('heading', { name: /base/, level: 1 }).waitFor();
      const button = await page.getByRole('button', { name: 'Change …' }).count();
      const beside = [...(await offered(menu, page)), ...(button > 0 ? ['Change'] : [])].sort();
      t.deepEqual(beside, sorted(actions), 'on its page');
    } else {
      await open('/users');
      await page.getByRole('heading', { name: /not for you|no such page/i }).waitFor();
    }

    for (const line of calls.split('\n').filter((line) => line.trim() !== '')) {
      const [method = '', path = '', status = '', body = '{}'] = line.trim().split(/\s+/);
      t.is(await called(page, { method, path, body }), Number(status), line.trim());
    }
    t.is((await server.root('GET', '/api/image/base')).headers.etag, tag, 'nothing was done');
    t.deepEqual(resultOf(await server.root('GET', '/api/image')), ['base']);
    t.deepEqual(complaints, []);
  });
}

test('whoever is made a SuperAdmin has all pages and actions, and has them no more when that is taken back, before open eyes', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  await addImage(server, 'base');
  const boss = await takeSeat(t, server, { token: server.token });
  const { page, open, complaints } = await takeSeat(t, server, { token: 'token-of-sam' });
  const mayLook = async () => (await server.sam('GET', '/api/user')).status;
  await open('/offered');
  await page.getByRole('heading', { name: 'You are in no data center yet' }).waitFor();
  await page.getByText('live', { exact: true }).waitFor();
  t.deepEqual(await navigation(page), sorted(everybody));
  t.is(await mayLook(), 403);

  await boss.open('/users/sam');
  const making = await opened(boss.page, 'Make SuperAdmin …', 'Make sam a SuperAdmin?');
  await fillIn(making, { 'Type sam to go on': 'sam' });
  await confirmed(making, 'Make SuperAdmin');
  const fleet = page.getByRole('navigation', { name: 'pages' }).getByRole('button', { name: 'Fleet' });
  await fleet.waitFor();
  t.deepEqual(await navigation(page), sorted(roles['a SuperAdmin']?.pages ?? ''));
  t.is(await mayLook(), 200);
  await page.getByRole('link', { name: 'Slipway' }).click();
  await page.getByRole('link', { name: 'base', exact: true }).waitFor();
  const menu = page.getByRole('button', { name: 'actions of base' });
  t.deepEqual(
    await offered(menu, page),
    sorted(`${actions}, ${forSuperAdmins}`.replace('Make private', 'Make public')),
  );

  await confirmed(
    await opened(boss.page, 'Take SuperAdmin away …', 'Is sam to be no SuperAdmin any more?'),
    'Take it away',
  );
  await fleet.waitFor({ state: 'detached' });
  await page.getByRole('heading', { name: 'You are in no data center yet' }).waitFor();
  t.is(await page.getByRole('link', { name: 'base', exact: true }).count(), 0);
  t.deepEqual(await navigation(page), sorted(everybody));
  t.is(await mayLook(), 403);
  t.deepEqual([...complaints, ...boss.complaints], []);
});
