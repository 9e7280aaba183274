import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import type { Datacenter } from '../model/datacenter.js';
import type { Group } from '../model/group.js';
import { answer, mayAsk, type Operation, refusalOf } from '../model/permissions.js';

/** The data center that a path names: one that is hidden and one that is absent are refused in the same words. */
export function findDatacenter(
  { directory }: Pick<Deps, 'directory'>,
  caller: Caller,
  operation: Operation,
  name: string,
): Datacenter {
  const verdict = answer(caller, operation, { datacenter: name });
  if (verdict === 'forbidden') throw notPermitted(operation);
  const datacenter = verdict === 'yes' ? directory.datacenters.get(name) : undefined;
  if (!datacenter) throw new ImgapiError('ResourceNotFound', `there is no data center "${name}"`);
  return datacenter;
}

/** Those of which the caller is an administrator, by name. */
export function listDatacenters({ directory }: Deps, caller: Caller): Datacenter[] {
  return visible([...directory.datacenters.values()], caller, ({ name }) => [name]);
}

/** The groups of those data centers. */
export function listGroups({ directory }: Deps, caller: Caller): Group[] {
  if (!mayAsk(caller, 'show data centers')) throw notPermitted('show data centers', 'show groups');
  return visible([...directory.groups.values()], caller, ({ datacenters }) => datacenters);
}

/** A group of those data centers, or of the one that is named. */
export function findGroup(deps: Deps, caller: Caller, name: string, datacenter?: string): Group {
  const group = listGroups(deps, caller).find((one) => one.name === name);
  if (group && (datacenter === undefined || group.datacenters.includes(datacenter))) return group;
  const where = datacenter === undefined ? '' : ` in data center "${datacenter}"`;
  throw new ImgapiError('ResourceNotFound', `there is no group "${name}"${where}`);
}

/** The data centers of a group that the caller may know of. */
export const shownDatacenters = (caller: Caller, { datacenters }: Group) =>
  visible(datacenters, caller, (name) => [name]);

function visible<T>(all: readonly T[], caller: Caller, placesOf: (one: T) => readonly string[]): T[] {
  if (isOperator(caller)) return [...all];
  const { admin } = caller.kind === 'user' ? caller.rights : { admin: new Set<string>() };
  return all.filter((one) => placesOf(one).some((name) => admin.has(name)));
}

const notPermitted = (operation: Operation, what?: string) =>
  new ImgapiError('NotPermitted', refusalOf(operation, what));
