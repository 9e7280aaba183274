import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { Bandwidth } from '../../storage/bandwidth.js';
import type { Catalog } from '../../storage/catalog.js';
import { nodeTokens } from '../model/node-token.js';

/** How the server bears with nodes that work for a task; all in milliseconds. */
export interface NodePatience {
  /** A node that was lost is tried again after each of these. */
  pauses: readonly number[];
  /** One that fetches, and of which nothing is heard for so long, has failed. */
  silence: number;
  /** The same when all bytes are there, and the node makes a disk of them. */
  settling: number;
  /** What waits for nodes that are away looks whether they are back so often. */
  again: number;
}

const PATIENCE: NodePatience = {
  pauses: [1000, 5000, 15_000, 30_000, 60_000],
  silence: 5 * 60_000,
  settling: 60 * 60_000,
  again: 60_000,
};

interface File {
  image: string;
  size: number;
}

interface Sending {
  image: string;
  /** Bytes so far. */
  sent(): number;
}

interface Watched {
  sendings: Sending[];
  /** From other daemons, as they tell. */
  elsewhere: Map<string, Told>;
  /** Of all that goes there; none where it may be as fast as it can. */
  bandwidth: Bandwidth | undefined;
}

/** What one daemon tells the others of a file that it sends. */
interface Told {
  token: string;
  sending: string;
  image: string;
  bytes: number;
}

const WAKE = 'nodes';
const SENT = 'sent to a node';

/** So often, in milliseconds. */
const TELL_EVERY = 500;

/**
 * What nodes do for tasks. Only in memory: what is left at the end of the server is begun anew. A node fetches from
 * whichever daemon it meets; the one that runs the task is told.
 */
export class NodeWork {
  readonly patience: NodePatience;
  readonly #catalog: Catalog;
  readonly #watched = new Map<string, Watched>();
  readonly #waiting = new Set<() => void>();

  constructor(catalog: Catalog, patience: Partial<NodePatience> = {}) {
    this.patience = { ...PATIENCE, ...patience };
    this.#catalog = catalog;
    catalog.members.hear(WAKE, () => this.wake());
    catalog.members.hear(SENT, (message) => {
      const told = message as Told;
      this.#watched.get(told.token)?.elsewhere.set(told.sending, told);
    });
  }

  /** What goes to whoever fetches with this token, by its hash, is counted from now on, and is no faster than that. */
  watch(token: string, bytesPerSecond = 0): { sent(): number; stop(): void } {
    const sendings: Sending[] = [];
    const elsewhere = new Map<string, Told>();
    this.#watched.set(token, { sendings, elsewhere, bandwidth: bandwidthOf(bytesPerSecond) });
    return {
      sent: () => {
        // A file that was begun anew counts once, as far as it came.
        const most = new Map<string, number>();
        const all = [
          ...sendings.map(({ image, sent }) => [image, sent()] as const),
          ...[...elsewhere.values()].map(({ image, bytes }) => [image, bytes] as const),
        ];
        for (const [image, bytes] of all) most.set(image, Math.max(most.get(image) ?? 0, bytes));
        return [...most.values()].reduce((sum, bytes) => sum + bytes, 0);
      },
      stop: () => this.#watched.delete(token),
    };
  }

  /** What waits for nodes here looks whether that was it. */
  wake(): void {
    for (const tell of [...this.#waiting]) tell();
  }

  /** The same, on all daemons. */
  wakeAll(): void {
    this.wake();
    this.#catalog.members.tell(WAKE, {});
  }

  /** Resolves when something has happened to a node, or it is time to look again; rejects when the signal is aborted. */
  async woken(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    let tell = () => {};
    const told = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const timer = setTimeout(tell, this.patience.again);
    signal.addEventListener('abort', tell, { once: true });
    this.#waiting.add(tell);
    try {
      await told;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', tell);
      this.#waiting.delete(tell);
    }
    signal.throwIfAborted();
  }

  /** While the file of an image goes through a socket to whoever has sent this token. */
  async sending<R>(
    token: string | undefined,
    { image, size }: File,
    socket: Socket,
    send: (bandwidth: Bandwidth | undefined) => Promise<R>,
  ): Promise<R> {
    if (token === undefined) return send(undefined);
    const watched = this.#watched.get(token);
    if (!watched) return this.#sendingElsewhere(token, { image, size }, socket, send);
    const before = sentOn(socket);
    const one: Sending = { image, sent: () => Math.min(size, sentOn(socket) - before) };
    watched.sendings.push(one);
    try {
      return await send(watched.bandwidth);
    } finally {
      const bytes = one.sent();
      one.sent = () => bytes;
    }
  }

  /** For a task of another daemon, perhaps. */
  async #sendingElsewhere<R>(
    token: string,
    { image, size }: File,
    socket: Socket,
    send: (bandwidth: Bandwidth | undefined) => Promise<R>,
  ): Promise<R> {
    const { members } = this.#catalog;
    const lent = members.all().length > 1 ? await this.#catalog.get(nodeTokens, token) : undefined;
    if (lent?.task === undefined) return send(undefined);
    const sending = randomUUID();
    const before = sentOn(socket);
    const tell = () => {
      const bytes = Math.min(size, sentOn(socket) - before);
      members.tell(SENT, { token, sending, image, bytes } satisfies Told);
    };
    const timer = setInterval(tell, TELL_EVERY).unref();
    try {
      return await send(bandwidthOf(lent.bandwidth));
    } finally {
      clearInterval(timer);
      tell();
    }
  }
}

const bandwidthOf = (bytesPerSecond = 0) => (bytesPerSecond > 0 ? new Bandwidth(bytesPerSecond) : undefined);

const sentOn = ({ bytesWritten, movedByKernel = 0 }: Socket) => bytesWritten + movedByKernel;
