import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { makeKey } from '../../server/hypervisors/node-key.js';
import { nodes } from '../../server/model/node.js';
import { tasks } from '../../server/model/task.js';
import type { Wire } from './ask.js';
import { type ServerOptions, startServer, type TestServer } from './server.js';
import { type SmartosNode, type SmartosPlan, startSmartosNode } from './smartos.js';

/** A server that several nodes find, each of them a SmartOS that is reached by ssh. */
export interface Campaigning {
  server: TestServer;
  node(name: string): SmartosNode;
  /** An image of real bytes: a stream that nodes receive. */
  image(manifest?: Record<string, unknown>): Promise<Wire>;
  /** Starts it and waits for its end, or tells why it did not start. */
  run(method: 'POST' | 'PUT', name: string, body: object): Promise<Shown>;
  show(name: string): Promise<Shown>;
  /** Resolves when it is so. */
  until(name: string, is: (shown: Shown) => boolean): Promise<Shown>;
}

export interface Shown {
  [field: string]: unknown;
  state: string;
  task: string;
  nodes: { node: string; state: string; error: string | null; tries: number; away: boolean; task: string | null }[];
}

export async function startCampaigns(
  t: ExecutionContext,
  plans: Record<string, SmartosPlan>,
  options: ServerOptions = {},
): Promise<Campaigning> {
  const key = makeKey('test');
  const server = await startServer(t, { nodeKey: key, ...options });
  const { port, deps, ask } = server;
  deps.policy.publicUrl = `http://images.test:${port}`;
  const made = new Map<string, SmartosNode>();
  for (const [name, plan] of Object.entries(plans)) {
    const node = await startSmartosNode(t, { resolve: [`images.test:${port}:127.0.0.1`], ...plan });
    await writeFile(join(node.sshd.directory, 'authorized_keys'), `${key.public}\n`);
    made.set(name, node);
    await addSmartos(server, name, node);
  }
  const node = (name: string) => {
    const found = made.get(name);
    if (!found) throw new Error(`there is no node ${name}`);
    return found;
  };
  const show = async (name: string) =>
    (await ask('GET', `/api/campaign/${name}`, { as: 'admin' })).json.result as unknown as Shown;
  return {
    server,
    node,
    image: async (manifest = {}) => {
      const [first] = made.values();
      const { pool } = first!;
      const dataset = `${pool.name}/made-${randomBytes(4).toString('hex')}`;
      await pool.zfs('create', dataset);
      await pool.write(dataset, 'bytes', randomBytes(200_000));
      await pool.zfs('snapshot', `${dataset}@final`);
      const stream = await pool.send(`${dataset}@final`);
      await pool.destroy(dataset);
      return server.image(manifest, { file: stream as unknown as string });
    },
    run: async (method, name, body) => {
      const answer = await ask(method, `/api/campaign/${name}`, { as: 'admin', body });
      if (answer.status !== 201) throw new Error(`not started: ${answer.status} ${answer.bytes}`);
      await deps.tasks.settled(String(answer.json.task_id), new AbortController().signal);
      return show(name);
    },
    show,
    until: async (name, is) => {
      for (;;) {
        const shown = await show(name);
        if (is(shown)) return shown;
        const task = await deps.catalog.get(tasks, shown.task);
        if (task?.finished !== undefined) throw new Error(`it has ended: ${JSON.stringify(await show(name))}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
}

/** As a SuperAdmin would have registered it, in main. */
export async function addSmartos(server: TestServer, name: string, { sshd }: SmartosNode): Promise<void> {
  await server.deps.catalog.write((tx) =>
    tx.insert(nodes, {
      name,
      datacenters: ['main'],
      addresses: [],
      knownByAddress: false,
      connection: { ...sshd.connection, platform: 'smartos' },
      created: server.deps.now().toISOString(),
    }),
  );
}

export const statesOf = ({ nodes }: Shown) => Object.fromEntries(nodes.map(({ node, state }) => [node, state]));
