import type { Socket } from 'node:net';
import { Bandwidth } from '../../storage/bandwidth.js';

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
  /** Of all that goes there; none where it may be as fast as it can. */
  bandwidth: Bandwidth | undefined;
}

/** What nodes do for tasks. Only in memory: what is left at the end of the server is begun anew. */
export class NodeWork {
  readonly patience: NodePatience;
  readonly #watched = new Map<string, Watched>();
  readonly #waiting = new Set<() => void>();

  constructor(patience: Partial<NodePatience> = {}) {
    this.patience = { ...PATIENCE, ...patience };
  }

  /** What goes to whoever fetches with this token, by its hash, is counted from now on, and is no faster than that. */
  watch(token: string, bytesPerSecond = 0): { sent(): number; stop(): void } {
    const sendings: Sending[] = [];
    this.#watched.set(token, { sendings, bandwidth: bytesPerSecond > 0 ? new Bandwidth(bytesPerSecond) : undefined });
    return {
      sent: () => {
        // A file that was begun anew counts once, as far as it came.
        const most = new Map<string, number>();
        for (const { image, sent } of sendings) most.set(image, Math.max(most.get(image) ?? 0, sent()));
        return [...most.values()].reduce((sum, bytes) => sum + bytes, 0);
      },
      stop: () => this.#watched.delete(token),
    };
  }

  /** What waits for nodes looks whether that was it. */
  wake(): void {
    for (const tell of [...this.#waiting]) tell();
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
    const watched = token === undefined ? undefined : this.#watched.get(token);
    if (!watched) return send(undefined);
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
}

const sentOn = ({ bytesWritten, movedByKernel = 0 }: Socket) => bytesWritten + movedByKernel;
