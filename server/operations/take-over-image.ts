import { type Image, type ImageFile, type ImageIcon, type Stored, UNSET_OWNER } from '../../imgapi/image.js';
import { hexOf, type Promised } from '../../imgapi/legacy-record.js';
import type { Reader, Tx } from '../../storage/catalog.js';
import { type Arrival, locate, publishAll } from '../../storage/holdings.js';
import type { LeftDirectory, LeftFile, Part } from '../../storage/sources.js';
import { type Content, TransferRefused, transfer } from '../../storage/transfer.js';
import type { Deps } from '../deps.js';
import { iconTypeOf } from '../model/icon-type.js';
import { fileHolder, iconHolder, images, settle } from '../model/image.js';
import { modeLaw } from '../model/modes.js';
import type { Outcome, TakenImage } from '../model/takeover.js';
import { users } from '../model/user.js';
import { fitsMode } from '../model/visibility.js';
import { checkAncestry } from './check-relations.js';
import { type LeftImage, NotTaken, readLeftImage } from './read-left-image.js';
import { saveImage } from './save-image.js';
import { storedForm } from './upload.js';

export type TakeoverDeps = Pick<Deps, 'catalog' | 'blobs' | 'log' | 'now'> & {
  policy: Pick<Deps['policy'], 'mode' | 'channels' | 'blobGrace'>;
};

interface Course {
  signal: AbortSignal;
  /** Told of every piece that was copied. */
  copied: (bytes: number) => void;
  /** Was it here after an earlier takeover? */
  wasHere: boolean;
}

/** Bytes that are here, and what the image's record will say of them. */
interface Received<T extends Stored> extends Arrival {
  stored: T;
}

/** Takes one image whole, or leaves no trace of it. What is here already stays as it is. */
export async function takeOverImage(
  deps: TakeoverDeps,
  directory: LeftDirectory,
  uuid: string,
  course: Course,
): Promise<TakenImage> {
  const left = await readLeftImage(directory, uuid);
  const existing = await deps.catalog.get(images, uuid);
  const outcome = await outcomeOf(deps, left, existing, course);
  const { name } = left.image;
  const { mended } = left;
  if (outcome === 'deleted here') return { uuid, name, outcome, reasons: [], mended: [], warnings: [] };
  const warnings = [...left.warnings, ...(await looseEnds(directory, left))];
  if (existing && outcome === 'already here') {
    warnings.push(...concerns(deps, left, existing), ...(await originConcerns(deps.catalog, existing)));
    return { uuid, name, outcome, reasons: [], mended, warnings };
  }
  const { files, icon } = await receiveAll(deps, directory, left, existing, course, warnings);
  const image = settle({
    ...left.image,
    files: files.map(({ stored }) => stored),
    ...(icon && { icon: icon.stored }),
  });
  warnings.push(...concerns(deps, left, image));
  await publishAll(deps, [...files, ...(icon ? [icon] : [])], async (tx, hold) => {
    for (const [index, file] of files.entries()) await hold(file, fileHolder(uuid, index));
    if (icon) await hold(icon, iconHolder(uuid));
    // an image that is here and has lost its bytes only gets those
    if (!existing) await insert(deps, tx, image, warnings);
  });
  return { uuid, name, outcome, reasons: [], mended, warnings };
}

async function outcomeOf(
  deps: TakeoverDeps,
  { image, files }: LeftImage,
  existing: Image | undefined,
  { wasHere }: Course,
): Promise<Outcome> {
  if (!existing) return wasHere ? 'deleted here' : 'taken';
  const isSame =
    existing.files.length === files.length && existing.files.every(({ sha1 }, index) => sha1 === files[index]?.sha1);
  if (!isSame) {
    const what = existing.files.map(({ sha1 }) => sha1).join(' and ') || 'no file';
    throw new NotTaken(
      [`an image with this uuid is here and has another file (${what}): it was left alone`],
      image.name,
    );
  }
  for (const file of existing.files) if (!(await isWhole(deps, file))) return 'taken';
  return 'already here';
}

async function isWhole({ catalog, blobs }: TakeoverDeps, { sha256, size }: Stored): Promise<boolean> {
  const content = await locate(catalog, sha256);
  return content !== undefined && (await blobs.stat(content.key))?.size === size;
}

/** Files that are there although the record knows nothing of them. */
async function looseEnds(directory: LeftDirectory, { image, files }: LeftImage): Promise<string[]> {
  const unrecorded = (['file0', 'file1'] as const).slice(files.length);
  const found = await Promise.all(unrecorded.map((part) => directory.file(image.uuid, part)));
  return found.filter((file) => file !== undefined).map(({ path }) => `${path}: not in the record, left`);
}

/** All, or nothing stays of those that came first. */
async function receiveAll(
  deps: TakeoverDeps,
  directory: LeftDirectory,
  left: LeftImage,
  existing: Image | undefined,
  course: Course,
  warnings: string[],
): Promise<{ files: Received<ImageFile>[]; icon: Received<ImageIcon> | undefined }> {
  const arrived: Arrival[] = [];
  try {
    const files = await receiveFiles(deps, directory, left, course, arrived, warnings);
    const icon = existing ? undefined : await receiveIcon(deps, directory, left, course, warnings);
    return { files, icon };
  } catch (error) {
    for (const { key } of arrived) await deps.blobs.delete(key).catch(() => {}); // the first error is the one to tell
    throw error;
  }
}

