import { randomUUID } from 'node:crypto';
import { type FieldError, ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Reader, Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { type Campaign, type CampaignNode, campaignNodes, campaigns, isOver, waitingAgain } from '../model/campaign.js';
import { images } from '../model/image.js';
import { type Node, nodes } from '../model/node.js';
import { placementOf, type RegisteredImage } from '../model/registration.js';
import { hasEnded, type Started, type Task, tasks } from '../model/task.js';
import { expiryFrom, type Grant } from '../model/token.js';
import { isIn } from '../model/visibility.js';
import { checkStands } from './check-stands.js';
import { findManagedImage } from './find-managed-image.js';
import { startTask } from './start-task.js';
import { urlOfNode } from './url-of-node.js';

export interface CampaignWish {
  /** By name or uuid. */
  image: string;
  dc?: string | undefined;
  pool?: string | undefined;
  /** By name; all that are talked to where neither this nor `dcs` is there. */
  nodes?: string[] | undefined;
  /** All nodes of these data centers. */
  dcs?: string[] | undefined;
  at_once?: number | undefined;
  bandwidth?: number | undefined;
  /** A date or a duration. */
  until?: string | undefined;
}

export const CAMPAIGN = 'campaign';

const usual = { atOnce: 4, until: '24h' };

export async function createCampaign(
  deps: Deps,
  caller: Caller,
  own: Grant,
  name: string,
  wish: CampaignWish,
): Promise<Started> {
  const { catalog, directory, now } = deps;
  const meant = { image: wish.image, dc: wish.dc };
  const image = await findManagedImage(catalog, directory, caller, 'show', meant);
  if (image.state !== 'active') {
    throw new ImgapiError(
      'ImagePending',
      `image ${image.uuid} is ${image.state}: only active images are sent to nodes`,
    );
  }
  const created = now();
  const id = randomUUID();
  const { at_once: atOnce = usual.atOnce, until = usual.until, pool, bandwidth } = wish;
  const campaign: Campaign = {
    name,
    image: image.uuid,
    imageName: image.registration.name,
    ...(pool !== undefined && { pool }),
    atOnce,
    ...(bandwidth !== undefined && { bandwidth }),
    until: endOf(until, created),
    state: 'running',
    task: id,
    nodes: 0,
    created: created.toISOString(),
  };
  return startTask(deps, caller, { id, ...wishOf(campaign) }, async (tx) => {
    await checkStands(tx, caller, own);
    if (await tx.get(campaigns, name))
      throw new ImgapiError('ObjectAlreadyExists', `campaign "${name}" exists already`);
    const meant = await nodesMeant(tx, image, wish);
    checkOneFetches(deps, meant);
    await tx.insert(campaigns, { ...campaign, nodes: meant.length });
    for (const node of meant) await tx.insert(campaignNodes, waitingAgain(begin(name, node), created));
  });
}

const begin = (campaign: string, node: string): CampaignNode => ({
  campaign,
  node,
  state: 'waiting',
  at: '',
  tries: 0,
});

const wishOf = ({ name, image, imageName }: Campaign) => ({
  what: CAMPAIGN,
  objects: [
    { kind: images.name, id: image, name: imageName },
    { kind: campaigns.name, id: name, name },
  ],
  params: { campaign: name },
});

function endOf(until: string, now: Date): string {
  return expiryFrom(until, now);
}

/** Which there are is said when it begins: those that come later have no part in it. */
async function nodesMeant(tx: Tx, image: RegisteredImage, { nodes: named, dcs }: CampaignWish): Promise<string[]> {
  const all = new Map<string, Node>();
  for await (const node of tx.list(nodes)) all.set(node.name, node);
  if (named) {
    const unknown = [...new Set(named)].filter((name) => !all.has(name));
    if (unknown.length > 0) throw invalidInput(unknown.map((name) => told('nodes', `names no node: "${name}"`)));
  }
  const fits = ({ name, connection, datacenters }: Node) => {
    if (named) return named.includes(name);
    if (!connection || !isIn(placementOf(image), new Set(datacenters))) return false;
    return dcs === undefined || datacenters.some((dc) => dcs.includes(dc));
  };
  const meant = [...all.values()].filter(fits).map(({ name }) => name);
  if (meant.length > 0) return meant.sort();
  const where = dcs === undefined ? '' : ` in ${dcs.join(', ')}`;
  throw invalidInput([told(named ? 'nodes' : 'dcs', `names none: no node${where} is talked to that serves the image`)]);
}

/** Refuses where not one of the nodes knows by which URL. */
function checkOneFetches(deps: Deps, names: readonly string[]): void {
  let refusal: unknown;
  for (const name of names) {
    try {
      urlOfNode(deps, deps.directory.nodes.get(name) ?? { datacenters: [] });
      return;
    } catch (error) {
      refusal = error;
    }
  }
  throw refusal;
}

const told = (field: string, what: string): FieldError => ({ field, code: 'Invalid', message: `${field} ${what}` });

/** Goes on where it was stopped; `retry` begins anew with all that is not done. */
export async function resumeCampaign(
  deps: Deps,
  caller: Caller,
  own: Grant,
  name: string,
  { action, until }: { action: 'start' | 'retry'; until?: string | undefined },
): Promise<Started> {
  const now = deps.now();
  const before = await campaignNamed(deps.catalog, name);
  const id = randomUUID();
  return startTask(deps, caller, { id, ...wishOf(before) }, async (tx) => {
    await checkStands(tx, caller, own);
    const { finished: _, error: __, ...campaign } = await campaignNamed(tx, name);
    checkRests(campaign);
    const again = (one: CampaignNode) => (action === 'retry' ? one.state !== 'done' : !isOver(one));
    const left = (await nodesOf(tx, name)).filter(again);
    if (left.length === 0) {
      throw new ImgapiError('AlreadyDone', `campaign "${name}" has nothing left to ${action}: it is ${campaign.state}`);
    }
    checkOneFetches(
      deps,
      left.map(({ node }) => node),
    );
    for (const one of left) await tx.replace(campaignNodes, waitingAgain(one, now));
    const isLate = Date.parse(campaign.until) <= now.getTime();
    const end = until !== undefined || isLate ? endOf(until ?? usual.until, now) : campaign.until;
    await tx.replace(campaigns, { ...campaign, state: 'running', task: id, until: end });
  });
}

/** What is fetched at the moment is given up; it can be started again. */
export async function stopCampaign(deps: Deps, caller: Caller, own: Grant, name: string): Promise<void> {
  const { catalog, tasks: runner } = deps;
  const { task } = await catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const campaign = await campaignNamed(tx, name);
    if (campaign.state === 'running') return campaign;
    throw new ImgapiError('AlreadyDone', `campaign "${name}" does not run: it is ${campaign.state}`);
  });
  const pulls = pullsIn(await nodesOf(catalog, name));
  await runner.cancel(catalog, task);
  await cancelPulls(deps, pulls);
}

