import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { doJob } from './load.js';

export interface DownloadJob {
  port: number;
  path: string;
  clients: number;
  /** Each client downloads so many times, one after the other, each on a connection of its own. */
  times: number;
  range?: string;
  tls?: boolean;
  /** In the Host header, where that is a part of what is signed. */
  host?: string;
}

export interface Downloaded {
  bytes: number;
  seconds: number;
}

/** Shared by all clients: nobody looks at what comes. */
const into = Buffer.allocUnsafe(1 << 20);

/** Reads and throws away, so that the client costs as little as one can. */
function download({ port, path, range, tls, host = '127.0.0.1' }: DownloadJob): Promise<number> {
  return new Promise((resolve, reject) => {
    let head = '';
    let wanted: number | undefined;
    let received = 0;
    const take = (length: number, bytes: Uint8Array): boolean => {
      received += length;
      if (wanted === undefined) {
        head += Buffer.from(bytes.subarray(0, length)).toString('latin1');
        wanted = sizeIn(head);
      }
      if (wanted !== undefined && received >= wanted) {
        socket.destroy();
        resolve(received);
      }
      return true;
    };
    const socket = tls
      ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
      : connect({ port, host: '127.0.0.1', onread: { buffer: into, callback: take } });
    if (tls) socket.on('data', (chunk: Buffer) => take(chunk.length, chunk));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`${path} was cut after ${received} bytes: ${head.slice(0, 100)}`)));
    const headers = [`Host: ${host}`, 'Connection: close', ...(range ? [`Range: ${range}`] : [])];
    socket.write(`GET ${path} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
  });
}

/** Bytes of the whole answer, its head included, once that has come. */
function sizeIn(head: string): number | undefined {
  const end = head.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  if (!/^HTTP\/1.1 20[06] /.test(head)) throw new Error(`the server said ${head.slice(0, end)}`);
  return end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1]);
}

doJob(async (job: DownloadJob): Promise<Downloaded> => {
  const start = performance.now();
  const client = async () => {
    let bytes = 0;
    for (let time = 0; time < job.times; time += 1) bytes += await download(job);
    return bytes;
  };
  const received = await Promise.all(Array.from({ length: job.clients }, client));
  return { bytes: received.reduce((sum, bytes) => sum + bytes, 0), seconds: (performance.now() - start) / 1000 };
});
