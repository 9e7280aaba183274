import ava from 'ava';
import { nodeImages } from '../../server/model/node-image.js';
import { nodeStatuses } from '../../server/model/node-status.js';
import { userUuid } from '../../server/model/user.js';
import { vms } from '../../server/model/vm.js';
import { refreshAnswering, refreshSilent } from '../../server/operations/refresh-nodes.js';
import type { Answer } from '../support/ask.js';
import { numbered } from '../support/fixtures.js';
import { gate } from '../support/gate.js';
import {
  hesitates,
  type Lab,
  labWith,
  manage,
  startLab,
  startTalkingNode,
  tells,
  zone,
} from '../support/inventories.js';
import { keptLog } from '../support/log.js';
import { addImage, type Fleet, resultOf, said } from '../support/managed.js';
import { isMet } from '../support/needs.js';
import { scraped } from '../support/scraped.js';
import { startSmartosNode } from '../support/smartos.js';

const test = isMet['sshd, to be talked to'] ? ava : ava.skip;
const withZfs = isMet['sshd, to be talked to'] && isMet['zfs, to make a pool on a file'] ? ava : ava.skip;

const vm = (number: number) => `/api/vm/${numbered(number)}`;

interface ShownVm {
  uuid: string;
  hostname: string;
  dc: string | null;
  node: string | null;
  registered_node: string | null;
  owner: string | null;
  state: string;
  source: string;
  images: { disk: number; image: string }[];
  found: { node: string; state: string; elsewhere: string[] } | null;
}

const shown = async ({ root }: Fleet, number: number) => resultOf<ShownVm>(await root('GET', vm(number)));
const nodeOf = async ({ root }: Fleet, name = 'n1') => resultOf(await root('GET', `/api/node/${name}`));
const all = async ({ deps }: Fleet) => {
  const found: object[] = [];
  for (const kind of [vms, nodeImages, nodeStatuses]) {
    for await (const record of deps.catalog.list<object>(kind as never)) found.push(record);
  }
  return found;
};

withZfs('a machine that was found keeps its image, until its node no longer has it', async (t) => {
  const lab = await labWith(t, await startSmartosNode(t));
  const { node, root, eve, will, refresh } = lab;
  const uuid = await addImage(lab, 'web');
  await node.addImage({ uuid });
  const made = await node.addVm({ uuid: numbered(1), alias: 'web1', image: uuid, tags: { front: true } });
  const first = await refresh();
  t.deepEqual(resultOf(first), { machines: 1, came: 1, went: 0, images: 1 }, String(first.bytes));
  t.deepEqual(resultOf(await refresh()), { machines: 1, came: 0, went: 0, images: 1 });
  t.like(await shown(lab, 1), {
    hostname: 'web1',
    dc: 'east',
    node: 'n1',
    state: 'active',
    source: 'inventory',
    images: [{ disk: 1, image: uuid, size: 10_240 }],
  });
  t.like((await shown(lab, 1)).found, { node: 'n1', state: 'running', elsewhere: [] });
  t.like(await nodeOf(lab), {
    online: true,
    reason: null,
    platform: 'smartos',
    machines: 1,
    version: '20240111T000000Z',
  });
  t.deepEqual(resultOf<string[]>(await eve('GET', '/api/image/web/vm')), ['web1']);
  t.deepEqual(resultOf<string[]>(await root('GET', '/api/node/n1/vm')), ['web1']);
  t.is(said(await will('GET', vm(1))), '404 ResourceNotFound');

  const refused = await eve('DELETE', '/api/image/web');
  t.is(said(refused), '428 ImageInUse');
  t.regex(refused.json.message ?? '', /is used by web1$/);
  t.is(said(await root('DELETE', '/api/dc/east/image/web')), '428 ImageInUse');
  t.is(said(await lab.ask('DELETE', `/images/${uuid}`)), '422 ImageInUse');

  await made.remove();
  t.deepEqual(resultOf(await refresh()), { machines: 0, came: 0, went: 1, images: 1 });
  t.is(said(await root('GET', vm(1))), '404 ResourceNotFound');
  t.is(lab.deps.fleet.size, 0);
});