export const pullsIn = (all: readonly CampaignNode[]): string[] =>
  all.flatMap(({ state, task }) => (state === 'pulling' && task !== undefined ? task : []));

/** Those that have not ended. */
export async function cancelPulls({ catalog, tasks: runner }: Deps, pulls: readonly string[]): Promise<void> {
  for (const id of pulls) {
    const task = await catalog.get(tasks, id);
    if (!task || hasEnded(task)) continue;
    await runner.cancel(catalog, id).catch((error: unknown) => {
      if (!(error instanceof ImgapiError) || error.code !== 'AlreadyDone') throw error;
    });
  }
}

/** What it has brought stays where it is. */
export async function deleteCampaign({ catalog }: Deps, caller: Caller, own: Grant, name: string): Promise<void> {
  await catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    checkRests(await campaignNamed(tx, name));
    for (const one of await nodesOf(tx, name)) await tx.delete(campaignNodes, campaignNodes.id(one));
    await tx.delete(campaigns, name);
  });
}

function checkRests({ name, state }: Campaign | Omit<Campaign, 'finished' | 'error'>): void {
  if (state === 'running') throw new ImgapiError('Busy', `campaign "${name}" runs: stop it first`);
}

export async function campaignNamed(reader: Reader, name: string): Promise<Campaign> {
  const campaign = await reader.get(campaigns, name);
  if (!campaign) throw new ImgapiError('ResourceNotFound', `there is no campaign "${name}"`);
  return campaign;
}

export async function nodesOf(reader: Pick<Reader, 'range'>, campaign: string): Promise<CampaignNode[]> {
  const found: CampaignNode[] = [];
  for await (const { record } of reader.range(campaignNodes, 'id', { prefix: `${campaign}/` })) found.push(record);
  return found;
}

export async function listCampaigns({ catalog }: Pick<Deps, 'catalog'>): Promise<Campaign[]> {
  const found: Campaign[] = [];
  for await (const campaign of catalog.list(campaigns)) found.push(campaign);
  return found;
}

/** In the write that ends its task: it was cancelled, or could not go on. */
export async function endCampaign(deps: Deps, tx: Tx, task: Task): Promise<void> {
  const { campaign: name } = task.params as { campaign: string };
  const campaign = await tx.get(campaigns, name);
  if (campaign?.task !== task.id) return;
  const now = deps.now();
  for (const one of await nodesOf(tx, name)) {
    if (!isOver(one)) await tx.replace(campaignNodes, waitingAgain(one, now));
  }
  const isStopped = task.status === 'REVOKED';
  const detail: unknown = Object(task.result).detail;
  const error = !isStopped && typeof detail === 'string' ? { error: detail } : {};
  const finished = now.toISOString();
  await tx.replace(campaigns, { ...campaign, state: isStopped ? 'stopped' : 'failed', finished, ...error });
}
