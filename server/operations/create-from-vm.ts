import { randomUUID } from 'node:crypto';
import { finishDraft, readDraft } from '../../imgapi/draft.js';
import { ImgapiError, invalidParameter } from '../../imgapi/errors.js';
import { isUuid } from '../../imgapi/image.js';
import type { Deps } from '../deps.js';
import { nameOfCaller } from '../model/caller.js';
import { images } from '../model/image.js';
import type { RegisteredImage } from '../model/registration.js';
import type { Started } from '../model/task.js';
import { ADMIN } from '../model/user.js';
import type { Viewer } from '../model/visibility.js';
import { checkAncestry, checkOwner } from './check-relations.js';
import { type FoundMachine, findMachine } from './find-machine.js';
import { alreadyExists } from './import-image.js';
import { register } from './register-image.js';
import { rulesOf } from './rules.js';
import { datacenterOfMachine, startCreation } from './start-creation.js';

export interface FromVm {
  vm: string;
  incremental: boolean;
  /** As it was sent. */
  longestChain: string | undefined;
  body: unknown;
  channel: string | undefined;
}

/** Nobody asks for a disk here: it is the first one that an image is made of. */
const DISK = 1;

/** Fields that the machine decides. */
const ofTheMachine: ReadonlySet<string> = new Set(['type', 'os', 'image_size', 'origin', 'requirements']);

/** An image of a machine as it is now: a snapshot is taken for the purpose. */
export async function createFromVm(
  deps: Deps,
  viewer: Viewer,
  { vm, incremental, longestChain, body, channel }: FromVm,
): Promise<Started> {
  const { catalog, policy, now } = deps;
  const { account, caller } = viewer;
  const machine = await machineOf(deps, viewer, vm);
  const longest = depthOf(longestChain);
  const given = readDraft('create', body, account);
  const foreign = Object.keys(given).find((field) => ofTheMachine.has(field));
  if (foreign !== undefined) {
    throw invalidParameter(foreign, 'Invalid', `${foreign} is that of the machine, and can not be given`);
  }
  const { uuid: wanted, ...said } = given;
  if (wanted !== undefined && !isUuid(wanted)) throw invalidParameter('uuid', 'Invalid', 'uuid is not a uuid');
  const uuid = wanted ?? randomUUID();
  const owner = ownerOf(said.owner ?? account ?? caller.user?.uuid ?? machine.vm.owner);
  const datacenter = datacenterOfMachine(machine);
  const place = { datacenters: [datacenter], boundTo: datacenter, by: nameOfCaller(caller) };
  const finish = (draft: Record<string, unknown>) =>
    finishDraft('create', draft, {
      uuid,
      owner,
      rules: rulesOf(policy),
      ...(channel !== undefined && { channel }),
    });
  // What is wrong with what was said is told before anything is done on the node.
  finish({ type: 'other', os: 'other', ...said });
  await checkOwner(catalog, policy.mode, owner);
  const wish = {
    disk: DISK,
    snapshot: 'imgapi',
    take: true,
    incremental,
    packing: { kind: 'gzip', on: 'node' },
    longestChain: longest,
  } as const;
  return startCreation(deps, viewer, machine, wish, {
    uuid,
    name: String(said.name),
    make: async (tx, draft): Promise<RegisteredImage> => {
      const existing = await tx.get(images, uuid);
      if (existing) throw alreadyExists(viewer, existing);
      await checkOwner(tx, policy.mode, owner);
      const image = finish({ ...draft, ...said, ...tagged(draft, said) });
      await checkAncestry(tx, image);
      const registered = await register(tx, image, place, now());
      if (!registered.registration) return registered;
      return { ...registered, registration: { ...registered.registration, golden: true } };
    },
  });
}

/** What the machine has told goes before what was said of it. */
function tagged(draft: Record<string, unknown>, said: Record<string, unknown>) {
  if (draft.tags === undefined) return {};
  return { tags: { ...Object(said.tags), ...Object(draft.tags) } };
}

/** As clients of the contract know a machine that is not there, or that they may not see. */
async function machineOf(deps: Deps, { caller }: Viewer, uuid: string): Promise<FoundMachine> {
  try {
    return await findMachine(deps, caller, 'create from snapshots', { vm: uuid });
  } catch (error) {
    if (!(error instanceof ImgapiError) || error.code !== 'ResourceNotFound') throw error;
    throw invalidParameter('vm_uuid', 'Invalid', `there is no VM ${uuid}`);
  }
}

/** As many images as may build on each other. */
function depthOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,6}$/.test(text) && Number(text) >= 2) return Number(text);
  throw invalidParameter('max_origin_depth', 'Invalid', `max_origin_depth is no number from 2 on: "${text}"`);
}

function ownerOf(owner: unknown): string {
  if (owner === undefined) return ADMIN.uuid;
  if (isUuid(owner)) return owner;
  throw invalidParameter('owner', 'Invalid', 'owner is not a uuid');
}
