import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, truncate } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { type Kernel, openKernel } from '../../server/kernel.js';
import { openFilesystemBlobs } from '../../storage/blobs/filesystem.js';
import { gate } from '../support/gate.js';
import { scratch } from '../support/scratch.js';
import { startServer, type TestServer } from '../support/server.js';

const MIB = 1 << 20;
const FILE = randomBytes(16 * MIB + 17);

interface Large {
  server: TestServer;
  path: string;
  directory: string;
  /** Bytes that the kernel has moved. */
  moved(): number;
  /** Resolves when every file and descriptor that was opened to send is closed again. */
  allClosed(): Promise<void>;
}

/** A server whose blobs are files, with an image whose file is large enough for the kernel. */
async function withLargeFile(t: ExecutionContext, kernel?: Kernel): Promise<Large> {
  const directory = await scratch(t);
  const blobs = await openFilesystemBlobs(directory);
  let moved = 0;
  let open = 0;
  let waiting = gate();
  const closed = () => {
    open -= 1;
    if (open === 0) waiting.open();
  };
  const server = await startServer(t, {
    // one that can do nothing, as the server would look for one by itself
    kernel: {
      hold: (socket) => {
        const held = kernel?.hold(socket);
        if (!held) return undefined;
        open += 1;
        return {
          sendFile: async (...from) => {
            const progress = await held.sendFile(...from);
            moved += progress.bytes;
            return progress;
          },
          openRelay: () => held.openRelay(),
          release: () => {
            held.release();
            closed();
          },
        };
      },
    },
    blobs: {
      stage: () => blobs.stage(),
      resume: (key) => blobs.resume(key),
      stat: (key) => blobs.stat(key),
      read: async (key, range) => {
        const chunks = await blobs.read(key, range);
        if (!chunks) return undefined;
        open += 1;
        return (async function* () {
          try {
            yield* chunks;
          } finally {
            closed();
          }
        })();
      },
      openFile: async (key) => {
        const file = await blobs.openFile!(key);
        if (!file) return undefined;
        open += 1;
        return {
          descriptor: file.descriptor,
          size: file.size,
          read: (into, position) => file.read(into, position),
          close: () => file.close().finally(closed),
        };
      },
      delete: (key) => blobs.delete(key),
      list: () => blobs.list(),
      close: () => blobs.close(),
    },
  });
  const { uuid } = await server.image({}, { file: null });
  await server.ask('PUT', `/images/${uuid}/file?compression=none`, { body: FILE });
  await server.ask('POST', `/images/${uuid}?action=activate`);
  const allClosed = async () => {
    while (open > 0) {
      await waiting.opened;
      waiting = gate();
    }
  };
  return { server, directory, path: `/images/${uuid}/file`, moved: () => moved, allClosed };
}

const kernel = await openKernel();
const byKernel = kernel ? test : test.skip;
const ways: [string, Kernel | undefined, typeof test | typeof test.skip][] = [
  ['the kernel', kernel, byKernel],
  ['Node', undefined, test],
];

