import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader, Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { Hypervisor, PullOrder } from '../hypervisors/hypervisor.js';
import { images } from '../model/image.js';
import type { Node } from '../model/node.js';
import { copyId, nodeImages, ready } from '../model/node-image.js';
import type { RegisteredImage } from '../model/registration.js';
import type { Progress, Task } from '../model/task.js';
import { askNode } from './ask-node.js';
import { checkStillManagesNodes } from './check-still-manages-nodes.js';
import { lendToken, takeBack } from './lend-token.js';
import { originsOf } from './origins.js';
import { nodeNamed } from './save-node.js';
import { urlOfPull } from './url-of-node.js';
import { whileLost } from './while-lost.js';
import type { Work } from './work.js';

export interface PullParams {
  node: string;
  pool: string;
  image: string;
  /** Bytes a second. */
  bandwidth?: number;
}

export interface Pulled {
  node: string;
  pool: string;
  image: string;
  /** Those that were fetched; what was there already is not among them. */
  images: string[];
  bytes: number;
}

/** An image that has its bytes. */
type Whole = RegisteredImage & { files: [RegisteredImage['files'][number], ...unknown[]] };

const isWhole = (image: RegisteredImage | undefined): image is Whole =>
  image?.activated === true && image.files.length > 0;

/** The node fetches from us, by its own tool. After an interruption it may have it already. */
export async function pullImage(deps: Deps, task: Task, work: Work): Promise<Pulled> {
  const { node: name, pool, image, bandwidth } = task.params as PullParams;
  checkStillManagesNodes(deps, task);
  const chain = await chainOf(deps.catalog, image);
  const node = await nodeNamed(deps.catalog, name);
  const url = urlOfPull(deps, node, await wholeImage(deps.catalog, image));
  const missing = await lendToken(deps, { node: name, url, task, bandwidth }, ({ source, sent }) =>
    whileLost(deps, work.signal, async () => {
      const missing = await missingOn(deps, node, pool, chain, work.signal);
      if (missing.length === 0) return missing;
      const order: PullOrder = {
        images: missing.map(orderOf),
        pool,
        source,
        job: task.id,
        ...(bandwidth !== undefined && { bandwidth }),
      };
      await watched(deps, work, { node, sizes: missing.map(sizeOf), sent }, (hypervisor, options) =>
        hypervisor.pull(order, options),
      );
      return missing;
    }),
  );
  const result = { node: name, pool, image, images: missing.map(({ uuid }) => uuid), bytes: bytesOf(missing) };
  await keep(deps, task, work, chain, result);
  return result;
}

async function wholeImage(reader: Reader, uuid: string): Promise<Whole> {
  const image = await reader.get(images, uuid);
  if (isWhole(image)) return image;
  throw new ImgapiError('ResourceNotFound', `image ${uuid} is not here any more`);
}

/** With what it builds on, base first. */
export async function chainOf(reader: Reader, uuid: string): Promise<Whole[]> {
  const image = await wholeImage(reader, uuid);
  const chain = [image];
  for await (const { uuid: origin, record } of originsOf(reader, image)) {
    if (!isWhole(record))
      throw new ImgapiError('OriginIsNotActive', `origin image ${origin} is not here, or not active`);
    chain.push(record);
  }
  return chain.reverse();
}

export const sizeOf = ({ files: [{ size }] }: Whole) => size;

export const bytesOf = (chain: readonly Whole[]) => chain.reduce((sum, image) => sum + sizeOf(image), 0);

function orderOf({ uuid, type, origin, files: [{ size, sha1, compression }] }: Whole): PullOrder['images'][number] {
  return { uuid, type, size, sha1, compression, ...(origin !== undefined && { origin }) };
}

/** A question takes no longer, in milliseconds. */
const QUESTION = 60_000;

