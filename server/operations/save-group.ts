import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Reader, Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { type Group, groups, type Permission } from '../model/group.js';
import { images } from '../model/image.js';
import type { RegisteredImage } from '../model/registration.js';
import type { Grant } from '../model/token.js';
import { users } from '../model/user.js';
import { checkStands } from './check-stands.js';
import { saveImage } from './save-image.js';

export interface GroupWish {
  alias?: string | undefined;
  permissions?: Permission[] | undefined;
  /** By their login names. */
  users?: string[] | undefined;
}

export async function createGroup({ catalog, now }: Deps, caller: Caller, own: Grant, name: string, wish: GroupWish) {
  return catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    if (await tx.get(groups, name)) throw new ImgapiError('ObjectAlreadyExists', `group "${name}" exists already`);
    const created = now().toISOString();
    const group = await changed(
      tx,
      { name, alias: name, permissions: [], members: [], datacenters: [], created },
      wish,
    );
    await tx.insert(groups, group);
    return group;
  });
}

export async function updateGroup({ catalog }: Deps, caller: Caller, own: Grant, name: string, wish: GroupWish) {
  return catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const group = await changed(tx, await groupNamed(tx, name), wish);
    await tx.replace(groups, group);
    return group;
  });
}

/** Images that it alone may use are nobody's but the administrators' from then on. */
export async function deleteGroup({ catalog, now }: Deps, caller: Caller, own: Grant, name: string): Promise<void> {
  await catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    await groupNamed(tx, name);
    const narrowed: RegisteredImage[] = [];
    for await (const image of tx.list(images)) if (image.registration?.groups?.includes(name)) narrowed.push(image);
    for (const image of narrowed) await saveImage(tx, image, withoutGroup(image, name), now());
    await tx.delete(groups, name);
  });
}

export async function groupNamed(reader: Reader, name: string): Promise<Group> {
  const group = await reader.get(groups, name);
  if (!group) throw new ImgapiError('ResourceNotFound', `there is no group "${name}"`);
  return group;
}

async function changed(tx: Tx, group: Group, wish: GroupWish): Promise<Group> {
  const { alias = group.alias, permissions = group.permissions } = wish;
  const members = wish.users === undefined ? group.members : await membersOf(tx, wish.users);
  return { ...group, alias, permissions: [...new Set(permissions)], members };
}

async function membersOf(tx: Tx, names: readonly string[]): Promise<string[]> {
  const found = await Promise.all(names.map((name) => tx.find(users, `name:${name}`)));
  const unknown = names.filter((_, at) => !found[at]);
  if (unknown.length > 0) {
    throw invalidInput(
      unknown.map((name) => ({ field: 'users', code: 'Invalid', message: `user "${name}" is not known` })),
    );
  }
  return [...new Set(found.flatMap((user) => user?.uuid ?? []))];
}

function withoutGroup(image: RegisteredImage, name: string): RegisteredImage {
  const { registration } = image;
  if (!registration) return image;
  return {
    ...image,
    registration: { ...registration, groups: registration.groups?.filter((one) => one !== name) ?? [] },
  };
}
