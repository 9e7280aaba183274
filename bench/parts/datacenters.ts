import { join } from 'node:path';
import type { RequestsJob } from '../load/requests.js';
import { inPairs } from '../measure/in-pairs.js';
import { type PerRequest, perRequest } from '../measure/per-request.js';
import { alone, compared } from '../measure/row.js';
import type { Bench, Findings, Part, Row } from '../part.js';
import { type Daemon, startDaemon } from '../servers/daemon.js';
import { fillCatalog, imageOf } from '../servers/fill-catalog.js';
import { FEW, fillDatacenters, MANY } from '../servers/fill-datacenters.js';

const IMAGES = 10_000;
const VISIBLE = 200;
const EVERY = IMAGES / VISIBLE;
const SECONDS = 1.5;
const CONNECTIONS = 16;

const isVisible = (n: number) => n % EVERY === 0;

/** A server, and who asks it. */
interface Side {
  daemon: Daemon;
  authorization?: string;
}

export const datacenters: Part = {
  name: 'datacenters',
  title: 'Data centers',
  about: `A data center to which ${VISIBLE} of ${IMAGES} images are attached, all others being in another one: its list, as one of
its nodes and one of its administrators see it over IMGAPI, and as the management API shows it. The peer is Slipway with those
${VISIBLE} images and no others, asked by the first administrator, who sees all. A token: one manifest that everybody may have,
asked for by ${CONNECTIONS} connections with a token, beside the same without one.`,
  measure,
};

async function measure(bench: Bench): Promise<Findings> {
  const large = await startFilled(bench, 'large', () => true);
  const small = await startFilled(bench, 'small', isVisible);
  const { node, user } = await callersOf(large);
  const operator: Side = { daemon: small, authorization: `Bearer ${small.token}` };
  const rows: Row[] = [];
  const asked: [what: string, path: string, caller: string][] = [
    ['`GET /images`, by a node', '/images', node],
    ['`GET /images`, by a user', '/images', user],
    [`\`GET /api/dc/${FEW}/image\``, `/api/dc/${FEW}/image`, user],
    [`\`GET /api/dc/${FEW}/image?full\``, `/api/dc/${FEW}/image?full=true`, user],
  ];
  for (const [what, path, authorization] of asked) {
    bench.say(`${what}: ${VISIBLE} of ${IMAGES}`);
    rows.push(...(await rowsOf(bench, what, path, { daemon: large, authorization }, operator)));
  }
  return { rows: [...rows, ...(await tokenRows(bench, small))] };
}

async function startFilled(bench: Bench, name: string, has: (n: number) => boolean): Promise<Daemon> {
  bench.say(`filling a catalog: ${name}`);
  const data = join(bench.directory, name);
  await fillDatacenters(data);
  const created = new Date(0).toISOString();
  await fillCatalog(data, IMAGES, (image, n) => {
    if (!has(n)) return undefined;
    const placed = { access: 'public' as const, datacenters: [isVisible(n) ? FEW : MANY] };
    return { ...image, registration: { name: `image-${n}`, ...placed, created, changed: created } };
  });
  return startDaemon({ ...bench, directory: data }, data);
}

/** A node that serves the data center, and an administrator of it. */
async function callersOf(daemon: Daemon): Promise<{ node: string; user: string }> {
  await post(daemon, '/api/node/node1', { dcs: [FEW] });
  await post(daemon, '/api/user/ann', {});
  await post(daemon, '/api/group/admins', { permissions: ['admin', 'image_admin'], users: ['ann'] });
  await post(daemon, `/api/dc/${FEW}/group/admins`, {});
  const node = await post(daemon, '/api/node/node1/token/bench', {});
  const user = await post(daemon, '/api/token', { name: 'bench', user: 'ann' });
  return { node: `Bearer ${node.token}`, user: `Bearer ${user.token}` };
}

const post = (daemon: Daemon, path: string, body: object) => call(daemon, 'POST', path, body);

async function call({ port, token }: Daemon, method: string, path: string, body: object): Promise<{ token?: string }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  const { result } = (await response.json()) as { result: { token?: string } };
  return result ?? {};
}

async function rowsOf(bench: Bench, what: string, path: string, ours: Side, peer: Side): Promise<Row[]> {
  await checkSame(path, ours, peer);
  const pairs = await inPairs(
    bench.runs,
    () => ask(ours, path, 1),
    () => ask(peer, path, 1),
  );
  const name = `${VISIBLE} alone`;
  return [
    compared(name, pairs, { what, unit: 'ms', of: ({ time }) => time, aim: { of: 'ratio', atMost: 1.5 } }),
    compared(name, pairs, { what: `${what}: processor`, unit: 'ms', of: ({ cpu }) => cpu }),
  ];
}

/** Both sides list the same images, or nothing is compared. */
async function checkSame(path: string, ...sides: Side[]): Promise<void> {
  const lengths = await Promise.all(
    sides.map(async ({ daemon, authorization = '' }) => {
      const response = await fetch(`http://127.0.0.1:${daemon.port}${path}`, { headers: { authorization } });
      const body = (await response.json()) as unknown[] | { result: unknown[] };
      return (Array.isArray(body) ? body : body.result)?.length;
    }),
  );
  if (lengths.some((length) => length !== VISIBLE)) throw new Error(`${path} lists ${lengths.join(' and ')} images`);
}

async function tokenRows(bench: Bench, daemon: Daemon): Promise<Row[]> {
  bench.say('a manifest with a token, and without');
  await call(daemon, 'PUT', `/api/dc/${FEW}/settings`, { anonymous: true });
  const path = `/images/${imageOf(0, IMAGES).uuid}`;
  const pairs = await inPairs(
    bench.runs,
    () => ask({ daemon, authorization: `Bearer ${daemon.token}` }, path, CONNECTIONS),
    () => ask({ daemon }, path, CONNECTIONS),
  );
  const more = pairs.map(({ ours, peer }) => ({ time: ours.time - peer.time, cpu: ours.cpu - peer.cpu }));
  const aim = { of: 'ours', atMost: 0.1 } as const;
  return [
    alone(more, { what: 'a token, to a request', unit: 'ms', of: ({ time }) => time, aim }),
    alone(more, { what: 'a token, to a request: processor', unit: 'ms', of: ({ cpu }) => cpu, aim }),
  ];
}

async function ask({ daemon, authorization }: Side, path: string, connections: number): Promise<PerRequest> {
  const { port, pid } = daemon;
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
  const job: RequestsJob = { port, paths: [path], connections, seconds: SECONDS, headers };
  return perRequest(pid, job);
}