async function missingOn(deps: Deps, node: Node, pool: string, chain: readonly Whole[], signal: AbortSignal) {
  const limit = AbortSignal.timeout(QUESTION);
  const limited = AbortSignal.any([signal, limit]);
  try {
    const found = await askNode(deps, node, limited, (hypervisor) => hypervisor.images(limited));
    const there = new Set(found.filter((one) => one.pool === pool).map(({ uuid }) => uuid));
    return chain.filter(({ uuid }) => !there.has(uuid));
  } catch (cause) {
    if (signal.aborted || !limit.aborted) throw cause;
    throw new ImgapiError('NodeDown', `node ${node.name} did not tell its images within ${QUESTION / 1000} seconds`);
  }
}

interface Fetching {
  node: Node;
  sizes: readonly number[];
  /** Bytes that have gone out. */
  sent(): number;
}

/** How often is looked how far it is, in milliseconds. */
const EVERY = 250;

/** Its progress is what we see go out, or the node tells. What stands still for too long is given up. */
async function watched(
  deps: Deps,
  { signal, report }: Work,
  { node, sizes, sent }: Fetching,
  fetch: (hypervisor: Hypervisor, options: { signal: AbortSignal; report(bytes: number): void }) => Promise<void>,
): Promise<void> {
  const { silence, settling } = deps.nodeWork.patience;
  const given = new AbortController();
  const until = AbortSignal.any([signal, given.signal]);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const wholes = new Set(sizes.map((_, at) => sizes.slice(0, at + 1).reduce((sum, size) => sum + size, 0)));
  let told = 0;
  let last = -1;
  let since = performance.now();
  const look = () => {
    // A node that tells of less than before goes nowhere.
    const done = Math.max(last, Math.min(total, Math.max(told, sent())));
    if (done !== last) {
      last = done;
      since = performance.now();
      report({ done, total, unit: 'bytes' } satisfies Progress);
    }
    if (performance.now() - since > (wholes.has(done) ? settling : silence)) given.abort(new Error('it stands still'));
  };
  const timer = setInterval(look, EVERY);
  look();
  try {
    const options = {
      signal: until,
      report: (bytes: number) => {
        told = bytes;
      },
    };
    await askNode(deps, node, until, (hypervisor) => fetch(hypervisor, options));
  } catch (cause) {
    if (signal.aborted || !given.signal.aborted) throw cause;
    const seconds = Math.round((performance.now() - since) / 1000);
    throw new ImgapiError(
      'NodeDown',
      `node ${node.name} stands still since ${seconds} seconds, at ${last} of ${total} bytes`,
    );
  } finally {
    clearInterval(timer);
  }
}

/** What it builds on may be known there already. */
async function keep(deps: Deps, task: Task, work: Work, chain: readonly Whole[], result: Pulled): Promise<void> {
  const { catalog, now } = deps;
  const { node, pool, bytes } = result;
  await catalog.write(async (tx) => {
    await nodeNamed(tx, node);
    for (const { uuid } of chain) {
      if (!(await tx.get(images, uuid)))
        throw new ImgapiError('ResourceNotFound', `image ${uuid} was deleted meanwhile`);
      const copy = { node, pool, image: uuid };
      const held = await tx.get(nodeImages, copyId(copy));
      if (!held) await tx.insert(nodeImages, ready({ ...copy, state: 'ready', changed: '' }, now()));
      else if (held.state === 'importing' && held.task === task.id) {
        const { size: _, ...there } = held;
        await tx.replace(nodeImages, ready(there, now()));
      }
    }
    await work.keep(tx, { progress: { done: bytes, total: bytes, unit: 'bytes' }, result });
  });
}

/** The node's copy is not on its way any more, and its token good for nothing. */
export async function undoPull(deps: Deps, tx: Tx, task: Task): Promise<void> {
  const copy = task.params as PullParams;
  const held = await tx.get(nodeImages, copyId(copy));
  if (held?.state === 'importing' && held.task === task.id) await tx.delete(nodeImages, copyId(copy));
  await takeBack(tx, task.id);
  deps.nodeWork.wakeAll();
}
