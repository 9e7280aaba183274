import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { doJob } from './load.js';

export interface RequestsJob {
  port: number;
  /** Asked for in turn. */
  paths: string[];
  /** Kept alive; each asks again when it has its answer. */
  connections: number;
  seconds: number;
  /** Sent with each request. */
  headers?: Record<string, string>;
}

export interface Requested {
  requests: number;
  bytes: number;
  seconds: number;
}

const END_OF_HEAD = '\r\n\r\n';

/** Asks, counts what comes, looks at the status and the length and at nothing else. */
async function ask(socket: Socket, next: () => Buffer | undefined, answered: (bytes: number) => void): Promise<void> {
  let left = 0;
  let head: Buffer = Buffer.alloc(0);
  await new Promise<void>((resolve, reject) => {
    const go = () => {
      const request = next();
      if (request) socket.write(request);
      else resolve();
    };
    socket.once('error', reject).once('close', () => reject(new Error('the server closed the connection')));
    socket.on('data', (chunk: Buffer) => {
      try {
        if (left > 0) left -= chunk.length;
        else {
          head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
          const size = sizeIn(head);
          if (size === undefined) return;
          answered(size);
          left = size - head.length;
          head = head.subarray(0, 0);
        }
      } catch (error) {
        return reject(error);
      }
      if (left < 0) reject(new Error('the server sent more than it said'));
      else if (left === 0) go();
    });
    go();
  });
  socket.removeAllListeners('close').destroy();
}

/** Bytes of the whole answer, its head included, once that has come. */
function sizeIn(bytes: Buffer): number | undefined {
  const end = bytes.indexOf(END_OF_HEAD);
  if (end < 0) return undefined;
  const head = bytes.toString('latin1', 0, end);
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (!head.startsWith('HTTP/1.1 200 ') || !length) throw new Error(`the server said ${head}`);
  return end + END_OF_HEAD.length + Number(length);
}

doJob(async ({ port, paths, connections, seconds, headers = {} }: RequestsJob): Promise<Requested> => {
  const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const asked = paths.map((path) =>
    Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${more.join('')}\r\n`),
  );
  const sockets = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      await once(socket, 'connect');
      return socket;
    }),
  );
  let sent = 0;
  let requests = 0;
  let bytes = 0;
  const start = performance.now();
  const end = start + seconds * 1000;
  const next = () => (performance.now() < end ? asked[sent++ % asked.length] : undefined);
  const answered = (size: number) => {
    requests += 1;
    bytes += size;
  };
  await Promise.all(sockets.map((socket) => ask(socket, next, answered)));
  return { requests, bytes, seconds: (performance.now() - start) / 1000 };
});