test('a node that is silent keeps what was found on it, and blocks; once it is told of, and once that it is back', async (t) => {
  const { log, lines } = keptLog();
  const lab = await startLab(t, { log });
  const { node, root, refresh } = lab;
  const uuid = await addImage(lab, 'web');
  await tells(t, node, [zone(numbered(1), 'web1', uuid)]);
  await refresh();
  await node.sshd.cut();
  await node.sshd.stop();
  for (const _ of [1, 2]) t.is(said(await refresh()), '423 NodeDown');
  const status = await nodeOf(lab);
  t.like(status, { online: false, machines: 1, platform: 'smartos' });
  t.truthy(status.reason);
  t.regex((await root('DELETE', '/api/image/web')).json.message ?? '', /is used by web1$/);
  t.deepEqual(resultOf<string[]>(await root('GET', '/api/node/n1/vm')), ['web1']);

  await refreshAnswering(lab.deps);
  await node.sshd.start();
  await root('PUT', '/api/node/n1', { port: node.sshd.port });
  await tells(t, node, []);
  await refreshSilent(lab.deps);
  t.like(await nodeOf(lab), { online: true, reason: null, machines: 0 });
  const told = lines.filter((line) => line.node === 'n1' && /^a node /.test(line.msg)).map(({ msg }) => msg);
  t.deepEqual(told, [
    'a node answers',
    'a node is silent: what its machines use is kept as it was known last',
    'a node answers again',
  ]);
  const events = resultOf<{ who: string; what: string; objects: { kind: string; name: string }[] }[]>(
    await root('GET', '/api/audit?object=n1'),
  ).filter(({ objects }) => objects.some(({ kind }) => kind === 'node-statuses'));
  t.is(events.length, 3);
  for (const { who, what, objects } of events) {
    t.deepEqual([who, what, objects.length], ['slipway', 'inventory', 1], JSON.stringify(objects));
  }
});

test('those who do not see a machine are told that there is one, and not which', async (t) => {
  const lab = await startLab(t, { dcs: 'east,west' });
  const { root, eve, dora, will, node, refresh } = lab;
  const uuid = await addImage(lab, 'web');
  await root('PUT', '/api/node/n1', { vm_rules: 'tag:a=east,owner:mia=west' });
  await tells(t, node, [
    zone(numbered(1), 'eastern', uuid, { tags: { a: true } }),
    zone(numbered(2), 'western', uuid, {
      owner_uuid: userUuid('mia'),
    }),
    zone(numbered(3), 'nowhere', uuid),
  ]);
  await refresh();
  t.like(await shown(lab, 1), { dc: 'east', owner: null });
  t.like(await shown(lab, 2), { dc: 'west', owner: 'mia' });
  t.like(await shown(lab, 3), { dc: null });
  t.regex((await eve('DELETE', '/api/image/web')).json.message ?? '', /is used by eastern, 2 others$/);
  t.regex((await root('DELETE', '/api/image/web')).json.message ?? '', /is used by eastern, western, nowhere$/);
  t.regex((await root('DELETE', '/api/dc/east/image/web')).json.message ?? '', /is used by eastern, nowhere$/);
  t.deepEqual(resultOf<string[]>(await dora('GET', '/api/vm')), ['eastern']);
  t.deepEqual(resultOf<string[]>(await will('GET', '/api/vm')), ['western']);
  t.is(said(await will('GET', vm(3))), '404 ResourceNotFound');

  await root('PUT', '/api/node/n1', { vm_rules: 'tag:a=west' });
  t.like(await shown(lab, 1), { dc: 'west' });
  t.like(await shown(lab, 2), { dc: null });
  t.is(said(await root('DELETE', '/api/dc/west', {})), '200', 'what was only found keeps no data center');
  t.like(await shown(lab, 1), { dc: 'east' });
  t.like(await shown(lab, 3), { dc: 'east' });
});

