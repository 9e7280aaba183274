import type { ExecutionContext } from 'ava';
import { ImgapiError } from '../../imgapi/errors.js';
import { startTask } from '../../server/operations/start-task.js';
import { heldFile, IMAGE, UUID } from '../support/bringing-by-url.js';
import { numbered } from '../support/fixtures.js';
import { gate } from '../support/gate.js';
import { openMenu, rowOf } from '../support/image-rows.js';
import { BYTES, manifestOf } from '../support/lying-remote.js';
import { addImage, type Fleet, manifest, said, startFleet } from '../support/managed.js';
import { remote } from '../support/remote.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

interface Office extends Fleet {
  /** Lets the tasks come to their ends. */
  go: ReturnType<typeof gate>;
  /** Begins a task of somebody's in a data center. */
  begin(what: string, who: string, datacenter: string, image?: string): Promise<string>;
}

/** Tasks that report, wait until they may go on, and end as they are called. */
async function startOffice(t: ExecutionContext): Promise<Office> {
  const go = gate();
  const kind = (end: () => unknown) => ({
    resumes: false,
    perform: async (_: unknown, __: unknown, work: Parameters<TaskWork>[2]) => {
      work.report({ done: 1024, total: 4096, unit: 'bytes' });
      await Promise.race([go.opened, new Promise((_, reject) => work.signal.addEventListener('abort', reject))]);
      return end();
    },
  });
  const fleet = await startFleet(t, {
    console: consoleFiles,
    kinds: {
      fetching: kind(() => ({ bytes: 4096 })),
      breaking: kind(() => {
        throw new ImgapiError('NodeDown', 'node n7 does not answer: connection refused');
      }),
    },
  });
  t.teardown(go.open);
  const begin = async (what: string, who: string, datacenter: string, image = numbered(1)) => {
    const { directory } = fleet.deps;
    const user = [...directory.users.values()].find(({ name }) => name === who);
    if (!user) throw new Error(`there is no ${who}`);
    const caller = { kind: 'user', user, rights: directory.rightsOf(user) } as const;
    const objects = [{ kind: 'images', id: image, name: 'web' }];
    return (await startTask(fleet.deps, caller, { what, datacenter, objects, params: {} })).task.id;
  };
  return { ...fleet, go, begin };
}

type TaskWork = NonNullable<NonNullable<Parameters<typeof startFleet>[1]>['kinds']>[string]['perform'];

test('tasks are followed live, cancelled, filtered, and told why they failed', async (t) => {
  const office = await startOffice(t);
  const { begin, go } = office;
  const image = await addImage(office, 'web');
  const { page, open, complaints } = await takeSeat(t, office, { token: office.token });
  await open('/tasks');
  await page.getByText('Nothing has been done yet that takes long.').waitFor();

  const [fetching, breaking] = [await begin('fetching', 'eve', 'east', image), await begin('breaking', 'will', 'west')];
  const doomed = await begin('fetching', 'dora', 'east', image);
  const row = (text: string) => page.getByRole('row').filter({ hasText: text });
  await row('dora').getByText('1 KiB of 4 KiB').waitFor();
  await row('will').getByText('at work').waitFor();

  await row('dora').getByRole('button', { name: 'Cancel fetching of web' }).click();
  await page.getByRole('dialog', { name: 'Cancel fetching of web' }).getByRole('button', { name: 'Cancel it' }).click();
  await row('dora').getByText('cancelled', { exact: true }).waitFor();
  t.is(await row('dora').getByRole('button').count(), 0);
  t.is(await page.getByRole('log').locator('.bad').count(), 0);

  await page.getByRole('combobox', { name: 'data center' }).selectOption('west');
  await row('dora').waitFor({ state: 'detached' });
  await row('will').waitFor();
  await page.getByRole('combobox', { name: 'data center' }).selectOption('');
  await page.getByRole('combobox', { name: 'status' }).selectOption('failed');
  await page.getByText('No task is like that.').waitFor();
  go.open();
  await row('will').getByText('node n7 does not answer: connection refused').first().waitFor();
  await page.getByRole('combobox', { name: 'status' }).selectOption('done');
  await row('eve').waitFor();
  t.deepEqual(await seriousOf(page), []);

  await row('eve').getByRole('link', { name: 'fetching' }).click();
  await page.getByRole('heading', { level: 1, name: 'fetching' }).waitFor();
  await page.getByText('4 KiB', { exact: true }).waitFor();
  const story = page.getByRole('list', { name: 'what has happened' });
  t.deepEqual(await story.getByRole('listitem').locator('span').allInnerTexts(), ['asked for', 'begun', 'done']);
  await page.getByRole('link', { name: 'web', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'web' }).waitFor();

  await open(`/tasks/${breaking}`);
  await page.getByText('Look at the health of the node; then begin it again.').waitFor();
  await page.getByText('node n7 does not answer: connection refused', { exact: true }).first().waitFor();
  t.deepEqual(await seriousOf(page), []);
  const states = [];
  for (const id of [fetching, breaking, doomed]) {
    const { result } = (await office.root('GET', `/api/task/${id}`)).json;
    states.push((result as { status: string }).status);
  }
  t.deepEqual(states, ['SUCCESS', 'FAILURE', 'REVOKED']);
  t.deepEqual(complaints, []);
});

