import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import ava from 'ava';
import { auditEntries } from '../../server/model/audit.js';
import { nodeImages } from '../../server/model/node-image.js';
import { nodeTokens } from '../../server/model/node-token.js';
import { hasEnded, tasks } from '../../server/model/task.js';
import { sweepLentTokens } from '../../server/operations/lend-token.js';
import { cuttingProxy } from '../support/cutting-proxy.js';
import { place } from '../support/datacenters.js';
import { endOf } from '../support/imports.js';
import { resultOf, said } from '../support/managed.js';
import { isMet } from '../support/needs.js';
import { type Pulls, startPulls } from '../support/pulls.js';
import { scratch } from '../support/scratch.js';

const lacking = (['sshd, to be talked to', 'zfs, to make a pool on a file'] as const).find((need) => !isMet[need]);
// One after another: the daemon of the pools serves all tests of this machine.
const test = lacking === undefined ? ava.serial : (ava.serial.skip as unknown as typeof ava.serial);
const about = (title: string) => (lacking === undefined ? title : `${title} (${lacking})`);

interface Shown {
  name: string;
  uuid: string;
  state: string;
  task: string | null;
  vm_count: number;
  vms?: { hostname: string; dc: string | null }[];
}

/** Asked for, and waited for. */
async function done(pulls: Pulls, method: string, path: string, body: object = {}) {
  const answer = await pulls.root(method, path, body);
  if (answer.status !== 201) throw new Error(`not started: ${answer.bytes}`);
  return endOf(pulls, answer.json.task_id);
}

const pull = (pulls: Pulls, image: string, node = 1) => done(pulls, 'POST', pulls.at(image, node));

/** All that the server has kept or said. */
async function everything({ deps, lines }: Pulls): Promise<string> {
  const kept: unknown[] = [...lines];
  for await (const task of deps.catalog.list(tasks)) kept.push(task);
  for await (const entry of deps.catalog.list(auditEntries)) kept.push(entry);
  return JSON.stringify(kept);
}

test(about('an image comes to a node with what it builds on, is listed, and goes again'), async (t) => {
  const pulls = await startPulls(t);
  const { root, at, pool } = pulls;
  const base = await pulls.zoneImage('base', { bytes: 600_000 });
  const web = await pulls.zoneImage('web', { origin: 'base' });
  t.deepEqual(resultOf(await root('GET', '/api/image/web')).nodes, []);

  const task = await pull(pulls, 'web');
  t.like(task, { status: 'SUCCESS', what: 'pull image' }, JSON.stringify(task.result));
  t.like(task.result as object, { node: 'n1', image: web, images: [base, web] });
  const { bytes } = task.result as { bytes: number };
  t.deepEqual(task.progress, { done: bytes, total: bytes, unit: 'bytes' });
  t.deepEqual((await pulls.datasets()).toSorted(), [base, web].toSorted());
  t.deepEqual(resultOf<string[]>(await root('GET', pool())), ['base', 'web']);
  const poolName = pulls.nodes[0]!.pool.name;
  const [listed] = resultOf<Shown[]>(await root('GET', `${pool()}?full=true&order_by=-name`));
  t.like(listed, { name: 'web', uuid: web, state: 'ready', task: null, vm_count: 0 });
  t.deepEqual(resultOf(await root('GET', '/api/image/web')).nodes, [{ node: 'n1', pool: poolName, state: 'ready' }]);
  t.deepEqual(resultOf(await pulls.eve('GET', '/api/image/web')).nodes, []);

  t.is(said(await root('POST', at('web'), {})), '406 ObjectAlreadyExists');
  const needed = await root('DELETE', at('base'), {});
  t.is(said(needed), '428 ImageHasDependentImages');
  t.true(needed.json.message?.includes(web));
  t.is((await done(pulls, 'DELETE', at('web'))).status, 'SUCCESS');
  t.is((await done(pulls, 'DELETE', at('base'))).status, 'SUCCESS');
  t.deepEqual(await pulls.datasets(), []);
  t.deepEqual(await pulls.copies(), []);
  t.is(said(await root('DELETE', at('base'), {})), '404 ResourceNotFound');
  t.deepEqual(await pulls.tokens(), []);
});

