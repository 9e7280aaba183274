import { type FieldError, ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Reader, Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { datacenters, MAIN } from '../model/datacenter.js';
import { type Follow, type FollowFilter, followedId, followedImages, follows } from '../model/follow.js';
import type { Grant } from '../model/token.js';
import { checkStands } from './check-stands.js';
import { urlOf } from './repositories.js';

type Filter = { [Name in keyof FollowFilter]?: FollowFilter[Name] | null | undefined };

/** What is absent stays; a part of the filter is taken away with null. */
export interface FollowWish extends Filter {
  repository?: string | undefined;
  dc?: string | undefined;
  shared?: boolean | undefined;
  access?: Follow['access'] | undefined;
  every?: number | undefined;
  retire?: boolean | undefined;
  enabled?: boolean | undefined;
}

export async function createFollow(
  deps: Deps,
  caller: Caller,
  own: Grant,
  name: string,
  wish: FollowWish & { repository: string },
): Promise<Follow> {
  const created = deps.now().toISOString();
  return deps.catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    if (await tx.get(follows, name)) throw new ImgapiError('ObjectAlreadyExists', `follow "${name}" exists already`);
    const { repository, dc: datacenter = MAIN, shared = wish.dc === undefined } = wish;
    const follow = changed(
      {
        name,
        repository,
        filter: {},
        datacenter,
        shared,
        access: 'private',
        every: 0,
        retire: false,
        enabled: true,
        created,
      },
      wish,
    );
    await check(tx, deps, follow);
    await tx.insert(follows, follow);
    return follow;
  });
}

/** From another repository nothing has been brought yet. */
export async function updateFollow(
  deps: Deps,
  caller: Caller,
  own: Grant,
  name: string,
  wish: FollowWish,
): Promise<Follow> {
  return deps.catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const before = await followNamed(tx, name);
    const after = changed(before, wish);
    await check(tx, deps, after);
    if (after.repository !== before.repository) await forget(tx, name);
    await tx.replace(follows, after);
    return after;
  });
}

/** What it has brought stays. */
export async function deleteFollow({ catalog }: Deps, caller: Caller, own: Grant, name: string): Promise<void> {
  await catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    await followNamed(tx, name);
    await forget(tx, name);
    await tx.delete(follows, name);
  });
}

export async function followNamed(reader: Reader, name: string): Promise<Follow> {
  const follow = await reader.get(follows, name);
  if (!follow) throw new ImgapiError('ResourceNotFound', `there is no follow "${name}"`);
  return follow;
}

export async function listFollows({ catalog }: Pick<Deps, 'catalog'>): Promise<Follow[]> {
  const found: Follow[] = [];
  for await (const follow of catalog.list(follows)) found.push(follow);
  return found;
}

async function forget(tx: Tx, name: string): Promise<void> {
  const uuids: string[] = [];
  for await (const { record } of tx.range(followedImages, 'id', { prefix: `${name}/` })) uuids.push(record.uuid);
  for (const uuid of uuids) await tx.delete(followedImages, followedId(name, uuid));
}

function changed(before: Follow, wish: FollowWish): Follow {
  const { repository, dc, shared, access, every, retire, enabled, ...filter } = wish;
  return {
    ...before,
    repository: repository ?? before.repository,
    filter: withoutNull({ ...before.filter, ...withoutUndefined(filter) }),
    datacenter: dc ?? before.datacenter,
    shared: shared ?? before.shared,
    access: access ?? before.access,
    every: every ?? before.every,
    retire: retire ?? before.retire,
    enabled: enabled ?? before.enabled,
  };
}

const withoutUndefined = (filter: Filter): Filter =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));

const withoutNull = (filter: Filter): FollowFilter =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== null)) as FollowFilter;

async function check(tx: Tx, { repositories }: Deps, { repository, datacenter, shared }: Follow): Promise<void> {
  const problems: FieldError[] = [];
  const isThere = (await urlOf(tx, repositories, repository)) !== undefined;
  if (!isThere || repositories.local?.name === repository) {
    problems.push(told('repository', `names no repository that can be followed: "${repository}"`));
  }
  if (!(await tx.get(datacenters, datacenter))) problems.push(told('dc', `names no data center: "${datacenter}"`));
  if (!shared && datacenter === MAIN) problems.push(told('shared', `is needed in data center "${MAIN}"`));
  if (problems.length > 0) throw invalidInput(problems);
}

const told = (field: string, what: string): FieldError => ({ field, code: 'Invalid', message: `${field} ${what}` });
