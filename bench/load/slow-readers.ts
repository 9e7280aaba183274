import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { doJob } from './load.js';

export interface SlowReadersJob {
  port: number;
  path: string;
  clients: number;
  seconds: number;
}

/** Connections that take a chunk of a file each second, and are cut in the end. Says how many were still being served. */
doJob(async ({ port, path, clients, seconds }: SlowReadersJob): Promise<number> => {
  const readers = await Promise.all(Array.from({ length: clients }, () => reader(port, path)));
  for (let second = 0; second < seconds; second += 1) {
    for (const reader of readers) reader.resume();
    await sleep(1000);
  }
  const served = readers.filter(({ destroyed }) => !destroyed).length;
  for (const reader of readers) reader.destroy();
  return served;
});

/** Takes what there is when it is resumed, and rests. */
function reader(port: number, path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('error', reject);
    socket.on('data', () => {
      socket.pause();
      resolve(socket);
    });
    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  });
}
