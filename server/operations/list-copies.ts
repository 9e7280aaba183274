import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { images } from '../model/image.js';
import type { Node } from '../model/node.js';
import { copyId, liesOn, type NodeImage, ofPool, spelledCopy, usesCopy } from '../model/node-image.js';
import type { NodePool } from '../model/node-status.js';
import type { Vm } from '../model/vm.js';
import { type CopyNamed, imageOnNodes } from './remove-copy.js';
import { nodeNamed } from './save-node.js';

/** A pool of a node, with how many images and machines are on it. */
export interface ShownPool {
  name: string;
  size: number | null;
  free: number | null;
  health: string | null;
  images: number;
  vms: number;
}

export interface ShownCopy {
  /** As management calls it; its uuid where nobody here knows the image. */
  name: string;
  uuid: string;
  known: boolean;
  alias: string | null;
  version: string | null;
  state: NodeImage['state'];
  task: string | null;
  size: number | null;
  seen: string | null;
  vm_count: number;
}

type Memory = Pick<Deps, 'nodeBook' | 'copies' | 'fleet'>;

/** As they were told last, and whatever else images are known to be on. */
export async function listPools(deps: Deps, name: string): Promise<ShownPool[]> {
  const node = await nodeNamed(deps.catalog, name);
  return poolsOf(deps, node).map((pool) => {
    const at = { node: name, pool: pool.name };
    return {
      ...pool,
      images: deps.copies.within([ofPool(name, pool.name)]).length,
      vms: deps.fleet.sorted.filter((vm) => liesOn(vm, at)).length,
    };
  });
}

function poolsOf({ nodeBook, copies }: Memory, { name }: Node): Omit<ShownPool, 'images' | 'vms'>[] {
  const told: readonly NodePool[] = nodeBook.statusOf(name)?.described?.pools ?? [];
  const known = new Set(told.map((pool) => pool.name));
  const others = new Set(copies.within([`node:${name}`]).map(({ pool }) => pool));
  return [
    ...told,
    ...[...others]
      .filter((pool) => !known.has(pool))
      .map((pool) => ({ name: pool, size: null, free: null, health: null })),
  ];
}

export function checkPool(deps: Memory, node: Node, pool: string): void {
  const names = poolsOf(deps, node).map(({ name }) => name);
  if (names.includes(pool)) return;
  const there = names.join(', ') || 'none that is known: refresh its inventory';
  throw new ImgapiError('ResourceNotFound', `node ${node.name} has no pool "${pool}", but ${there}`);
}

export async function listCopies(deps: Deps, name: string, pool: string): Promise<NodeImage[]> {
  checkPool(deps, await nodeNamed(deps.catalog, name), pool);
  return [...deps.copies.within([ofPool(name, pool)])];
}

export async function findCopy(deps: Deps, caller: Caller, named: CopyNamed): Promise<NodeImage> {
  const node = await nodeNamed(deps.catalog, named.node);
  checkPool(deps, node, named.pool);
  const { uuid } = await imageOnNodes(deps, caller, named);
  const copy = { node: node.name, pool: named.pool, image: uuid };
  const held = deps.copies.get(copyId(copy));
  if (!held) throw new ImgapiError('ResourceNotFound', `there is no ${spelledCopy(copy)}`);
  return held;
}

export async function showCopy({ catalog, fleet }: Deps, copy: NodeImage): Promise<ShownCopy & { vms: Vm[] }> {
  const image = await catalog.get(images, copy.image);
  const vms = fleet.within([copy.image]).filter((vm) => usesCopy(vm, copy));
  return {
    name: image?.registration?.name ?? copy.image,
    uuid: copy.image,
    known: image !== undefined,
    alias: image?.name ?? null,
    version: image?.version ?? null,
    state: copy.state,
    task: copy.task ?? null,
    size: copy.size ?? null,
    seen: copy.seen ?? null,
    vm_count: vms.length,
    vms,
  };
}