test('who administers a data center sees its tasks and cancels none of others', async (t) => {
  const office = await startOffice(t);
  const { begin, go } = office;
  const [own, others, west] = [
    await begin('fetching', 'dora', 'east'),
    await begin('fetching', 'eve', 'east'),
    await begin('breaking', 'will', 'west'),
  ];
  const { page, open, received, settled, complaints } = await takeSeat(t, office, { token: 'token-of-dora' });
  await open('/tasks');
  const row = (text: string) => page.getByRole('row').filter({ hasText: text });
  await row('eve').waitFor();
  await row('dora')
    .getByRole('button', { name: /^Cancel/ })
    .waitFor();
  t.is(await row('eve').getByRole('button').count(), 0);
  t.is(await row('will').count(), 0);

  await open(`/tasks/${others}`);
  await page.getByText('1 KiB of 4 KiB').waitFor();
  t.is(await page.getByRole('button', { name: /^Cancel/ }).count(), 0);
  await open(`/tasks/${west}`);
  await page.getByText(`there is no task "${west}"`).waitFor();

  await open(`/tasks/${own}`);
  const cancel = page.getByRole('button', { name: 'Cancel fetching of web' });
  await cancel.click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Cancel it' }).waitFor();
  // It ends while the question stands.
  go.open();
  await page.getByText('done', { exact: true }).first().waitFor();
  await dialog.getByRole('button', { name: 'Cancel it' }).click();
  await dialog.getByText(/can not be cancelled any more: it ended with SUCCESS/).waitFor();
  await settled();
  t.false(received.join('').includes('will'));
  t.deepEqual(complaints, []);
});

test('what was done in a data center is read by those who administer it', async (t) => {
  const office = await startOffice(t);
  const { eve, will, begin, go, deps } = office;
  await eve('POST', '/api/image/mine', { manifest });
  await will('POST', '/api/image/theirs', { manifest: { ...manifest, version: '2' } });
  const id = await begin('breaking', 'eve', 'east');
  go.open();
  await deps.tasks.settled(id, new AbortController().signal);
  const { page, open, received, settled, complaints } = await takeSeat(t, office, { token: 'token-of-dora' });
  await open('/audit');
  const row = page.getByRole('row').filter({ hasText: 'mine' });
  await row.getByText('eve').waitFor();
  await row.getByText('east').waitFor();
  await row.getByRole('button', { name: 'CreateManagedImage' }).waitFor();
  await open(`/tasks/${id}`);
  await page.getByRole('link', { name: 'What the audit has of it' }).click();
  await page.getByRole('row').filter({ hasText: 'breaking' }).first().waitFor();
  await settled();
  t.false(received.join('').includes('theirs'));
  t.deepEqual(complaints, []);
});

test('an image that is on its way is pending for all who see it, can not be changed, and is ready by itself', async (t) => {
  const { file, open: letCome } = heldFile(t);
  const from = await remote(t, { [IMAGE]: manifestOf(BYTES), [`${IMAGE}/file`]: file });
  const fleet = await startFleet(t, { console: consoleFiles });
  const list = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await list.open('/');
  await list.page.getByText('There is no image yet').waitFor();
  await list.page.getByText('live', { exact: true }).waitFor();
  const begun = await fleet.eve('POST', '/api/image/web', { manifest_url: `${from.url}/images/${UUID}`, access: 3 });
  t.is(begun.status, 201);
  const row = rowOf(list.page, 'web');
  await row
    .getByText(/^import/)
    .first()
    .waitFor();
  t.is(await row.getByText('ready', { exact: true }).count(), 0);
  t.is(await row.getByRole('button', { name: /rename|label/ }).count(), 0);
  const lines = await openMenu(list.page, 'web');
  t.true(lines.length > 5);
  t.deepEqual(
    lines.filter((line) => !line.endsWith('something works on it: import')),
    [],
  );
  await list.page.keyboard.press('Escape');

  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await open('/image/web');
  const why = page.getByRole('region', { name: 'why it is not ready' });
  await why.getByRole('progressbar', { name: 'import' }).waitFor();
  const change = page.getByRole('button', { name: 'Change …', exact: true });
  t.deepEqual(
    [await change.getAttribute('aria-disabled'), await change.getAttribute('title')],
    ['true', 'something works on it: import'],
  );
  await page.getByText('live', { exact: true }).waitFor();
  t.deepEqual(await seriousOf(page), []);
  t.is(said(await fleet.eve('PUT', '/api/image/web', { desc: 'x' })), '417 ImagePending');
  letCome();
  await row.getByText('ready', { exact: true }).waitFor();
  await why.waitFor({ state: 'detached' });
  await change.click();
  await page.getByRole('dialog').getByLabel('Description').fill('come');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  const { result } = (await fleet.eve('GET', '/api/image/web')).json;
  t.like(result, { status: 1, pending: null, ready: true, desc: 'come' });
  t.deepEqual([list.complaints, complaints], [[], []]);
});
