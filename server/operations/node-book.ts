import { ImgapiError } from '../../imgapi/errors.js';
import type { Catalog, Change } from '../../storage/catalog.js';
import type { Members } from '../../storage/members.js';
import { type NodeStatus, nodeStatuses } from '../model/node-status.js';

/** In milliseconds: how long an inventory may take, and each work that has waited for a node. */
export interface NodeLimits {
  inventory: number;
  waiting: number;
}

const usual: NodeLimits = { inventory: 120_000, waiting: 120_000 };

/** What is known of nodes that the server talks to, in memory. */
export class NodeBook {
  readonly #statuses = new Map<string, NodeStatus>();
  readonly #stopping = new AbortController();
  #unfollow = () => {};

  private constructor(
    private readonly members: Members,
    readonly limits: NodeLimits,
  ) {}

  /** Follows first and reads afterwards, so that nothing slips through between. */
  static async open(catalog: Catalog, limits = usual): Promise<NodeBook> {
    const book = new NodeBook(catalog.members, limits);
    const told = new Set<string>();
    book.#unfollow = catalog.follow(nodeStatuses, (changes) => {
      for (const change of changes) {
        told.add(change.id);
        book.#take(change);
      }
    });
    for await (const record of catalog.list(nodeStatuses)) {
      if (!told.has(record.node)) book.#take({ id: record.node, record });
    }
    return book;
  }

  statusOf(node: string): NodeStatus | undefined {
    return this.#statuses.get(node);
  }

  /** Of all nodes that were ever talked to. */
  get statuses(): Iterable<NodeStatus> {
    return this.#statuses.values();
  }

  /** One inventory of a node at a time, on all daemons. The signal is aborted when the server stops. */
  async alone<R>(node: string, work: (signal: AbortSignal) => Promise<R>): Promise<R> {
    const done = await this.members.ifAlone(`inventory ${node}`, async () => ({
      result: await work(this.#stopping.signal),
    }));
    if (done) return done.result;
    throw new ImgapiError('Busy', `the inventory of node ${node} is being taken already: ask again in a moment`);
  }

  /** Aborted when nothing is asked of nodes any more. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Nothing is asked of nodes any more. */
  stop(): void {
    this.#stopping.abort();
  }

  close(): void {
    this.stop();
    this.#unfollow();
  }

  #take({ id, record }: Change<NodeStatus>): void {
    if (record) this.#statuses.set(id, record);
    else this.#statuses.delete(id);
  }
}
