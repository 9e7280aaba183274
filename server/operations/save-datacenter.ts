import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { type Datacenter, datacenters } from '../model/datacenter.js';
import type { Grant } from '../model/token.js';
import { checkStands } from './check-stands.js';
import { findUser, userIn } from './find-user.js';

export interface DatacenterWish {
  alias?: string | undefined;
  /** A login name. */
  owner?: string | undefined;
  description?: string | undefined;
  location?: string | undefined;
}

export async function createDatacenter(
  { catalog, now }: Deps,
  caller: Caller,
  own: Grant,
  name: string,
  wish: DatacenterWish,
): Promise<Datacenter> {
  return catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    await checkNew(tx, name);
    const owner = (await findUser(tx, caller))?.uuid ?? '';
    const created = now().toISOString();
    const bare = { name, owner, alias: name, description: '', location: '', settings: {}, created };
    const datacenter = await changed(tx, bare, wish);
    await tx.insert(datacenters, datacenter);
    return datacenter;
  });
}

/** Names that differ only by case would be taken for each other. */
async function checkNew(reader: Reader, name: string): Promise<void> {
  for await (const { name: known } of reader.list(datacenters)) {
    if (known.toLowerCase() !== name.toLowerCase()) continue;
    throw new ImgapiError('ObjectAlreadyExists', `data center "${known}" exists already`);
  }
}

export async function updateDatacenter(
  { catalog }: Deps,
  caller: Caller,
  own: Grant,
  name: string,
  wish: DatacenterWish,
): Promise<Datacenter> {
  return catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const datacenter = await changed(tx, await datacenterNamed(tx, name), wish);
    await tx.replace(datacenters, datacenter);
    return datacenter;
  });
}

export async function datacenterNamed(reader: Reader, name: string): Promise<Datacenter> {
  const datacenter = await reader.get(datacenters, name);
  if (!datacenter) throw new ImgapiError('ResourceNotFound', `there is no data center "${name}"`);
  return datacenter;
}

async function changed(reader: Reader, datacenter: Datacenter, wish: DatacenterWish): Promise<Datacenter> {
  const { alias = datacenter.alias, description = datacenter.description, location = datacenter.location } = wish;
  const owner = wish.owner === undefined ? datacenter.owner : (await userIn(reader, 'owner', wish.owner)).uuid;
  return { ...datacenter, alias, owner, description, location };
}
