import { isIP } from 'node:net';
import { addressMatcher } from './networks.js';

// Where nobody may send the server who could not go there by himself: to itself, and into the networks around it.

/** All that is not the open internet. What tunnels to IPv4 in ways that can not be seen through counts as closed. */
const isInClosedNetwork = addressMatcher([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  '::1/128',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
]);

/** How IPv6 spells an IPv4 address: the groups before it, and where it stands. */
const spellings: readonly (readonly [before: string, at: number])[] = [
  ['0:0:0:0:0:0:', 6],
  ['0:0:0:0:0:ffff:', 6],
  ['0:0:0:0:ffff:0:', 6],
  ['64:ff9b:0:0:0:0:', 6],
  ['2002:', 1],
];

/** The address, and the one of IPv4 that it leads to, where it does. */
export function addressesIn(address: string): string[] {
  const plain = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (isIP(plain) !== 6) return [plain];
  const groups = groupsOf(plain);
  const whole = `${groups.map((group) => group.toString(16)).join(':')}:`;
  const spelling = spellings.find(([before]) => whole.startsWith(before));
  // those of the first spelling include :: and ::1, which are no IPv4
  if (!spelling || /^(0:){7}[01]:$/.test(whole)) return [plain];
  const [high = 0, low = 0] = groups.slice(spelling[1]);
  return [plain, [high >> 8, high & 255, low >> 8, low & 255].join('.')];
}

export const isClosed = (address: string): boolean => {
  const all = addressesIn(address);
  return all.some((one) => isIP(one) === 0 || isInClosedNetwork(one));
};

function groupsOf(address: string): number[] {
  // A URL spells every address in the same way, without dots.
  const [before = [], after = []] = new URL(`http://[${address}]`).hostname
    .slice(1, -1)
    .split('::')
    .map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16));
}
