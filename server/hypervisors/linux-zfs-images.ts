import { isUuid } from '../../imgapi/image.js';
import { fetchOnNode } from './fetch-on-node.js';
import { type FoundImage, type IsOver, NotOnNode, NotOnPlatform, type PullOrder, type Report } from './hypervisor.js';
import { IMAGES } from './linux-zfs-machines.js';
import { parseBytes, parseRows } from './parse-zfs.js';
import { clearScratch, scratchOf, sweepScratch } from './scratch-on-node.js';
import { isAbsent, isPool, type Zfs } from './zfs.js';

/** Long enough for a node that is busy. */
const PATIENCE = 30_000;

/** What comes lies beside the images until it is whole. */
const RECEIVING = 'receiving-';

/** Where there is no directory of the pool. */
const ELSEWHERE = '/var/tmp';

const rootOn = (pool: string) => `${pool}/${IMAGES}`;

export async function linuxZfsImages(zfs: Zfs, signal: AbortSignal): Promise<FoundImage[]> {
  const pools = await zfs.poolNames(signal);
  const rows = await zfs.list(pools, [], signal);
  const found = rows.flatMap(({ name }) => {
    const [pool = '', folder, uuid, below] = name.split('/');
    return folder === IMAGES && isUuid(uuid) && below === undefined ? [{ name, pool, uuid }] : [];
  });
  const sizes = await zfs.get(
    found.map(({ name }) => name),
    ['used'],
    signal,
  );
  const clones = new Map<string, number>();
  for (const { origin = '' } of rows) {
    const name = origin.slice(0, origin.indexOf('@'));
    clones.set(name, (clones.get(name) ?? 0) + 1);
  }
  return found.map(({ name, pool, uuid }) => {
    const size = parseBytes(sizes.get(name)?.get('used'));
    return { uuid, pool, used: clones.get(name) ?? 0, ...(size !== undefined && { size }) };
  });
}

export async function pullImages(
  zfs: Zfs,
  { images, pool, source, job, bandwidth }: PullOrder,
  { signal, report }: { signal: AbortSignal; report: Report },
): Promise<void> {
  await checkPool(zfs, pool, signal);
  const root = rootOn(pool);
  if (!(await zfs.has(root, signal))) await zfs.run(['create', '-o', 'mountpoint=none', root], signal);
  const scratch = scratchOf(await directoryOf(zfs, pool, signal), job);
  const coming = `${root}/${RECEIVING}${job}`;
  let come = 0;
  try {
    for (const image of images) {
      const dataset = `${root}/${image.uuid}`;
      if (!isUuid(image.uuid)) throw new TypeError(`"${image.uuid}" is no uuid`);
      if (!(await zfs.has(dataset, signal))) {
        await fetchOnNode(
          zfs.host,
          image,
          { source, scratch, sink: ['zfs', 'receive', '-u', coming], ...(bandwidth !== undefined && { bandwidth }) },
          { signal, report: (bytes) => report(come + bytes) },
        );
        await keep(zfs, coming, dataset, image.uuid, signal);
      }
      come += image.size;
      report(come);
    }
  } catch (error) {
    // what is out of reach, the sweep takes
    await zfs.discard(coming, AbortSignal.timeout(PATIENCE));
    throw error;
  } finally {
    await clearScratch(zfs.host, scratch);
  }
}

/** Its name is the last thing that it gets. */
async function keep(zfs: Zfs, coming: string, dataset: string, uuid: string, signal: AbortSignal): Promise<void> {
  await confine(zfs, coming, uuid, signal);
  const printed = await zfs.run(['list', '-H', '-r', '-t', 'snapshot', '-o', 'name,type', coming], signal);
  const [[snapshot] = [], ...others] = parseRows(printed, 2);
  if (snapshot !== undefined && others.length === 0 && snapshot !== `${coming}@final`) {
    await zfs.run(['rename', snapshot, `${coming}@final`], signal);
  }
  await zfs.run(['set', `slipway:image=${uuid}`, coming], signal);
  await zfs.run(['rename', coming, dataset], signal);
}

/** A stream can bring properties: of one that says where it is mounted, the node would have it there after its next start. */
async function confine(zfs: Zfs, coming: string, uuid: string, signal: AbortSignal): Promise<void> {
  const [own, ...others] = await zfs.list([coming], [], signal);
  if (!own || others.length > 0) {
    throw new NotOnPlatform(`the stream of image ${uuid} holds ${others.length + 1} datasets, and should hold one`);
  }
  if (own.isVolume) return;
  await zfs.run(['set', 'canmount=off', coming], signal);
  for (const property of ['mountpoint', 'sharenfs', 'sharesmb']) await zfs.run(['inherit', property, coming], signal);
}

export async function removeImage(zfs: Zfs, image: string, pool: string, signal: AbortSignal): Promise<void> {
  await checkPool(zfs, pool, signal);
  const absent = new NotOnNode('image', `image "${image}" is not on pool "${pool}" of ${zfs.host.name}`);
  if (!isUuid(image)) throw absent;
  try {
    // what is made of it keeps it: nothing of it goes then
    await zfs.run(['destroy', '-r', `${rootOn(pool)}/${image}`], signal);
  } catch (error) {
    throw isAbsent(error) ? absent : error;
  }
}

/** Takes away what came half, of jobs that are no more. */
export async function sweepReceived(zfs: Zfs, isOver: IsOver, signal: AbortSignal): Promise<void> {
  const pools = await zfs.poolNames(signal);
  const roots = [...(await zfs.get(pools.map(rootOn), ['type'], signal)).keys()];
  for (const { name } of await zfs.list(roots, [], signal)) {
    const [, folder, last = ''] = name.split('/');
    const job = last.startsWith(RECEIVING) ? last.slice(RECEIVING.length) : '';
    if (folder === IMAGES && job !== '' && (await isOver(job))) await zfs.destroy(name, signal);
  }
  const directories = await Promise.all(pools.map((pool) => directoryOf(zfs, pool, signal)));
  await sweepScratch(zfs.host, [...new Set(directories)], isOver, signal);
}

async function checkPool(zfs: Zfs, pool: string, signal: AbortSignal): Promise<void> {
  const pools = await zfs.poolNames(signal);
  if (isPool(pool) && pools.includes(pool)) return;
  throw new NotOnNode('pool', `there is no pool "${pool}" on ${zfs.host.name}: it has ${pools.join(', ')}`);
}

/** A directory on the pool itself, whose room is what counts. */
async function directoryOf(zfs: Zfs, pool: string, signal: AbortSignal): Promise<string> {
  const known = (await zfs.get([pool], ['mountpoint', 'mounted'], signal)).get(pool);
  const mountpoint = known?.get('mountpoint');
  return known?.get('mounted') === 'yes' && mountpoint?.startsWith('/') ? mountpoint : ELSEWHERE;
}
