import { type FieldError, ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Reader, Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { datacenters } from '../model/datacenter.js';
import { meet } from '../model/networks.js';
import { type Node, nodes, type VmRule } from '../model/node.js';
import { nodeSources } from '../model/node-source.js';
import { nodeStatuses } from '../model/node-status.js';
import { nodeTokens } from '../model/node-token.js';
import type { Grant } from '../model/token.js';
import { checkStands } from './check-stands.js';
import { type ConnectionWish, checkNoJumps, connected, connectionProblems } from './node-connection.js';
import { placeFound } from './place-found.js';
import { forgetFound } from './take-inventory.js';

export interface NodeWish extends ConnectionWish {
  dcs?: string[] | undefined;
  addresses?: string[] | undefined;
  /** A SHA-256 fingerprint in lower-case hex; none where it is null. */
  certificate?: string | null | undefined;
  known_by_address?: boolean | undefined;
  vm_rules?: VmRule[] | undefined;
  keep_sources?: boolean | undefined;
}

export async function createNode(deps: Deps, caller: Caller, own: Grant, name: string, wish: NodeWish): Promise<Node> {
  const created = deps.now().toISOString();
  return deps.catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    if (await tx.get(nodes, name)) throw new ImgapiError('ObjectAlreadyExists', `node "${name}" exists already`);
    const node = changed({ name, datacenters: [], addresses: [], knownByAddress: false, created }, wish);
    await check(tx, deps, node, wish);
    await tx.insert(nodes, node);
    return node;
  });
}

export async function updateNode(deps: Deps, caller: Caller, own: Grant, name: string, wish: NodeWish): Promise<Node> {
  return deps.catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const before = await nodeNamed(tx, name);
    const node = changed(before, wish);
    await check(tx, deps, node, wish);
    if (before.connection && !node.connection) await checkNoJumps(tx, name);
    await tx.replace(nodes, node);
    if (!isSameWay(before, node)) await forgetReason(tx, name);
    await placeFound(tx, node, deps.now().toISOString());
    return node;
  });
}

const isSameWay = ({ connection: one }: Node, { connection: other }: Node) =>
  JSON.stringify(one) === JSON.stringify(other);

/** Why it was not reached by another way says nothing of this one. */
async function forgetReason(tx: Tx, node: string): Promise<void> {
  const found = await tx.get(nodeStatuses, node);
  if (found?.reason === undefined) return;
  const { reason: _, ...status } = found;
  await tx.replace(nodeStatuses, status);
}

/** Its tokens go with it, and all that was found on it. */
export async function deleteNode({ catalog, now }: Deps, caller: Caller, own: Grant, name: string): Promise<void> {
  await catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    await nodeNamed(tx, name);
    await checkNoJumps(tx, name);
    const held: string[] = [];
    for await (const { record } of tx.range(nodeTokens, 'node', { prefix: name })) {
      if (record.node === name) held.push(record.hash);
    }
    for (const hash of held) await tx.delete(nodeTokens, hash);
    if (await tx.get(nodeSources, name)) await tx.delete(nodeSources, name);
    await tx.delete(nodes, name);
    await forgetFound(tx, name, now().toISOString());
  });
}

export async function nodeNamed(reader: Reader, name: string): Promise<Node> {
  const node = await reader.get(nodes, name);
  if (!node) throw new ImgapiError('ResourceNotFound', `there is no node "${name}"`);
  return node;
}

function changed(
  { certificate: before, vmRules = [], ownSources, connection: way, ...node }: Node,
  wish: NodeWish,
): Node {
  const { vm_rules: rules = vmRules } = wish;
  const connection = connected(way, wish);
  const { dcs = node.datacenters, addresses = node.addresses, certificate = before ?? null } = wish;
  return {
    ...node,
    datacenters: [...new Set(dcs)].sort(),
    addresses: [...new Set(addresses)],
    knownByAddress: wish.known_by_address ?? node.knownByAddress,
    ...(certificate !== null && { certificate }),
    ...(rules.length > 0 && { vmRules: rules }),
    ...((wish.keep_sources === undefined ? ownSources : !wish.keep_sources) && { ownSources: true as const }),
    ...(connection && { connection }),
  };
}

async function check(tx: Tx, { policy }: Pick<Deps, 'policy'>, node: Node, wish: ConnectionWish): Promise<void> {
  const others: Node[] = [];
  for await (const other of tx.list(nodes)) if (other.name !== node.name) others.push(other);
  const unknown: string[] = [];
  for (const name of node.datacenters) if (!(await tx.get(datacenters, name))) unknown.push(name);
  const problems = [
    ...unknown.map((name) => told('dcs', `names no data center: "${name}"`)),
    ...(node.vmRules ?? [])
      .filter(({ datacenter }) => !node.datacenters.includes(datacenter))
      .map(({ datacenter }) => told('vm_rules', `names a data center that the node does not serve: "${datacenter}"`)),
    ...proxiesIn(node, policy.trustedProxies),
    ...ambiguous(node, others),
    ...(await connectionProblems(tx, node, others, wish)),
  ];
  if (problems.length > 0) throw invalidInput(problems);
}

/** Everybody behind the proxy would be the node. */
const proxiesIn = ({ addresses }: Node, proxies: readonly string[]): FieldError[] =>
  addresses.flatMap((network) =>
    proxies
      .filter((proxy) => meet(network, proxy))
      .map((proxy) => told('addresses', `holds the trusted proxy ${proxy}: ${network}`)),
  );

/** What is to prove a node proves one, and only one. */
function ambiguous(node: Node, others: readonly Node[]): FieldError[] {
  const twin = others.find(({ certificate }) => certificate !== undefined && certificate === node.certificate);
  const near = others.filter(({ knownByAddress }) => knownByAddress && node.knownByAddress);
  return [
    ...(twin ? [told('certificate', `is that of node "${twin.name}"`)] : []),
    ...(node.knownByAddress && node.addresses.length === 0 ? [told('known_by_address', 'needs addresses')] : []),
    ...near
      .filter((other) => other.addresses.some((one) => node.addresses.some((network) => meet(one, network))))
      .map((other) => told('addresses', `holds addresses by which node "${other.name}" is known`)),
  ];
}

const told = (field: string, what: string): FieldError => ({ field, code: 'Invalid', message: `${field} ${what}` });
