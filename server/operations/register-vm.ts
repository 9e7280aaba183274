import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Reader, Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import { images } from '../model/image.js';
import { tagsOf } from '../model/manifest-tags.js';
import { type Node, nodes } from '../model/node.js';
import { obstacleToUse } from '../model/obstacle.js';
import { answer, mayAsk } from '../model/permissions.js';
import { type ManagedImage, placementOf } from '../model/registration.js';
import { isIn } from '../model/visibility.js';
import { datacenterOf, findings, imagesOf, seesVm, type Vm, type VmDisk, type VmState, vms } from '../model/vm.js';
import { checkDatacenterStands } from './check-datacenter-stands.js';
import { activeUser } from './check-managed-fields.js';
import { checkDatacenter, imagesNamed, notPermitted } from './find-managed-image.js';
import { keepsRecordsOnly } from './image-server.js';
import { saveFound } from './place-found.js';

export interface VmWish {
  uuid: string;
  hostname: string;
  dc?: string | undefined;
  node?: string | undefined;
  /** By name. */
  owner?: string | undefined;
  tags: string[];
  /** Images by name or uuid. */
  images: { disk: number; image: string; size?: number | undefined }[];
  state: VmState;
}

const wrong = (field: string, message: string) =>
  invalidInput([{ field, code: 'Invalid', message: `${field}: ${message}` }]);

const noSuchVm = (uuid: string) => new ImgapiError('ResourceNotFound', `there is no machine ${uuid}`);

/** What a machine uses from now on, in the one write that looks whether those images are there. */
export async function registerVm(deps: Deps, caller: Caller, wish: VmWish): Promise<Vm> {
  if (!mayAsk(caller, 'register machines')) throw notPermitted('register machines');
  return deps.catalog.write(async (tx) => {
    const before = await knownVm(tx, caller, wish.uuid);
    const named = wish.node ?? before?.found?.node;
    const node = named === undefined ? undefined : await nodeSeen(tx, caller, named);
    const datacenter = datacenterOf({ ...wish, dc: wish.dc ?? before?.datacenter }, node, caller);
    checkPlace(deps, caller, datacenter);
    if (datacenter !== undefined) await checkDatacenterStands(tx, datacenter);
    const serves = node && (datacenter === undefined || node.datacenters.includes(datacenter));
    if (wish.node !== undefined && !serves) throw wrong('node', `there is no node "${wish.node}" there`);
    const owner = wish.owner === undefined ? undefined : await activeUser(tx, 'owner', wish.owner);
    const now = deps.now().toISOString();
    const vm: Vm = {
      uuid: wish.uuid,
      hostname: wish.hostname,
      ...(datacenter !== undefined && { datacenter }),
      ...(node && wish.node !== undefined && { node: node.name }),
      ...(owner && { owner: owner.uuid }),
      tags: wish.tags,
      images: await disksOf(deps, tx, caller, { wish, datacenter, before }),
      state: wish.state,
      ...(before?.found && { found: before.found }),
      ...(before?.elsewhere && { elsewhere: before.elsewhere }),
      created: before?.created ?? now,
      changed: now,
    };
    if (before) await tx.replace(vms, vm);
    else await tx.insert(vms, vm);
    return vm;
  });
}

/** The one that a registration takes the place of, refused as the registration is. */
export async function vmToRegister(reader: Reader, caller: Caller, uuid: string): Promise<Vm> {
  const vm = await knownVm(reader, caller, uuid);
  if (!vm) throw noSuchVm(uuid);
  return vm;
}

async function knownVm(reader: Reader, caller: Caller, uuid: string): Promise<Vm | undefined> {
  const vm = await reader.get(vms, uuid);
  if (vm && !(await isFree(reader, caller, vm))) {
    throw new ImgapiError('ObjectAlreadyExists', `machine ${uuid} is registered somewhere else`);
  }
  return vm;
}

/** What was only found, and stands nowhere by the rules, is whose data center its node serves. */
async function isFree(
  reader: Reader,
  caller: Caller,
  { unregistered, datacenter, found, ...vm }: Vm,
): Promise<boolean> {
  if (seesVm(caller, { ...vm, datacenter })) return true;
  return unregistered === true && datacenter === undefined && found !== undefined
    ? (await nodeSeen(reader, caller, found.node)) !== undefined
    : false;
}

/** Of a node that serves others only nothing is told, and not by where a machine on it would stand either. */
async function nodeSeen(reader: Reader, caller: Caller, name: string): Promise<Node | undefined> {
  const node = await reader.get(nodes, name);
  return node?.datacenters.some((datacenter) => seesVm(caller, { datacenter })) || isOperator(caller)
    ? node
    : undefined;
}

function checkPlace({ directory }: Deps, caller: Caller, datacenter: string | undefined): void {
  if (datacenter === undefined) {
    if (isOperator(caller)) return;
    throw invalidInput([{ field: 'dc', code: 'MissingParameter', message: 'dc is missing: in which data center?' }]);
  }
  checkDatacenter(directory, caller, datacenter);
  if (answer(caller, 'register machines', { datacenter }) !== 'yes') throw notPermitted('register machines');
}

interface Using {
  wish: VmWish;
  datacenter: string | undefined;
  before: Vm | undefined;
}

