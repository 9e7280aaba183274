import { spawnSync } from 'node:child_process';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type Fleet, startFleet } from './managed.js';
import { scratch } from './scratch.js';
import type { ServerOptions } from './server.js';
import { type Sshd, startSshd } from './sshd.js';
import { type Toolbox, toolbox } from './toolbox.js';

/** A machine behind a real sshd that tells what the tools of SmartOS tell, of nothing but words: there is no pool behind it. */
export interface TalkingNode {
  sshd: Sshd;
  tools: Toolbox;
}

const tool = {
  uname: `case "$*" in -v) echo joyent_20240111T000000Z;; *) exec "$real" "$@";; esac`,
  sysinfo: `echo '{"Hostname":"node-1","Live Image":"20240111T000000Z","SDC Version":"7.0"}'`,
  zpool: `printf 'zones\\tONLINE\\n'`,
  zfs: `printf 'zones\\tused\\t1000000\\nzones\\tavailable\\t9000000\\n'`,
  imgadm: `echo '[]'`,
  vmadm: `echo '[]'`,
};

/** Lets in who has the key, where one is given. */
export async function startTalkingNode(t: ExecutionContext, key?: string): Promise<TalkingNode> {
  const tools = await toolbox(t);
  for (const [name, script] of Object.entries(tool)) await tools.put(name, script);
  return {
    tools,
    sshd: await startSshd(t, { env: { PATH: tools.path }, ...(key !== undefined && { authorized: [key] }) }),
  };
}

/** A server with two data centers, and a node, `n1`. */
export interface Lab<Node extends TalkingNode = TalkingNode> extends Fleet {
  node: Node;
  /** Takes the inventory of n1. */
  refresh(): ReturnType<Fleet['root']>;
}

/** The node serves east unless told otherwise. */
export async function startLab(t: ExecutionContext, options: ServerOptions & { dcs?: string } = {}): Promise<Lab> {
  return labWith(t, await startTalkingNode(t), options);
}

export async function labWith<Node extends TalkingNode>(
  t: ExecutionContext,
  node: Node,
  { dcs = 'east', ...options }: ServerOptions & { dcs?: string } = {},
): Promise<Lab<Node>> {
  const fleet = await startFleet(t, { nodeKey: node.sshd.key, ...options });
  await manage(fleet, node, { dcs });
  return { ...fleet, node, refresh: () => fleet.root('PUT', '/api/node/n1/inventory', {}) };
}

export async function manage({ root }: Fleet, { sshd }: TalkingNode, { name = 'n1', dcs = 'east' } = {}) {
  const { address, port, user, hostKeys } = sshd.connection;
  const made = await root('POST', `/api/node/${name}`, { dcs, address, port, user, host_keys: hostKeys });
  if (made.status !== 201) throw new Error(`not made: ${made.bytes}`);
}

/** A machine as `vmadm lookup -j` has it: a zone that is made of an image. */
export const zone = (uuid: string, alias: string, image: string, more: object = {}) => ({
  uuid,
  alias,
  hostname: alias,
  brand: 'joyent',
  state: 'running',
  zone_state: 'running',
  owner_uuid: '00000000-0000-0000-0000-000000000000',
  zpool: 'zones',
  zfs_filesystem: `zones/${uuid}`,
  image_uuid: image,
  quota: 10,
  tags: {},
  nics: [],
  ...more,
});

/** From now on the node has these machines. */
export async function tells(t: ExecutionContext, { tools }: TalkingNode, machines: readonly object[] | string) {
  const file = join(await scratch(t), 'machines.json');
  await writeFile(file, typeof machines === 'string' ? machines : JSON.stringify(machines));
  await tools.put('vmadm', `cat '${file}'`);
}

/** The node is asked for its machines, and does not answer before it is let. */
export async function hesitates(t: ExecutionContext, { tools }: TalkingNode) {
  const fifo = join(await scratch(t), 'fifo');
  spawnSync('mkfifo', [fifo]);
  await tools.put('vmadm', `cat '${fifo}'`);
  return {
    /** Resolves when it is asked, with the way to have it answer. */
    asked: async () => {
      const handle = await open(fifo, 'w');
      return async (machines: readonly object[]) => {
        await handle.writeFile(JSON.stringify(machines));
        await handle.close();
      };
    },
  };
}
