import { place } from '../support/datacenters.js';
import { gatedProxy } from '../support/gated-proxy.js';
import { failsImports, holdsRemovals } from '../support/held-tools.js';
import { resultOf, said } from '../support/managed.js';
import { GONE, goesAway, nodeTest } from '../support/node-seat.js';
import { startPulls } from '../support/pulls.js';
import { consoleFiles, seriousOf, takeSeat } from '../support/seat.js';

nodeTest(
  'an image is pulled onto a pool under the eyes of others, and what can not be is refused in words',
  async (t) => {
    const pulls = await startPulls(t, { console: consoleFiles, nodePatience: { pauses: [] } });
    const { root, nodes } = pulls;
    const [{ sshd }] = nodes as [(typeof nodes)[0]];
    const web = await pulls.zoneImage('web', { bytes: 2_000_000 });
    await pulls.zoneImage('late');
    const uuid = await pulls.zoneImage('lone');
    const proxy = await gatedProxy(t, pulls.port);
    await pulls.fetchFrom(proxy.port);

    const { page, open, complaints } = await takeSeat(t, pulls, { token: pulls.token });
    const dialog = page.getByRole('dialog');
    await open('/nodes/n1?tab=images');
    await page.getByText('The node has told of no pool yet: take its inventory.').waitFor();
    await page.getByRole('button', { name: 'Take inventory' }).click();
    await page.getByText('No image is there.').waitFor();

    const begin = async (name: string) => {
      await page.getByRole('button', { name: 'Pull an image …' }).click();
      await dialog.getByRole('radio', { name: new RegExp(`^${name}`) }).check();
    };
    const pull = dialog.getByRole('button', { name: 'Pull', exact: true });
    await page.getByRole('button', { name: 'Pull an image …' }).click();
    await pull.click();
    await dialog.getByText('no image is chosen').waitFor();
    t.deepEqual(await seriousOf(page), []);
    await dialog.getByRole('radio', { name: /^web/ }).check();
    await dialog.getByText('n1 can have web').waitFor();

    const other = await takeSeat(t, pulls, { token: pulls.token });
    await other.open('/nodes/n1?tab=images');
    const { held } = proxy.shutAfter(1_000_000);
    await pull.click();
    await held;
    for (const at of [page, other.page]) {
      const row = at.getByRole('row').filter({ hasText: 'web' });
      await row.getByText('importing', { exact: true }).waitFor();
      await row.getByRole('progressbar').waitFor();
      t.is(await row.getByRole('button', { name: 'Remove web' }).getAttribute('title'), 'it is coming');
    }
    await page.getByRole('list', { name: 'begun here' }).getByText('at work').waitFor();
    await page.getByRole('button', { name: 'Pull an image …' }).click();
    t.true(await dialog.getByRole('radio', { name: /^web.*it is there already/ }).isDisabled());
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    proxy.open();
    for (const at of [page, other.page]) {
      await at.getByRole('row').filter({ hasText: 'web' }).getByText('ready', { exact: true }).waitFor();
    }
    await page.getByRole('list', { name: 'begun here' }).getByText('done').waitFor();
    t.deepEqual(await pulls.datasets(), [web]);
    t.deepEqual(await seriousOf(page), []);

    // Somebody else is quicker.
    await begin('late');
    await dialog.getByText('n1 can have late').waitFor();
    const first = await root('POST', pulls.at('late'), {});
    await pulls.deps.tasks.settled(String(first.json.task_id), new AbortController().signal);
    await pull.click();
    await dialog.getByText(/ on pool .* is there already/).waitFor();
    t.is(said(await root('POST', pulls.at('late'), {})), '406 ObjectAlreadyExists');
    await dialog.getByRole('button', { name: 'Cancel' }).click();

    await begin('lone');
    await dialog.getByText('n1 can have lone').waitFor();
    await place(pulls, uuid, { pending: { task: 'x', what: 'import' } });
    await pull.click();
    await dialog
      .getByRole('alert')
      .getByText(/is being changed: import/)
      .waitFor();
    t.is(said(await root('POST', pulls.at('lone'), {})), '417 ImagePending');
    await place(pulls, uuid, { pending: undefined as never });
    await goesAway(sshd);
    await pull.click();
    await dialog.getByText(GONE).first().waitFor();
    t.is(said(await root('POST', pulls.at('lone'), {})), '423 NodeDown');
    t.false((await pulls.datasets()).includes(uuid));
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText(/^offline/).waitFor();
    t.deepEqual([complaints, other.complaints], [[], []]);
  },
);

