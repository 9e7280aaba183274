import { addMachine, place } from '../support/datacenters.js';
import { holdsRemovals } from '../support/held-tools.js';
import { choose, confirm, openMenu, rowOf } from '../support/image-rows.js';
import { said } from '../support/managed.js';
import { nodeTest } from '../support/node-seat.js';
import { startPulls } from '../support/pulls.js';
import { consoleFiles, seriousOf, takeSeat } from '../support/seat.js';

nodeTest(
  'an image that is deleted leaves the pools of nodes, then the list; used or worked on, it stays',
  async (t) => {
    const pulls = await startPulls(t, { console: consoleFiles });
    const { root, deps, nodes } = pulls;
    const [node] = nodes as [(typeof nodes)[0]];
    const [web, other] = [await pulls.zoneImage('web'), await pulls.zoneImage('other')];
    for (const name of ['web', 'other']) {
      const { json } = await root('POST', pulls.at(name), {});
      await deps.tasks.settled(String(json.task_id), new AbortController().signal);
    }
    t.deepEqual((await pulls.datasets()).toSorted(), [web, other].toSorted());
    const { page, open, complaints } = await takeSeat(t, pulls, { token: pulls.token });
    await open('/');
    await rowOf(page, 'web').waitFor();
    await page.getByText('live', { exact: true }).waitFor();

    const dialog = await choose(page, 'web', 'Delete …');
    await dialog.getByText(`its copy on node n1, pool ${node.pool.name}`).waitFor();
    const vm = await addMachine(pulls, { hostname: 'web1', datacenter: 'east', images: [{ disk: 1, image: web }] });
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
    await dialog.getByText('is used by web1').waitFor();
    t.is(said(await root('DELETE', '/api/image/web', {})), '428 ImageInUse');
    t.deepEqual(await seriousOf(page), []);
    await root('DELETE', `/api/vm/${vm.uuid}`);
    await place(pulls, web, { pending: { task: 'x', what: 'testing' } });
    t.is(said(await root('DELETE', '/api/image/web', {})), '417 ImagePending');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await rowOf(page, 'web').getByText('testing').first().waitFor();
    t.regex((await openMenu(page, 'web')).find((line) => line.startsWith('Delete …')) ?? '', /works on it: testing$/);
    await page.keyboard.press('Escape');
    await place(pulls, web, { pending: undefined as never });
    await rowOf(page, 'web').getByText('ready', { exact: true }).waitFor();
    t.true((await pulls.datasets()).includes(web));

    const release = await holdsRemovals(t, node);
    await confirm(await choose(page, 'web', 'Delete …'), 'Delete');
    await rowOf(page, 'web')
      .getByText(/^delete(: |$)/)
      .first()
      .waitFor();
    t.true((await pulls.datasets()).includes(web));
    t.is((await root('GET', '/api/image/web')).status, 200);
    await release();
    await rowOf(page, 'web').waitFor({ state: 'detached' });
    t.deepEqual(await pulls.datasets(), [other]);
    t.deepEqual([(await root('GET', '/api/image/web')).status, await pulls.stored(web)], [404, undefined]);
    t.is((await pulls.ask('GET', `/images/${web}/file`, { as: 'admin' })).status, 404);

    // Who administers a data center, and none of its images, is not offered it.
    const dora = await takeSeat(t, pulls, { token: 'token-of-dora' });
    await dora.open('/');
    await rowOf(dora.page, 'other').waitFor();
    t.is(await dora.page.getByRole('button', { name: /^actions of/ }).count(), 0);
    t.is(said(await pulls.dora('DELETE', '/api/image/other', {})), '403 NotPermitted');
    t.deepEqual([complaints, dora.complaints], [[], []]);
  },
);
