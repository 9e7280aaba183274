import { randomUUID } from 'node:crypto';
import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Packing } from '../../imgapi/packing.js';
import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { SnapshotFacts } from '../hypervisors/hypervisor.js';
import { isOperator, nameOfCaller } from '../model/caller.js';
import { type CreationPlan, draftOf, type PackingWish, warningsOf } from '../model/creation.js';
import { images } from '../model/image.js';
import { isTaken } from '../model/machine-state.js';
import { type ManagedImage, placementOf, type RegisteredImage } from '../model/registration.js';
import {
  bytesNeeded,
  type DiskForm,
  problemWithLevel,
  type SnapshotHold,
  type SnapshotRef,
  snapshotHolds,
  snapshotId,
  snapshotUses,
  takenFor,
} from '../model/snapshot.js';
import { Started, type Task } from '../model/task.js';
import { isIn, type Viewer } from '../model/visibility.js';
import { askNodeSoon } from './ask-node.js';
import { checkIncrement } from './check-increment.js';
import { checkQuota } from './check-quota.js';
import { checkSpace } from './check-space.js';
import { checkUnderWay } from './check-under-way.js';
import { checkWidening } from './check-widening.js';
import type { FoundMachine } from './find-machine.js';
import { checkTakesFiles } from './image-server.js';
import { letGoAfter } from './let-go-of-snapshots.js';
import { checkEnabled, checkFree } from './node-snapshots.js';
import { saveImage } from './save-image.js';
import { startTask } from './start-task.js';

/** The kind of the tasks. */
export const CREATE = 'create from snapshot';

const MIB = 1024 ** 2;

export interface SnapshotWish {
  disk: number;
  snapshot: string;
  /** It is taken for the purpose, and removed afterwards. */
  take: boolean;
  incremental: boolean;
  packing: PackingWish;
  /** One of those in which the disk can be sent. */
  format?: DiskForm | undefined;
  /** What the machine runs, where its node does not know. */
  os?: string | undefined;
  /** Of images that build on each other, this one included. */
  longestChain?: number | undefined;
}

/** What will be made: its uuid is known before, its record when it is looked whether it can be. */
export interface Making {
  uuid: string;
  name: string;
  make(tx: Tx, draft: Record<string, unknown>): Promise<RegisteredImage>;
}

/**
 * An image of a snapshot, as a task. All that can be refused is refused before a byte flows; the image that will come, the
 * use of the snapshot and the task are written together.
 */
export async function startCreation(
  deps: Deps,
  viewer: Viewer,
  machine: FoundMachine,
  wish: SnapshotWish,
  making: Making,
): Promise<Started> {
  const { catalog, directory, imports } = deps;
  const datacenter = datacenterOfMachine(machine);
  await checkEnabled(catalog, datacenter);
  checkTakesFiles(directory);
  checkPacking(deps, wish.packing);
  const task = randomUUID();
  const { disk, take } = wish;
  const snapshot = take ? takenFor(wish.snapshot, task) : wish.snapshot;
  const meant: SnapshotRef = { vm: machine.vm.uuid, disk, snapshot };
  await checkFree(catalog, meant);
  const created = deps.now().toISOString();
  const hold: SnapshotHold = { ...meant, task, node: machine.node.name, ...(take && { taken: take }), created };
  // Known before it is there: whatever becomes of us, it is taken away.
  if (take) await catalog.write((tx) => tx.insert(snapshotHolds, hold));
  let isPlanned = false;
  try {
    const facts = inForm(await describe(deps, machine, meant, { take }), wish.format);
    const plan = planOf(deps, machine, meant, { wish, facts, datacenter, image: making.uuid });
    const objects = [{ kind: images.name, id: making.uuid, name: making.name }];
    const started = await startTask(
      deps,
      viewer.caller,
      { id: task, what: CREATE, datacenter, objects, params: plan },
      async (tx, { id }) => {
        await checkUnderWay(tx, viewer.caller);
        await checkFree(tx, meant);
        await checkSpace(deps, plan.needed);
        await announce(deps, tx, viewer, { machine, wish, facts, making, plan, task: id });
        const use = await tx.get(snapshotUses, snapshotId(meant));
        if (use) await tx.delete(snapshotUses, snapshotId(use));
        await tx.insert(snapshotUses, { ...meant, task: id, created });
        if (!take) await tx.insert(snapshotHolds, hold);
        imports.expect(making.uuid, plan.needed);
        isPlanned = true;
      },
    );
    return new Started(started.task, { uuid: making.uuid, snapshot, warnings: plan.warnings });
  } catch (error) {
    if (isPlanned) imports.forget(making.uuid);
    if (take) await letGoAfter(deps, task);
    throw error;
  }
}

/** What comes of a machine belongs to its data center. */
export function datacenterOfMachine({ vm: { hostname, uuid, datacenter } }: FoundMachine): string {
  if (datacenter !== undefined) return datacenter;
  const hint = `register it in one with PUT /api/vm/${uuid}, or give its node a data center or a rule`;
  throw invalidInput([
    { field: 'vm', code: 'Invalid', message: `vm: machine ${hostname} is in no data center: ${hint}` },
  ]);
}

function checkPacking({ policy }: Deps, { kind, level }: PackingWish): void {
  if (kind === 'zstd' && !policy.zstdImages) {
    const message = 'compression: nodes do not unpack zstd unless the setting zstdImages says that they all do';
    throw invalidInput([{ field: 'compression', code: 'Invalid', message }]);
  }
  const problem = problemWithLevel(kind, level);
  if (problem === undefined) return;
  throw invalidInput([{ field: 'compression_level', code: 'Invalid', message: `compression_level: ${problem}` }]);
}

