import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { scratch } from './scratch.js';
import type { PlatformFile } from './smartos-tools.js';
import { type Sshd, startSshd } from './sshd.js';
import { type Toolbox, toolbox } from './toolbox.js';
import { type Pool, startPool } from './zfs.js';

const TOOLS = fileURLToPath(new URL('./smartos-tools.js', import.meta.url));
const SUBSTITUTES = ['vmadm', 'imgadm', 'sysinfo', 'uname'];

export interface VmPlan {
  uuid?: string;
  alias?: string;
  /** `joyent` by default; `lx`, `bhyve`, `kvm`. */
  brand?: string;
  state?: string;
  owner?: string;
  tags?: Record<string, unknown>;
  /** The uuid of an image on the pool, of which its first disk is a clone. */
  image?: string;
  /** Of HVM brands. 1 by default. */
  disks?: number;
  /** Fields of `vmadm get` as they are. */
  fields?: Record<string, unknown>;
}

export interface SmartosVm {
  uuid: string;
  alias: string;
  /** The datasets, that of disk 1 first. */
  disks: string[];
  /** Writes a file into a disk. */
  write(file: string, bytes: string | Uint8Array, disk?: number): Promise<void>;
  /** Takes a snapshot of a disk, and gives its whole name. */
  snapshot(name: string, disk?: number): Promise<string>;
  /** Changes what `vmadm` says of it. */
  set(fields: Record<string, unknown>): Promise<void>;
  remove(): Promise<void>;
}

/** A node that looks like SmartOS through its sshd: with real datasets, and tools that stand in. */
export interface SmartosNode {
  sshd: Sshd;
  pool: Pool;
  tools: Toolbox;
  addVm(plan?: VmPlan): Promise<SmartosVm>;
  /** An image on the pool, made of random bytes, and known to `imgadm`. */
  addImage(manifest?: Record<string, unknown>): Promise<string>;
  /** Brings back a tool of the platform that was put aside in `tools`. */
  restore(tool: string): Promise<void>;
  /** Changes what the platform says of itself. */
  set(platform: Partial<PlatformFile>): Promise<void>;
  /** Where it keeps what there is: `imgadm.conf`, `downloads/`, `images/`. */
  state: string;
}

export interface SmartosPlan {
  vms?: VmPlan[];
  platform?: string;
  /** Bytes of the pool. */
  size?: number;
  /** Names that the node resolves to loopback, as `curl` has them: `images.test:8080:127.0.0.1`. */
  resolve?: string[];
  /** Further lines of its sshd_config. */
  sshd?: string[];
}