test(about('the pools of a node tell what is on them'), async (t) => {
  const pulls = await startPulls(t);
  const { root, nodes } = pulls;
  const { name } = nodes[0]!.pool;
  const web = await pulls.zoneImage('web');
  t.deepEqual(resultOf<string[]>(await root('GET', '/api/node/n1/storage')), []);
  await pull(pulls, 'web');
  await nodes[0]!.addVm({ alias: 'web1', image: web });
  await root('PUT', '/api/node/n1/inventory', {});
  const [pool] = resultOf<Record<string, unknown>[]>(await root('GET', '/api/node/n1/storage?full=true'));
  t.like(pool, { name, health: 'online', images: 1, vms: 1 });
  t.like(resultOf(await root('GET', '/api/node/n1')), { machines: 1, images: 1 });
  t.true(Number(pool?.free) > 0 && Number(pool?.size) >= Number(pool?.free));
  // U13: a flat list.
  const [shown] = resultOf<Shown[]>(await root('GET', `${pulls.pool()}?extended=true`));
  t.deepEqual(shown?.vms, [{ hostname: 'web1', dc: 'east' }]);
  t.like(resultOf<Shown>(await root('GET', pulls.at('web'))), { uuid: web, vm_count: 1 });
  const used = await root('DELETE', pulls.at('web'), {});
  t.is(said(used), '428 ImageInUse');
  t.regex(used.json.message ?? '', /is used by web1$/);
  t.is(said(await root('GET', '/api/node/n1/storage/none/image')), '404 ResourceNotFound');
  t.is(said(await root('GET', '/api/node/other/storage')), '404 ResourceNotFound');
  for (const who of [pulls.eve, pulls.dora, pulls.sam]) {
    t.is(said(await who('GET', pulls.pool())), '403 NotPermitted');
    t.is(said(await who('POST', pulls.at('web'), {})), '403 NotPermitted');
  }
});

test(about('what can not be is refused before anything is done'), async (t) => {
  const pulls = await startPulls(t);
  const { root, at, deps, nodes } = pulls;
  const web = await pulls.zoneImage('web');
  const refused = async (what: string, path = at('web'), pattern = /./) => {
    const answer = await root('POST', path, {});
    t.is(said(answer), what);
    t.regex(answer.json.message ?? '', pattern);
    t.deepEqual(await pulls.copies(), []);
    t.deepEqual(await pulls.tokens(), []);
  };
  await refused('404 ResourceNotFound', at('none'));
  await refused('404 ResourceNotFound', '/api/node/none/storage/zones/image/web');
  await refused('404 ResourceNotFound', '/api/node/n1/storage/other/image/web', /has no pool "other", but slipway/);

  const { publicUrl } = deps.policy;
  Object.assign(deps.policy, { publicUrl: undefined });
  await refused('428 NoPublicUrl');
  Object.assign(deps.policy, { publicUrl: 'http://127.0.0.1:80' });
  await refused('428 NoPublicUrl');
  Object.assign(deps.policy, { publicUrl });

  await root('PUT', '/api/node/n1', { dcs: 'west' });
  await refused('428 NodeUnsuitable', at('web'), /it serves west, the image is in east/);
  await root('PUT', '/api/node/n1', { dcs: 'east' });

  await place(pulls, web, {}, { requirements: { min_platform: { '7.0': '20300101T000000Z' } } });
  await refused('428 NodeUnsuitable', at('web'), /at least 20300101T000000Z.*20240111T000000Z/);
  await place(pulls, web, {}, { requirements: {} });
  await place(pulls, web, { pending: { task: 'x', what: 'import' } });
  await refused('417 ImagePending');
  await place(pulls, web, { pending: undefined as never }, { state: 'disabled', disabled: true });
  await refused('417 ImagePending', at('web'), /is disabled/);
  await place(pulls, web, {}, { state: 'active', disabled: false });

  const [file] = (await pulls.stored(web))!.files;
  await place(pulls, web, {}, { files: [{ ...file!, size: 10 ** 12 }] });
  await refused('400 InsufficientSpace', at('web'), /1000000000000 bytes are needed, \d+ are available/);
  await place(pulls, web, {}, { files: [file!] });

  await nodes[0]!.tools.put('imgadm', 'echo "imgadm is broken" >&2; exit 3');
  await refused('424 NodeFailed', at('web'), /imgadm is broken/);
  await nodes[0]!.restore('imgadm');
  await nodes[0]!.sshd.cut();
  await nodes[0]!.sshd.stop();
  await refused('423 NodeDown');
  await root('POST', '/api/node/n9', { dcs: 'east' });
  await refused('428 NodeNotManaged', '/api/node/n9/storage/zones/image/web');
});

