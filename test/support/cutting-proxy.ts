import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import { gate } from './gate.js';

/** How far a connection carries: so many bytes up to the server and down from it, and then. */
export interface Carries {
  up?: number;
  down?: number;
  /** Cut: both sides see it end. Hold: nothing comes any more, and nothing ends. */
  end?: 'cut' | 'hold';
}

export interface CuttingProxy {
  url: string;
  /** How many connections were cut or held. */
  broken(): number;
  /** How many bytes went up to the server over all of them. */
  up(): number;
  /** How many bytes came down from the server over all of them. */
  down(): number;
  /** The first connection that holds does so. */
  held: Promise<void>;
}

const ALL: Carries = {};

/** A way to the server on this port of loopback, of now, that breaks as told, by how often it was broken before. */
export async function cuttingProxy(
  t: Pick<ExecutionContext, 'teardown'>,
  port: number | (() => number),
  carries: (broken: number) => Carries = () => ALL,
): Promise<CuttingProxy> {
  const { opened: held, open: hold } = gate();
  const sockets = new Set<Socket>();
  const counted = { broken: 0, up: 0, down: 0 };
  const server = createServer((near) => {
    const { up = Infinity, down = Infinity, end: way = 'cut' } = carries(counted.broken);
    const far = connect(typeof port === 'number' ? port : port(), '127.0.0.1');
    const end = () => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', end);
    }
    const stop = () => {
      counted.broken += 1;
      if (way === 'cut') end();
      else hold();
    };
    carry(near, far, up, stop, (bytes) => {
      counted.up += bytes;
    });
    carry(far, near, down, stop, (bytes) => {
      counted.down += bytes;
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    broken: () => counted.broken,
    up: () => counted.up,
    down: () => counted.down,
    held,
  };
}

function carry(from: Socket, to: Socket, most: number, stop: () => void, count: (bytes: number) => void = () => {}) {
  let left = most;
  from.on('data', (chunk) => {
    const part = chunk.subarray(0, left);
    left -= part.length;
    count(part.length);
    if (left > 0) return void to.write(part);
    from.pause();
    to.write(part, stop);
  });
}
