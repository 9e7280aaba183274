import { StorageDown } from '../errors.js';
import { type Connection, Line, type Place } from './postgres-connection.js';

const longestWait = 250;
const number = (parameter: string) => `hashtextextended('slipway ' || ${parameter}, 0)`;

/** Locks by name that one daemon holds at a time, on a connection of their own: they go with it. */
export class Locks {
  readonly #line: Line;
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #waiting = new Set<() => void>();

  /** `released` tells all others that some lock is free again. */
  constructor(
    place: Place,
    private readonly released: () => void,
  ) {
    this.#line = new Line(place, 'locks');
  }

  /** Some lock is free again. */
  wake(): void {
    for (const wake of this.#waiting) wake();
  }

  async alone<R>(name: string, work: () => Promise<R>): Promise<R> {
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(async () => {
      let connection = await this.#take(name);
      while (!connection) {
        await this.#soon();
        connection = await this.#take(name);
      }
      return this.#holding(connection, name, work);
    });
    return this.#inTurn(name, turn);
  }

  async ifAlone<R>(name: string, work: () => Promise<R>): Promise<R | undefined> {
    if (this.#turns.has(name)) return undefined;
    const turn = this.#take(name).then((connection) => connection && this.#holding(connection, name, work));
    return this.#inTurn(name, turn);
  }

  end(): Promise<void> {
    return this.#line.end();
  }

  /** On this daemon one after another: the server knows only that the connection has the lock. */
  async #inTurn<R>(name: string, turn: Promise<R>): Promise<R> {
    const ended = turn.catch(() => {}); // told to whoever asked for it
    this.#turns.set(name, ended);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(name) === ended) this.#turns.delete(name);
    }
  }

  async #take(name: string): Promise<Connection | undefined> {
    try {
      const connection = await this.#line.get();
      const [found] = await connection.all({
        name: 'lock',
        text: `SELECT pg_try_advisory_lock(${number('$1::text')}) AS taken`,
        values: [name],
      });
      return found!.taken ? connection : undefined;
    } catch (error) {
      throw error instanceof StorageDown ? error : new StorageDown('taking a lock', error);
    }
  }

  async #holding<R>(connection: Connection, name: string, work: () => Promise<R>): Promise<R> {
    try {
      return await work();
    } finally {
      const text = `SELECT pg_advisory_unlock(${number('$1::text')})`;
      // it has gone with its connection
      await connection.all({ name: 'unlock', text, values: [name] }).catch(() => {});
      this.released();
    }
  }

  async #soon(): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, longestWait);
      this.#waiting.add(wake);
    });
  }
}