test('what is registered and what is found are one machine; it is gone when both are', async (t) => {
  const lab = await startLab(t, { dcs: 'east,west' });
  const { root, dora, will, node, refresh } = lab;
  const found = await addImage(lab, 'found');
  const meant = await addImage(lab, 'meant');
  const foreign = numbered(999);
  await tells(t, node, [zone(numbered(1), 'alias1', found), zone(numbered(2), 'other', foreign)]);
  await dora('PUT', vm(1), { hostname: 'one', dc: 'east', state: 'wanted', images: [{ disk: 1, image: meant }] });
  await refresh();
  t.like(await shown(lab, 1), { hostname: 'one', dc: 'east', state: 'wanted', source: 'both' });
  t.like(await shown(lab, 1), { node: 'n1', registered_node: null }, 'what was found is not what was registered');
  t.like(resultOf<ShownVm>(await dora('GET', vm(1))), {
    source: 'both',
    images: [{ disk: 1, image: meant, size: null }],
  });
  for (const name of ['found', 'meant']) {
    t.regex((await root('DELETE', `/api/image/${name}`)).json.message ?? '', /is used by one$/);
  }
  t.like(await shown(lab, 2), { images: [{ disk: 1, image: foreign, size: 10_240 }] }, 'images that are not here show');
  t.is((await root('GET', `${vm(1)}/move?dc=west`)).json.errors?.length, 2, 'a move asks for what was found as well');

  t.is(said(await dora('DELETE', vm(1))), '200');
  t.is(said(await dora('DELETE', vm(1))), '404 ResourceNotFound', 'no rule says that it is in east');
  t.like(await shown(lab, 1), { hostname: 'alias1', dc: null, source: 'inventory', state: 'active' });
  t.is(said(await root('DELETE', vm(1))), '409 AlreadyDone');
  t.is(said(await root('DELETE', '/api/image/found')), '428 ImageInUse');
  t.is((await root('DELETE', '/api/image/meant')).status, 200);

  const asNew = { authorization: 'Bearer token-of-will', 'if-none-match': '*', 'x-check-only': 'true' };
  const unseen = await lab.ask('PUT', vm(1), { headers: asNew, body: { hostname: 'mine', dc: 'west' } });
  t.is(said(unseen), '204', 'to whoever does not see it, it is not there');
  t.is(said(await will('PUT', vm(1), { hostname: 'mine', dc: 'west' })), '200', 'it stands nowhere, on a node of west');
  t.is(said(await dora('PUT', vm(1), { hostname: 'mine', dc: 'east' })), '406 ObjectAlreadyExists');
  await tells(t, node, []);
  await refresh();
  t.like(await shown(lab, 1), { source: 'registered', found: null, node: null, dc: 'west' });
  t.is(said(await will('DELETE', vm(1))), '200');
  t.is(lab.deps.fleet.size, 0);
});

test('a machine that moves is one all the way, and its images are in use all the way', async (t) => {
  const lab = await startLab(t);
  const { root, node, refresh } = lab;
  const uuid = await addImage(lab, 'web');
  await manage(lab, node, { name: 'n2' });
  const inUse = async () => t.is(said(await root('DELETE', '/api/image/web')), '428 ImageInUse');
  const second = () => root('PUT', '/api/node/n2/inventory', {});

  await tells(t, node, [zone(numbered(1), 'one', uuid)]);
  await refresh();
  await tells(t, node, [zone(numbered(1), 'one', uuid, { state: 'stopped', zone_state: 'stopped' })]);
  await second();
  t.like((await shown(lab, 1)).found, { node: 'n1', elsewhere: ['n2'] });
  await refresh();
  t.like((await shown(lab, 1)).found, { node: 'n2', elsewhere: ['n1'], state: 'stopped' });
  await inUse();
  t.deepEqual(resultOf<string[]>(await root('GET', '/api/vm')), ['one']);
  await tells(t, node, []);
  await refresh();
  t.like((await shown(lab, 1)).found, { node: 'n2', elsewhere: [] });
  await inUse();
  await second();
  t.is(lab.deps.fleet.size, 0);
});

test('what is known of a node goes with it', async (t) => {
  const lab = await startLab(t);
  const { root, dora, node, refresh } = lab;
  const uuid = await addImage(lab, 'web');
  await node.tools.put('imgadm', `echo '[{"manifest":{"uuid":"${uuid}"},"zpool":"zones","cloneNames":[]}]'`);
  await tells(t, node, [zone(numbered(1), 'one', uuid), zone(numbered(2), 'two', uuid)]);
  await dora('PUT', vm(2), { hostname: 'two', dc: 'east' });
  await refresh();
  t.is((await all(lab)).length, 4);
  t.is(said(await root('DELETE', '/api/node/n1', {})), '200');
  t.like(await shown(lab, 2), { source: 'registered', found: null });
  t.is((await all(lab)).length, 1);
  t.is(said(await refresh()), '404 ResourceNotFound');
});

