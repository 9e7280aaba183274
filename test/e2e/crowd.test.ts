import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import ava, { type ExecutionContext } from 'ava';
import { peakMemoryOf } from '../../bench/measure/process.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { openHandles } from '../support/handles.js';

// Clients that come by the thousand, take their time, or are not heard of again: nobody else may suffer, nothing may
// stay open, and what is held for them has a limit.

const test = process.platform === 'linux' ? ava.serial : ava.serial.skip;

const MIB = 1 << 20;
const FILE = randomBytes(24 * MIB);
const SMALL = FILE.subarray(0, MIB);

/** Of a daemon that holds some 90 MiB when nobody asks for anything. */
const MOST_MEMORY = 250;

interface Served extends Daemon {
  large: string;
  small: string;
  /** Asserts that it serves others, and when the crowd has gone, that nothing is open that was not before. */
  servesOthers(t: ExecutionContext): Promise<void>;
  forgets(t: ExecutionContext): Promise<void>;
}

async function served(t: ExecutionContext, ...args: string[]): Promise<Served> {
  // Whatever its limits are, they are none for what it is filled with.
  const first = await startDaemon(t);
  const [large, small] = [await fileOf(first, FILE), await fileOf(first, SMALL)];
  first.close();
  await first.kill('SIGTERM');
  const daemon = await startDaemon(t, { data: first.data, args });
  const pid = daemon.child.pid!;
  const before = (await openHandles(pid)).filter((handle) => !handle.includes('/files/')).length;
  return {
    ...daemon,
    large,
    small,
    servesOthers: async (t) => {
      t.is((await daemon.ask('GET', '/ping')).status, 200);
      t.true((await daemon.ask('GET', small)).bytes.equals(SMALL));
    },
    forgets: async (t) => {
      daemon.close();
      // Where they never close, time runs out.
      while ((await openHandles(pid)).length > before) await pause(20);
      t.true((await peakMemoryOf(pid)) < MOST_MEMORY, 'MiB');
      t.is((await daemon.kill('SIGTERM')).code, 0);
    },
  };
}

async function fileOf({ ask }: Daemon, body: Buffer): Promise<string> {
  const manifest = { name: 'crowded', version: '1.0.0', type: 'other', os: 'other', public: true };
  const { uuid } = (await ask('POST', '/images', { body: manifest })).json;
  await ask('PUT', `/images/${uuid}/file?compression=none`, { body });
  await ask('POST', `/images/${uuid}?action=activate`);
  return `/images/${uuid}/file`;
}

const crowd = <T>(size: number, join: (n: number) => Promise<T>) =>
  Promise.all(Array.from({ length: size }, (_, n) => join(n)));

/** Has asked for the path, has seen that an answer comes, and reads no more of it. */
async function stopped({ port }: Daemon, path: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await once(socket, 'readable');
  return socket;
}

test('two thousand connections that ask for nothing, or for nothing more', async (t) => {
  const daemon = await served(t);
  const sockets = await crowd(2000, async (n) => {
    const socket = connect(daemon.port, '127.0.0.1');
    socket.on('error', () => {}); // who idles for too long is cut, and may
    await once(socket, 'connect');
    if (n % 2 === 0) {
      socket.write('GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await once(socket, 'readable');
    }
    return socket;
  });
  await daemon.servesOthers(t);
  for (const socket of sockets) socket.destroy();
  await daemon.forgets(t);
});

test('a thousand clients for one file at once', async (t) => {
  const daemon = await served(t);
  const wholes = await crowd(1000, async () => {
    const socket = connect(daemon.port, '127.0.0.1');
    socket.write(`GET ${daemon.small} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    return (await buffer(socket)).subarray(-SMALL.length).equals(SMALL);
  });
  t.is(wholes.filter(Boolean).length, 1000);
  await daemon.servesOthers(t);
  await daemon.forgets(t);
});

test('single bytes by the thousand', async (t) => {
  const daemon = await served(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  const wrong = await crowd(5000, async (n) => {
    const at = (n * 5003) % FILE.length;
    const options = { port: daemon.port, path: daemon.large, agent, headers: { range: `bytes=${at}-${at}` } };
    const [response] = await once(get(options), 'response');
    const bytes = await buffer(response);
    return response.statusCode !== 206 || bytes.length !== 1 || bytes[0] !== FILE[at];
  });
  t.is(wrong.filter(Boolean).length, 0);
  agent.destroy();
  await daemon.forgets(t);
});

for (const leave of ['destroy', 'resetAndDestroy'] as const) {
  test(`readers that stop, and then are gone (${leave})`, async (t) => {
    const daemon = await served(t);
    const sockets = await crowd(300, () => stopped(daemon, daemon.large));
    await daemon.servesOthers(t);
    for (const socket of sockets) socket[leave]();
    await daemon.forgets(t);
  });
}

test('readers that stop are cut when they were idle for too long', async (t) => {
  const daemon = await served(t, '--idle-timeout', '10');
  const sockets = await crowd(300, () => stopped(daemon, daemon.large));
  await daemon.servesOthers(t);
  await daemon.forgets(t);
  for (const socket of sockets) socket.destroy();
});
