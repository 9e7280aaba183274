import { ImgapiError } from '../../imgapi/errors.js';
import type { LeftDirectory } from '../../storage/sources.js';
import type { Policy } from '../deps.js';
import { OperatorMistake } from '../model/operator-mistake.js';
import type { TakenImage } from '../model/takeover.js';
import { fitsMode } from '../model/visibility.js';
import { NotTaken, readLeftImage } from './read-left-image.js';

/** What is known of an image before a byte of its files is read. */
interface Planned {
  uuid: string;
  name: string;
  origin: string | undefined;
  bytes: number;
}

export interface TakeoverPlan {
  /** What can be taken, those that others are built on in an earlier wave than those others. */
  waves: Planned[][];
  refused: TakenImage[];
  strays: string[];
  images: number;
  bytes: number;
}

/** Reads every record once. Throws OperatorMistake where the takeover would hide images by how this server is set up. */
export async function planTakeover(
  directory: LeftDirectory,
  policy: Pick<Policy, 'mode' | 'channels'>,
  signal: AbortSignal,
): Promise<TakeoverPlan> {
  const { uuids, strays } = await directory.survey(signal);
  const planned = new Map<string, Planned>();
  const refused: TakenImage[] = [];
  const there = { channels: new Set<string>(), hidden: 0 };
  for (const uuid of uuids) {
    signal.throwIfAborted();
    try {
      const { image, files } = await readLeftImage(directory, uuid);
      const bytes = files.reduce((sum, { size = 0 }) => sum + size, 0);
      planned.set(uuid, { uuid, name: image.name, origin: image.origin, bytes });
      for (const channel of image.channels ?? []) there.channels.add(channel);
      if (!fitsMode(policy.mode, image)) there.hidden += 1;
    } catch (error) {
      refused.push(refusalOf(uuid, error));
    }
  }
  await checkSetup(directory, policy, there);
  for (const uuid of circularAmong(planned)) {
    const name = planned.get(uuid)?.name;
    refused.push(refusalOf(uuid, new NotTaken(['origin: comes from itself, by way of others']), name));
    planned.delete(uuid);
  }
  const waves = wavesOf(planned);
  return {
    waves,
    refused,
    strays,
    images: uuids.length,
    bytes: waves.flat().reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** How an image comes out of which nothing could be made; other errors are not about the image. */
export function refusalOf(uuid: string, error: unknown, known?: string): TakenImage {
  const isOfTheImage = error instanceof NotTaken || error instanceof ImgapiError;
  if (!isOfTheImage && !(error instanceof Error && 'syscall' in error)) throw error;
  const name = known ?? (error instanceof NotTaken ? error.imageName : undefined);
  const reasons = error instanceof NotTaken ? error.reasons : [error.message];
  return { uuid, ...(name !== undefined && { name }), outcome: 'not taken', reasons, mended: [], warnings: [] };
}

/** Images that were hidden there may be hidden here: only where the two servers differ has somebody made a mistake. */
async function checkSetup(
  directory: LeftDirectory,
  { mode, channels }: Pick<Policy, 'mode' | 'channels'>,
  there: { channels: ReadonlySet<string>; hidden: number },
): Promise<void> {
  const configuration = await directory.configuration();
  const hint = configuration ? `start with --config ${configuration.path}, or with` : 'start with';
  if (there.hidden > 0 && configuration?.mode !== mode) {
    throw new OperatorMistake(
      `${there.hidden} images in ${directory.path} would be hidden in mode ${mode}: ${hint} --mode ${configuration?.mode ?? 'dc'}`,
    );
  }
  const names = [...there.channels];
  if (names.length > 0 && !channels.some(({ name }) => there.channels.has(name))) {
    throw new OperatorMistake(
      `images in ${directory.path} are in channels that this server does not have (${names.slice(0, 10).join(', ')}): ${hint} --channels`,
    );
  }
}

/** Images that come from themselves, by way of others. */
function circularAmong(planned: ReadonlyMap<string, Planned>): Set<string> {
  const settled = new Set<string>();
  const circular = new Set<string>();
  for (const { uuid } of planned.values()) {
    const path = new Set<string>();
    let at: string | undefined = uuid;
    for (; at !== undefined && !settled.has(at) && !path.has(at); at = planned.get(at)?.origin) path.add(at);
    const way = [...path];
    if (at !== undefined && path.has(at)) for (const member of way.slice(way.indexOf(at))) circular.add(member);
    for (const member of way) settled.add(member);
  }
  return circular;
}

/** None may be circular. */
function wavesOf(planned: ReadonlyMap<string, Planned>): Planned[][] {
  const depths = new Map<string, number>();
  for (const image of planned.values()) {
    const unknown: Planned[] = [];
    let at: Planned | undefined = image;
    for (; at && !depths.has(at.uuid); at = planned.get(at.origin ?? '')) unknown.push(at);
    const below = at ? depths.get(at.uuid)! : -1;
    for (const [height, { uuid }] of unknown.reverse().entries()) depths.set(uuid, below + 1 + height);
  }
  const waves: Planned[][] = [];
  for (const image of planned.values()) {
    const depth = depths.get(image.uuid)!;
    const wave = waves[depth] ?? [];
    waves[depth] = wave;
    wave.push(image);
  }
  return waves;
}