test('what can not be believed changes nothing, and says so', async (t) => {
  const lab = await startLab(t);
  const { node, refresh } = lab;
  const uuid = await addImage(lab, 'web');
  await tells(t, node, [zone(numbered(1), 'one', uuid)]);
  await refresh();
  const before = await all(lab);
  const many = Array.from({ length: 20_001 }, (_, n) => zone(numbered(n), 'x', uuid));
  const hostile: [string, string | object[]][] = [
    ['nonsense', 'vmadm: command not what you think'],
    ['nothing', ''],
    ['no list', '{"uuid": 1}'],
    ['null', '[null]'],
    ['too many', many],
    ['no uuid', [zone('$(reboot)', 'x', uuid)]],
  ];
  for (const [what, machines] of hostile) {
    await tells(t, node, machines);
    const refused = await refresh();
    t.is(said(refused), '424 NodeFailed', what);
    t.true((refused.json.message ?? '').length < 2000, what);
    const status = await nodeOf(lab);
    t.like(status, { online: true, machines: 1 }, what);
    t.is(status.reason, refused.json.message, what);
  }
  await node.tools.put('vmadm', "head -c 100000000 /dev/zero | tr '\\0' x");
  t.is(said(await refresh()), '424 NodeFailed', 'without an end');
  const kept = (records: object[]) => records.map((record) => ({ ...record, reason: '' }));
  t.deepEqual(kept(await all(lab)), kept(before));
  await node.sshd.nothingRuns();

  const odd = zone(numbered(1), '<script>\u001b[31m', uuid, { tags: { 'a.b': 1, ok: true }, brand: 'joyent' });
  await tells(t, node, [odd, odd, zone(numbered(2), 'a b; reboot', numbered(7))]);
  t.like(resultOf(await refresh()), { machines: 2 });
  t.is((await shown(lab, 1)).hostname, '<script>[31m');
  t.is((await nodeOf(lab)).reason, null);
});

test('a node that is asked already is not asked twice, and holds up no other', async (t) => {
  const lab = await startLab(t);
  const { node, refresh } = lab;
  const well = await startTalkingNode(t, node.sshd.key.public);
  await manage(lab, well, { name: 'n2' });
  await tells(t, well, [zone(numbered(2), 'two', numbered(9))]);
  const { asked } = await hesitates(t, node);
  const others = gate();
  const unfollow = lab.deps.catalog.follow(nodeStatuses, (changes) => {
    if (changes.some(({ id, record }) => id === 'n2' && record?.inventoried)) others.open();
  });
  const scheduled = refreshAnswering(lab.deps);
  const answer = await asked();
  await others.opened;
  unfollow();
  t.like(await shown(lab, 2), { node: 'n2', source: 'inventory' });
  t.is(said(await refresh()), '423 Busy');
  t.is((await nodeOf(lab)).inventoried, null);
  await answer([zone(numbered(1), 'one', numbered(9))]);
  await scheduled;
  t.like(await shown(lab, 1), { node: 'n1' });
});

test('a node that hangs is silent, and nothing of what it was asked stays', async (t) => {
  const lab = await startLab(t, { nodeLimits: { inventory: 1000, waiting: 1000 } });
  const { root, node, refresh } = lab;
  await node.tools.put('vmadm', 'exec tail -f /dev/null');
  const slow = await refresh();
  t.is(said(slow), '423 NodeDown');
  t.regex(slow.json.message ?? '', /did not tell all that is on it within 1 seconds/);
  t.like(await nodeOf(lab), { online: false, inventoried: null });
  await node.sshd.nothingRuns();
  t.is((await root('GET', '/api/node/n1/check')).status, 200);
});

type Step = (lab: Lab, uuid: string) => Promise<unknown>;

