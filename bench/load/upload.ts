import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { doJob, stopped } from './load.js';

export interface UploadJob {
  port: number;
  path: string;
  token?: string;
  size: number;
}

export interface Uploaded {
  bytes: number;
  seconds: number;
}

/** One block again and again costs the client nothing; it is another one each time, so the bytes are new to a store. */
const block = randomBytes(4 << 20);

/** Resolves when the answer has come, or when the bench has had enough. */
function upload({ port, path, token, size }: UploadJob): Promise<number> {
  return new Promise((resolve, reject) => {
    let left = size;
    let answer = '';
    const socket = connect({ port, host: '127.0.0.1' });
    const send = () => {
      const bytes = block.subarray(0, left);
      socket.write(bytes, (error) => {
        if (error) return;
        left -= bytes.length;
        if (left > 0) send();
      });
    };
    stopped().then(() => {
      resolve(size - left);
      socket.destroy();
    });
    socket.setEncoding('latin1').on('data', (text: string) => {
      answer += text;
    });
    socket.once('error', reject);
    socket.once('close', () => {
      if (left === 0 && answer.startsWith('HTTP/1.1 200 ')) resolve(size);
      else reject(new Error(`${path} was cut, ${left} bytes before its end: ${answer.slice(0, 500)}`));
    });
    const credentials = token === undefined ? [] : [`Authorization: Bearer ${token}`];
    const headers = ['Host: 127.0.0.1', 'Connection: close', `Content-Length: ${size}`, ...credentials];
    socket.write(`PUT ${path} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
    send();
  });
}

doJob(async (job: UploadJob): Promise<Uploaded> => {
  const start = performance.now();
  const bytes = await upload(job);
  return { bytes, seconds: (performance.now() - start) / 1000 };
});