/** `imgadm` says that it has begun, and does nothing until it is killed. */
async function hangs(t: Parameters<typeof scratch>[0], pulls: Pulls, node = 1) {
  const begun = join(await scratch(t), 'begun');
  await pulls.nodes[node - 1]!.tools.put(
    'imgadm',
    `case $1 in import) echo "$@" > '${begun}'; exec sleep 600;; list) echo '[]';; *) exit 0;; esac`,
  );
}

/** Until the task has begun to fetch. */
async function underWay({ deps }: Pulls, id: unknown) {
  for (;;) {
    const task = await deps.catalog.get(tasks, String(id));
    if (!task || hasEnded(task)) throw new Error(`it has ended: ${JSON.stringify(task)}`);
    if (deps.tasks.progressOf(task)) return task;
    await new Promise<void>((resolve) => {
      const stop = deps.tasks.watch(() => {
        stop();
        resolve();
      });
    });
  }
}

test(about('of two who want the same there is one task; who cancels it leaves nothing there'), async (t) => {
  const pulls = await startPulls(t);
  const { root, at } = pulls;
  await pulls.zoneImage('web');
  await hangs(t, pulls);
  const both = await Promise.all([root('POST', at('web'), {}), root('POST', at('web'), {})]);
  t.deepEqual(both.map(said).toSorted(), ['201', '423 Busy']);
  const id = both.find(({ status }) => status === 201)?.json.task_id;
  await underWay(pulls, id);
  t.like((await pulls.copies())[0], { state: 'importing', task: id });
  t.like(resultOf<Shown>(await root('GET', at('web'))), { state: 'importing', task: id });
  t.is(said(await root('DELETE', at('web'), {})), '423 Busy');
  t.is((await pulls.tokens()).length, 1);
  t.is((await root('PUT', `/api/task/${id}/cancel`)).status, 410);
  t.deepEqual(await pulls.copies(), []);
  t.deepEqual(await pulls.tokens(), []);
  await pulls.nodes[0]!.sshd.nothingRuns();
  await pulls.nodes[0]!.restore('imgadm');
  t.is((await pull(pulls, 'web')).status, 'SUCCESS');
});

test(about('a node that stands still is given up'), async (t) => {
  const pulls = await startPulls(t, { nodePatience: { silence: 300, settling: 300, pauses: [] } });
  await pulls.zoneImage('web');
  await hangs(t, pulls);
  const task = await pull(pulls, 'web');
  t.like(task, { status: 'FAILURE' });
  t.like(task.result as object, { code: 'NodeDown' });
  t.regex(String(Object(task.result).detail), /node n1 stands still/);
  t.deepEqual([await pulls.copies(), await pulls.tokens()], [[], []]);
  await pulls.nodes[0]!.sshd.nothingRuns();
});

test(about('a file that is cut on its way is no image there, and the token is told to nobody'), async (t) => {
  const pulls = await startPulls(t, { nodePatience: { pauses: [] } });
  await pulls.zoneImage('web', { bytes: 3_000_000 });
  const proxy = await cuttingProxy(t, pulls.port, () => ({ down: 1_000_000, end: 'cut' }));
  await pulls.fetchFrom(Number(new URL(proxy.url).port));
  const answer = await pulls.ask('POST', pulls.at('web'), { body: {}, headers: { 'es-stream': 'es' }, as: 'admin' });
  // Whoever waits is told that what it depends on has failed.
  t.regex(answer.bytes.toString(), /^\s*424\n/);
  const task = await endOf(pulls, answer.headers.es_task_id);
  t.like(task.result as object, { code: 'NodeFailed' });
  t.deepEqual(await pulls.datasets(), []);
  t.deepEqual([await pulls.copies(), await pulls.tokens()], [[], []]);
  t.notRegex(await everything(pulls), /slipway_[\w-]{16}/);
  t.notRegex(answer.bytes.toString(), /slipway_/);
});

