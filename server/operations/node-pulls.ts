import type { Socket } from 'node:net';

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

interface Sending {
  image: string;
  /** Bytes so far. */
  sent(): number;
}

/** What goes to nodes that fetch with the token of a task, by its hash. Only in memory: what is left is fetched again. */
export class NodePulls {
  readonly patience: NodePatience;
  readonly #sendings = new Map<string, Sending[]>();

  constructor(patience: Partial<NodePatience> = {}) {
    this.patience = { ...PATIENCE, ...patience };
  }

  /** Who fetches with this token is watched from now on. */
  watch(token: string): { sent(): number; stop(): void } {
    const sendings: Sending[] = [];
    this.#sendings.set(token, sendings);
    return {
      sent: () => {
        // A file that was begun anew counts once, as far as it came.
        const most = new Map<string, number>();
        for (const { image, sent } of sendings) most.set(image, Math.max(most.get(image) ?? 0, sent()));
        return [...most.values()].reduce((sum, bytes) => sum + bytes, 0);
      },
      stop: () => this.#sendings.delete(token),
    };
  }

  /** While the file of an image goes through a socket to whoever has sent this token. */
  async sending<R>(token: string | undefined, image: string, socket: Socket, send: () => Promise<R>): Promise<R> {
    const sendings = token === undefined ? undefined : this.#sendings.get(token);
    if (!sendings) return send();
    const before = sentOn(socket);
    const one: Sending = { image, sent: () => sentOn(socket) - before };
    sendings.push(one);
    try {
      return await send();
    } finally {
      const bytes = one.sent();
      one.sent = () => bytes;
    }
  }
}

const sentOn = ({ bytesWritten, movedByKernel = 0 }: Socket) => bytesWritten + movedByKernel;
