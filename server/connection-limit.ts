import type { Socket } from 'node:net';
import type { Logger } from 'pino';

const TELL_EVERY = 60_000;

/** How many connections there may be at the same time, over all listeners. */
export class ConnectionLimit {
  readonly #most: number;
  readonly #log: Pick<Logger, 'warn'> | undefined;
  #open = 0;
  #refused = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  /** 0 for any number. */
  constructor(most: number, log?: Pick<Logger, 'warn'>) {
    this.#most = most === 0 ? Number.POSITIVE_INFINITY : most;
    this.#log = log;
  }

  /** A connection that is admitted counts until it closes. */
  admit(socket: Socket): boolean {
    if (this.#open >= this.#most) {
      this.#refused += 1;
      this.#tell();
      return false;
    }
    this.#open += 1;
    socket.once('close', () => {
      this.#open -= 1;
    });
    return true;
  }

  /** Those who are refused come in crowds, and come again: a line for each would fill the log. */
  #tell(): void {
    const now = performance.now();
    if (now - this.#toldAt < TELL_EVERY) return;
    this.#log?.warn(
      { maxConnections: this.#most, refused: this.#refused },
      'too many connections: new ones are refused',
    );
    this.#refused = 0;
    this.#toldAt = now;
  }
}
