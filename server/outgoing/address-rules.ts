import { isIP, type LookupFunction } from 'node:net';
import { addressesIn, isClosed } from '../model/closed-addresses.js';
import { addressMatcher } from '../model/networks.js';

/** What callers of whom nothing special is known may have the server ask. */
export interface Allowed {
  /** Networks that they may, though they are private. */
  allowedAddresses: readonly string[];
  /** Names that they may through a proxy, where nobody sees the address. */
  allowedHosts: readonly string[];
}

/** An address that the server does not ask for whoever wanted it. */
export class ClosedAddress extends Error {
  override name = 'ClosedAddress';
  readonly code = 'ERR_CLOSED_ADDRESS';

  /** Which address it is stays untold: names of the inside are not for those who ask from the outside. */
  constructor(host: string) {
    super(
      `${host} stands at an address that is private or reserved: the server goes there for SuperAdmins only, ` +
        'or where allowedAddresses says so',
    );
  }
}

export class ClosedHost extends Error {
  override name = 'ClosedHost';
  readonly code = 'ERR_CLOSED_ADDRESS';

  constructor(host: string) {
    super(`${host} would be asked through a proxy, which goes only where allowedHosts says so`);
  }
}

export class AddressRules {
  readonly #isAllowedAddress: (address: string) => boolean;
  readonly #hosts: ReadonlySet<string>;

  constructor({ allowedAddresses, allowedHosts }: Allowed) {
    this.#isAllowedAddress = addressMatcher(allowedAddresses);
    this.#hosts = new Set(allowedHosts.map((host) => host.toLowerCase()));
  }

  isOpen(address: string): boolean {
    return !isClosed(address) || addressesIn(address).some(this.#isAllowedAddress);
  }

  /** For what is asked through a proxy. */
  isOpenHost(host: string): boolean {
    if (isIP(host) !== 0) return addressesIn(host).some(this.#isAllowedAddress);
    return this.#hosts.has('*') || this.#hosts.has(host.toLowerCase());
  }

  /** Finds only addresses that are open: they are what is connected to, so a name can not change between. */
  checked(lookup: LookupFunction): LookupFunction {
    return (hostname, options, callback) =>
      lookup(hostname, { ...options, all: true }, (error, found) => {
        if (error || !Array.isArray(found)) return callback(error ?? new ClosedAddress(hostname), []);
        const open = found.filter(({ address }) => this.isOpen(address));
        const [first] = open;
        if (!first) return callback(new ClosedAddress(hostname), []);
        if (options.all) return callback(null, open);
        return callback(null, first.address, first.family);
      });
  }
}