test(about('what a node says of its token is not told on, wherever it was cut'), async (t) => {
  const pulls = await startPulls(t);
  await pulls.zoneImage('web');
  const seen = join(await scratch(t), 'source');
  const says =
    'for word; do case $word in http*) echo "$word" > SEEN; echo "bad source $word, of which the end is $(echo "$word" | tail -c 20)" >&2;; esac; done';
  await pulls.nodes[0]!.tools.put(
    'imgadm',
    `case $1 in list) echo '[]';; import) ${says.replace('SEEN', `'${seen}'`)}; exit 1;; esac`,
  );
  const task = await pull(pulls, 'web');
  t.like(task.result as object, { code: 'NodeFailed' });
  const secret = (await readFile(seen, 'utf8')).trim().split('slipway_')[1] ?? '';
  t.is(secret.length, 32);
  const all = await everything(pulls);
  for (let at = 0; at + 8 <= secret.length; at += 1) t.false(all.includes(secret.slice(at, at + 8)));
  const { status } = await pulls.ask('GET', `/n/slipway_${secret}/images`, { as: 'anonymous' });
  t.is(status, 401, 'it is good for nothing');
});

test(about('a node that is lost on the way is tried again, and ends as down'), async (t) => {
  const pulls = await startPulls(t, { nodePatience: { pauses: [1, 1] } });
  const { root, at, nodes } = pulls;
  await pulls.zoneImage('web');
  await hangs(t, pulls);
  const { json } = await root('POST', at('web'), {});
  await underWay(pulls, json.task_id);
  await nodes[0]!.restore('imgadm');
  await nodes[0]!.sshd.cut();
  t.is((await endOf(pulls, json.task_id)).status, 'SUCCESS');
  t.is((await done(pulls, 'DELETE', at('web'))).status, 'SUCCESS');

  await hangs(t, pulls);
  const again = await root('POST', at('web'), {});
  await underWay(pulls, again.json.task_id);
  await nodes[0]!.sshd.cut();
  await nodes[0]!.sshd.stop();
  const task = await endOf(pulls, again.json.task_id);
  t.like(task.result as object, { code: 'NodeDown' });
  t.deepEqual([await pulls.copies(), await pulls.tokens()], [[], []]);
});

test(about('nodes fetch by the URL of their data center where it has its own'), async (t) => {
  const pulls = await startPulls(t);
  const { root, at, deps } = pulls;
  await pulls.zoneImage('web');
  const { publicUrl } = deps.policy;
  Object.assign(deps.policy, { publicUrl: undefined });
  const campaign = () => root('POST', '/api/campaign/all', { image: 'web', pool: pulls.nodes[0]!.pool.name });
  t.is(said(await root('POST', at('web'), {})), '428 NoPublicUrl');
  t.is(said(await campaign()), '428 NoPublicUrl');
  t.is((await root('PUT', '/api/dc/east/settings', { publicUrl })).status, 200);
  t.is((await done(pulls, 'POST', at('web'))).status, 'SUCCESS');
  t.is((await done(pulls, 'DELETE', at('web'))).status, 'SUCCESS');
  const { status, json } = await campaign();
  t.is(status, 201);
  t.is((await endOf(pulls, json.task_id)).status, 'SUCCESS');
  t.is((await pulls.copies()).length, 1);
});

