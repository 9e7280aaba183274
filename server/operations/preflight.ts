import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import { CommandFailed } from '../hypervisors/host.js';
import type { FoundImage, Hypervisor } from '../hypervisors/hypervisor.js';
import type { Caller } from '../model/caller.js';
import type { Node } from '../model/node.js';
import { type NodeImage, ofPool } from '../model/node-image.js';
import { requirementsOf, spelled } from '../model/node-requirements.js';
import { areSame, masked, secretIn, sourcesWith } from '../model/node-source.js';
import { type Description, type NodePool, type NodeStatus, usualPool } from '../model/node-status.js';
import { type ManagedImage, placementOf, type RegisteredImage } from '../model/registration.js';
import { isIn } from '../model/visibility.js';
import { askNodeSoon } from './ask-node.js';
import { copiesAt } from './copies.js';
import { findManagedImage } from './find-managed-image.js';
import { originsOf } from './origins.js';
import { isOwnSource, wantedOf } from './push-sources.js';
import { readDescription, readImages } from './read-inventory.js';
import { nodeNamed } from './save-node.js';
import { urlOfPull } from './url-of-node.js';

/** `ok` is nothing where it can not be told, which speaks against nothing. */
export interface Check {
  name: string;
  ok: boolean | null;
  detail: string;
}

export interface Preflight {
  node: string;
  image: string;
  pool: string | null;
  ok: boolean;
  /** The first that fails. */
  failed: string | null;
  checks: Check[];
}

export interface PreflightWish {
  node: string;
  /** By name or uuid. */
  image: string;
  dc?: string | undefined;
  pool?: string | undefined;
}

/** Can the node make machines of the image? It is asked, where it answers; else what is known of it has to do. */
export async function preflight(deps: Deps, caller: Caller, wish: PreflightWish): Promise<Preflight> {
  const node = await nodeNamed(deps.catalog, wish.node);
  const named = { image: wish.image, dc: wish.dc };
  const image = await findManagedImage(deps.catalog, deps.directory, caller, 'show', named);
  const origins: (RegisteredImage | string)[] = [];
  for await (const { uuid, record } of originsOf(deps.catalog, image)) origins.push(record ?? uuid);
  const status = deps.nodeBook.statusOf(node.name);
  const live = await liveOf(deps, node, image);
  const described = live.told?.described ?? status?.described;
  const pool = poolMeant(described, wish.pool);
  const asked: Asked = { deps, node, image, origins, status, live, described, pool, poolName: wish.pool };
  const checks: Check[] = [];
  for (const [name, check] of Object.entries(table)) checks.push({ name, ...(await check(asked)) });
  const failed = checks.find(({ ok }) => ok === false)?.name ?? null;
  return { node: node.name, image: image.uuid, pool: pool?.name ?? null, ok: failed === null, failed, checks };
}

/** What the node has told just now. */
interface Told {
  described: Description;
  images: FoundImage[];
  sources: string[];
  /** Why it does not reach this server; nothing where it does; null where it can not say. */
  obstacle: string | undefined | null;
}

interface Live {
  told?: Told;
  refusal?: ImgapiError;
}

interface Asked {
  deps: Deps;
  node: Node;
  image: ManagedImage;
  /** Nearest first; by uuid alone where they are gone. */
  origins: readonly (RegisteredImage | string)[];
  status: NodeStatus | undefined;
  live: Live;
  described: Description | undefined;
  /** What was asked for, or what there is only one of. */
  pool: NodePool | undefined;
  poolName: string | undefined;
}

type Verdict = Omit<Check, 'name'>;

const yes = (detail: string): Verdict => ({ ok: true, detail });
const no = (detail: string): Verdict => ({ ok: false, detail });
const untold = (detail: string): Verdict => ({ ok: null, detail });

