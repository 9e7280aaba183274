import { ImgapiError } from '../../imgapi/errors.js';
import { findings, type Vm } from './vm.js';

export const nodeImageStates = ['ready', 'importing', 'deleting'] as const;
export type NodeImageState = (typeof nodeImageStates)[number];

/** An image on a pool of a node. */
export interface Copy {
  node: string;
  pool: string;
  /** Its uuid. */
  image: string;
}

/** As it was found there, or as it comes or goes. */
export interface NodeImage extends Copy {
  state: NodeImageState;
  /** What brings it or takes it away. */
  task?: string;
  /** Bytes that it takes there; of one that comes, those that it is going to take. */
  size?: number;
  /** When it was there last. */
  seen?: string;
  changed: string;
}

export const copyId = ({ node, pool, image }: Copy) => JSON.stringify([node, pool, image]);

/** Where copies are looked for: by image, by node, by pool. */
export const ofImage = (image: string) => `image:${image}`;
export const ofNode = (node: string) => `node:${node}`;
export const ofPool = (node: string, pool: string) => `pool:${node}/${pool}`;

export const placesOfCopy = ({ node, pool, image }: Copy) => [ofImage(image), ofNode(node), ofPool(node, pool)];

export const nodeImages = {
  name: 'node-images',
  id: (copy: NodeImage) => copyId(copy),
  index: (copy: NodeImage) => placesOfCopy(copy),
};

export const spelledCopy = ({ node, pool, image }: Copy) => `image ${image} on pool ${pool} of node ${node}`;

/** Refuses what is there already, comes or goes. */
export function importing(held: NodeImage | undefined, copy: Copy & { task: string; size: number }, now: Date) {
  if (held?.state === 'ready') throw new ImgapiError('ObjectAlreadyExists', `${spelledCopy(held)} is there already`);
  if (held) checkRests(held);
  return { ...copy, state: 'importing', changed: now.toISOString() } as const satisfies NodeImage;
}

export function deleting(held: NodeImage, task: string, now: Date): NodeImage {
  checkRests(held);
  return { ...held, state: 'deleting', task, changed: now.toISOString() };
}

/** As it is found, or was before somebody tried to take it away. */
export function ready({ task: _, ...copy }: NodeImage, now: Date): NodeImage {
  return { ...copy, state: 'ready', changed: now.toISOString() };
}

function checkRests(held: NodeImage): void {
  const { state, task } = held;
  if (state === 'importing') throw new ImgapiError('Busy', `${spelledCopy(held)} is coming already: task ${task}`);
  if (state === 'deleting')
    throw new ImgapiError('ImagePending', `${spelledCopy(held)} is being removed: task ${task}`);
}

interface Found {
  uuid: string;
  pool: string;
  size?: number;
}

/** `seen` is written no more often, in milliseconds. */
const FRESH = 60 * 60 * 1000;

/**
 * What has to be written when a node has told which images it has. What comes or goes is for its task to tell, and what
 * has changed since the node was asked is newer than its answer.
 */
export function afterLooking(
  known: readonly NodeImage[],
  found: readonly Found[],
  { node, asked }: { node: string; asked: Date },
): { there: NodeImage[]; gone: NodeImage[] } {
  const seen = asked.toISOString();
  const before = new Map(known.map((copy) => [copyId(copy), copy]));
  const met = new Map(
    found.map(({ uuid, pool, size }): [string, NodeImage] => {
      const copy = { node, pool, image: uuid };
      return [copyId(copy), { ...copy, state: 'ready', ...(size !== undefined && { size }), seen, changed: seen }];
    }),
  );
  const rests = ({ state, changed }: NodeImage) => state === 'ready' && changed <= seen;
  const there = [...met.values()].flatMap((copy) => {
    const old = before.get(copyId(copy));
    if (!old) return copy;
    if (!rests(old) || isFresh(old, copy)) return [];
    return { ...copy, changed: old.changed };
  });
  return { there, gone: known.filter((copy) => rests(copy) && !met.has(copyId(copy))) };
}

const isFresh = (old: NodeImage, copy: NodeImage) =>
  old.size === copy.size && Date.parse(copy.seen ?? '') - Date.parse(old.seen ?? '') < FRESH;

/** On which of its node's pools something lies; the innermost, where one is within another. */
export function poolOf(volume: string, pools: readonly string[]): string | undefined {
  const around = pools.filter((pool) => volume === pool || volume.startsWith(`${pool.replace(/\/$/, '')}/`));
  return around.toSorted((a, b) => b.length - a.length)[0];
}

/** Does a machine use the image there? A disk of which the pool is not known may lie on any. */
export function usesCopy(vm: Vm, { node, pool, image }: Copy): boolean {
  const here = findings(vm)
    .filter((found) => found.node === node)
    .flatMap((found) => found.images.filter((disk) => disk.image === image));
  if (here.length > 0) return here.some((disk) => disk.pool === undefined || disk.pool === pool);
  return vm.node === node && vm.images.some((disk) => disk.image === image);
}

/** Has a machine a disk there, of whatever image? */
export const liesOn = (vm: Vm, { node, pool }: Pick<Copy, 'node' | 'pool'>): boolean =>
  findings(vm).some((found) => found.node === node && found.images.some((disk) => disk.pool === pool));