test('whatever is done while a node is telling, what it has told is kept as if it had come afterwards', async (t) => {
  const lab = await startLab(t);
  const { root, dora, node, refresh } = lab;
  let number = 0;
  const during = async (before: Step, meanwhile: Step, isThere: boolean) => {
    number += 1;
    const uuid = await addImage(lab, `web${number}`);
    await tells(t, node, isThere ? [] : [zone(numbered(number), `vm${number}`, uuid)]);
    await refresh();
    await before(lab, uuid);
    const { asked } = await hesitates(t, node);
    const taking = refresh();
    const answer = await asked();
    const done = await meanwhile(lab, uuid);
    t.is((done as Answer | undefined)?.status ?? 200, 200, JSON.stringify((done as Answer | undefined)?.json));
    await answer(isThere ? [zone(numbered(number), `vm${number}`, uuid)] : []);
    const taken = await taking;
    const found = await root('GET', vm(number));
    return { taken, uuid, found: found.status === 200 ? resultOf<ShownVm>(found) : undefined };
  };
  const nothing: Step = async () => {};
  const register: Step = (_, uuid) =>
    dora('PUT', vm(number), { hostname: 'reg', dc: 'east', images: [{ disk: 1, image: uuid }] });
  const forget: Step = () => dora('DELETE', vm(number));

  const deleted = await during(nothing, (_, uuid) => root('DELETE', `/api/image/${uuid}`), true);
  t.like(deleted.found, { source: 'inventory' });
  t.is(await lab.stored(deleted.uuid), undefined);
  t.like((await during(nothing, register, true)).found, { source: 'both', hostname: 'reg' });
  t.like((await during(register, forget, true)).found, { source: 'inventory', hostname: 'vm3' });
  t.like((await during(nothing, register, false)).found, { source: 'registered' });
  t.is((await during(register, forget, false)).found, undefined);

  const renamed = await during(nothing, () => root('PUT', '/api/node/n1', { user: 'other' }), true);
  t.is(said(renamed.taken), '423 Busy');
  t.is(renamed.found, undefined, 'what another machine has told is not kept under its name');
  await root('PUT', '/api/node/n1', { user: node.sshd.user });

  const gone = await during(nothing, () => root('DELETE', '/api/node/n1', {}), true);
  t.is(said(gone.taken), '423 Busy');
  t.is(gone.found, undefined);
  t.is((await all(lab)).filter((record) => 'found' in record || 'online' in record).length, 0);
});

test('an inventory beside deletions: whichever comes first, no machine that was found lacks what is here', async (t) => {
  const lab = await startLab(t);
  const { eve, root, node, refresh } = lab;
  for (let n = 1; n <= 6; n += 1) {
    const uuid = await addImage(lab, `web${n}`);
    await tells(t, node, [zone(numbered(n), `vm${n}`, uuid)]);
    const calls = [refresh(), eve('DELETE', `/api/image/${uuid}`), root('DELETE', `/api/dc/east/image/${uuid}`)];
    const [taken] = await Promise.all(n % 2 === 0 ? calls : calls.toReversed()).then((done) =>
      n % 2 === 0 ? done : done.toReversed(),
    );
    t.is(taken?.status, 200);
    const again = await root('DELETE', `/api/image/${uuid}`);
    t.true(['428 ImageInUse', '404 ResourceNotFound'].includes(said(again)), said(again));
    t.is((await lab.stored(uuid)) !== undefined, said(again) === '428 ImageInUse');
  }
});

test('a check tells what is wrong, what fails first, and what to do', async (t) => {
  const lab = await startLab(t, { publicUrl: 'http://127.0.0.1:8080' });
  const { root, dora, node } = lab;
  interface Checked {
    failed: string | null;
    checks: { check: string; ok: boolean | null; found: string; advice: string | null }[];
  }
  const check = async () => resultOf<Checked>(await root('GET', '/api/node/n1/check'));
  const firstOf = ({ failed, checks: [first] }: Checked) => {
    if (failed !== null) t.is(first?.check, failed);
    t.truthy(failed === null || first?.advice);
    return failed;
  };
  t.is(said(await dora('GET', '/api/node/n1/check')), '403 NotPermitted');
  t.is(said(await root('GET', '/api/node/n9/check')), '404 ResourceNotFound');
  const one = await check();
  t.is(firstOf(one), 'publicUrl', JSON.stringify(one));
  const okOf = (checked: Checked) => Object.fromEntries(checked.checks.map(({ check, ok }) => [check, ok]));
  t.like(okOf(one), { reachable: true, 'host key': true, login: true, platform: true, tools: true, clock: true });

  await node.tools.put('date', 'echo 12');
  t.is(firstOf(await check()), 'clock');
  await node.tools.put('date', 'echo; echo nonsense');
  t.is(firstOf(await check()), 'clock');
  await node.tools.restore('date');
  await node.tools.lacks('uname');
  t.true(['platform', 'tools'].includes(firstOf(await check()) ?? ''));
  await node.tools.put('uname', 'echo joyent_20240111T000000Z');
  await node.sshd.cut();
  await node.sshd.replaceHostKey();
  await root('PUT', '/api/node/n1', { port: node.sshd.port });
  const pinned = await check();
  t.is(firstOf(pinned), 'host key');
  t.like(okOf(pinned), { reachable: true, login: null });
  await root('PUT', '/api/node/n1', { host_keys: [node.sshd.hostKey] });
  t.is((await nodeOf(lab)).reason, null, 'why it was not reached by the way before says nothing of this one');
  t.is(firstOf(await check()), 'publicUrl');
  await node.sshd.cut();
  await node.sshd.stop();
  const down = await check();
  t.is(firstOf(down), 'reachable');
  t.like(okOf(down), { login: null, tools: null });
  await root('PUT', '/api/node/n1', { address: null });
  t.is(firstOf(await check()), 'address');
});

