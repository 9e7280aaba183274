import { BlockList, isIP } from 'node:net';
import { remembering } from '../../imgapi/remembering.js';

/** Of the addresses that are remembered, in characters. */
const MOST = 100_000;

/** Tells whether an address lies in one of the networks, such as `10.0.0.0/8`, `fd00::/8` or a single address. */
export function addressMatcher(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) addNetwork(list, network);
  const holds = remembering(
    (plain: string) => list.check(plain, familyOf(plain)),
    MOST,
    ({ length }) => length,
  );
  return (address) => {
    const plain = address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
    return isIP(plain) !== 0 && holds(plain);
  };
}

export function isNetwork(text: string): boolean {
  try {
    addressMatcher([text]);
    return true;
  } catch {
    return false; // it says no more than that
  }
}

/** Networks lie within one another or apart: then one of them holds the other's own address. */
export function meet(one: string, other: string): boolean {
  const addressOf = (network: string) => network.replace(/\/.*$/, '');
  return addressMatcher([one])(addressOf(other)) || addressMatcher([other])(addressOf(one));
}

function addNetwork(list: BlockList, network: string): void {
  const [, address = '', length] = /^([^/]*)(?:\/(\d+))?$/.exec(network) ?? [];
  const bits = isIP(address) === 4 ? 32 : 128;
  const prefix = length === undefined ? bits : Number(length);
  if (isIP(address) === 0 || prefix > bits) {
    throw new Error(`"${network}" is not a network: write it like 10.0.0.0/8 or fd00::/8`);
  }
  list.addSubnet(address, prefix, familyOf(address));
}

const familyOf = (address: string) => (isIP(address) === 4 ? 'ipv4' : 'ipv6');
