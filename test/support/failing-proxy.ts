import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';

/** `up` is what clients send to the server, `down` what comes back. */
export type Direction = 'up' | 'down';
export type Action = 'cut' | 'reset' | 'hold' | 'pass';

/** A way to a server on loopback, which fails as a network does when it is told to. */
export interface FailingProxy {
  port: number;
  /** How many connections are open. */
  readonly open: number;
  /** How many connections there have been. */
  readonly met: number;
  /** Ends all connections that there are; new ones are made. */
  cut(): void;
  /** The same, without a farewell. */
  reset(): void;
  /** Nobody is let in until `allow`. */
  refuse(): void;
  allow(): void;
  /** Nothing comes through any more, that way or both, and nothing ends, for new connections either. */
  hold(way?: Direction): void;
  /** What was held comes through, and all that follows. */
  release(): void;
  /** So many milliseconds later, that way or both. */
  delay(milliseconds: number, way?: Direction): void;
  /**
   * When these bytes have gone that way, for once: the connection is cut behind them, or before they are through.
   * Resolves when it has.
   */
  onceSent(match: string | Buffer, action: Action, where?: { way?: Direction; first?: 'send' | 'act' }): Promise<void>;
}

interface Trap {
  match: Buffer;
  action: Action;
  way: Direction;
  first: 'send' | 'act';
  sprung(): void;
}

/** `target` is a port of loopback, of now where it is a function. */
export async function startProxy(
  t: Pick<ExecutionContext, 'teardown'>,
  target: number | (() => number),
): Promise<FailingProxy> {
  const proxy = new Failing(typeof target === 'number' ? () => target : target);
  t.teardown(() => proxy.end());
  await proxy.listen();
  return proxy;
}

class Failing implements FailingProxy {
  port = 0;
  met = 0;
  #refuses = false;
  readonly #pairs = new Set<Pair>();
  readonly #held = new Set<Direction>();
  readonly #delays: Record<Direction, number> = { up: 0, down: 0 };
  readonly #traps = new Set<Trap>();
  readonly #server = createServer((near) => this.#meet(near));

  constructor(private readonly target: () => number) {}

  get open(): number {
    return this.#pairs.size;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
  }

  end(): void {
    this.#server.close();
    this.cut();
  }

  cut(): void {
    for (const pair of this.#pairs) pair.end('cut');
  }

  reset(): void {
    for (const pair of this.#pairs) pair.end('reset');
  }

  refuse(): void {
    this.#refuses = true;
  }

  allow(): void {
    this.#refuses = false;
  }

  hold(way?: Direction): void {
    for (const one of ways(way)) this.#held.add(one);
  }

  release(): void {
    this.#held.clear();
    for (const pair of this.#pairs) pair.flow();
  }

  delay(milliseconds: number, way?: Direction): void {
    for (const one of ways(way)) this.#delays[one] = milliseconds;
  }

  onceSent(
    match: string | Buffer,
    action: Action,
    { way = 'up', first = 'send' }: { way?: Direction; first?: 'send' | 'act' } = {},
  ): Promise<void> {
    return new Promise((resolve) => {
      this.#traps.add({ match: Buffer.from(match), action, way, first, sprung: resolve });
    });
  }

  #meet(near: Socket): void {
    this.met += 1;
    if (this.#refuses) return void near.resetAndDestroy();
    const far = connect(this.target(), '127.0.0.1');
    const pair = new Pair(near, far, {
      isHeld: (way) => this.#held.has(way),
      delay: (way) => this.#delays[way],
      meets: (way, seen) => this.#sprung(way, seen),
      gone: () => this.#pairs.delete(pair),
    });
    this.#pairs.add(pair);
  }

  #sprung(way: Direction, seen: Buffer): Trap | undefined {
    for (const trap of this.#traps) {
      if (trap.way !== way || !seen.includes(trap.match)) continue;
      this.#traps.delete(trap);
      if (trap.action === 'hold') this.hold();
      return trap;
    }
    return undefined;
  }
}

interface Rules {
  isHeld(way: Direction): boolean;
  delay(way: Direction): number;
  meets(way: Direction, seen: Buffer): Trap | undefined;
  gone(): void;
}

/** As much as a match may be split over two chunks. */
const memory = 256;

class Pair {
  readonly #waiting: Record<Direction, Buffer[]> = { up: [], down: [] };
  readonly #seen: Record<Direction, Buffer> = { up: Buffer.alloc(0), down: Buffer.alloc(0) };
  readonly #sockets: Record<Direction, Socket>;
  readonly #ended = new Set<Direction>();
  #isGone = false;

  constructor(
    private readonly near: Socket,
    private readonly far: Socket,
    private readonly rules: Rules,
  ) {
    this.#sockets = { up: far, down: near };
    for (const socket of [near, far]) socket.setNoDelay(true).on('error', () => {});
    this.#carry('up', near);
    this.#carry('down', far);
  }

  /** What has waited goes on, unless that way is still held. */
  flow(): void {
    for (const way of ways()) {
      if (this.rules.isHeld(way) || this.#isGone) continue;
      for (const chunk of this.#waiting[way].splice(0)) this.#sockets[way].write(chunk);
      if (this.#ended.has(way)) this.#sockets[way].end();
    }
  }

  end(how: 'cut' | 'reset'): void {
    if (this.#isGone) return;
    this.#isGone = true;
    for (const socket of [this.near, this.far]) {
      // one that is about to end by itself would keep the process for ever if it were reset
      if (how === 'cut' || socket.readableEnded || socket.writableEnded || socket.connecting) socket.destroy();
      else socket.resetAndDestroy();
    }
    this.rules.gone();
  }

  #carry(way: Direction, from: Socket): void {
    from.on('data', (chunk: Buffer) => {
      const seen = Buffer.concat([this.#seen[way], chunk]);
      this.#seen[way] = seen.subarray(-memory);
      const trap = this.rules.meets(way, seen);
      const end = () => {
        if (trap?.action === 'cut' || trap?.action === 'reset') this.end(trap.action);
        trap?.sprung();
      };
      if (trap && trap.first === 'act' && trap.action !== 'hold') return end();
      if (trap?.action === 'hold' && trap.first === 'send') {
        this.#sockets[way].write(chunk, end);
        return;
      }
      this.#pass(way, chunk, trap ? end : undefined);
    });
    from.on('end', () => {
      this.#ended.add(way);
      if (!this.rules.isHeld(way)) this.flow();
    });
    from.on('close', () => {
      this.#ended.add(way);
      if (!this.rules.isHeld(way) || this.#sockets[way].destroyed) this.end('cut');
    });
  }

  #pass(way: Direction, chunk: Buffer, sent?: () => void): void {
    const write = () => {
      if (this.#isGone) return;
      if (this.rules.isHeld(way)) this.#waiting[way].push(chunk);
      else this.#sockets[way].write(chunk, sent);
    };
    const delay = this.rules.delay(way);
    if (delay > 0) setTimeout(write, delay);
    else write();
    if (this.rules.isHeld(way)) sent?.();
  }
}

function ways(way?: Direction): Direction[] {
  return way ? [way] : ['up', 'down'];
}