test(about('what is unused goes, what is used stays with the reason'), async (t) => {
  const pulls = await startPulls(t);
  const { root, nodes } = pulls;
  const base = await pulls.zoneImage('base');
  const web = await pulls.zoneImage('web', { origin: 'base' });
  const old = await pulls.zoneImage('old', { origin: 'base' });
  const free = await pulls.zoneImage('free');
  for (const name of ['web', 'old', 'free']) await pull(pulls, name);
  const foreign = await nodes[0]!.addImage();
  await nodes[0]!.addVm({ alias: 'web1', image: web });
  await root('PUT', '/api/node/n1/inventory', {});
  const task = await done(pulls, 'DELETE', pulls.pool());
  t.is(task.status, 'SUCCESS');
  const rows = task.result as { image: string; status: string; code: string | null }[];
  const outcome = Object.fromEntries(rows.map(({ image, status, code }) => [image, `${status} ${code}`]));
  t.deepEqual(outcome, {
    [web]: 'SKIPPED ImageInUse',
    [base]: 'SKIPPED ImageHasDependentImages',
    [old]: 'SUCCESS null',
    [free]: 'SUCCESS null',
    [foreign]: 'SUCCESS null',
  });
  t.deepEqual(
    (await pulls.copies()).map(({ image, state }) => `${image} ${state}`).toSorted(),
    [`${base} ready`, `${web} ready`].toSorted(),
  );
  t.false((await pulls.datasets()).includes(free));
});

test(about('an image leaves all nodes before it is deleted, and waits for those that are away'), async (t) => {
  const pulls = await startPulls(t, { nodes: 2, nodePatience: { again: 10 } });
  const { root, nodes, deps } = pulls;
  const web = await pulls.zoneImage('web');
  for (const node of [1, 2]) t.is((await pull(pulls, 'web', node)).status, 'SUCCESS');
  await nodes[1]!.sshd.cut();
  await nodes[1]!.sshd.stop();
  const { status, json } = await root('DELETE', '/api/image/web');
  t.is(status, 201);
  const id = String(json.task_id);
  const waits = await untilTask(pulls, id, ({ result }) => Object(result).waiting === 1);
  t.like(waits, { status: 'STARTED', progress: { done: 1, total: 2 } });
  const { stragglers } = waits.result as { stragglers: { node: string; reason: string }[] };
  t.is(stragglers[0]?.node, 'n2');
  t.not(stragglers[0]?.reason, '');
  t.deepEqual(await pulls.datasets(1), []);
  t.like(resultOf(await root('GET', '/api/image/web')), { status: 2, pending: { task: id, what: 'delete' } });
  t.deepEqual(
    (resultOf(await root('GET', '/api/image/web')).nodes as object[]).map((one) => Object(one).state),
    ['deleting'],
  );
  // Over IMGAPI it is gone, for everybody.
  for (const path of [`/images/${web}`, `/images/${web}/file`]) {
    t.is((await pulls.ask('GET', path, { as: 'admin' })).status, 404);
  }
  t.is((await pulls.ask('GET', '/images?state=all', { as: 'admin' })).bytes.toString().trim(), '[]');
  t.is(said(await root('POST', pulls.at('web'), {})), '417 ImagePending');
  t.is(said(await root('DELETE', '/api/image/web')), '417 ImagePending');

  await nodes[1]!.sshd.start();
  const task = await endOf(pulls, id);
  t.like(task, { status: 'SUCCESS' });
  t.like(task.result as object, { deleted: true, waiting: 0 });
  t.is(await pulls.stored(web), undefined);
  t.deepEqual([await pulls.copies(), await pulls.datasets(2)], [[], []]);
  t.is(deps.listing.get(web), undefined);
});