/** In the order in which they are of use to whoever mends them. */
const table: Readonly<Record<string, (asked: Asked) => Verdict | Promise<Verdict>>> = {
  managed: ({ node: { name, connection } }) =>
    connection
      ? yes(`by ssh at ${connection.address}`)
      : no(`nobody has said how it is reached: "slipway node set ${name} --address HOST"`),

  online: ({ live, status }) => {
    if (live.told) return yes('it answers');
    if (live.refusal) return no(live.refusal.message);
    return status
      ? untold(`it was not asked; it ${status.online ? 'is online' : 'was silent'} since ${status.since}`)
      : untold('it was not asked');
  },

  inventory: ({ node, status }) =>
    status?.inventoried === undefined
      ? untold(`none was taken yet: "slipway node refresh ${node.name}"`)
      : yes(`of ${status.inventoried}`),

  datacenter: ({ node, image }) => {
    const { global, datacenters } = placementOf(image);
    const stands = global ? 'all' : datacenters.join(', ') || 'none';
    if (isIn(placementOf(image), new Set(node.datacenters))) return yes(`the image is in ${stands}`);
    return no(`the node serves ${node.datacenters.join(', ') || 'none'}, the image is in ${stands}`);
  },

  image: ({ image }) => {
    const { registration } = image;
    if (registration.pending) return no(`something works on it: ${registration.pending.what}`);
    if (image.state !== 'active') return no(`it is ${image.state}`);
    if (image.files.length === 0) return no('it has no file');
    if (registration.access === 'deleted') return no('it has been retired');
    return yes(registration.deprecated ? 'it is active, though deprecated' : 'it is active, and whole');
  },

  origins: ({ origins }) => {
    const bad = origins.find((one) => typeof one === 'string' || !one.activated || one.files.length === 0);
    if (bad === undefined) return yes(origins.length === 0 ? 'it has none' : `all ${origins.length} are whole`);
    if (typeof bad === 'string') return no(`origin ${bad} is not here`);
    return no(`origin ${bad.uuid} is ${bad.activated ? 'without a file' : bad.state}`);
  },

  publicUrl: ({ deps, node, image }) => {
    try {
      return yes(urlOfPull(deps, node, image));
    } catch (error) {
      if (error instanceof ImgapiError) return no(error.message);
      throw error;
    }
  },

  sources: async ({ deps, node, live }) => {
    if (!live.told) return untold('the node did not tell them');
    try {
      const wanted = wantedOf(deps, node);
      const there = live.told.sources;
      const spelledThere = masked(there).join(', ') || 'none';
      if (!wanted.own) return untold(`this server keeps records only; the node asks ${spelledThere}`);
      const secret = secretIn(there, wanted);
      const [own = ''] = sourcesWith(wanted, secret ?? '');
      const isGood = !wanted.own.byToken || (secret !== undefined && (await isOwnSource(deps, node, secret)));
      if (isGood && there.some((url) => areSame([own], [url]))) return yes(`it asks ${spelledThere}`);
      return no(`it does not ask this server in a way that it is known by: it asks ${spelledThere}`);
    } catch (error) {
      if (error instanceof ImgapiError) return no(error.message);
      throw error;
    }
  },

  reaches: ({ live }) => {
    if (!live.told || live.told.obstacle === null) return untold('the node did not tell');
    return live.told.obstacle === undefined ? yes('the node reaches this server') : no(live.told.obstacle);
  },

  requirements: ({ image, described }) => {
    const all = requirementsOf(image, described);
    const bad = all.filter(({ ok }) => ok === false);
    const dark = all.filter(({ ok }) => ok === null);
    if (bad.length > 0) return no(bad.map(spelled).join('; '));
    if (dark.length > 0) return untold(dark.map(spelled).join('; '));
    return yes(all.map(spelled).join('; ') || 'the image asks for nothing');
  },

  pool: ({ described, pool, poolName }) => {
    if (!described) return untold('nothing is known of its pools');
    const there = described.pools.map(({ name }) => name).join(', ') || 'none';
    if (pool) return yes(`${pool.name}: ${pool.free} bytes are free, ${pool.health}`);
    return poolName === undefined
      ? no(`say which of its pools: ${there}`)
      : no(`it has no pool "${poolName}", but ${there}`);
  },

  room: async (asked) => {
    const { deps, node, image, origins, pool } = asked;
    if (!pool) return untold('no pool is meant');
    const there = await idsOn(asked, pool.name);
    if (there === undefined) return untold('nothing is known of what is on the pool');
    const chain = [image, ...origins.filter((one) => typeof one !== 'string')];
    const needed = chain
      .filter(({ uuid }) => !there.has(uuid))
      .reduce((sum, { files: [file] }) => sum + (file?.size ?? 0), 0);
    const coming = (await copiesAt(deps.catalog, ofPool(node.name, pool.name))).reduce(comingBytes, 0);
    const left = Math.max(0, pool.free - coming);
    const told = `${needed} bytes are needed at least, ${left} are available`;
    return needed <= left ? yes(told) : no(told);
  },

  there: async (asked) => {
    const { image, pool } = asked;
    const there = pool && (await idsOn(asked, pool.name));
    if (there === undefined) return untold('nothing is known of what is on the pool');
    return yes(there.has(image.uuid) ? 'it is there already' : 'it is not there yet: it is fetched when it is needed');
  },
};

const comingBytes = (sum: number, { state, size = 0 }: NodeImage) => sum + (state === 'importing' ? size : 0);

/** Which images are on the pool: as the node tells, or has told. */
async function idsOn({ deps, node, live, status }: Asked, pool: string): Promise<ReadonlySet<string> | undefined> {
  if (live.told) return new Set(live.told.images.filter((one) => one.pool === pool).map(({ uuid }) => uuid));
  if (status?.inventoried === undefined) return undefined;
  const known = await copiesAt(deps.catalog, ofPool(node.name, pool));
  return new Set(known.filter(({ state }) => state === 'ready').map(({ image }) => image));
}

function poolMeant(described: Description | undefined, name: string | undefined): NodePool | undefined {
  if (name !== undefined) return described?.pools.find((pool) => pool.name === name);
  return described && usualPool(described);
}

/** All questions within one contact. That one of them fails is an answer as well. */
async function liveOf(deps: Deps, node: Node, image: RegisteredImage): Promise<Live> {
  if (!node.connection) return {};
  try {
    const told = await askNodeSoon(deps, node, async (hypervisor, signal) => ({
      described: readDescription(await hypervisor.describe(signal)),
      images: readImages(node, await hypervisor.images(signal)),
      sources: await hypervisor.sources(signal),
      obstacle: await obstacleOf(() => urlOfPull(deps, node, image), hypervisor, signal),
    }));
    return { told };
  } catch (error) {
    if (error instanceof ImgapiError) return { refusal: error };
    throw error;
  }
}

async function obstacleOf(url: () => string, hypervisor: Hypervisor, signal: AbortSignal): Promise<Told['obstacle']> {
  if (!hypervisor.reaches) return null;
  try {
    await hypervisor.reaches(url(), signal);
    return undefined;
  } catch (error) {
    if (error instanceof ImgapiError) return null;
    if (error instanceof CommandFailed) return error.message;
    throw error;
  }
}