test('what nodes are is measured', async (t) => {
  const lab = await startLab(t);
  const { node, refresh, ask } = lab;
  const metrics = async () => scraped(await ask('GET', '/metrics', { as: 'admin' }));
  t.is((await metrics()).value('nodes', { state: 'unknown' }), 1);
  await refresh();
  const after = await metrics();
  t.is(after.value('nodes', { state: 'online' }), 1);
  t.is(after.value('inventories_total', { outcome: 'done' }), 1);
  t.is(after.value('inventory_duration_seconds_count'), 1);
  t.true(Math.abs((after.value('oldest_inventory_timestamp_seconds') ?? 0) - Date.now() / 1000) < 60);
  await tells(t, node, 'nonsense');
  await refresh();
  await node.sshd.cut();
  await node.sshd.stop();
  await refresh();
  const last = await metrics();
  t.is(last.value('nodes', { state: 'offline' }), 1);
  t.is(last.value('inventories_total', { outcome: 'failed' }), 1);
  t.is(last.value('inventories_total', { outcome: 'silent' }), 1);
});

test('who registers a uuid before it is found on a node of others learns nothing of it, and gets at nothing', async (t) => {
  const lab = await startLab(t, { dcs: 'west' });
  const { root, eve, will, node, refresh } = lab;
  const hidden = await addImage(lab, 'hidden', { dc: 'west' });
  t.is(said(await eve('PUT', vm(1), { hostname: 'mine', dc: 'east' })), '200');
  await tells(t, node, [zone(numbered(1), 'theirs', hidden)]);
  await refresh();
  const seen = await eve('GET', vm(1));
  t.like(resultOf<ShownVm>(seen), { source: 'registered', found: null, node: null, images: [] });
  t.false(String(seen.bytes).includes('theirs') || String(seen.bytes).includes(hidden));
  const again = { hostname: 'mine', dc: 'east', images: [{ disk: 1, image: hidden }] };
  t.is(said(await eve('PUT', vm(1), again)), '400 InvalidInput images.0.image');
  t.is(said(await eve('GET', `${vm(1)}/snapshot`)), '428 NodeNotManaged');
  for (const path of ['/api/vm/theirs/snapshot', `${vm(1)}/snapshot?node=n1`, '/api/vm/nobody/snapshot']) {
    const answer = await eve('GET', path);
    t.is(said(answer), '404 ResourceNotFound', path);
  }
  t.regex((await will('DELETE', '/api/image/hidden')).json.message ?? '', /is used by 1 others$/);
  t.like(resultOf<ShownVm>(await root('GET', vm(1))), { source: 'both', node: 'n1' });
});

test('with thousands of machines an inventory is one write, and one that finds nothing new is a small one', async (t) => {
  const lab = await startLab(t, { dcs: 'east' });
  const { node, refresh } = lab;
  const machines = Array.from({ length: 3000 }, (_, n) => zone(numbered(n + 1), `vm${n}`, numbered(9000 + (n % 20))));
  await tells(t, node, machines);
  t.like(resultOf(await refresh()), { machines: 3000, came: 3000 });
  t.is(lab.deps.fleet.size, 3000);
  let written = 0;
  const unfollow = lab.deps.catalog.follow(vms, (changes) => {
    written += changes.length;
  });
  await tells(t, node, [...machines.slice(2), zone(numbered(1), 'other', numbered(1))]);
  t.like(resultOf(await refresh()), { machines: 2999, came: 0, went: 1 });
  unfollow();
  t.is(written, 2);
});
