import { type Caller, isOperator } from './caller.js';
import { classOf, tagsOf } from './manifest-tags.js';
import type { NodeImage } from './node-image.js';
import { obstacleToUse } from './obstacle.js';
import { osTypeOf } from './os-types.js';
import { type Circumstances, possibleActions } from './possible-actions.js';
import { accessLevels, type ManagedImage } from './registration.js';
import { bytesOf } from './usage.js';
import { seesVm } from './vm.js';

/** What has to be looked up to show an image to somebody. */
export interface Known extends Circumstances {
  caller: Caller;
  /** Are the caller's credentials good for changes? */
  writes: boolean;
  /** From the uuid of a user to its name. */
  nameOf: (uuid: string) => string;
  /** Groups, users and images of other data centers are not for everybody to know. */
  knowsGroup: (name: string) => boolean;
  knowsUser: (uuid: string) => boolean;
  knowsImage: (uuid: string) => boolean;
  /** The nodes that have it: they are SuperAdmins' business. */
  copies: readonly NodeImage[];
}

const OK = 1;
const PENDING = 2;

/** An image as management shows it, in its list and alone. Of data centers, those that the caller administers. */
export function presentImage(image: ManagedImage, known: Known) {
  const { caller, writes, nameOf, users, copies } = known;
  const { registration } = image;
  const { resize, deploy, tags } = tagsOf(image);
  const obstacle = obstacleToUse(image, known);
  return {
    name: registration.name,
    uuid: image.uuid,
    alias: image.name,
    version: image.version,
    owner: nameOf(image.owner),
    access: accessLevels[registration.access],
    desc: image.description ?? '',
    homepage: image.homepage ?? null,
    ostype: osTypeOf(image),
    os: image.os,
    type: image.type,
    size: image.image_size ?? 0,
    resize,
    deploy,
    tags,
    class: classOf(image) ?? null,
    dc_bound: registration.boundTo !== undefined,
    dcs: registration.datacenters.filter((name) => isOperator(caller) || administers(caller, name)),
    global: registration.global ?? false,
    groups: registration.groups?.filter(known.knowsGroup) ?? null,
    users: (image.acl ?? []).filter(known.knowsUser).map(nameOf),
    status: statusOf(image),
    pending: pendingOf(image),
    state: image.state,
    disabled: image.disabled,
    label: registration.label ?? null,
    golden: registration.golden ?? false,
    deprecated: deprecationOf(image, known),
    ready: obstacle === undefined,
    not_ready: obstacle ?? null,
    badges: badgesOf(image, obstacle),
    files: image.files.map(({ sha1, sha256, size, compression }) => ({ sha1, sha256, size, compression })),
    bytes: bytesOf(image),
    provenance: {
      by: registration.provenance?.by ?? null,
      repository: registration.provenance?.repository ?? null,
      url: registration.provenance?.url ?? null,
      origin: image.origin ?? null,
      machine: machineOf(image, caller),
    },
    vms: users.seen,
    nodes: isOperator(caller) ? copies.map(({ node, pool, state }) => ({ node, pool, state })) : [],
    created: registration.created,
    changed: registration.changed,
    published: image.published_at ?? null,
    ...possibleActions(caller, image, known, { writes }),
  };
}

/** Machines are known to the administrators of their data center, also by what was made of them. */
function machineOf({ registration: { provenance } }: ManagedImage, caller: Caller) {
  const machine = provenance?.machine;
  if (!machine || !seesVm(caller, machine)) return null;
  const { vm, hostname, disk, snapshot, datacenter, node } = machine;
  return { vm, hostname, disk, snapshot, dc: datacenter, node };
}

/** By what it is replaced is told to those who see that one. */
function deprecationOf({ registration: { deprecated } }: ManagedImage, { knowsImage }: Known) {
  if (!deprecated) return null;
  const { replacement, ...told } = deprecated;
  return { ...told, ...(replacement !== undefined && knowsImage(replacement) && { replacement }) };
}

function pendingOf({ registration: { pending } }: ManagedImage) {
  return pending ? { task: pending.task, what: pending.what } : null;
}

export const statusOf = ({ registration }: ManagedImage) => (registration.pending ? PENDING : OK);

export const badges = ['golden', 'deprecated', 'retired', 'not ready', 'group', 'system'] as const;

function badgesOf({ registration }: ManagedImage, obstacle: string | undefined) {
  const { golden, deprecated, access, groups, boundTo } = registration;
  const applies: Record<(typeof badges)[number], boolean> = {
    golden: golden === true,
    deprecated: deprecated !== undefined,
    retired: access === 'deleted',
    'not ready': obstacle !== undefined,
    group: groups !== undefined,
    system: boundTo === undefined,
  };
  return badges.filter((badge) => applies[badge]);
}

const administers = (caller: Caller, name: string) => caller.kind === 'user' && caller.rights.admin.has(name);

export type ShownImage = ReturnType<typeof presentImage>;
