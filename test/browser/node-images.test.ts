import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { place } from '../support/datacenters.js';
import { gatedProxy } from '../support/gated-proxy.js';
import { said } from '../support/managed.js';
import { GONE, nodeTest } from '../support/node-seat.js';
import { startPulls } from '../support/pulls.js';
import { scratch } from '../support/scratch.js';
import { consoleFiles, seriousOf, takeSeat } from '../support/seat.js';
import type { SmartosNode } from '../support/smartos.js';

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
      .getByText(/is pending|works on it|import/i)
      .last()
      .waitFor();
    t.is(said(await root('POST', pulls.at('lone'), {})), '417 ImagePending');
    await place(pulls, uuid, { pending: undefined as never });
    await sshd.cut();
    await sshd.stop();
    await pull.click();
    await dialog.getByText(GONE).waitFor();
    t.is(said(await root('POST', pulls.at('lone'), {})), '423 NodeDown');
    t.false((await pulls.datasets()).includes(uuid));
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText(/^offline/).waitFor();
    t.deepEqual([complaints, other.complaints], [[], []]);
  },
);

/** The node removes nothing until it is let. */
async function holdsRemovals(t: ExecutionContext, { tools, restore }: SmartosNode): Promise<() => Promise<void>> {
  const fifo = join(await scratch(t), 'fifo');
  spawnSync('mkfifo', [fifo]);
  await tools.put('imgadm', `case $1 in delete) cat '${fifo}' > /dev/null;; esac; exec "$real" "$@"`);
  return async () => {
    await restore('imgadm');
    await writeFile(fifo, '');
  };
}

nodeTest('one image is removed, and all that are unused; what is used stays, and says why', async (t) => {
  const pulls = await startPulls(t, { console: consoleFiles });
  const { root, nodes, deps } = pulls;
  const [node] = nodes as [(typeof nodes)[0]];
  const base = await pulls.zoneImage('base');
  const web = await pulls.zoneImage('web', { origin: 'base' });
  for (const name of ['free', 'spare']) await pulls.zoneImage(name);
  for (const name of ['web', 'free', 'spare']) {
    const { json } = await root('POST', pulls.at(name), {});
    await deps.tasks.settled(String(json.task_id), new AbortController().signal);
  }
  await node.addVm({ alias: 'web1', image: web });

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
  await begun.getByText(/^base: skipped: /).waitFor();
  await begun.getByText('spare: done').waitFor();
  t.deepEqual((await pulls.copies()).map(({ image }) => image).toSorted(), [base, web].toSorted());
  t.deepEqual(await seriousOf(page), []);
  t.deepEqual(complaints, []);

  // Who administers a data center only is not offered nodes.
  const dora = await takeSeat(t, pulls, { token: 'token-of-dora' });
  await dora.open('/nodes/n1?tab=images');
  await dora.page.getByRole('heading', { name: 'This page is not for you' }).waitFor();
  t.false(dora.received.join('').includes(node.pool.name));
});