nodeTest(
  'a pull is waited for until the node has failed, which is told in its own words; then it is tried again',
  async (t) => {
    const pulls = await startPulls(t, { console: consoleFiles, nodePatience: { pauses: [] } });
    const [node] = pulls.nodes as [(typeof pulls.nodes)[0]];
    const web = await pulls.zoneImage('web');
    await pulls.root('PUT', '/api/node/n1/inventory', {});
    const { page, open, complaints } = await takeSeat(t, pulls, { token: pulls.token });
    const dialog = page.getByRole('dialog');
    const row = page.getByRole('row').filter({ hasText: 'web' });
    const begun = page.getByRole('list', { name: 'begun here' }).getByRole('listitem');
    const pull = async () => {
      await page.getByRole('button', { name: 'Pull an image …' }).click();
      await dialog.getByRole('radio', { name: /^web/ }).check();
      await dialog.getByText('n1 can have web').waitFor();
      await dialog.getByRole('button', { name: 'Pull', exact: true }).click();
      await dialog.waitFor({ state: 'detached' });
    };
    await open('/nodes/n1?tab=images');
    await page.getByText('No image is there.').waitFor();
    const goOn = await failsImports(t, node, 'imgadm: the pool has melted');
    await pull();
    await row.getByText('importing', { exact: true }).waitFor();
    await begun.getByText('at work').waitFor();
    const asked = await pulls.root('POST', pulls.at('web'), {});
    t.is(said(asked), '423 Busy');
    await goOn();

    await begun.getByText(/the pool has melted/).waitFor();
    await begun.getByText('failed', { exact: true }).waitFor();
    await page.getByText('No image is there.').waitFor();
    t.deepEqual([await pulls.datasets(), await pulls.copies()], [[], []]);
    await begun.getByRole('link', { name: 'its task' }).click();
    await page
      .getByText(/the pool has melted/)
      .first()
      .waitFor();
    t.deepEqual(await seriousOf(page), []);
    const [task] = resultOf<string[]>(await pulls.root('GET', '/api/task'));
    t.is(resultOf(await pulls.root('GET', `/api/task/${task}`)).status, 'FAILURE');

    await node.restore('imgadm');
    await page.goBack();
    await page.getByText('No image is there.').waitFor();
    await pull();
    await row.getByText('ready', { exact: true }).waitFor();
    t.deepEqual(await pulls.datasets(), [web]);
    t.deepEqual(complaints, []);
  },
);

nodeTest(
  'one image is removed, and all that are unused; what a running or a stopped machine uses stays, and says why',
  async (t) => {
    const pulls = await startPulls(t, { console: consoleFiles });
    const { root, nodes, deps } = pulls;
    const [node] = nodes as [(typeof nodes)[0]];
    const base = await pulls.zoneImage('base');
    const web = await pulls.zoneImage('web', { origin: 'base' });
    const [free, spare] = [await pulls.zoneImage('free'), await pulls.zoneImage('spare')];
    const kept = await pulls.zoneImage('kept');
    for (const name of ['web', 'free', 'spare', 'kept']) {
      const { json } = await root('POST', pulls.at(name), {});
      await deps.tasks.settled(String(json.task_id), new AbortController().signal);
    }
    await node.addVm({ alias: 'web1', image: web });
    await node.addVm({ alias: 'rests', image: kept, state: 'stopped' });

    const { page, open, complaints } = await takeSeat(t, pulls, { token: pulls.token });
    const dialog = page.getByRole('dialog');
    const row = (name: string) => page.getByRole('row').filter({ hasText: name });
    await open('/nodes/n1?tab=images');
    await row('web').waitFor();
    await page.getByRole('button', { name: 'Take inventory' }).click();
    await row('web').getByRole('button', { name: '1 that use web' }).click();
    await dialog.getByRole('link', { name: 'web1' }).waitFor();
    await dialog.getByRole('button', { name: 'close' }).click();
    t.is(await row('web').getByRole('button', { name: 'Remove web' }).getAttribute('title'), 'it is used by web1');
    t.is(await row('kept').getByRole('button', { name: 'Remove kept' }).getAttribute('title'), 'it is used by rests');

    await row('base').getByRole('button', { name: 'Remove base' }).click();
    await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
    await dialog.getByText(new RegExp(web)).waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();

    await row('free').getByRole('button', { name: 'Remove free' }).click();
    await dialog.getByText('It stays on this server, and can be pulled again.').waitFor();
    const release = await holdsRemovals(t, node);
    await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
    await row('free').getByText('deleting', { exact: true }).waitFor();
    t.is(await row('free').getByRole('button', { name: 'Remove free' }).getAttribute('title'), 'it is being removed');
    await release();
    await row('free').waitFor({ state: 'detached' });
    const begun = page.getByRole('list', { name: 'begun here' });
    await begun.getByText('done').waitFor();
    t.is((await root('GET', '/api/image/free')).status, 200);

    await page.getByRole('button', { name: 'Remove unused images …' }).click();
    await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
    await row('spare').waitFor({ state: 'detached' });
    await begun.getByText(/^web: skipped: .*is used by web1/).waitFor();
    await begun.getByText(/^kept: skipped: .*is used by rests/).waitFor();
    await begun.getByText(/^base: skipped: /).waitFor();
    await begun.getByText('spare: done').waitFor();
    t.deepEqual((await pulls.copies()).map(({ image }) => image).toSorted(), [base, kept, web].toSorted());
    const there = await pulls.datasets();
    t.deepEqual(
      [base, kept, web, free, spare].map((image) => there.includes(image)),
      [true, true, true, false, false],
    );
    t.deepEqual(await seriousOf(page), []);
    t.deepEqual(complaints, []);

    // Who administers a data center only is not offered nodes.
    const dora = await takeSeat(t, pulls, { token: 'token-of-dora' });
    await dora.open('/nodes/n1?tab=images');
    await dora.page.getByRole('heading', { name: 'This page is not for you' }).waitFor();
    await dora.settled();
    t.false(dora.received.join('').includes(node.pool.name));
  },
);
