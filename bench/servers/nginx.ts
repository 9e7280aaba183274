import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCertificate } from '../../server/tls/make-certificate.js';
import type { Bench } from '../part.js';
import { type Server, stopProcess } from './server.js';

export const isInstalled = () => spawnSync('nginx', ['-v']).status === 0;

/** Serves the files of a directory as nginx does it best: two workers, sendfile, no log. */
export async function startNginx({ directory, closing }: Bench, root: string): Promise<Server> {
  const own = join(directory, 'nginx');
  await mkdir(join(own, 'temp'), { recursive: true });
  const { certificate, key } = await makeCertificate({
    names: ['localhost'],
    from: new Date(Date.now() - 60_000),
    until: new Date(Date.now() + 86_400_000),
  });
  await writeFile(join(own, 'certificate.pem'), certificate);
  await writeFile(join(own, 'key.pem'), key);
  const [port, tlsPort] = [await freePort(), await freePort()];
  await writeFile(join(own, 'nginx.conf'), configuration(own, root, port, tlsPort));
  const child = spawn('nginx', ['-p', own, '-e', join(own, 'error.log'), '-c', join(own, 'nginx.conf')], {
    stdio: 'ignore',
  });
  const stop = () => stopProcess(child);
  closing.add(child, stop);
  await listens(port);
  return { name: 'nginx', port, tlsPort, pid: child.pid!, stop };
}

const configuration = (own: string, root: string, port: number, tlsPort: number) => `
daemon off;
user ${process.getuid?.() === 0 ? 'root' : 'nobody'};
worker_processes 2;
pid ${own}/nginx.pid;
events { worker_connections 4096; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${own}/temp/${name};`).join(' ')}
  ssl_certificate ${own}/certificate.pem;
  ssl_certificate_key ${own}/key.pem;
  server {
    listen 127.0.0.1:${port};
    listen 127.0.0.1:${tlsPort} ssl;
    root ${root};
  }
}
`;

/** nginx takes no 0; that another process takes the port meanwhile would show at once. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** It says nothing when it is ready. */
async function listens(port: number): Promise<void> {
  for (let left = 100; left > 0; left -= 1) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await sleep(50);
    } finally {
      socket.destroy();
    }
  }
  throw new Error(`nginx does not listen on ${port}`);
}
