import { ImgapiError } from '../../imgapi/errors.js';
import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { Hypervisor } from '../hypervisors/hypervisor.js';
import { MAIN } from '../model/datacenter.js';
import { keepsSources, type Node, nodes } from '../model/node.js';
import {
  areSame,
  isSourceDue,
  masked,
  type NodeSources,
  nodeSources,
  secretIn,
  sourcesWith,
  type WantedSources,
  wantedSources,
} from '../model/node-source.js';
import { type NodeToken, nodeTokenKey, nodeTokens } from '../model/node-token.js';
import { hashToken, withoutSecrets } from '../model/token.js';
import { askNode, refusalOf } from './ask-node.js';
import { makeSecret } from './token-secret.js';
import { publicUrlIn } from './url-of-node.js';

/** So long a node may take, in milliseconds. */
const PATIENCE = 30_000;

/** Has the node ask the image servers that are configured, and tells what it asks from now on. */
export async function pushSources(deps: Deps, node: Node): Promise<NodeSources> {
  return noting(deps, node, deps.nodeBook.stopping, (wanted, limited) =>
    askNode(deps, node, limited, (hypervisor) => bringInLine(deps, node, { hypervisor, wanted, signal: limited })),
  );
}

/** The same, for a node that is being talked to already. */
export async function keepSources(deps: Deps, node: Node, hypervisor: Hypervisor, signal: AbortSignal): Promise<void> {
  if (!keepsSources(node)) return;
  const work = (wanted: WantedSources, limited: AbortSignal) =>
    bringInLine(deps, node, { hypervisor, wanted, signal: limited });
  await noting(deps, node, signal, work).catch(onlyRefusals);
}

/** Those that are to ask something else than before, and those with which it went wrong. */
export async function pushSourcesDue(deps: Deps): Promise<void> {
  const due: Node[] = [];
  for (const node of deps.directory.nodes.values()) {
    if (!keepsSources(node)) continue;
    if (isSourceDue(await deps.catalog.get(nodeSources, node.name), plainly(deps, node), deps.now())) due.push(node);
  }
  // Each by itself: one that hangs holds up no other.
  await Promise.all(due.map((node) => pushSources(deps, node).catch(onlyRefusals)));
}

/** What it is to ask, for people; nothing where that can not be told. */
export function plainly(deps: Pick<Deps, 'directory' | 'policy'>, node: Node): string[] {
  try {
    return masked(sourcesWith(wantedOf(deps, node), 'TOKEN'));
  } catch (error) {
    if (error instanceof ImgapiError) return [];
    throw error;
  }
}

export const wantedOf = (deps: Pick<Deps, 'directory' | 'policy'>, node: Node): WantedSources =>
  wantedSources(node, deps.directory.settingsOf(MAIN), publicUrlIn(deps, node.datacenters));

/** It is kept with the node, and tried again. */
function onlyRefusals(error: unknown): void {
  if (!(error instanceof ImgapiError)) throw error;
}

/** One at a time asks a node, and what comes of it is kept. */
async function noting(
  deps: Deps,
  node: Node,
  signal: AbortSignal,
  work: (wanted: WantedSources, limited: AbortSignal) => Promise<Found>,
): Promise<NodeSources> {
  return deps.catalog.members.alone(`sources ${node.name}`, async () => {
    const limit = AbortSignal.timeout(PATIENCE);
    try {
      const found = await work(wantedOf(deps, node), signal ? AbortSignal.any([signal, limit]) : limit);
      return await note(deps, node, { state: 'ok', ...found });
    } catch (error) {
      if (deps.nodeBook.stopping.aborted) throw stopping(error);
      const refusal = signal.aborted || limit.aborted ? tooSlow(node, error) : withoutTokens(refusalOf(error));
      const state = refusal instanceof ImgapiError && refusal.code === 'NodeDown' ? 'offline' : 'failed';
      const told = refusal instanceof ImgapiError ? refusal.message : 'it failed on this side: the log tells why';
      await note(deps, node, { state, error: told });
      throw refusal;
    }
  });
}

const stopping = (cause: unknown) => new ImgapiError('ServiceUnavailableError', 'the server is stopping', { cause });

const tooSlow = ({ name }: Node, cause: unknown) =>
  new ImgapiError('NodeDown', `node ${name} has taken longer than ${PATIENCE / 1000} s`, { cause });

/** What a tool on the node says may have the source in it that it was given. */
function withoutTokens(error: unknown): unknown {
  if (!(error instanceof ImgapiError)) return error;
  return new ImgapiError(error.code, withoutSecrets(error.message));
}

