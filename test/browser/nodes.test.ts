import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { pushSourcesDue } from '../../server/operations/push-sources.js';
import { refreshNode } from '../../server/operations/refresh-node.js';
import { nodeNamed } from '../../server/operations/save-node.js';
import { manage } from '../support/inventories.js';
import { type Fleet, resultOf, startFleet } from '../support/managed.js';
import { GONE, goesAway, nodeTest } from '../support/node-seat.js';
import { consoleFiles, seriousOf, takeSeat } from '../support/seat.js';
import { type SmartosNode, sourcesOf, startSmartosNode } from '../support/smartos.js';

interface World {
  fleet: Fleet;
  node: SmartosNode;
}

/** A node that finds the server as `images.test`, and that nobody has told it of. */
async function startWorld(t: ExecutionContext): Promise<World> {
  const node = await startSmartosNode(t);
  const fleet = await startFleet(t, { console: consoleFiles, nodeKey: node.sshd.key, hostNames: ['images.test'] });
  await writeFile(join(node.state, '.curlrc'), `resolve = "images.test:${fleet.port}:127.0.0.1"\n`);
  Object.assign(fleet.deps.policy, { publicUrl: `http://images.test:${fleet.port}` });
  return { fleet, node };
}

nodeTest('a node lets the server in, is added, looked at, changed, and forgotten', async (t) => {
  const { fleet, node } = await startWorld(t);
  const { root } = fleet;
  await node.addVm({ alias: 'web1' });
  // Nobody gets in before the line from the console is there.
  await node.sshd.authorize([]);
  const { page, open, complaints } = await takeSeat(t, fleet, { token: fleet.token });
  const dialog = page.getByRole('dialog');
  await open('/nodes');
  await page.getByText('No node is known yet. Add one to bring images onto it.').waitFor();

  await page.getByRole('button', { name: 'Add a node' }).click();
  await dialog.getByLabel('east').check();
  await dialog.getByLabel('Address').fill('127.0.0.1');
  await dialog.getByLabel('Port').fill('99999');
  await dialog.getByLabel('User').fill(node.sshd.user);
  await dialog.getByLabel(/^Name/).fill('n1');
  await dialog.getByRole('button', { name: 'Add it' }).click();
  await dialog.locator('[name=port][aria-invalid=true]').waitFor();
  await dialog.getByLabel('Port').fill(String(node.sshd.port));
  t.deepEqual(await seriousOf(page), []);
  await dialog.getByRole('button', { name: 'Add it' }).click();
  await page.getByText(/^It can not be worked with: /).waitFor();
  const findings = page.getByRole('list', { name: 'what was found of n1' });
  await findings.getByRole('img', { name: 'wrong' }).first().waitFor();
  t.deepEqual(await seriousOf(page), []);

  await page.goBack();
  await page.getByRole('button', { name: 'Key of this server' }).click();
  const line = await dialog.locator('code').first().innerText();
  t.regex(line, /^restrict .*ssh-ed25519 /);
  await node.sshd.authorize([line]);
  await dialog.getByRole('button', { name: 'close' }).click();

  await page.getByRole('row').filter({ hasText: 'n1' }).getByRole('link', { name: 'n1' }).click();
  await page.getByRole('link', { name: 'Health' }).click();
  await page.getByText('It can be worked with.').waitFor();
  await page.getByRole('button', { name: 'Take inventory' }).click();
  const tabs = page.getByRole('navigation', { name: 'of node n1' });
  await tabs.getByRole('link', { name: 'Machines 1' }).waitFor();
  await tabs.getByRole('link', { name: 'Images 0' }).waitFor();
  await tabs.getByRole('link', { name: 'Overview' }).click();
  await page.getByText(/^smartos/).waitFor();
  await page.getByRole('meter', { name: `used of ${node.pool.name}` }).waitFor();
  t.deepEqual(await seriousOf(page), []);

  await page.getByRole('button', { name: 'Change …' }).click();
  await dialog.getByLabel('west').check();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('east, west').waitFor();
  t.like(resultOf(await root('GET', '/api/node/n1')), { dcs: ['east', 'west'], online: true, machines: 1 });

  await page.getByRole('button', { name: 'Delete …' }).click();
  await dialog.getByText(/1 machine/).waitFor();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await page.getByText('No node is known yet. Add one to bring images onto it.').waitFor();
  t.is((await root('GET', '/api/node/n1')).status, 404);
  t.deepEqual(complaints, []);
});

