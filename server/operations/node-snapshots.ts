import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { FoundSnapshot } from '../hypervisors/hypervisor.js';
import type { Action } from '../model/audit.js';
import type { Caller } from '../model/caller.js';
import { datacenters, MAIN } from '../model/datacenter.js';
import { settingsOf } from '../model/datacenter-settings.js';
import { SNAPSHOT, type SnapshotRef, type SnapshotUse, snapshotId, snapshotUses } from '../model/snapshot.js';
import { hasEnded, tasks } from '../model/task.js';
import type { Vm } from '../model/vm.js';
import { askNodeSoon } from './ask-node.js';
import { noteBeside } from './audited-catalog.js';
import { findMachine, type MachineNamed } from './find-machine.js';
import { letGoOn } from './let-go-of-snapshots.js';

/** No machine has more. */
const MOST = 10_000;

export interface ListedSnapshot extends FoundSnapshot {
  /** What makes an image of it at the moment. */
  task?: string;
}

/** As they are on the node, by disk, the oldest first. */
export async function listSnapshots(deps: Deps, caller: Caller, named: MachineNamed): Promise<ListedSnapshot[]> {
  const { vm, node } = await findMachine(deps, caller, 'register machines', named);
  const found = await askNodeSoon(deps, node, (hypervisor, signal) => hypervisor.snapshots(vm.uuid, signal));
  const listed: ListedSnapshot[] = [];
  // What can not be asked for again is not told.
  for (const snapshot of found.filter(({ name }) => SNAPSHOT.test(name)).slice(0, MOST)) {
    const use = await useOf(deps.catalog, { vm: vm.uuid, disk: snapshot.disk, snapshot: snapshot.name });
    listed.push({ ...snapshot, ...(use && { task: use.task }) });
  }
  return listed.sort(inOrder);
}

const inOrder = (a: FoundSnapshot, b: FoundSnapshot) =>
  a.disk - b.disk || (a.created ?? '').localeCompare(b.created ?? '') || a.name.localeCompare(b.name);

interface SnapshotNamed extends MachineNamed {
  disk: number;
  snapshot: string;
}

export async function takeSnapshot(deps: Deps, caller: Caller, named: SnapshotNamed): Promise<SnapshotRef> {
  const { vm, node } = await findMachine(deps, caller, 'create from snapshots', named);
  await checkEnabled(deps.catalog, vm.datacenter);
  const { disk, snapshot } = named;
  const meant = { vm: vm.uuid, disk, snapshot };
  await askNodeSoon(deps, node, async (hypervisor, signal) => {
    const there = await hypervisor.snapshots(vm.uuid, signal);
    if (there.some((other) => other.disk === disk && other.name === snapshot)) {
      const message = `disk ${disk} of machine ${vm.hostname} has a snapshot "${snapshot}" already`;
      throw new ImgapiError('ObjectAlreadyExists', message);
    }
    await hypervisor.takeSnapshot(meant, signal);
  });
  await note(deps, vm, meant, 'created');
  return meant;
}

export async function removeSnapshot(deps: Deps, caller: Caller, named: SnapshotNamed): Promise<void> {
  const { vm, node } = await findMachine(deps, caller, 'create from snapshots', named);
  const { disk, snapshot } = named;
  const meant = { vm: vm.uuid, disk, snapshot };
  await checkFree(deps.catalog, meant);
  await askNodeSoon(deps, node, async (hypervisor, signal) => {
    // What a task has left behind would hold it.
    await letGoOn(deps, node, hypervisor, signal);
    await hypervisor.removeSnapshot(meant, signal);
  });
  await note(deps, vm, meant, 'deleted');
}

/** Of snapshots there are no records: the node has them, and the audit who took them and who removed them. */
const note = ({ catalog }: Deps, { hostname, datacenter }: Vm, { vm, disk, snapshot }: SnapshotRef, action: Action) =>
  catalog.write(async (tx) =>
    noteBeside(tx, {
      kind: 'snapshots',
      id: `${vm}/${disk}/${snapshot}`,
      name: `${hostname}@${snapshot}`,
      action,
      datacenters: datacenter === undefined ? [] : [datacenter],
    }),
  );

/** Refuses what a task works on. */
export async function checkFree(reader: Reader, meant: SnapshotRef): Promise<void> {
  const use = await useOf(reader, meant);
  if (!use) return;
  throw new ImgapiError('SnapshotPending', `task ${use.task} makes an image of snapshot "${meant.snapshot}"`);
}

/** That of a task which has ended is none, whatever has kept it from being taken away. */
async function useOf(reader: Reader, meant: SnapshotRef): Promise<SnapshotUse | undefined> {
  const use = await reader.get(snapshotUses, snapshotId(meant));
  const task = use && (await reader.get(tasks, use.task));
  return task && !hasEnded(task) ? use : undefined;
}

/** Refuses where a data center has nothing to do with snapshots. */
export async function checkEnabled(reader: Reader, name: string | undefined): Promise<void> {
  const datacenter = name === undefined ? undefined : await reader.get(datacenters, name);
  if (!datacenter || settingsOf(datacenter, await reader.get(datacenters, MAIN)).VMS_VM_SNAPSHOT_ENABLED) return;
  const message = `data center ${name} has snapshots switched off: VMS_VM_SNAPSHOT_ENABLED is false there`;
  throw new ImgapiError('NotPermitted', message);
}
