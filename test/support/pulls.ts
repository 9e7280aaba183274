import { randomBytes } from 'node:crypto';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type NodeImage, nodeImages } from '../../server/model/node-image.js';
import { nodeTokens } from '../../server/model/node-token.js';
import type { LogLine } from './daemon.js';
import { manage } from './inventories.js';
import { keptLog } from './log.js';
import { type Fleet, startFleet } from './managed.js';
import type { ServerOptions } from './server.js';
import { type SmartosNode, startSmartosNode } from './smartos.js';

/** A server from which nodes fetch: `n1`, and as many more as are wanted. They serve east. */
export interface Pulls extends Fleet {
  nodes: readonly SmartosNode[];
  lines: readonly LogLine[];
  /** The path of an image on the pool of a node, counted from 1. */
  at(image: string, node?: number): string;
  /** The path of the images there. */
  pool(node?: number): string;
  /** An image of a real stream; with an origin, what has changed since. */
  zoneImage(name: string, options?: { origin?: string; bytes?: number }): Promise<string>;
  /** The copies that are known, as `image state`. */
  copies(): Promise<NodeImage[]>;
  /** The datasets of a node that are images, or become some. */
  datasets(node?: number): Promise<string[]>;
  /** All node tokens that are left. */
  tokens(): Promise<string[]>;
  /** Nodes fetch by this port from now on. */
  fetchFrom(port: number): Promise<void>;
}

export async function startPulls(
  t: ExecutionContext,
  { nodes: count = 1, ...options }: ServerOptions & { nodes?: number } = {},
): Promise<Pulls> {
  const { log, lines } = keptLog();
  const nodes: SmartosNode[] = [];
  for (let at = 0; at < count; at += 1) nodes.push(await startSmartosNode(t));
  const [first] = nodes;
  if (!first) throw new Error('a node is needed');
  for (const { sshd } of nodes.slice(1)) {
    await appendFile(join(sshd.directory, 'authorized_keys'), `${first.sshd.key.public}\n`);
  }
  const fleet = await startFleet(t, { nodeKey: first.sshd.key, hostNames: ['images.test'], log, ...options });
  for (const [at, node] of nodes.entries()) await manage(fleet, node, { name: `n${at + 1}` });

  const made = new Map<string, string>();
  const { pool } = first;
  const fetchFrom = async (port: number) => {
    for (const { state } of nodes) {
      await writeFile(join(state, '.curlrc'), `resolve = "images.test:${port}:127.0.0.1"\n`);
    }
    Object.assign(fleet.deps.policy, { publicUrl: `http://images.test:${port}` });
  };
  await fetchFrom(fleet.port);

  return {
    ...fleet,
    nodes,
    lines,
    fetchFrom,
    at: (image, node = 1) => `/api/node/n${node}/storage/${nodes[node - 1]!.pool.name}/image/${image}`,
    pool: (node = 1) => `/api/node/n${node}/storage/${nodes[node - 1]!.pool.name}/image`,
    async zoneImage(name, { origin, bytes = 100_000 } = {}) {
      const from = origin === undefined ? undefined : made.get(origin);
      const dataset = `${pool.name}/made-${name}`;
      if (from === undefined) await pool.zfs('create', dataset);
      else await pool.zfs('clone', from, dataset);
      await pool.write(dataset, `of-${name}`, randomBytes(bytes));
      await pool.zfs('snapshot', `${dataset}@final`);
      made.set(name, `${dataset}@final`);
      const file = await pool.send(...(from === undefined ? [] : ['-i', from]), `${dataset}@final`);
      const { uuid: base } = origin === undefined ? {} : Object(await one(fleet, origin));
      const manifest = { name, version: '1.0', os: 'smartos', type: 'zone-dataset', ...(base && { origin: base }) };
      const created = await fleet.root('POST', `/api/image/${name}`, { manifest, dc: 'east' });
      if (created.status !== 201) throw new Error(`not made: ${created.bytes}`);
      const { uuid } = created.json.result as { uuid: string };
      const sent = await fleet.ask('PUT', `/images/${uuid}/file?compression=none`, { body: file });
      if (sent.status !== 200) throw new Error(`no file: ${sent.bytes}`);
      await fleet.ask('POST', `/images/${uuid}?action=activate`);
      return uuid;
    },
    async copies() {
      const found: NodeImage[] = [];
      for await (const copy of fleet.deps.catalog.list(nodeImages)) found.push(copy);
      return found;
    },
    async datasets(node = 1) {
      const { name, zfs } = nodes[node - 1]!.pool;
      const listed = (await zfs('list', '-H', '-o', 'name', '-r', name)).split('\n');
      return listed.filter((one) => /\/[0-9a-f-]{36}(-partial)?$/.test(one)).map((one) => one.slice(name.length + 1));
    },
    async tokens() {
      const found: string[] = [];
      for await (const { name } of fleet.deps.catalog.list(nodeTokens)) found.push(name);
      return found;
    },
  };
}

const one = async ({ root }: Fleet, name: string) => (await root('GET', `/api/image/${name}`)).json.result;
