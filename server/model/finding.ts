import type { MachineState } from './machine-state.js';
import { type FoundHere, findings, type Vm, type VmState } from './vm.js';

/** What a machine is for the images that it uses: one that is off or broken has its disks. */
export const stateFound: Readonly<Record<MachineState, VmState>> = {
  running: 'active',
  stopping: 'active',
  stopped: 'active',
  failed: 'active',
  unknown: 'active',
  paused: 'paused',
  frozen: 'paused',
  provisioning: 'wanted',
};

export type Found = Pick<Vm, 'found' | 'elsewhere'>;

/** Of a machine, nothing else. */
export const foundOf = ({ found, elsewhere }: Found): Found => ({
  ...(found && { found }),
  ...(elsewhere && { elsewhere }),
});

/** A machine runs on one node. Where several have one of its uuid, what is used on any of them is in use. */
export function withFinding(before: Found | undefined, here: FoundHere): Found {
  const known = before ? findings(before) : [];
  const since = known.find(({ node }) => node === here.node)?.since ?? here.since;
  return inOrder([...known.filter(({ node }) => node !== here.node), { ...here, since }]);
}

export const withoutFinding = (before: Found, node: string): Found =>
  inOrder(findings(before).filter((here) => here.node !== node));

/** The one that runs first, then the one that has come last: whichever node is asked first, the same comes out. */
function inOrder(all: readonly FoundHere[]): Found {
  const [found, ...elsewhere] = all.toSorted(
    (a, b) =>
      Number(b.state === 'running') - Number(a.state === 'running') ||
      (a.since === b.since ? (a.node < b.node ? -1 : 1) : a.since > b.since ? -1 : 1),
  );
  return { ...(found && { found }), ...(elsewhere.length > 0 && { elsewhere }) };
}

/** Where an unregistered machine stands, and whose it is, as rules say. */
export type Place = Pick<Vm, 'datacenter' | 'owner'>;

type Kept = Pick<Vm, 'uuid' | 'created'>;

/** A machine that nobody has registered is what its node says. Without a finding it is not there. */
export function unregistered({ uuid, created }: Kept, found: Found, place: Place, now: string): Vm | undefined {
  const { found: here } = found;
  if (!here) return undefined;
  const { hostname, tags, state } = here;
  const kept = { uuid, hostname, ...place, tags, images: [], state: stateFound[state] };
  return { ...kept, unregistered: true, ...foundOf(found), created, changed: now };
}

/** Is anything about them different but when they were changed? */
export const isSameVm = (one: Vm, other: Vm): boolean =>
  JSON.stringify({ ...sorted(one), changed: '' }) === JSON.stringify({ ...sorted(other), changed: '' });

const sorted = (vm: Vm) => Object.fromEntries(Object.entries(vm).sort(([a], [b]) => (a < b ? -1 : 1)));

export const sources = ['registered', 'inventory', 'both'] as const;

export const sourceOf = ({
  unregistered,
  found,
}: {
  unregistered?: true | undefined;
  found?: object | undefined;
}): (typeof sources)[number] => (unregistered ? 'inventory' : found ? 'both' : 'registered');