async function receiveFiles(
  deps: TakeoverDeps,
  directory: LeftDirectory,
  { image, files }: LeftImage,
  course: Course,
  arrived: Arrival[],
  warnings: string[],
): Promise<Received<ImageFile>[]> {
  const received: Received<ImageFile>[] = [];
  for (const [index, { compression, dataset_guid, digest, uncompressedDigest, ...promised }] of files.entries()) {
    const part = index === 0 ? 'file0' : 'file1';
    const file = await directory.file(image.uuid, part);
    if (!file) throw new NotTaken([`${part}: there is no such file`], image.name);
    const bytes = await receive(deps, part, file, promised, course, image.name);
    const details = { dataset_guid, digest, uncompressedDigest };
    const said = Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined));
    const whole = { ...bytes, stored: { ...bytes.stored, compression, ...said } };
    received.push(whole);
    arrived.push(whole);
  }
  const [first] = received;
  const remembered = await directory.rememberedMd5(image.uuid).catch((error: unknown) => {
    warnings.push(
      `file: the MD5 that was remembered of it can not be read: ${error instanceof Error ? error.message : error}`,
    );
    return undefined;
  });
  if (first && remembered && hexOf(remembered) !== hexOf(first.stored.contentMD5)) {
    warnings.push(`file: the MD5 that was remembered of it, ${remembered}, is wrong; its size and sha1 are right`);
  }
  return received;
}

/** An icon that is damaged does not cost the image. */
async function receiveIcon(
  deps: TakeoverDeps,
  directory: LeftDirectory,
  { image, icon }: LeftImage,
  course: Course,
  warnings: string[],
): Promise<Received<ImageIcon> | undefined> {
  if (!icon) return undefined;
  try {
    const file = await directory.file(image.uuid, 'icon');
    if (!file) throw new NotTaken(['icon: there is no such file']);
    const { contentType = await sniffed(file), ...promised } = icon;
    if (contentType === undefined) throw new NotTaken(['icon: is neither PNG, JPEG nor GIF']);
    const bytes = await receive(deps, 'icon', file, promised, course);
    return { ...bytes, stored: { ...bytes.stored, contentType } };
  } catch (error) {
    if (!(error instanceof NotTaken)) throw error;
    warnings.push(...error.reasons.map((reason) => `${reason}; the image was taken without it`));
    return undefined;
  }
}

async function sniffed(file: LeftFile): Promise<string | undefined> {
  return iconTypeOf(await file.head(4));
}

async function receive(
  { blobs, now }: TakeoverDeps,
  part: Part,
  file: LeftFile,
  { mtime = file.modified.toISOString(), ...expect }: Promised,
  { signal, copied }: Course,
  name?: string,
): Promise<Received<Stored>> {
  let before = 0;
  const report = (bytes: number) => {
    copied(bytes - before);
    before = bytes;
  };
  const staged = await blobs.stage();
  const content: Content = await transfer(file.open(), staged, { expect, signal, report }).catch((error: unknown) => {
    const isOfTheFile = error instanceof TransferRefused || (error instanceof Error && 'syscall' in error);
    throw isOfTheFile ? new NotTaken([`${part}: ${error.message}`], name) : error;
  });
  return { key: staged.key, content, stored: { ...storedForm(content, now()), mtime } };
}

async function insert({ policy, now }: TakeoverDeps, tx: Tx, image: Image, warnings: string[]): Promise<void> {
  await checkAncestry(tx, image);
  warnings.push(...(await originConcerns(tx, image)));
  const { owner } = image;
  const isUnknown = modeLaw[policy.mode].ownersAreUsers && owner !== UNSET_OWNER && !(await tx.get(users, owner));
  if (isUnknown) {
    await tx.insert(users, {
      uuid: owner,
      name: owner,
      superAdmin: false,
      created: now().toISOString(),
      inactive: true,
    });
  }
  await saveImage(tx, undefined, image, now());
}

/** What is as it was there, and may surprise all the same. */
function concerns({ policy: { mode, channels } }: TakeoverDeps, { lacking }: LeftImage, image: Image): string[] {
  return [
    ...lacking
      .filter((field) => !Object.hasOwn(image, field))
      .map((field) => `${field}: is missing; the next update has to bring it`),
    ...(channels.length === 0 ? [] : channelConcerns(channels, image)),
    ...(fitsMode(mode, image) ? [] : [`public: is ${image.public}, so the image is hidden in mode ${mode}`]),
  ];
}

async function originConcerns(reader: Reader, { origin }: Image): Promise<string[]> {
  return origin && !(await reader.get(images, origin)) ? [`origin: ${origin} is not here`] : [];
}

function channelConcerns(channels: Deps['policy']['channels'], image: Image): string[] {
  if (!image.channels)
    return [
      'channels: is missing, so the image is hidden on this server, which has channels: --fill-channel NAME puts it into one',
    ];
  if (channels.some(({ name }) => image.channels?.includes(name))) return [];
  return [
    `channels: are ${image.channels.join(', ') || 'none'}, of which this server has none: only channel=* finds it`,
  ];
}