async function describe(
  deps: Deps,
  { vm, node }: FoundMachine,
  meant: SnapshotRef,
  { take }: Pick<SnapshotWish, 'take'>,
): Promise<SnapshotFacts> {
  const facts = await askNodeSoon(deps, node, async (hypervisor, signal) => {
    if (take) await hypervisor.takeSnapshot(meant, signal);
    return hypervisor.facts(meant, signal);
  });
  if (isTaken(facts.vm.state)) return facts;
  const message = `machine ${vm.hostname} is ${facts.vm.state}: images are made of machines that run, or have been stopped`;
  throw new ImgapiError('MachineState', message);
}

/** How much a qcow2 takes is known when it is there; of the fields of manifests none says what it is. */
function inForm(facts: SnapshotFacts, format: DiskForm | undefined): SnapshotFacts {
  const { formats = [], bytes: _, ...others } = facts;
  const [usual] = formats;
  if (format === undefined && usual === undefined) return facts;
  const { manifest } = facts;
  const tagged = { ...manifest, tags: { ...Object(manifest.tags), format: format ?? usual } };
  if (format === undefined || format === usual) return { ...facts, manifest: tagged };
  if (formats.includes(format)) return { ...others, formats, type: 'other', manifest: tagged };
  const there = formats.length > 0 ? formats.join(', ') : 'a stream of its filesystem';
  const message = `format: disk ${facts.disk.disk} of machine ${facts.vm.hostname} is not sent as ${format}, but as ${there}`;
  throw invalidInput([{ field: 'format', code: 'Invalid', message }]);
}

interface Known {
  wish: SnapshotWish;
  facts: SnapshotFacts;
  datacenter: string;
  image: string;
}

function planOf(
  { policy }: Deps,
  { node }: FoundMachine,
  meant: SnapshotRef,
  { wish: { incremental, packing, format }, facts, datacenter, image }: Known,
): CreationPlan {
  const bytes = incremental ? facts.origin?.bytes : facts.bytes;
  // What a disk has in it is never more than its size.
  const atMost = bytes ?? (facts.imageSize === undefined ? undefined : facts.imageSize * MIB);
  if (packing.kind === 'none' && bytes !== undefined && bytes > policy.maxFileSize) {
    const message = `snapshot "${meant.snapshot}" has ${bytes} bytes, of which ${policy.maxFileSize} are allowed`;
    throw new ImgapiError('ImageFileTooBig', message);
  }
  return {
    ...meant,
    node: node.name,
    image,
    datacenter,
    packing,
    incremental,
    ...(format !== undefined && { format }),
    ...(bytes !== undefined && { bytes }),
    needed: bytesNeeded(atMost, packing.kind),
    ...(facts.guid !== undefined && { guid: facts.guid }),
    warnings: warningsOf(meant.disk, facts.vm.disks),
  };
}

interface Announced {
  machine: FoundMachine;
  wish: SnapshotWish;
  facts: SnapshotFacts;
  making: Making;
  plan: CreationPlan;
  task: string;
}

/** The image, as what is on its way. */
async function announce(deps: Deps, tx: Tx, viewer: Viewer, announced: Announced): Promise<void> {
  const { wish, facts, making, plan, machine, task } = announced;
  const origin = wish.incremental ? await checkIncrement(tx, viewer, facts, wish.longestChain) : undefined;
  const base = origin?.uuid ?? facts.disk.image ?? facts.origin?.image;
  const inherited = base === undefined ? undefined : await inheritable(tx, viewer, base, plan);
  const draft = draftOf({ ...facts, os: wish.os ?? facts.os }, inherited);
  const image = await making.make(tx, { ...draft, ...(origin && { origin: origin.uuid }) });
  if (!image.registration) throw new Error('an image of a snapshot has a registration');
  const { datacenter, node, vm, disk, snapshot } = plan;
  const arriving: ManagedImage = {
    ...image,
    state: 'creating',
    registration: {
      ...image.registration,
      provenance: {
        by: nameOfCaller(viewer.caller),
        machine: { vm, hostname: machine.vm.hostname, disk, snapshot, datacenter, node },
      },
      pending: {
        task,
        what: CREATE,
        ...(wish.packing.kind === 'none' && plan.bytes !== undefined && { bytes: plan.bytes }),
      },
    },
  };
  await checkWidening(tx, viewer, undefined, { ...arriving, activated: true, state: 'active' });
  await checkQuota(deps, tx, undefined, arriving);
  await saveImage(tx, undefined, arriving, deps.now());
}

/** What a node says that a disk was made of may be anything: of images elsewhere nothing is told by what comes of it. */
async function inheritable(
  tx: Tx,
  { caller }: Viewer,
  uuid: string,
  { datacenter }: CreationPlan,
): Promise<RegisteredImage | undefined> {
  const image = await tx.get(images, uuid);
  if (!image || isOperator(caller)) return image;
  return isIn(placementOf(image), new Set([datacenter])) ? image : undefined;
}

/** Of a task of this kind. */
export const planOfTask = ({ params }: Pick<Task, 'params'>) => params as CreationPlan;

/** What is asked of a node for it; packed there only if that was wished for. */
export const packedThere = ({
  packing: { kind, level, on },
}: CreationPlan): { kind: Packing; level?: number } | undefined =>
  kind === 'none' || on === 'here' ? undefined : { kind, ...(level !== undefined && { level }) };
