import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';

type Test = Pick<ExecutionContext, 'teardown'>;

/** A cable between this machine and a place that can reach nothing else. */
export interface Cable {
  /** Of the end over there. */
  inside: string;
  /** What comes from over there to the address that this returns, as `host:port`, goes to a port of loopback here. */
  lead(port: number): Promise<string>;
  cut(): void;
  mend(): void;
}

export interface OwnNetwork {
  /** Before the command that runs there. */
  through: readonly string[];
  cables: Cable[];
  /** What comes to this port of loopback here goes to the same port over there, by the first cable. */
  reach(port: number): Promise<void>;
}

/** A network of its own for a process, behind so many cables; gone when the test ends. Needs root. */
export function ownNetwork(t: Test, count: number): OwnNetwork {
  const name = `slipway-${process.pid}-${networks}`;
  const ip = (...words: string[]) => execFileSync('ip', words, { stdio: ['ignore', 'pipe', 'pipe'] });
  ip('netns', 'add', name);
  t.teardown(() => ip('netns', 'delete', name));
  ip('-n', name, 'link', 'set', 'lo', 'up');
  const cables = Array.from({ length: count }, (_, n) => cable(t, name, n, ip));
  networks += 1;
  return {
    through: ['ip', 'netns', 'exec', name],
    cables,
    reach: async (port) => void (await relay(t, '127.0.0.1', port, { host: cables[0]!.inside, port })),
  };
}

let networks = 0;

function cable(t: Test, name: string, n: number, ip: (...words: string[]) => unknown): Cable {
  // names of devices have 15 letters at most; the addresses are private ones that few use
  const [here, there] = ['h', 't'].map((end) => `sw${process.pid % 100_000}${end}${networks}-${n}`) as [string, string];
  const net = `10.213.${networks * 16 + n}`;
  const [outside, inside] = [`${net}.1`, `${net}.2`];
  ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', name);
  ip('address', 'add', `${outside}/30`, 'dev', here);
  ip('-n', name, 'address', 'add', `${inside}/30`, 'dev', there);
  ip('link', 'set', here, 'up');
  ip('-n', name, 'link', 'set', there, 'up');
  return {
    inside,
    lead: async (port) => `${outside}:${await relay(t, outside, 0, { host: '127.0.0.1', port })}`,
    cut: () => void ip('link', 'set', here, 'down'),
    mend: () => void ip('link', 'set', here, 'up'),
  };
}

async function relay(t: Test, host: string, port: number, to: { host: string; port: number }): Promise<number> {
  const open = new Set<Socket>();
  const server = createServer((from) => {
    const onward = connect(to);
    for (const [socket, other] of [
      [from, onward],
      [onward, from],
    ] as const) {
      open.add(socket);
      socket.pipe(other);
      socket.on('error', () => other.destroy());
      socket.once('close', () => {
        open.delete(socket);
        other.destroy();
      });
    }
  });
  server.listen(port, host);
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}