interface Found {
  there: string[];
  /** Where something was written there: what there was before. */
  before?: string[];
}

interface Bringing {
  hypervisor: Hypervisor;
  wanted: WantedSources;
  signal: AbortSignal;
}

async function bringInLine(deps: Deps, node: Node, { hypervisor, wanted, signal }: Bringing): Promise<Found> {
  const before = await hypervisor.sources(signal);
  const found = secretIn(before, wanted);
  const isGood = found !== undefined && (await isOwnSource(deps, node, found));
  if (areSame(sourcesWith(wanted, isGood ? found : ''), before)) {
    await revokeOthers(deps, node, isGood ? found : undefined);
    return { there: masked(before) };
  }
  const byToken = wanted.own?.byToken === true;
  const secret = byToken ? (isGood ? found : await mint(deps, node)) : undefined;
  const sources = sourcesWith(wanted, secret ?? '');
  await hypervisor.configureSources(sources, signal);
  const there = await hypervisor.sources(signal);
  if (!areSame(sources, there)) {
    const message = `node ${node.name} was given sources, and has others: ${masked(there).join(', ') || 'none'}`;
    throw new ImgapiError('NodeFailed', message);
  }
  await revokeOthers(deps, node, secret);
  deps.log.info({ node: node.name, before: masked(before), sources: masked(there) }, 'a node was given its sources');
  return { there: masked(there), before: masked(before) };
}

/** Is it a secret that was made for the sources of the node, and is still good? */
export async function isOwnSource({ catalog }: Pick<Deps, 'catalog'>, node: Node, secret: string): Promise<boolean> {
  const token = await catalog.get(nodeTokens, hashToken(secret));
  return token !== undefined && token.node === node.name && token.made === 'sources';
}

/** It is kept before the node has it: what the node has is good at any moment. */
async function mint({ catalog, now }: Deps, node: Node): Promise<string> {
  const secret = makeSecret();
  const hash = hashToken(secret);
  await catalog.write(async (tx) => {
    if (!(await tx.get(nodes, node.name))) throw new ImgapiError('ResourceNotFound', `node ${node.name} is gone`);
    const isTaken = await tx.find(nodeTokens, nodeTokenKey(node.name, 'sources'));
    const name = isTaken ? `sources-${hash.slice(0, 8)}` : 'sources';
    await tx.insert(nodeTokens, { hash, name, node: node.name, created: now().toISOString(), made: 'sources' });
  });
  return secret;
}

/** Of those that were made for its sources, only the one is good that it has. */
async function revokeOthers({ catalog }: Deps, node: Node, secret: string | undefined): Promise<void> {
  const kept = secret === undefined ? undefined : hashToken(secret);
  if ((await madeFor(catalog, node, kept)).length === 0) return;
  await catalog.write(async (tx) => {
    for (const { hash } of await madeFor(tx, node, kept)) await tx.delete(nodeTokens, hash);
  });
}

async function madeFor(
  reader: Pick<Tx, 'range'>,
  { name: node }: Node,
  kept: string | undefined,
): Promise<NodeToken[]> {
  const found: NodeToken[] = [];
  for await (const { record } of reader.range(nodeTokens, 'node', { prefix: node })) {
    if (record.node === node && record.made === 'sources' && record.hash !== kept) found.push(record);
  }
  return found;
}

type Came = Pick<NodeSources, 'state'> & Partial<Pick<NodeSources, 'there' | 'before' | 'error'>>;

async function note(deps: Deps, node: Node, { state, there, before, error }: Came): Promise<NodeSources> {
  const checked = deps.now().toISOString();
  const wanted = plainly(deps, node);
  return deps.catalog.write(async (tx) => {
    const known = await tx.get(nodeSources, node.name);
    const at = known && { there: known.there, before: known.before };
    const after: NodeSources = {
      node: node.name,
      state,
      since: known?.state === state ? known.since : checked,
      checked,
      ...defined({ there: there ?? at?.there, before: before ?? at?.before, error }),
      wanted,
      failures: state === 'ok' ? 0 : (known?.failures ?? 0) + 1,
    };
    if (!(await tx.get(nodes, node.name))) return after;
    await (known ? tx.replace(nodeSources, after) : tx.insert(nodeSources, after));
    return after;
  });
}

type Optional = Pick<NodeSources, 'there' | 'before' | 'error'>;

const defined = (fields: { [Name in keyof Optional]: Optional[Name] | undefined }): Optional =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
