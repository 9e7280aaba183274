import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { inPairs } from '../measure/in-pairs.js';
import { perRequest } from '../measure/per-request.js';
import { compared } from '../measure/row.js';
import type { Aim, Bench, Findings, Part, Row } from '../part.js';
import { bodyOf } from '../servers/body-of.js';
import { startConstant } from '../servers/constant.js';
import { startDaemon } from '../servers/daemon.js';
import { fillCatalog, imageOf } from '../servers/fill-catalog.js';
import type { Server } from '../servers/server.js';

const IMAGES = 1000;
const IDLE = 2000;
const CONNECTIONS = 16;
const SECONDS = 1.5;

interface Measured {
  speed: number;
  cpu: number;
}

export const manifest: Part = {
  name: 'manifest',
  title: 'Manifest',
  about: `\`GET /images/:uuid\` with log and metrics, asked by ${CONNECTIONS} connections that are kept alive, each of which asks
again when it has its answer (nothing is pipelined). The peers answer a constant as long as the manifest of ours: one of Koa,
@koa/router and pino, with one route and a line in its log for each request, and, for information, a bare
\`http.createServer\` without a log.`,
  measure,
};

async function measure(bench: Bench): Promise<Findings> {
  bench.say(`filling a catalog with ${IMAGES} images`);
  const data = join(bench.directory, 'data');
  await fillCatalog(data, IMAGES);
  const daemon = await startDaemon(bench, data);
  const paths = Array.from({ length: IMAGES }, (_, n) => `/images/${imageOf(n, IMAGES).uuid}`);
  const one = paths.slice(0, 1);
  const body = await bodyOf(daemon, paths[0]!);
  const koa = await startConstant(bench, 'Koa, router and pino', body);
  const bare = await startConstant(bench, 'bare http', body);

  const aim: Aim = { of: 'ratio', atLeast: 0.8 };
  const compare = async (what: string, peer: Server, of: (server: Server) => Promise<Measured>, aim?: Aim) => {
    bench.say(`${what}, beside ${peer.name}`);
    const pairs = await inPairs(
      bench.runs,
      () => of(daemon),
      () => of(peer),
    );
    return [
      compared(peer.name, pairs, { what, unit: 'requests/s', of: ({ speed }) => speed, ...(aim && { aim }) }),
      compared(peer.name, pairs, { what: `${what}: processor`, unit: 'µs', of: ({ cpu }) => cpu }),
    ];
  };
  const rows: Row[] = [
    ...(await compare('one image', koa, (server) => ask(server, one), aim)),
    ...(await compare(`${IMAGES} images in turn`, koa, (server) => ask(server, paths), aim)),
    ...(await compare(`one image, ${IDLE} idle connections`, koa, (server) => askBesideIdle(server, one), aim)),
    ...(await compare('one image', bare, (server) => ask(server, one))),
  ];
  return { rows };
}

async function ask({ port, pid }: Server, paths: string[]): Promise<Measured> {
  const job = { port, paths, connections: CONNECTIONS, seconds: SECONDS };
  const { time, cpu } = await perRequest(pid, job);
  return { speed: 1000 / time, cpu: cpu * 1000 };
}

async function askBesideIdle(server: Server, paths: string[]): Promise<Measured> {
  const idle: Socket[] = [];
  try {
    for (let left = IDLE; left > 0; left -= 1) {
      const socket = connect(server.port, '127.0.0.1');
      idle.push(socket);
      await once(socket, 'connect');
    }
    return await ask(server, paths);
  } finally {
    for (const socket of idle) socket.destroy();
  }
}
