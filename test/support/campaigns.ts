import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { makeKey, type NodeKey } from '../../server/hypervisors/node-key.js';
import { nodes } from '../../server/model/node.js';
import { tasks } from '../../server/model/task.js';
import type { Wire } from './ask.js';
import { isMet, mount, unmount } from './needs.js';
import { scratch } from './scratch.js';
import { type ServerOptions, startServer, type TestServer } from './server.js';
import { type Sshd, startSshd } from './sshd.js';

/** What the tests with these nodes need; a test that is skipped has it in its title. */
export const lacking = (['sshd, to be talked to', 'qemu-img'] as const).find((need) => !isMet[need]);

export const POOL = 'machines';

/** A machine with disks in a directory, which is reached by ssh, and finds the server as `images.test`. */
export interface DiskNode {
  sshd: Sshd;
  /** In which its disks and images lie. */
  place: string;
  /** In which stands where it finds names: `.curlrc`. */
  home: string;
  /** Which images are there. */
  images(): Promise<string[]>;
  /** The image servers that it asks, as its file has them, which others write too. */
  sources(): Promise<string[]>;
  writeSources(sources: readonly string[]): Promise<void>;
  /** What jobs have left, and what still runs there. */
  left(): Promise<string[]>;
}

export interface DiskPlan {
  /** The size of a filesystem of its own, such as `1m`. */
  size?: string;
  /** A directory whose tools come before those of this machine. */
  tools?: string;
}

export async function startDiskNode(
  t: ExecutionContext,
  { port, key }: { port: number; key: NodeKey },
  { size, tools }: DiskPlan = {},
): Promise<DiskNode> {
  const home = await scratch(t);
  const place = join(await scratch(t), POOL);
  await mkdir(place);
  if (size !== undefined) {
    if (!mount(place, size)) throw new Error('could not mount a tmpfs');
    t.teardown(() => unmount(place));
  }
  await writeFile(join(home, '.curlrc'), `resolve = "images.test:${port}:127.0.0.1"\n`);
  const env = {
    CURL_HOME: home,
    SLIPWAY_ETC: home,
    PATH: [...(tools === undefined ? [] : [tools]), process.env.PATH ?? ''].join(':'),
  };
  const sshd = await startSshd(t, { env, authorized: [key.public] });
  const file = join(home, 'sources');
  return {
    sshd,
    place,
    home,
    images: async () => {
      const names = await readdir(join(place, 'images')).catch(() => []);
      return names.map((name) => name.replace(/\.\w+$/, '')).sort();
    },
    sources: async () => {
      const text = await readFile(file, 'utf8').catch(() => '');
      return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    },
    writeSources: (sources) => writeFile(file, sources.map((line) => `${line}\n`).join('')),
    left: async () => {
      const left = async () => (await readdir(place)).filter((name) => name.startsWith('.slipway'));
      // What was aborted is taken away by a command of its own, behind the end of its task.
      while ((await left()).length > 0) await pause(25);
      await sshd.nothingRuns();
      return left();
    },
  };
}

/** A server that several nodes find. */
export interface Campaigning {
  server: TestServer;
  key: NodeKey;
  node(name: string): DiskNode;
  /** A disk of so many bytes. */
  image(manifest?: Record<string, unknown>, bytes?: number): Promise<Wire>;
  start(method: 'POST' | 'PUT', name: string, body: object): Promise<string>;
  /** Starts it and waits for its end. */
  run(method: 'POST' | 'PUT', name: string, body: object): Promise<Shown>;
  show(name: string): Promise<Shown>;
  /** Resolves when it is so. */
  until(name: string, is: (shown: Shown) => boolean): Promise<Shown>;
}

export interface Shown {
  [field: string]: unknown;
  state: string;
  task: string;
  nodes: {
    node: string;
    state: string;
    error: string | null;
    tries: number;
    away: boolean;
    task: string | null;
    progress: { done: number } | null;
  }[];
}

export async function startCampaigns(
  t: ExecutionContext,
  plans: Record<string, DiskPlan>,
  options: ServerOptions = {},
): Promise<Campaigning> {
  const key = makeKey('test');
  const server = await startServer(t, {
    nodeKey: key,
    hostNames: ['images.test'],
    nodePatience: { pauses: [20, 200] },
    ...options,
  });
  const { port, deps, ask } = server;
  deps.policy.publicUrl = `http://images.test:${port}`;
  const made = new Map<string, DiskNode>();
  for (const [name, plan] of Object.entries(plans)) {
    const node = await startDiskNode(t, { port, key }, plan);
    made.set(name, node);
    await addDiskNode(server, name, node);
  }
  const show = async (name: string) =>
    (await ask('GET', `/api/campaign/${name}`, { as: 'admin' })).json.result as unknown as Shown;
  const start = async (method: string, name: string, body: object) => {
    const answer = await ask(method, `/api/campaign/${name}`, { as: 'admin', body });
    if (answer.status !== 201) throw new Error(`not started: ${answer.status} ${answer.bytes}`);
    return String(answer.json.task_id);
  };
  return {
    server,
    key,
    show,
    start,
    node: (name) => {
      const found = made.get(name);
      if (!found) throw new Error(`there is no node ${name}`);
      return found;
    },
    image: (manifest = {}, bytes = 256 << 10) =>
      server.image({ ...disk, ...manifest }, { file: randomBytes(bytes) as unknown as string }),
    run: async (method, name, body) => {
      await deps.tasks.settled(await start(method, name, body), new AbortController().signal);
      return show(name);
    },
    until: async (name, is) => {
      for (const end = Date.now() + 60_000; ; ) {
        const shown = await show(name);
        if (Date.now() > end) throw new Error(`it takes too long: ${JSON.stringify(shown)}`);
        if (is(shown)) return shown;
        const task = await deps.catalog.get(tasks, shown.task);
        if (task?.finished !== undefined) throw new Error(`it has ended: ${JSON.stringify(await show(name))}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
}

export const disk = {
  os: 'linux',
  type: 'zvol',
  nic_driver: 'virtio',
  disk_driver: 'virtio',
  cpu_type: 'qemu64',
  image_size: 1,
};

/** As a SuperAdmin would have registered it, in main. */
export async function addDiskNode({ deps }: TestServer, name: string, { sshd, place }: DiskNode): Promise<void> {
  await deps.catalog.write((tx) =>
    tx.insert(nodes, {
      name,
      datacenters: ['main'],
      addresses: [],
      knownByAddress: false,
      connection: { ...sshd.connection, platform: 'qemu', places: [place] },
      created: deps.now().toISOString(),
    }),
  );
}

export const statesOf = ({ nodes }: Shown) => Object.fromEntries(nodes.map(({ node, state }) => [node, state]));
