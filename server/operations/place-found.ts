import type { Reader, Tx } from '../../storage/catalog.js';
import { itself } from '../model/caller.js';
import { type Found, foundOf, isSameVm, type Place, unregistered } from '../model/finding.js';
import { type Node, nodes } from '../model/node.js';
import { type User, users } from '../model/user.js';
import { datacenterOf, type FoundHere, findings, type Vm, vms } from '../model/vm.js';

/** Where a machine stands of which only its node has told, and whose it is. */
export async function placeOf(reader: Reader, { node, owner, tags }: FoundHere): Promise<Place> {
  const user = owner === undefined ? undefined : await userCalled(reader, owner);
  const standing = { dc: undefined, owner: user?.name ?? owner, tags };
  const datacenter = datacenterOf(standing, await reader.get(nodes, node), itself);
  return { ...(datacenter !== undefined && { datacenter }), ...(user && { owner: user.uuid }) };
}

const userCalled = async (reader: Reader, owner: string): Promise<User | undefined> =>
  (await reader.get(users, owner)) ?? reader.find(users, `name:${owner}`);

/** A machine as it was registered with what was found of it since, or as its node tells of it, or not at all. */
export async function saveFound(
  tx: Tx,
  before: Vm | undefined,
  uuid: string,
  found: Found,
  now: string,
): Promise<Vm | undefined> {
  const after = before && !before.unregistered ? merged(before, found) : await placed(tx, before, uuid, found, now);
  if (before && !after) await tx.delete(vms, uuid);
  else if (after && !before) await tx.insert(vms, after);
  else if (before && after && !isSameVm(before, after)) await tx.replace(vms, after);
  return after;
}

function merged({ found: _, elsewhere: __, ...registered }: Vm, found: Found): Vm {
  return { ...registered, ...foundOf(found) };
}

async function placed(
  tx: Tx,
  before: Vm | undefined,
  uuid: string,
  found: Found,
  now: string,
): Promise<Vm | undefined> {
  const place = found.found ? await placeOf(tx, found.found) : {};
  return unregistered({ uuid, created: before?.created ?? now }, found, place, now);
}

/** All that was found on a node, also where it is not where it stands first. */
export async function foundOn(reader: Reader, node: string): Promise<Vm[]> {
  const found: Vm[] = [];
  for await (const { record } of reader.range(vms, 'found', { prefix: node })) {
    if (findings(record).some((here) => here.node === node)) found.push(record);
  }
  return found;
}

/** What was found on a node stands where its rules say, from the moment on in which they do. */
export async function placeFound(tx: Tx, { name }: Pick<Node, 'name'>, now: string): Promise<void> {
  for (const vm of await foundOn(tx, name)) if (vm.unregistered) await saveFound(tx, vm, vm.uuid, vm, now);
}
