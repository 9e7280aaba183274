import type { Catalog, Change, Kind } from '../../storage/catalog.js';
import { type Datacenter, datacenters } from '../model/datacenter.js';
import { settingsOf } from '../model/datacenter-settings.js';
import { type Group, groups } from '../model/group.js';
import { type Node, nodes } from '../model/node.js';
import { type Rights, rightsOf } from '../model/rights.js';
import type { User } from '../model/user.js';

/** Data centers, groups and nodes in memory, as every request needs them. It follows every write. */
export class Directory {
  readonly datacenters = new Map<string, Datacenter>();
  readonly groups = new Map<string, Group>();
  readonly nodes = new Map<string, Node>();
  readonly #rights = new Map<string, { superAdmin: boolean; rights: Rights }>();
  #open: ReadonlySet<string> | undefined;
  #unfollow: (() => void)[] = [];

  static async open(catalog: Catalog): Promise<Directory> {
    const directory = new Directory();
    await directory.#keep(catalog, datacenters, directory.datacenters);
    await directory.#keep(catalog, groups, directory.groups);
    await directory.#keep(catalog, nodes, directory.nodes);
    return directory;
  }

  rightsOf(user: User): Rights {
    const known = this.#rights.get(user.uuid);
    if (known && known.superAdmin === user.superAdmin) return known.rights;
    const rights = rightsOf(user, this.datacenters.values(), this.groups.values());
    this.#rights.set(user.uuid, { superAdmin: user.superAdmin, rights });
    return rights;
  }

  /** The data centers whose public images everybody sees. */
  get openDatacenters(): ReadonlySet<string> {
    this.#open ??= new Set(
      [...this.datacenters.values()].filter((datacenter) => settingsOf(datacenter).anonymous).map(({ name }) => name),
    );
    return this.#open;
  }

  close(): void {
    for (const unfollow of this.#unfollow) unfollow();
  }

  /** Follows first and reads afterwards, so that nothing slips through between. */
  async #keep<T>(catalog: Catalog, kind: Kind<T>, records: Map<string, T>): Promise<void> {
    const told = new Set<string>();
    const take = ({ id, record }: Change<T>) => {
      told.add(id);
      if (record === undefined) records.delete(id);
      else records.set(id, record);
    };
    this.#unfollow.push(
      catalog.follow(kind, (changes) => {
        changes.forEach(take);
        this.#rights.clear();
        this.#open = undefined;
      }),
    );
    for await (const record of catalog.list(kind)) if (!told.has(kind.id(record))) records.set(kind.id(record), record);
    this.#open = undefined;
  }
}