/** A machine keeps what it has where it is; all else has to be attached to its data center, and whole. */
async function disksOf(
  { directory }: Deps,
  tx: Tx,
  caller: Caller,
  { wish, datacenter, before }: Using,
): Promise<VmDisk[]> {
  const recordsOnly = keepsRecordsOnly(directory);
  const kept = before ? await imagesKept(tx, before, datacenter) : [];
  const disks: VmDisk[] = [];
  for (const [n, { disk, image: name, size }] of wish.images.entries()) {
    const field = `images.${n}.image`;
    const found = (await imagesNamed(tx, name)).filter(
      (image) => kept.includes(image.uuid) || stands(caller, image, datacenter),
    );
    const [image, ...others] = found;
    if (!image || others.length > 0) {
      const what = image
        ? `several images are named "${name}" there: say which by uuid`
        : `there is no image "${name}" there`;
      throw wrong(field, what);
    }
    if (!kept.includes(image.uuid)) checkMakes(image, { recordsOnly, field, size, state: wish.state });
    else if (wish.state === 'wanted' && !hasDisk(before, image.uuid, size)) checkSize(image, field, size);
    disks.push({ disk, image: image.uuid, ...(size !== undefined && { size }) });
  }
  if (new Set(disks.map(({ disk }) => disk)).size < disks.length) throw wrong('images', 'a disk is named twice');
  return disks;
}

/** What was found elsewhere is not to be known here. */
async function imagesKept(reader: Reader, before: Vm, datacenter: string | undefined): Promise<string[]> {
  const kept = before.datacenter === datacenter ? [...before.images] : [];
  for (const { node, images } of findings(before)) {
    const served = (await reader.get(nodes, node))?.datacenters ?? [];
    if (datacenter === undefined || served.includes(datacenter)) kept.push(...images);
  }
  return kept.map(({ image }) => image);
}

const hasDisk = (before: Vm | undefined, image: string, size: number | undefined) =>
  before?.images.some((disk) => disk.image === image && disk.size === size) ?? false;

function stands(caller: Caller, image: ManagedImage, datacenter: string | undefined): boolean {
  const placement = placementOf(image);
  if (placement.access === 'internal' && !isOperator(caller)) return false;
  return datacenter === undefined || isIn(placement, new Set([datacenter]));
}

interface Making {
  recordsOnly: boolean;
  field: string;
  size: number | undefined;
  state: VmState;
}

/** Machines that are there already may be made of what is no longer offered; those to come may not. */
function checkMakes(image: ManagedImage, { recordsOnly, field, size, state }: Making): void {
  const { name, access } = image.registration;
  if (!image.activated && !recordsOnly) throw wrong(field, `image ${name} is not activated`);
  if (state !== 'wanted') return;
  const obstacle = access === 'deleted' ? 'it has been retired' : obstacleToUse(image, { recordsOnly });
  if (obstacle !== undefined) throw wrong(field, `image ${name} can not be used: ${obstacle}`);
  checkSize(image, field, size);
}

/** The disk that is made of an image has its size, or more where it can grow. */
function checkSize(image: ManagedImage, field: string, size: number | undefined): void {
  const least = image.image_size;
  if (size === undefined || least === undefined || least === 0) return;
  const canGrow = tagsOf(image).resize;
  if (size === least || (canGrow && size > least)) return;
  const message = canGrow ? `at least ${least}` : `exactly ${least}`;
  throw wrong(
    field.replace('.image', '.size'),
    `a disk of image ${image.registration.name} has ${message} MiB, not ${size}`,
  );
}

/** One that the caller does not see is not there. */
export async function findVm(reader: Reader, caller: Caller, uuid: string): Promise<Vm> {
  if (!mayAsk(caller, 'register machines')) throw notPermitted('register machines', 'see machines');
  const vm = await reader.get(vms, uuid);
  if (!vm || !seesVm(caller, vm)) throw noSuchVm(uuid);
  return vm;
}

/** One that its node still has is from now on as it was found there. */
export function forgetVm({ catalog, now }: Deps, caller: Caller, uuid: string): Promise<void> {
  return catalog.write(async (tx) => {
    const vm = await findVm(tx, caller, uuid);
    if (vm.unregistered) {
      const message = `nobody has registered machine ${vm.hostname}: it is here until its node no longer has it`;
      throw new ImgapiError('AlreadyDone', message);
    }
    await saveFound(tx, { ...vm, unregistered: true }, uuid, vm, now().toISOString());
  });
}

/** Refuses where the data center lacks images of the machine: by uuid, as the machine has them. */
export async function checkMove({ catalog, directory }: Deps, caller: Caller, uuid: string, dc: string): Promise<void> {
  const vm = await findVm(catalog, caller, uuid);
  checkDatacenter(directory, caller, dc);
  const missing: string[] = [];
  for (const image of imagesOf(vm)) {
    const record = await catalog.get(images, image);
    if (!record || !isIn(placementOf(record), new Set([dc]))) missing.push(image);
  }
  if (missing.length === 0) return;
  throw invalidInput(
    missing.map((image) => ({
      field: 'images',
      code: 'Missing',
      message: `images: ${image} is not attached to data center ${dc}`,
    })),
  );
}
