import { randomUUID } from 'node:crypto';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import type { ManagedFields } from '../model/managed-fields.js';
import type { Started } from '../model/task.js';
import { activeUser, checkName } from './check-managed-fields.js';
import { prepareManaged } from './create-managed-image.js';
import { findMachine, type MachineNamed } from './find-machine.js';
import { datacenterOfMachine, type SnapshotWish, startCreation } from './start-creation.js';

/** What management says of the image. */
export interface SnapshotImageWish extends Omit<ManagedFields, 'owner'> {
  name: string;
  owner?: string | undefined;
}

/** Before the node is asked; in the write that announces the image it is looked at again. */
export async function checkSnapshotImage(
  deps: Deps,
  caller: Caller,
  named: MachineNamed,
  { name, owner }: Pick<SnapshotImageWish, 'name' | 'owner'>,
) {
  const machine = await findMachine(deps, caller, 'create from snapshots', named);
  const datacenter = datacenterOfMachine(machine);
  const place = { datacenters: [datacenter], boundTo: datacenter };
  await checkName(deps.catalog, caller, { name, ...place });
  if (owner !== undefined) await activeUser(deps.catalog, 'owner', owner);
  return { machine, place };
}

/** Bound to the data center of the machine, whoever asks. */
export async function createFromSnapshot(
  deps: Deps,
  caller: Caller,
  named: MachineNamed,
  fields: SnapshotImageWish,
  wish: SnapshotWish,
): Promise<Started> {
  const { policy, directory } = deps;
  const { machine, place } = await checkSnapshotImage(deps, caller, named, fields);
  const viewer = { caller, mode: policy.mode, open: directory.openDatacenters };
  const uuid = randomUUID();
  const said = { ...fields, golden: fields.golden ?? true };
  return startCreation(deps, viewer, machine, wish, {
    uuid,
    name: fields.name,
    make: (tx, draft) =>
      prepareManaged(deps, tx, viewer, {
        wish: said,
        draft: { v: 2, version: '1.0', ...draft },
        kind: 'create',
        place,
        uuid,
      }),
  });
}