nodeTest(
  'the machines of a data center are shown to its administrators, and their snapshots taken and removed',
  async (t) => {
    const { fleet, node } = await startWorld(t);
    const vm = await node.addVm({ alias: 'web1' });
    await vm.snapshot('alpha');
    await manage(fleet, node);
    await fleet.root('PUT', '/api/node/n1/inventory', {});
    const there = async () => {
      const listed = await node.pool.zfs('list', '-H', '-t', 'snapshot', '-o', 'name', '-r', vm.disks[0] ?? '');
      return listed
        .split('\n')
        .filter((name) => name !== '')
        .map((name) => name.split('@')[1]);
    };

    const eve = await takeSeat(t, fleet, { token: 'token-of-eve' });
    const { page, open } = eve;
    await open('/machines');
    await page.getByRole('row').filter({ hasText: 'web1' }).getByRole('button', { name: 'Snapshots of web1' }).click();
    const dialog = page.getByRole('dialog', { name: 'Snapshots of web1' });
    await dialog.getByText('alpha').waitFor();
    await dialog.getByLabel('Name of a new snapshot').fill('a/b');
    await dialog.getByRole('button', { name: 'Take it' }).click();
    await dialog.locator('[name=snap][aria-invalid=true]').waitFor();
    await dialog.getByLabel('Name of a new snapshot').fill('alpha');
    await dialog.getByRole('button', { name: 'Take it' }).click();
    await dialog.getByText(/disk 1 of machine web1 has a snapshot "alpha" already/).waitFor();
    await dialog.getByLabel('Name of a new snapshot').fill('omega');
    await dialog.getByRole('button', { name: 'Take it' }).click();
    await dialog.getByRole('listitem').filter({ hasText: 'omega' }).waitFor();
    t.deepEqual(await there(), ['alpha', 'omega']);
    t.deepEqual(await seriousOf(page), []);

    await dialog.getByRole('button', { name: 'Remove alpha' }).click();
    const question = page.getByRole('dialog', { name: 'Remove snapshot alpha of web1' });
    await question.getByRole('button', { name: 'Remove', exact: true }).click();
    await dialog.getByRole('listitem').filter({ hasText: 'alpha' }).waitFor({ state: 'detached' });
    t.deepEqual(await there(), ['omega']);
    await dialog.getByRole('link', { name: 'Make an image of it' }).waitFor();

    // Who administers the data center and no images looks only.
    const dora = await takeSeat(t, fleet, { token: 'token-of-dora' });
    await dora.open('/machines');
    await dora.page.getByRole('button', { name: 'Snapshots of web1' }).click();
    await dora.page.getByRole('listitem').filter({ hasText: 'omega' }).waitFor();
    t.is(await dora.page.getByRole('button', { name: /^(Remove|Take)/ }).count(), 0);
    t.is(await dora.page.getByRole('link', { name: /image/i }).filter({ hasText: 'Make' }).count(), 0);
    const will = await takeSeat(t, fleet, { token: 'token-of-will' });
    await will.open('/machines');
    await will.page.getByText(/^No machine is known/).waitFor();
    await will.settled();
    t.false(will.received.join('').includes('web1'));

    // Its node is away.
    await goesAway(node.sshd);
    await dora.open('/machines');
    await dora.page.getByRole('button', { name: 'Snapshots of web1' }).click();
    await dora.page.getByText(GONE).first().waitFor();
    t.deepEqual([eve.complaints, dora.complaints, will.complaints], [[], [], []]);
  },
);

nodeTest(
  'which image servers a node asks is written there, left to it, and tried again where it is away',
  async (t) => {
    const { fleet, node } = await startWorld(t);
    const { deps, root, port } = fleet;
    const other = 'https://images.example.com';
    await manage(fleet, node);
    await root('PUT', '/api/node/n1/inventory', {});
    const { page, open, complaints } = await takeSeat(t, fleet, { token: fleet.token });
    await open('/datacenters/main');
    const server = page.getByRole('region', { name: 'Image server' });
    await server.getByLabel('Other image servers that nodes are told of').fill(other);
    await server.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Image server: set in main').waitFor();

    const row = page.getByRole('row').filter({ hasText: 'n1' });
    await goesAway(node.sshd);
    await pushSourcesDue(deps);
    await open('/sources');
    await row.getByText(/^offline/).waitFor();
    await row.getByText(GONE).first().waitFor();
    await row.getByRole('button', { name: 'Tell it now n1' }).click();
    await page.getByRole('log').getByText(GONE).first().waitFor();
    t.deepEqual(await seriousOf(page), []);

    // It is back, and is told by itself.
    await node.sshd.start();
    await root('PUT', '/api/node/n1', { port: node.sshd.port });
    await refreshNode(deps, await nodeNamed(deps.catalog, 'n1'));
    await row.getByText('as wanted').waitFor();
    t.is((await sourcesOf(node)).at(-1), other);

    await row.getByRole('link', { name: 'n1' }).click();
    await page.getByRole('region', { name: 'It asks', exact: true }).getByText(other).waitFor();
    const own = page.getByRole('region', { name: 'It asks', exact: true }).getByText(`http://images.test:${port}/n/…`);
    await own.waitFor();
    await page.getByRole('button', { name: 'Change …' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Advanced').click();
    await dialog.getByLabel('Keep its list of image servers to what is configured').uncheck();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText(/^its own:/).waitFor();
    // What is told of the node comes beside what is told of its list.
    await page.getByRole('button', { name: 'Tell it now', disabled: true }).waitFor();
    t.like(resultOf(await root('GET', '/api/node/n1')), { keep_sources: false });
    t.deepEqual(await seriousOf(page), []);
    t.deepEqual(complaints, []);
  },
);