test(about('who cancels a deletion has the image back; a machine that uses it by now stops it'), async (t) => {
  const pulls = await startPulls(t, { nodePatience: { again: 10 } });
  const { root, nodes } = pulls;
  const web = await pulls.zoneImage('web');
  await pull(pulls, 'web');
  await nodes[0]!.sshd.cut();
  await nodes[0]!.sshd.stop();
  const first = await pulls.ask('DELETE', `/images/${web}`);
  t.is(first.status, 204, 'over IMGAPI it is gone at once');
  t.is((await pulls.ask('DELETE', `/images/${web}`)).status, 404);
  const { pending } = resultOf<{ pending: { task: string } }>(await root('GET', '/api/image/web'));
  await untilTask(pulls, pending.task, ({ result }) => Object(result).waiting === 1);
  t.is((await root('PUT', `/api/task/${pending.task}/cancel`)).status, 410);
  t.like(resultOf(await root('GET', '/api/image/web')), { status: 1, pending: null });
  t.is((await pulls.ask('GET', `/images/${web}`, { as: 'admin' })).status, 200);
  t.deepEqual(
    (await pulls.copies()).map(({ state }) => state),
    ['ready'],
  );

  const { json } = await root('DELETE', '/api/image/web');
  await untilTask(pulls, String(json.task_id), ({ result }) => Object(result).waiting === 1);
  const machine = { hostname: 'late', dc: 'east', images: [{ disk: 1, image: web }] };
  t.is((await root('PUT', `/api/vm/${randomUUID()}`, machine)).status, 200);
  const task = await endOf(pulls, json.task_id);
  t.like(task.result as object, { code: 'ImageInUse' });
  t.like(resultOf(await root('GET', '/api/image/web')), { status: 1, pending: null });
});

test(about('by force an image is deleted at once, and what nodes have is theirs'), async (t) => {
  const pulls = await startPulls(t, { nodePatience: { again: 10 } });
  const { root, nodes } = pulls;
  const web = await pulls.zoneImage('web');
  await pull(pulls, 'web');
  await nodes[0]!.sshd.cut();
  await nodes[0]!.sshd.stop();
  const { json } = await root('DELETE', '/api/image/web');
  await untilTask(pulls, String(json.task_id), ({ result }) => Object(result).waiting === 1);
  t.is(said(await pulls.eve('DELETE', '/api/image/web', { force: true })), '403 NotPermitted');
  t.is(said(await root('DELETE', '/api/image/web', { force: true })), '200');
  t.like(await endOf(pulls, json.task_id), { status: 'SUCCESS' });
  t.is(await pulls.stored(web), undefined);
  t.deepEqual(await pulls.copies(), []);
  const noted: unknown[] = [];
  for await (const { objects } of pulls.deps.catalog.list(auditEntries)) noted.push(...objects);
  t.true(noted.some((one) => Object(one).kind === nodeImages.name && Object(one).action === 'deleted'));
  await nodes[0]!.sshd.start();
  await root('PUT', '/api/node/n1/inventory', {});
  t.like(resultOf<Shown[]>(await root('GET', `${pulls.pool()}?full=true`))[0], {
    name: web,
    known: false,
    state: 'ready',
  });
});

test(about('many are deleted the same way, and tokens that were left behind are swept'), async (t) => {
  const pulls = await startPulls(t);
  const { root, deps } = pulls;
  await pulls.zoneImage('web');
  await pull(pulls, 'web');
  const bulk = await done(pulls, 'POST', '/api/bulk/image', { action: 'delete', images: ['web'] });
  const [row] = bulk.result as { status: string; detail: string }[];
  const [, id] = /^task (\S+) goes on with it$/.exec(row?.detail ?? '') ?? [];
  t.is((await endOf(pulls, id)).status, 'SUCCESS');
  t.deepEqual(await pulls.datasets(), []);
  t.is(said(await root('GET', '/api/image/web')), '404 ResourceNotFound');

  const left = { hash: 'a'.repeat(64), name: 'task-x', node: 'n1', created: new Date().toISOString(), task: 'x' };
  await deps.catalog.write((tx) => tx.insert(nodeTokens, left));
  await sweepLentTokens(deps);
  t.deepEqual(await pulls.tokens(), []);
});

/** As soon as a task looks so. */
async function untilTask({ deps }: Pulls, id: string, looks: (task: { result: unknown }) => boolean) {
  let tell = () => {};
  const stop = deps.catalog.follow(tasks, () => tell());
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        tell = resolve;
      });
      const task = await deps.catalog.get(tasks, id);
      if (!task || hasEnded(task)) throw new Error(`it has ended: ${JSON.stringify(task)}`);
      if (looks(task)) return task;
      await changed;
    }
  } finally {
    stop();
  }
}
