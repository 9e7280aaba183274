import test from 'ava';
import { stateFound, unregistered, withFinding, withoutFinding } from '../../server/model/finding.js';
import { machineStates } from '../../server/model/machine-state.js';
import { clockOn, fine, inOrder, poolsOn, toolsOn, wrong } from '../../server/model/node-check.js';
import { type FoundHere, findings, imagesOf, type Vm, vms } from '../../server/model/vm.js';
import { numbered } from '../support/fixtures.js';

const at = (node: string, minute: number, more: Partial<FoundHere> = {}): FoundHere => ({
  node,
  since: new Date(minute * 60_000).toISOString(),
  hostname: 'web',
  state: 'running',
  tags: [],
  images: [{ disk: 1, image: numbered(1) }],
  ...more,
});

const told = (all: readonly FoundHere[]) => all.reduce<Pick<Vm, 'found' | 'elsewhere'>>(withFinding, {});
const nodesOf = (found: Pick<Vm, 'found' | 'elsewhere'>) => findings(found).map(({ node }) => node);

test('whatever a machine is found to be, its images are in use', (t) => {
  t.deepEqual(Object.keys(stateFound).sort(), [...machineStates].sort());
  t.like(stateFound, { running: 'active', stopped: 'active', failed: 'active', unknown: 'active' });
  t.like(stateFound, { paused: 'paused', frozen: 'paused', provisioning: 'wanted' });
});

test('of several nodes that claim a machine it is on the one where it runs, then where it came last', (t) => {
  const cases: [claims: FoundHere[], nodes: string[]][] = [
    [[at('a', 1)], ['a']],
    [
      [at('a', 1), at('b', 2)],
      ['b', 'a'],
    ],
    [
      [at('a', 1), at('b', 2, { state: 'stopped' })],
      ['a', 'b'],
    ],
    [
      [at('a', 1, { state: 'stopped' }), at('b', 2, { state: 'stopped' })],
      ['b', 'a'],
    ],
    [
      [at('a', 1), at('b', 1)],
      ['a', 'b'],
    ],
    [
      [at('a', 1), at('b', 2), at('c', 3, { state: 'failed' })],
      ['b', 'a', 'c'],
    ],
  ];
  for (const [claims, nodes] of cases) {
    t.deepEqual(nodesOf(told(claims)), nodes);
    t.deepEqual(nodesOf(told(claims.toReversed())), nodes, 'in whatever order they are asked');
  }
});

test('a node that tells again changes what it has told, and not since when', (t) => {
  const once = told([at('a', 1), at('b', 2)]);
  const twice = withFinding(once, at('a', 9, { hostname: 'other' }));
  t.deepEqual(nodesOf(twice), ['b', 'a']);
  t.like(twice.elsewhere?.[0], { hostname: 'other', since: at('a', 1).since });
});

test('what is used on any of them is in use, until none has it', (t) => {
  const both = told([at('a', 1), at('b', 2, { images: [{ disk: 1, image: numbered(2) }] })]);
  const vm = { ...unregistered({ uuid: numbered(9), created: '' }, both, {}, '')!, images: [] };
  t.deepEqual(imagesOf(vm).sort(), [numbered(1), numbered(2)]);
  t.true(vms.index(vm).includes('found:a') && vms.index(vm).includes(`image:${numbered(1)}`));
  const one = withoutFinding(both, 'b');
  t.deepEqual([nodesOf(one), one.elsewhere], [['a'], undefined]);
  t.deepEqual(withoutFinding(one, 'a'), {});
  t.is(unregistered({ uuid: numbered(9), created: '' }, {}, {}, ''), undefined);
});

test('without a registration a machine is what its node says', (t) => {
  const found = { found: at('a', 1, { state: 'frozen', tags: ['x'], owner: 'mia' }) };
  t.deepEqual(unregistered({ uuid: numbered(9), created: '1' }, found, { datacenter: 'east' }, '2'), {
    uuid: numbered(9),
    hostname: 'web',
    datacenter: 'east',
    tags: ['x'],
    images: [],
    state: 'paused',
    unregistered: true,
    ...found,
    created: '1',
    changed: '2',
  });
});

test('checks: what fails comes first, and what was not looked at is not said to be well', (t) => {
  const looked = inOrder(
    new Map([
      ['address', fine('here')],
      ['host key', wrong('another', 'look')],
      ['publicUrl', wrong('unset', 'set it')],
    ]),
  );
  t.is(looked.failed, 'host key');
  t.deepEqual(
    looked.checks.slice(0, 3).map(({ check, ok }) => `${check} ${ok}`),
    ['host key false', 'publicUrl false', 'address true'],
  );
  t.is(looked.checks.find(({ check }) => check === 'tools')?.ok, null);
  t.is(inOrder(new Map()).failed, null);
});

test('checks: tools, pools and the clock', (t) => {
  t.true(toolsOn({ platform: 'smartos', tools: { vmadm: '1', imgadm: '2', zfs: '', curl: '3' } }).ok);
  t.like(toolsOn({ platform: 'smartos', tools: { vmadm: '1' } }), {
    ok: false,
    found: 'there is no imgadm, no zfs, no curl',
  });
  const pool = (free: number, health: string) => ({ pools: [{ name: 'zones', size: 2 ** 40, free, health }] });
  t.true(poolsOn(pool(2 ** 35, 'ONLINE')).ok);
  t.false(poolsOn(pool(2 ** 35, 'DEGRADED')).ok);
  t.false(poolsOn(pool(2 ** 20, 'online')).ok);
  t.false(poolsOn({ pools: [] }).ok);
  const now = new Date(1_000_000_000);
  t.true(clockOn(new Date(1_000_050_000), now).ok);
  t.like(clockOn(new Date(999_000_000), now), { ok: false, found: '1000 seconds behind this server' });
});
