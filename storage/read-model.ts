import type { Catalog, Change, Kind } from './catalog.js';

interface Shape<T, V> {
  /** The JSON is the record's, for views that keep it whole. */
  project: (record: T, json: string) => V;
  /** A total order: two views are equal in it only if they are of the same record. */
  compare: (a: V, b: V) => number;
  /** A number that says the same as far as it goes: very many views are sorted by it much faster. */
  rank: (view: V) => number;
}

/** What lists need of each record of a kind, in memory and in order, kept up with every write. */
export class ReadModel<V extends object> {
  readonly #views = new Map<string, V>();
  #sorted: V[] = [];
  #stop: () => void = () => {};

  private constructor(private readonly compare: (a: V, b: V) => number) {}

  static async open<T, V extends object>(catalog: Catalog, kind: Kind<T>, shape: Shape<T, V>): Promise<ReadModel<V>> {
    const model = new ReadModel<V>(shape.compare);
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
    if (old) this.#sorted.splice(this.#position(old), 1);
    if (view) {
      this.#views.set(id, view);
      this.#sorted.splice(this.#position(view), 0, view);
    } else this.#views.delete(id);
  }

  /** Where a view stands, or would. */
  #position(view: V): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(this.#sorted[middle]!, view) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