for (const [who, used, run] of ways) {
  run(`moved by ${who}: a large file comes as it went, whole and in parts`, async (t) => {
    const { server, path, moved, allClosed } = await withLargeFile(t, used);
    const { status, bytes, headers } = await server.ask('GET', path);
    t.is(status, 200);
    t.is(headers['content-length'], String(FILE.length));
    t.true(bytes.equals(FILE));
    for (const [first, last] of [
      [0, 0],
      [1, 256 << 10],
      [4095, 4095 + (256 << 10)],
      [MIB - 1, 3 * MIB],
      [17, FILE.length - 1],
      [FILE.length - 1, FILE.length - 1],
    ] as const) {
      const part = await server.ask('GET', path, { headers: { range: `bytes=${first}-${last}` } });
      t.is(part.status, 206);
      t.true(part.bytes.equals(FILE.subarray(first, last + 1)), `${first}-${last}`);
    }
    t.is(moved() > 0, used !== undefined);
    await allClosed();
  });

  run(`moved by ${who}: answers that were asked for behind one another do not mix`, async (t) => {
    const { server, path, allClosed } = await withLargeFile(t, used);
    const asks = [`GET ${path}`, 'GET /ping', `GET ${path}`, `HEAD ${path}`, 'GET /ping'];
    const socket = connect(server.port, '127.0.0.1');
    const last = asks.length - 1;
    socket.write(
      asks
        .map((ask, n) => `${ask} HTTP/1.1\r\nHost: localhost\r\n${n === last ? 'Connection: close\r\n' : ''}\r\n`)
        .join(''),
    );
    let rest = await buffer(socket);
    for (const ask of asks) {
      const head = rest.subarray(0, rest.indexOf('\r\n\r\n') + 4);
      t.true(head.toString('latin1').startsWith('HTTP/1.1 200 OK'), ask);
      const length = ask.startsWith('HEAD') ? 0 : Number(/content-length: (\d+)/i.exec(head.toString('latin1'))?.[1]);
      const body = rest.subarray(head.length, head.length + length);
      if (ask === `GET ${path}`) t.true(body.equals(FILE), ask);
      rest = rest.subarray(head.length + length);
    }
    t.is(rest.length, 0);
    await allClosed();
  });

  run(`moved by ${who}: what is sent is counted`, async (t) => {
    const { server, path } = await withLargeFile(t, used);
    await server.ask('GET', path);
    const { sent_bytes_total } = server.deps.metrics.instruments;
    const count = async () => (await sent_bytes_total.get()).values.reduce((sum, { value }) => sum + value, 0);
    // The client may have all of it before the thread that has moved the last bytes says so.
    while ((await count()) <= FILE.length) await setImmediate();
    const sent = await count();
    t.true(sent < FILE.length + 10_000, `${sent}`);
  });

  run(`moved by ${who}: a client that leaves in the middle leaves nothing open`, async (t) => {
    const { server, path, allClosed } = await withLargeFile(t, used);
    const sockets = Array.from({ length: 20 }, () => connect(server.port, '127.0.0.1'));
    for (const [n, socket] of sockets.entries()) {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      await once(socket, 'readable');
      if (n % 2 === 0) socket.destroy();
      else socket.resetAndDestroy();
    }
    await allClosed();
    t.true((await server.ask('GET', path)).bytes.equals(FILE));
    await allClosed();
  });

  run(`moved by ${who}: a file that ends too early breaks the connection`, async (t) => {
    const { server, path, directory, allClosed } = await withLargeFile(t, used);
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    // What is not read fills the socket, so that the end is still to come.
    await once(socket, 'readable');
    const [blob = ''] = (await readdir(directory, { recursive: true })).filter((name) => /\w{20}$/.test(name));
    await truncate(join(directory, blob), 10 * MIB);
    const received = await buffer(socket).catch((error: NodeJS.ErrnoException) => error.code);
    if (typeof received !== 'string') t.true(received && received.length < FILE.length, 'it is not whole');
    else t.is(received, 'ECONNRESET');
    await allClosed();
    t.is((await server.ask('GET', path)).status, 503);
    const { values } = await server.deps.metrics.instruments.blob_failures_total.get();
    t.is(values.find(({ labels }) => labels.operation === 'read')?.value, 1);
  });
}

byKernel('what does not lie in memory comes as it went', async (t) => {
  const { server, path, directory, moved } = await withLargeFile(t, kernel);
  const [blob = ''] = (await readdir(directory, { recursive: true })).filter((name) => /\w{20}$/.test(name));
  const before = moved();
  spawnSync('dd', [`if=${join(directory, blob)}`, 'iflag=nocache', 'count=0']);
  t.true((await server.ask('GET', path)).bytes.equals(FILE));
  t.true(moved() > before);
});
