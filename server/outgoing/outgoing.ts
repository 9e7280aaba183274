import { createHash } from 'node:crypto';
import { lookup as lookUp } from 'node:dns';
import type { Agent } from 'node:http';
import { isIP, type LookupFunction } from 'node:net';
import type { Credentials, ExchangeOptions } from '../../imgapi/exchange.js';
import { AddressRules, type Allowed, ClosedAddress, ClosedHost } from './address-rules.js';
import { type Line, plainAgent, tlsAgent } from './agents.js';
import { noProxy, type ProxyOf } from './proxies.js';

/** In whose name something is asked, and how. */
export interface Access {
  /** Configured by a SuperAdmin, or asked for by an operator: exempt from the rules for addresses. */
  trusted: boolean;
  /** The reference of a stored secret, as `usableSecret` gives it: its credentials are sent to its host and to no other. */
  secret?: string | undefined;
  /** Certificates that are trusted beside the usual ones, as PEM. */
  ca?: string | undefined;
  /** Whoever answers under the name in the URL is believed. */
  insecure?: boolean | undefined;
}

export interface OutgoingOptions extends Allowed {
  /** Those of a secret, where they are for that URL. */
  credentialsFor?: (secret: string, url: URL) => Credentials | undefined;
  proxyOf?: ProxyOf;
  lookup?: LookupFunction;
  /** Milliseconds until there is a connection. */
  patience?: number;
}

const PATIENCE = 15_000;

/** So many agents are kept; there are more only where many sources have certificates of their own. */
const MOST_AGENTS = 100;

interface Wanted {
  trusted: boolean;
  ca?: string | undefined;
  insecure?: boolean | undefined;
}

/** The one way out: every request that leaves the daemon is made with what this gives. */
export class Outgoing {
  readonly #rules: AddressRules;
  readonly #credentialsFor: NonNullable<OutgoingOptions['credentialsFor']>;
  readonly #proxyOf: ProxyOf;
  readonly #lookup: LookupFunction;
  readonly #patience: number;
  readonly #agents = new Map<string, Agent>();

  constructor(options: OutgoingOptions) {
    const { credentialsFor = () => undefined, proxyOf = noProxy, lookup = lookUp, patience = PATIENCE } = options;
    this.#rules = new AddressRules(options);
    this.#credentialsFor = credentialsFor;
    this.#proxyOf = proxyOf;
    this.#lookup = lookup;
    this.#patience = patience;
  }

  /** For an Exchange. Trust is in the host of the URL: where that one leads to is asked by the rules again. */
  to(url: string, access: Access): ExchangeOptions {
    const asked = new URL(url);
    const { trusted, secret, ca, insecure } = access;
    const credentials = secret === undefined ? undefined : this.#credentialsFor(secret, asked);
    return {
      url,
      ...(credentials && { credentials }),
      agent: (hop: URL) => {
        const isThere = hop.hostname === asked.hostname;
        return this.#agentFor(hop, { trusted: trusted && isThere, ca, insecure: insecure && isThere });
      },
    };
  }

  /** What can be told at once to be wrong with a URL, as the end of a sentence; the rest shows when it is asked. */
  problemWith(text: string, { trusted }: Pick<Access, 'trusted'>): string | undefined {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (!url || !['http:', 'https:'].includes(url.protocol)) return 'is not a URL such as https://example.com/path';
    if (url.username || url.password) return 'has credentials in it: store them as a secret, and name that';
    try {
      if (!trusted) this.#check(url);
      return undefined;
    } catch (error) {
      return `is not asked: ${error instanceof Error ? error.message : error}`;
    }
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  #check(url: URL): void {
    const host = hostOf(url);
    if (this.#proxyOf(url)) {
      if (!this.#rules.isOpenHost(host)) throw new ClosedHost(host);
    } else if (isIP(host) !== 0 && !this.#rules.isOpen(host)) throw new ClosedAddress(host);
    else if (/(^|\.)localhost\.?$/i.test(host) && !this.#rules.isOpen('127.0.0.1')) throw new ClosedAddress(host);
  }

  #agentFor(url: URL, { trusted, ca, insecure }: Wanted): Agent {
    if (!trusted) this.#check(url);
    const proxy = this.#proxyOf(url);
    const known = [url.protocol, trusted, Boolean(proxy), Boolean(insecure), ca && digestOf(ca)].join(' ');
    const kept = this.#agents.get(known);
    // The last used stay longest.
    this.#agents.delete(known);
    const line: Line = {
      lookup: trusted || proxy ? this.#lookup : this.#rules.checked(this.#lookup),
      checkAddress: (address) => {
        if (!trusted && !this.#rules.isOpen(address)) throw new ClosedAddress(address);
      },
      patience: this.#patience,
      ca,
      insecure,
      proxy,
    };
    const agent = kept ?? (url.protocol === 'https:' ? tlsAgent(line) : plainAgent(line));
    this.#agents.set(known, agent);
    const [oldest] = this.#agents.keys();
    // Its idle connections end by themselves, and those in use are not disturbed.
    if (this.#agents.size > MOST_AGENTS && oldest !== undefined) this.#agents.delete(oldest);
    return agent;
  }
}

const hostOf = ({ hostname }: URL) => hostname.replace(/^\[|\]$/g, '');

const digestOf = (text: string) => createHash('sha256').update(text).digest('base64');