export async function startSmartosNode(t: ExecutionContext, plan: SmartosPlan = {}): Promise<SmartosNode> {
  const pool = await startPool(t, plan.size === undefined ? {} : { size: plan.size });
  const state = await scratch(t);
  const substitute = (tool: string) => `exec '${process.execPath}' '${TOOLS}' ${tool} '${state}' "$@"`;
  const substitutes = Object.fromEntries(SUBSTITUTES.map((tool) => [tool, substitute(tool)]));
  const tools = await toolbox(t, { ...pool.tools, ...substitutes });
  const lines = (plan.resolve ?? []).map((name) => `resolve = "${name}"\n`);
  await writeFile(join(state, '.curlrc'), lines.join(''));

  const platform: PlatformFile = {
    version: plan.platform ?? '20240111T000000Z',
    hostname: `node-${randomBytes(2).toString('hex')}`,
    pools: [pool.name],
    sysinfo: {},
  };
  const set = (changes: Partial<PlatformFile>) => save(join(state, 'platform.json'), Object.assign(platform, changes));
  await set({});
  const env = { PATH: tools.path, CURL_HOME: state, TMPDIR: state };
  const sshd = await startSshd(t, { env, config: plan.sshd ?? [] });

  async function addVm(wanted: VmPlan = {}): Promise<SmartosVm> {
    const { uuid = randomUUID(), brand = 'joyent', image, disks: count = 1 } = wanted;
    const alias = wanted.alias ?? `vm-${uuid.slice(0, 8)}`;
    const root = `${pool.name}/${uuid}`;
    const isHvm = brand === 'bhyve' || brand === 'kvm';
    const make = (dataset: string, from: string | undefined) =>
      from === undefined ? pool.zfs('create', dataset) : pool.zfs('clone', `${pool.name}/${from}@final`, dataset);
    if (isHvm) await pool.zfs('create', root);
    const datasets = isHvm ? Array.from({ length: count }, (_, at) => `${root}/disk${at}`) : [root];
    for (const [at, dataset] of datasets.entries()) await make(dataset, at === 0 ? image : undefined);

    const machine: Record<string, unknown> = {
      zonename: uuid,
      uuid,
      alias,
      hostname: alias,
      brand,
      zone_state: wanted.state ?? 'running',
      state: wanted.state ?? 'running',
      hvm: isHvm,
      type: isHvm ? brand.toUpperCase() : brand === 'lx' ? 'LX' : 'OS',
      ram: 1024,
      quota: 10,
      owner_uuid: wanted.owner ?? '00000000-0000-0000-0000-000000000000',
      zpool: pool.name,
      zfs_filesystem: root,
      zonepath: `/zones/${uuid}`,
      tags: wanted.tags ?? {},
      customer_metadata: {},
      nics: [{ interface: 'net0', mac: '02:00:00:00:00:01', ...(isHvm && { model: 'virtio' }) }],
      snapshots: [],
      create_timestamp: new Date().toISOString(),
      ...(isHvm
        ? { cpu_type: 'host', disks: datasets.map((dataset, at) => diskOf(dataset, at, pool.name, image)) }
        : { ...(image !== undefined && { image_uuid: image }), ...(brand === 'lx' && { kernel_version: '5.10.0' }) }),
      ...wanted.fields,
    };
    const file = join(state, 'vms', `${uuid}.json`);
    await save(file, machine);
    return {
      uuid,
      alias,
      disks: datasets,
      write: async (name, bytes, disk = 1) => {
        await pool.write(datasets[disk - 1]!, name, bytes);
      },
      async snapshot(name, disk = 1) {
        await pool.zfs('snapshot', `${datasets[disk - 1]}@${name}`);
        return `${datasets[disk - 1]}@${name}`;
      },
      set: (fields) => save(file, Object.assign(machine, fields)),
      async remove() {
        await rm(file);
        await pool.destroy(root);
      },
    };
  }

  async function addImage(manifest: Record<string, unknown> = {}): Promise<string> {
    const uuid = String(manifest.uuid ?? randomUUID());
    const dataset = `${pool.name}/${uuid}`;
    await pool.zfs('create', dataset);
    await pool.write(dataset, 'bytes', randomBytes(100_000));
    await pool.zfs('snapshot', `${dataset}@final`);
    const whole = { v: 2, uuid, name: 'base', version: '1.0', type: 'zone-dataset', os: 'smartos', state: 'active' };
    await save(join(state, 'images', `${pool.name}-${uuid}.json`), {
      manifest: { ...whole, ...manifest },
      zpool: pool.name,
      source: 'https://images.smartos.org',
    });
    return uuid;
  }

  for (const wanted of plan.vms ?? []) await addVm(wanted);
  return { sshd, pool, tools, addVm, addImage, restore: tools.restore, set, state };
}

const diskOf = (dataset: string, at: number, zpool: string, image: string | undefined) => ({
  path: `/dev/zvol/rdsk/${dataset}`,
  boot: at === 0,
  model: 'virtio',
  media: 'disk',
  zfs_filesystem: dataset,
  zpool,
  size: 10_240,
  compression: 'off',
  refreservation: 0,
  block_size: 8192,
  ...(at === 0 && image !== undefined && { image_uuid: image, image_size: 10_240 }),
});

async function save(path: string, value: unknown): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(`${path}.fresh`, JSON.stringify(value));
  await rename(`${path}.fresh`, path);
}

/** The image servers that the node has been told, as its file has them. */
export async function sourcesOf({ state }: SmartosNode): Promise<string[]> {
  const { sources } = JSON.parse(await readFile(join(state, 'imgadm.conf'), 'utf8'));
  return sources.map(({ url }: { url: string }) => url);
}
