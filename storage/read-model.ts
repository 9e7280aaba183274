import type { Catalog, Change, Kind } from './catalog.js';

interface Shape<T, V> {
  /** The JSON is the record's, for views that keep it whole. */
  project: (record: T, json: string) => V;
  /** A total order: two views are equal in it only if they are of the same record. */
  compare: (a: V, b: V) => number;
  /** A number that says the same as far as it goes: very many views are sorted by it much faster. */
  rank: (view: V) => number;
  /** The groups it is in, each of which is kept in order too; none where this is absent. */
  groups?: (view: V) => readonly string[];
}

/** What lists need of each record of a kind, in memory and in order, kept up with every write. */
export class ReadModel<V extends object> {
  readonly #views = new Map<string, V>();
  readonly #groups = new Map<string, V[]>();
  #sorted: V[] = [];
  #stop: () => void = () => {};

  private constructor(
    private readonly compare: (a: V, b: V) => number,
    private readonly groupsOf: (view: V) => readonly string[],
  ) {}

  static async open<T, V extends object>(catalog: Catalog, kind: Kind<T>, shape: Shape<T, V>): Promise<ReadModel<V>> {
    const model = new ReadModel<V>(shape.compare, shape.groups ?? (() => []));
    await model.#load(catalog, kind, shape);
    return model;
  }

  get(id: string): V | undefined {
    return this.#views.get(id);
  }

  /** As it is now: whoever walks it across an await takes a copy first. */
  get sorted(): readonly V[] {
    return this.#sorted;
  }

  /** Those that are in any of the groups, each once and in order; as it is now. */
  within(groups: Iterable<string>): readonly V[] {
    let lists = Array.from(new Set(groups), (name) => this.#groups.get(name) ?? []).filter(({ length }) => length > 0);
    while (lists.length > 1) {
      const pairs = lists.filter((_, at) => at % 2 === 0);
      lists = pairs.map((list, at) => this.#merged(list, lists[2 * at + 1] ?? []));
    }
    return lists[0] ?? [];
  }

  get size(): number {
    return this.#sorted.length;
  }

  close(): void {
    this.#stop();
  }

  /** Follows first and reads afterwards, so that nothing slips through between; what was told is newer than what is read. */
  async #load<T>(catalog: Catalog, kind: Kind<T>, { project, rank }: Shape<T, V>): Promise<void> {
    const view = (record: T) => project(record, JSON.stringify(record));
    const told = new Set<string>();
    let take = ({ id, record }: Change<T>): void => {
      told.add(id);
      if (record === undefined) this.#views.delete(id);
      else this.#views.set(id, view(record));
    };
    this.#stop = catalog.follow(kind, (changes) => {
      for (const change of changes) take(change);
    });
    try {
      for await (const page of catalog.pages(kind)) {
        for (const { record, json } of page) {
          const id = kind.id(record);
          if (!told.has(id)) this.#views.set(id, project(record, json));
        }
      }
    } catch (error) {
      this.#stop();
      throw error;
    }
    this.#sorted = this.#inOrder([...this.#views.values()], rank);
    for (const view of this.#sorted) for (const name of this.groupsOf(view)) this.#group(name).push(view);
    take = ({ id, record }) => this.#replace(id, record === undefined ? undefined : view(record));
  }

  #inOrder(views: V[], rank: (view: V) => number): V[] {
    const ranks = Float64Array.from(views, rank);
    const places = Uint32Array.from(views.keys());
    places.sort((a, b) => {
      if (ranks[a] === ranks[b]) return this.compare(views[a]!, views[b]!);
      return ranks[a]! < ranks[b]! ? -1 : 1; // a difference of large numbers would be an object for each comparison
    });
    return Array.from(places, (place) => views[place]!);
  }

  #replace(id: string, view: V | undefined): void {
    const old = this.#views.get(id);
    if (view) this.#views.set(id, view);
    else this.#views.delete(id);
    this.#exchange(this.#sorted, old, view);
    const before = old ? this.groupsOf(old) : [];
    const after = view ? this.groupsOf(view) : [];
    for (const name of new Set([...before, ...after])) {
      const group = this.#group(name);
      this.#exchange(group, before.includes(name) ? old : undefined, after.includes(name) ? view : undefined);
      if (group.length === 0) this.#groups.delete(name);
    }
  }

  /** Most changes leave a record where it stands; to take it out and put it back would move all that stand behind it. */
  #exchange(list: V[], old: V | undefined, view: V | undefined): void {
    if (old && view && this.compare(old, view) === 0) {
      list[this.#position(list, old)] = view;
      return;
    }
    if (old) list.splice(this.#position(list, old), 1);
    if (view) list.splice(this.#position(list, view), 0, view);
  }

  #group(name: string): V[] {
    const known = this.#groups.get(name);
    if (known) return known;
    const group: V[] = [];
    this.#groups.set(name, group);
    return group;
  }

  #merged(one: readonly V[], other: readonly V[]): V[] {
    const merged: V[] = [];
    let at = 0;
    for (const view of one) {
      while (at < other.length && this.compare(other[at]!, view) < 0) merged.push(other[at++]!);
      if (other[at] === view) at += 1;
      merged.push(view);
    }
    for (; at < other.length; at += 1) merged.push(other[at]!);
    return merged;
  }

  /** Where a view stands in a list, or would. */
  #position(list: readonly V[], view: V): number {
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(list[middle]!, view) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
