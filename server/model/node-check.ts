import type { Platform } from './node.js';
import type { Description, NodePool } from './node-status.js';

export const nodeChecks = [
  'address',
  'reachable',
  'host key',
  'login',
  'platform',
  'tools',
  'pools',
  'clock',
  'publicUrl',
  'way back',
  'inventory',
] as const;
export type NodeCheckName = (typeof nodeChecks)[number];

/** One thing that a node must have, or do, for us. */
export interface NodeCheck {
  check: NodeCheckName;
  /** Null where it could not be looked at. */
  ok: boolean | null;
  /** What there is, or what is wrong. */
  found: string;
  /** What to do about it. */
  advice: string | null;
}

export type Finding = Omit<NodeCheck, 'check'>;

export const fine = (found: string): Finding => ({ ok: true, found, advice: null });
export const wrong = (found: string, advice: string): Finding => ({ ok: false, found, advice });
export const unseen = (found: string): Finding => ({ ok: null, found, advice: null });

/** Without these nothing that we ask of the platform can be done. */
const needed: Readonly<Record<Platform, readonly string[]>> = {
  smartos: ['vmadm', 'imgadm', 'zfs', 'curl'],
  'linux-zfs': ['zfs', 'curl'],
  qemu: ['qemu-img', 'curl'],
  'lvm-thin': ['lvs', 'curl'],
  btrfs: ['btrfs', 'curl'],
};

export function toolsOn({ platform, tools }: Pick<Description, 'platform' | 'tools'>): Finding {
  const missing = needed[platform].filter((tool) => tools[tool] === undefined);
  const there = Object.entries(tools).map((one) => one.join(' '));
  if (missing.length === 0) return fine(there.join(', '));
  return wrong(`there is no ${missing.join(', no ')}`, `install it on the node, where the user of ssh finds it`);
}

/** Of all that it can hold: what is left then is gone with the next image. */
const FULL = 0.02;
const well = /^(online|ok|healthy|active)$/i;
const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
const spelled = ({ name, free, size, health }: NodePool) =>
  `${name}: ${gib(free)} of ${gib(size)} free, ${health.toLowerCase()}`;

export function poolsOn({ pools }: Pick<Description, 'pools'>): Finding {
  if (pools.length === 0) {
    return wrong('there is no pool', 'say where its machines lie with "slipway node set NODE --places PLACES"');
  }
  const ill = pools.filter(({ health }) => !well.test(health));
  if (ill.length > 0) return wrong(ill.map(spelled).join('; '), 'look at the pool on the node');
  const full = pools.filter(({ free, size }) => free < FULL * size);
  if (full.length > 0) return wrong(full.map(spelled).join('; '), 'make room on it, as "slipway node clean" does');
  return fine(pools.map(spelled).join('; '));
}

/** In seconds: from here on signatures and certificates are refused, and times are put in the wrong order. */
const SKEW = 60;

export function clockOn(there: Date, here: Date): Finding {
  const seconds = Math.round((there.getTime() - here.getTime()) / 1000);
  const off = `${Math.abs(seconds)} seconds ${seconds < 0 ? 'behind' : 'ahead of'} this server`;
  return Math.abs(seconds) > SKEW ? wrong(off, 'have one of the two set its clock by NTP') : fine(off);
}

/** All of them, those that fail first; by name the first of these. */
export function inOrder(found: ReadonlyMap<NodeCheckName, Finding>): {
  failed: NodeCheckName | null;
  checks: NodeCheck[];
} {
  const all = nodeChecks.map((check) => ({ check, ...(found.get(check) ?? unseen('not looked at')) }));
  const failed = all.filter(({ ok }) => ok === false);
  return { failed: failed[0]?.check ?? null, checks: [...failed, ...all.filter(({ ok }) => ok !== false)] };
}
