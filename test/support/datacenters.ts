import { randomUUID } from 'node:crypto';
import { datacenters } from '../../server/model/datacenter.js';
import type { DatacenterSettings } from '../../server/model/datacenter-settings.js';
import { groups, type Permission } from '../../server/model/group.js';
import { images } from '../../server/model/image.js';
import { nodes } from '../../server/model/node.js';
import { type NodeToken, nodeTokens } from '../../server/model/node-token.js';
import { type RegisteredImage, type Registration, slugOf } from '../../server/model/registration.js';
import { hashToken } from '../../server/model/token.js';
import { ADMIN } from '../../server/model/user.js';
import { type Vm, vms } from '../../server/model/vm.js';
import { saveImage } from '../../server/operations/save-image.js';
import type { TestServer } from './server.js';

/** A data center that belongs to the administrator unless told otherwise. */
export async function addDatacenter(
  { deps }: TestServer,
  name: string,
  { owner = ADMIN.uuid, settings = {} }: { owner?: string; settings?: Partial<DatacenterSettings> } = {},
): Promise<string> {
  const created = deps.now().toISOString();
  const record = { name, owner, alias: name, description: '', location: '', settings, created };
  await deps.catalog.write((tx) => tx.insert(datacenters, record));
  return name;
}

/** The user becomes a member of the data center, with these permissions: by a group of its own, of which it gives the name. */
export async function grant(
  { deps }: TestServer,
  user: { uuid: string },
  datacenter: string,
  ...permissions: Permission[]
): Promise<string> {
  const name = [user.uuid.slice(0, 8), datacenter, ...permissions].join('-');
  const created = deps.now().toISOString();
  const record = { name, alias: name, permissions, members: [user.uuid], datacenters: [datacenter], created };
  await deps.catalog.write((tx) => tx.insert(groups, record));
  return name;
}

/** Changes where an image stands and for whom it is, as no route has to allow it. */
export async function place(
  { deps }: TestServer,
  uuid: string,
  change: Partial<Registration>,
  fields: Partial<RegisteredImage> = {},
): Promise<void> {
  await deps.catalog.write(async (tx) => {
    const before = await tx.get(images, uuid);
    if (!before) throw new Error(`no image ${uuid}`);
    const at = deps.now().toISOString();
    const kept = before.registration ?? {
      name: slugOf(before.name),
      access: 'private' as const,
      datacenters: [],
      created: at,
      changed: at,
    };
    const registration = { ...kept, ...change };
    const after = { ...before, ...fields, registration, public: registration.access === 'public' };
    await saveImage(tx, before, after, deps.now());
  });
}

/** The record of an image that has to be there. */
export async function stored({ deps }: TestServer, uuid: string): Promise<RegisteredImage> {
  const image = await deps.catalog.get(images, uuid);
  if (!image) throw new Error(`no image ${uuid}`);
  return image;
}

/** A node that serves the data centers, with a token of its own; the headers that it sends. */
export async function addNodeToken(
  { deps }: TestServer,
  name: string,
  datacenters: string[],
  more: Partial<NodeToken> = {},
): Promise<{ authorization: string }> {
  const secret = `token-of-${name}`;
  const created = deps.now().toISOString();
  const node = { name, datacenters, addresses: [], knownByAddress: false, created };
  await deps.catalog.write(async (tx) => {
    await tx.insert(nodes, node);
    await tx.insert(nodeTokens, { hash: hashToken(secret), name: 'test', node: name, created, ...more });
  });
  return { authorization: `Bearer ${secret}` };
}

/** A machine of a data center, as somebody has registered it. */
export async function addMachine({ deps }: TestServer, machine: Partial<Vm> & Pick<Vm, 'hostname'>): Promise<Vm> {
  const created = deps.now().toISOString();
  const vm: Vm = {
    ...{ uuid: randomUUID(), tags: [], images: [], state: 'active', created, changed: created },
    ...machine,
  };
  await deps.catalog.write((tx) => tx.insert(vms, vm));
  return vm;
}
