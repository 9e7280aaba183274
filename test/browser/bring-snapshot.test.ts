import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import ava from 'ava';
import type { Page } from 'playwright-core';
import { broughtIn, fillIn, refusedAt, told, wrongWith } from '../support/bringing.js';
import { DC, NODE, NOTHING_LEFT, startCreations } from '../support/creations.js';
import { addDatacenter, grant } from '../support/datacenters.js';
import { addUser } from '../support/fixtures.js';
import { isMet } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { consoleFiles, seriousOf, takeSeat, test as withBrowser } from '../support/seat.js';
import { needsZfs } from '../support/zfs.js';

const lacking = (['sshd, to be talked to', needsZfs] as const).find((need) => !isMet[need]);
const test: typeof withBrowser = (title, implementation) =>
  lacking === undefined ? withBrowser(title, implementation) : ava.skip(`${title} (${lacking})`, implementation);

/** Whoever manages the images of the data center of the node, and of another one. */
async function begin(t: ExecutionContext) {
  const world = await startCreations(t, { console: consoleFiles });
  await addDatacenter(world.server, 'south');
  const eve = await addUser(world.server, 'eve');
  for (const dc of [DC, 'south']) await grant(world.server, eve, dc, 'admin', 'image_admin');
  const seat = await takeSeat(t, world.server, { token: 'token-of-eve' });
  return { ...world, ...seat };
}

const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).click();

test('node, machine, disk and snapshot are chosen, and become an image of the data center of the machine', async (t) => {
  const { server, node, machine, left, page, open, complaints } = await begin(t);
  await machine({ alias: 'web', brand: 'bhyve', disks: 2, bytes: randomBytes(300_000) });
  await machine({ alias: 'app' });
  const go = join(await scratch(t), 'go');
  // Estimates are made at once, and the snapshot itself is sent when the test says so.
  await node.tools.put(
    'zfs',
    `case "$1 $*" in *" -n"*) ;; send*) while [ ! -e '${go}' ]; do sleep 0.05; done ;; esac; exec "$real" "$@"`,
  );
  await open('/bring/snapshot');
  await page.getByRole('button', { name: /^app/ }).waitFor();
  t.deepEqual(await seriousOf(page), []);
  await page.getByRole('combobox', { name: 'node' }).selectOption(NODE);
  await page.getByRole('searchbox', { name: 'Search machines' }).fill('we');
  await page.getByRole('button', { name: /^app/ }).waitFor({ state: 'detached' });
  await press(page, /^web/);
  await press(page, 'Disk 2');
  await page.getByText('The image will have disk 2 only: disk 1 does not come along.').waitFor();
  await press(page, /^s1/);
  t.deepEqual(await seriousOf(page), []);
  await fillIn(page, { Name: '-' });
  t.regex(await wrongWith(page, 'Name'), /begin with a letter/);
  await fillIn(page, { Name: 'web-2', Version: '2.0', Description: 'of a disk' });
  await press(page, 'Make the image');
  await page.getByText('the image has disk 2 only: disk 1 of the machine did not come along').waitFor();
  await told(broughtIn(page), 'It is on its way.');

  const other = await takeSeat(t, server, { token: 'token-of-eve' });
  await other.open('/bring/snapshot?vm=web&disk=2');
  const busy = other.page.getByRole('button', { name: /^s1.*an image is being made of it/ });
  await busy.waitFor();
  t.is(await busy.getAttribute('aria-disabled'), 'true');
  await writeFile(go, '');
  await told(broughtIn(page), 'It is here.');
  await busy.waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'Look at web-2' }).click();
  await page.getByRole('heading', { level: 1, name: /web-2/ }).waitFor();
  const { result } = (await server.ask('GET', '/api/image/web-2', { as: 'admin' })).json;
  t.is(Object(result).size, 10_240);
  await page
    .getByText(/^10 GiB/)
    .first()
    .waitFor();
  t.like(result, {
    version: '2.0',
    desc: 'of a disk',
    dc_bound: true,
    dcs: [DC],
    status: 1,
    owner: 'eve',
    golden: true,
  });
  t.like(Object(result).provenance, { machine: { hostname: 'web', disk: 2, snapshot: 's1', dc: DC, node: NODE } });
  t.like(await left(), { uses: [], holds: [], held: [], taken: [], partials: [], awaited: 0 });
  t.deepEqual([...complaints, ...other.complaints], []);
});

test('a snapshot is taken for it where there is none, and what stands in the way is told', async (t) => {
  const { server, node, machine, left, page, open, complaints } = await begin(t);
  const web = await machine({ alias: 'web' });
  await machine({ alias: 'lost', datacenter: null });
  await open('/bring/snapshot');
  await page.getByRole('button', { name: /^web/ }).waitFor();
  t.is(await page.getByRole('button', { name: /^lost/ }).count(), 0, 'it is in no data center of theirs');
  await press(page, /^web/);
  await press(page, 'A new one, taken now and removed afterwards');
  await web.set({ state: 'provisioning', zone_state: 'provisioning' });
  await fillIn(page, { Name: 'web-1' });
  await press(page, 'Make the image');
  await page
    .getByRole('alert')
    .getByText(/machine web is provisioning/)
    .waitFor();
  t.deepEqual(await left(), NOTHING_LEFT);
  await web.set({ state: 'running', zone_state: 'running' });
  await press(page, 'Make the image');
  await told(broughtIn(page), 'It is here.');

  await press(page, 'Bring in another');
  await fillIn(page, { Name: 'web-1' });
  t.regex(await wrongWith(page, 'Name'), /web-1/);
  await press(page, 'Make the image');
  t.regex(await refusedAt(page, 'Name'), /web-1/);
  await fillIn(page, { Name: 'web-2', Version: '2.0' });
  const limit = async (images: number | null) => {
    const { status } = await server.ask('PUT', `/api/dc/${DC}/settings`, {
      as: 'admin',
      body: { VMS_IMAGE_LIMIT: images },
    });
    t.is(status, 200);
  };
  const before = await left();
  await limit(1);
  await press(page, 'Make the image');
  await page
    .getByRole('alert')
    .getByText(/may have 1 image, and has 1/)
    .waitFor();
  t.deepEqual(await left(), before);
  await limit(null);
  await node.sshd.stop();
  await node.sshd.cut();
  await press(page, 'Make the image');
  await page.getByRole('alert').getByText(/node1/).waitFor();
  t.is((await server.ask('GET', '/api/image/web-2', { as: 'admin' })).status, 404);
  await page.reload();
  await page.getByRole('alert').getByText(/node1/).first().waitFor();
  t.is(await page.getByRole('textbox', { name: 'Version', exact: true }).inputValue(), '2.0');
  t.deepEqual(complaints, []);
});
