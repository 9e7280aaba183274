import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { scratch } from './scratch.js';

const run = promisify(execFile);
const example = fileURLToPath(new URL('../../../etc/cluster/nginx.conf', import.meta.url));

/** In the example, one behind another. */
const ADDRESSES = ['10.0.0.11:8080', '10.0.0.12:8080'];

export interface Answered {
  status: number;
  headers: IncomingMessage['headers'];
  bytes: Buffer;
}

/** The example's nginx in front of daemons on these ports: as it is shipped, but for addresses and the certificate. */
export interface ClusterNginx {
  ask(method: string, path: string, headers?: Record<string, string | number>, body?: Buffer): Promise<Answered>;
  /** As an operator does before and after an upgrade: nothing new goes to these daemons from then on. */
  takeOut(...places: number[]): Promise<void>;
}

export async function startClusterNginx(t: ExecutionContext, ports: readonly number[]): Promise<ClusterNginx> {
  const directory = await scratch(t);
  const socket = join(directory, 'http.sock');
  await mkdir(join(directory, 'temp'));
  const shipped = (await readFile(example, 'utf8'))
    .replace('listen 443 ssl;', `listen unix:${socket};`)
    .replace(/listen \[::\]:443 ssl;\n/, '')
    .replace(/^ *ssl_.*\n/gm, '');
  const write = (out: readonly number[]) => {
    const site = ADDRESSES.reduce((text, address, place) => {
      const line = new RegExp(`server ${address.replaceAll('.', '\\.')}([^;]*);`, 'g');
      return text.replace(line, `server 127.0.0.1:${ports[place]}$1${out.includes(place) ? ' down' : ''};`);
    }, shipped);
    return writeFile(join(directory, 'site.conf'), site);
  };
  await write([]);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  await writeFile(
    join(directory, 'nginx.conf'),
    [
      `user ${process.getuid?.() === 0 ? 'root' : 'nobody'};`,
      'worker_processes 2;',
      `pid ${directory}/nginx.pid;`,
      `error_log ${directory}/error.log;`,
      'events {}',
      'http {',
      'access_log off;',
      ...temporary.map((name) => `${name}_temp_path ${directory}/temp/${name};`),
      `include ${directory}/site.conf;`,
      '}',
    ].join('\n'),
  );
  const nginx = (...args: string[]) =>
    run('nginx', ['-p', directory, '-e', join(directory, 'error.log'), '-c', join(directory, 'nginx.conf'), ...args]);
  // It goes into the background when it listens.
  await nginx();
  t.teardown(() => nginx('-s', 'stop'));
  const master = Number(await readFile(join(directory, 'nginx.pid'), 'utf8'));

  return {
    async takeOut(...places) {
      await write(places);
      const before = await workersOf(master);
      await nginx('-s', 'reload');
      // Those of before take nothing new as soon as they are leaving.
      for (let left = 600; ; left -= 1) {
        const now = await workersOf(master);
        if (before.every((pid) => !now.includes(pid)) && now.length > 0) return;
        if (left === 0) throw new Error('nginx does not read its configuration again');
        await pause(50);
      }
    },
    async ask(method, path, headers = {}, body) {
      const sent = request({
        socketPath: socket,
        agent: false,
        method,
        path,
        headers: { host: 'images.example.com', ...headers },
      });
      const answered = new Promise<IncomingMessage>((resolve, reject) => {
        sent.once('response', resolve).once('error', reject);
      });
      sent.end(body);
      const response = await answered;
      return { status: response.statusCode ?? 0, headers: response.headers, bytes: await buffer(response) };
    },
  };
}

/** Those that take what is new. */
async function workersOf(master: number): Promise<number[]> {
  const children = (await readFile(`/proc/${master}/task/${master}/children`, 'utf8')).trim().split(' ').map(Number);
  const titles = await Promise.all(children.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => 'gone')));
  return children.filter((_, n) => titles[n]!.includes('worker process') && !titles[n]!.includes('shutting down'));
}
