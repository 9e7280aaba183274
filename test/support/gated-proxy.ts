import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import { gate } from './gate.js';

/** A way to a server on loopback that can be shut for a while: what is under way then waits, and nothing is cut. */
export interface GatedProxy {
  port: number;
  url: string;
  /** Connections lead there from now on. */
  to(port: number): void;
  /** Shuts it when so many bytes more have gone through, either way; resolves when something waits. */
  shutAfter(bytes: number): { held: Promise<void> };
  open(): void;
}

export async function gatedProxy(t: Pick<ExecutionContext, 'teardown'>, target = 0): Promise<GatedProxy> {
  const sockets = new Set<Socket>();
  let port = target;
  let left = Number.POSITIVE_INFINITY;
  let held = gate();
  let opened = gate();
  const carry = (from: Socket, to: Socket) => {
    from.on('data', async (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) {
        held.open();
        from.pause();
        await opened.opened;
        from.resume();
      }
      to.write(chunk);
    });
  };
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    const end = () => {
      near.destroy();
      far.destroy();
      sockets.delete(near);
      sockets.delete(far);
    };
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', end);
    }
    carry(near, far);
    carry(far, near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const own = (server.address() as AddressInfo).port;
  return {
    port: own,
    url: `http://127.0.0.1:${own}`,
    to: (other) => {
      port = other;
    },
    shutAfter: (bytes) => {
      left = bytes;
      held = gate();
      opened = gate();
      return { held: held.opened };
    },
    open: () => {
      left = Number.POSITIVE_INFINITY;
      opened.open();
    },
  };
}
