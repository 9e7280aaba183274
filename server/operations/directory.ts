import type { Catalog, Change, Kind } from '../../storage/catalog.js';
import { type Datacenter, datacenters, MAIN } from '../model/datacenter.js';
import { type DatacenterSettings, settingNames, settingsOf, sourceOf } from '../model/datacenter-settings.js';
import { type Group, groups } from '../model/group.js';
import { addressMatcher } from '../model/networks.js';
import { type Node, nodes } from '../model/node.js';
import { type NodeToken, nodeTokens } from '../model/node-token.js';
import { type Rights, rightsOf } from '../model/rights.js';
import { type Session, sessions } from '../model/session.js';
import { type Token, tokens } from '../model/token.js';
import { type User, users } from '../model/user.js';

/** Data centers, groups, nodes, users and what proves them, in memory, as every request needs them. It follows every write. */
export class Directory {
  readonly datacenters = new Map<string, Datacenter>();
  readonly groups = new Map<string, Group>();
  readonly nodes = new Map<string, Node>();
  readonly users = new Map<string, User>();
  /** By their hashes, as are the others that prove who asks. */
  readonly tokens = new Map<string, Token>();
  readonly sessions = new Map<string, Session>();
  readonly nodeTokens = new Map<string, NodeToken>();
  readonly #rights = new Map<string, { superAdmin: boolean; rights: Rights }>();
  #open: ReadonlySet<string> | undefined;
  #publicHosts: ReadonlySet<string> | undefined;
  #servedTogether: readonly (readonly string[])[] | undefined;
  #byAddress: Node[] | undefined;
  readonly #matchers = new WeakMap<Node, (address: string) => boolean>();
  #unfollow: (() => void)[] = [];

  static async open(catalog: Catalog): Promise<Directory> {
    const directory = new Directory();
    await directory.#keep(catalog, datacenters, directory.datacenters);
    await directory.#keep(catalog, groups, directory.groups);
    await directory.#keep(catalog, nodes, directory.nodes);
    await directory.#keep(catalog, users, directory.users, () => {});
    await directory.#keep(catalog, tokens, directory.tokens, () => {});
    await directory.#keep(catalog, sessions, directory.sessions, () => {});
    await directory.#keep(catalog, nodeTokens, directory.nodeTokens, () => {});
    return directory;
  }

  rightsOf(user: User): Rights {
    const known = this.#rights.get(user.uuid);
    if (known && known.superAdmin === user.superAdmin) return known.rights;
    const rights = rightsOf(user, this.datacenters.values(), this.groups.values());
    this.#rights.set(user.uuid, { superAdmin: user.superAdmin, rights });
    return rights;
  }

  /** What holds in a data center; nothing of its own where there is none of this name. */
  settingsOf(name: string): DatacenterSettings {
    return settingsOf(this.datacenters.get(name) ?? { name, settings: {} }, this.datacenters.get(MAIN));
  }

  /** Where each of these was set, and what would hold if none of them were set there. */
  settingsUnder(name: string) {
    const [own, main] = [this.datacenters.get(name) ?? { name, settings: {} }, this.datacenters.get(MAIN)];
    const from = Object.fromEntries(settingNames.map((setting) => [setting, sourceOf(setting, own, main)]));
    return { from, unset: settingsOf({ name, settings: {} }, main) };
  }

  /** The node whose source address is enough to prove it. */
  nodeAt(address: string): Node | undefined {
    this.#byAddress ??= [...this.nodes.values()].filter(({ knownByAddress }) => knownByAddress);
    return this.#byAddress.find((node) => this.#matcherOf(node)(address));
  }

  /** Is this an address that the node asks from? Any is, where none are known. */
  isAt(node: Node, address: string): boolean {
    return node.addresses.length === 0 || this.#matcherOf(node)(address);
  }

  #matcherOf(node: Node): (address: string) => boolean {
    const matches = this.#matchers.get(node) ?? addressMatcher(node.addresses);
    this.#matchers.set(node, matches);
    return matches;
  }

  /** The node that a client certificate proves. */
  nodeWith(fingerprint: string): Node | undefined {
    for (const node of this.nodes.values()) if (node.certificate === fingerprint) return node;
    return undefined;
  }

  /** The data centers whose public images everybody sees. */
  get openDatacenters(): ReadonlySet<string> {
    this.#open ??= new Set(
      [...this.datacenters.values()].filter((datacenter) => settingsOf(datacenter).anonymous).map(({ name }) => name),
    );
    return this.#open;
  }

  /** Of the URLs by which nodes of data centers reach this server. */
  get publicHosts(): ReadonlySet<string> {
    this.#publicHosts ??= new Set(
      [...this.datacenters.values()].flatMap(({ settings: { publicUrl } }) =>
        publicUrl ? [new URL(publicUrl).hostname.replace(/^\[|\]$/g, '')] : [],
      ),
    );
    return this.#publicHosts;
  }

  /** The data centers of each node that is talked to; of nodes with the same ones, once. */
  get servedTogether(): readonly (readonly string[])[] {
    this.#servedTogether ??= [
      ...new Map(
        [...this.nodes.values()]
          .filter(({ connection }) => connection)
          .map(({ datacenters }) => [datacenters.join(), datacenters] as const),
      ).values(),
    ];
    return this.#servedTogether;
  }

  close(): void {
    for (const unfollow of this.#unfollow) unfollow();
  }

  /** Follows first and reads afterwards, so that nothing slips through between. */
  async #keep<T>(
    catalog: Catalog,
    kind: Kind<T>,
    records: Map<string, T>,
    changed = () => this.#forget(),
  ): Promise<void> {
    const told = new Set<string>();
    const take = ({ id, record }: Change<T>) => {
      told.add(id);
      if (record === undefined) records.delete(id);
      else records.set(id, record);
    };
    this.#unfollow.push(
      catalog.follow(kind, (changes) => {
        changes.forEach(take);
        changed();
      }),
    );
    for await (const record of catalog.list(kind)) if (!told.has(kind.id(record))) records.set(kind.id(record), record);
    this.#forget();
  }

  /** What was concluded from records that have changed. */
  #forget(): void {
    this.#rights.clear();
    this.#open = undefined;
    this.#publicHosts = undefined;
    this.#servedTogether = undefined;
    this.#byAddress = undefined;
  }
}
