import { Readable } from 'node:stream';
import { nameOf, selectChannel } from '../../imgapi/channels.js';
import { isRecord } from '../../imgapi/checks.js';
import { ImgapiError } from '../../imgapi/errors.js';
import { compressions } from '../../imgapi/image.js';
import { type BundledBytes, type BundledImage, BundleReader, isOfTheBundle } from '../../storage/bundle.js';
import type { Received } from '../../storage/receive.js';
import { type TransferOptions, TransferRefused, transfer } from '../../storage/transfer.js';
import type { Deps } from '../deps.js';
import { type Caller, nameOfCaller } from '../model/caller.js';
import { images } from '../model/image.js';
import type { Access, RegisteredImage } from '../model/registration.js';
import { canRead } from '../model/visibility.js';
import { type Brought, bringImage } from './bring-image.js';
import { checkAuthorityOf } from './check-authority.js';
import { checkStillImports } from './check-still-imports.js';
import { checkWidening } from './check-widening.js';
import { placeFor } from './create-managed-image.js';
import type { Target } from './find-image.js';
import { checkTakesFiles } from './image-server.js';
import { type ImportOptions, prepareImport, readImport } from './import-image.js';
import type { FileDetails } from './upload-file.js';
import { withRoom } from './with-room.js';

export interface BundleWish {
  dc?: string | undefined;
  dc_bound: boolean;
  access?: Access | undefined;
}

/** What has become of an image in a bundle. */
export interface BundleRow {
  /** None for what is wrong with the bundle itself. */
  image: string | null;
  name: string | null;
  status: 'imported' | 'present' | 'refused';
  code: string | null;
  detail: string | null;
}

interface Course {
  reader: BundleReader;
  caller: Caller;
  options: ImportOptions;
  access: Access | undefined;
}

/**
 * The images of a bundle, what they build on first, each whole in a write of its own or not at all. What is wrong with the
 * bundle itself ends it: what came before is here, and what would have followed is told as refused.
 */
export async function importBundle(
  deps: Deps,
  caller: Caller,
  source: AsyncIterable<Uint8Array>,
  { access, ...where }: BundleWish,
): Promise<BundleRow[]> {
  const place = { ...placeFor(deps, caller, 'import', where), by: nameOfCaller(caller) };
  checkTakesFiles(deps.directory);
  const reader = new BundleReader(source);
  const channel = nameOf(selectChannel(deps.policy.channels, undefined, { star: false }));
  const options = { channel, place, skipOwnerCheck: false, replaceMinPlatform: false };
  try {
    return await importAll(deps, { reader, caller, options, access });
  } finally {
    await reader.close();
  }
}

async function importAll(deps: Deps, course: Course): Promise<BundleRow[]> {
  const listed = await course.reader.index().catch((error: unknown) => {
    throw isOfTheBundle(error) ? invalid(error) : error;
  });
  const rows: BundleRow[] = [];
  try {
    for (const image of listed) rows.push(await importOne(deps, course, image));
    await course.reader.end();
  } catch (error) {
    if (!isOfTheBundle(error)) throw error;
    const [concerned, ...others] = listed.slice(rows.length);
    rows.push(refused(concerned?.uuid ?? null, invalid(error)));
    const cause = new ImgapiError('InvalidContent', 'the bundle was not read as far as this image');
    for (const { uuid } of others) rows.push(refused(uuid, cause));
  }
  return rows;
}

const invalid = (cause: Error) => new ImgapiError('InvalidContent', cause.message, { cause });

const refused = (image: string | null, { code, message }: ImgapiError, name: string | null = null): BundleRow => ({
  image,
  name,
  status: 'refused',
  code,
  detail: message,
});

/** What is refused of one image costs no other, but those that come from it. */
async function importOne(deps: Deps, course: Course, listed: BundledImage): Promise<BundleRow> {
  const { uuid } = listed;
  const manifest = await course.reader.manifest(listed);
  const name = isRecord(manifest) && typeof manifest.name === 'string' ? manifest.name.slice(0, 100) : null;
  try {
    const status = await bring(deps, course, listed, manifest);
    return { image: uuid, name, status, code: null, detail: null };
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) throw error;
    await course.reader.skip(listed);
    return refused(uuid, refusal, name);
  }
}

function refusalOf(error: unknown): ImgapiError | undefined {
  if (error instanceof TransferRefused) return new ImgapiError('Download', error.message, { cause: error });
  return error instanceof ImgapiError ? error : undefined;
}

async function bring(
  deps: Deps,
  course: Course,
  listed: BundledImage,
  manifest: unknown,
): Promise<'imported' | 'present'> {
  const { catalog, policy, directory } = deps;
  const { reader, caller, options, access } = course;
  const viewer = { caller, mode: policy.mode, open: directory.openDatacenters };
  const channel = selectChannel(policy.channels, undefined, { star: false });
  const target: Target = { ...viewer, uuid: listed.uuid, channel, operation: 'import' };
  const known = await catalog.get(images, listed.uuid);
  if (known && canRead(viewer, known) && isSame(known, listed)) {
    await reader.skip(listed);
    return 'present';
  }
  checkAuthorityOf(deps, caller, listed.uuid);
  const shape = (image: RegisteredImage) => shaped(image, access);
  const draft = readImport(target, manifest);
  const { details, sha1 } = detailsOf(manifest, listed);
  const { existing, image } = await prepareImport(deps, catalog, target, draft, options);
  const stillMay = () => checkStillImports(caller, image);
  stillMay();
  // Whoever may not show it in the end is told so before its bytes come.
  await checkWidening(catalog, target, existing, { ...shape(image), activated: true });
  await withRoom(deps, image, listed.file.size, async ({ through, reservation }) => {
    const expect = { ...bytesOf(listed.file), ...(sha1 !== undefined && { sha1 }) };
    const limit = policy.maxFileSize;
    const file = await arrive(deps, await reader.file(listed), { expect, through, limit });
    const icon = await iconOf(deps, reader, listed).catch(async (error: unknown) => {
      await deps.blobs.delete(file.key).catch(() => {}); // the first error is the one to tell
      throw error;
    });
    const brought: Brought = { files: [{ arrived: file, details }], ...(icon && { icon }) };
    await bringImage(deps, target, draft, brought, {
      ...options,
      shape,
      ...(reservation && { reservation }),
      along: async () => stillMay(),
    });
  });
  return 'imported';
}

const isSame = ({ files, activated }: RegisteredImage, { file }: BundledImage) =>
  activated && files.length === 1 && files[0]?.sha256 === file.sha256;

function shaped(image: RegisteredImage, access: Access | undefined): RegisteredImage {
  const { registration } = image;
  if (access === undefined || !registration) return image;
  return { ...image, public: access === 'public', registration: { ...registration, access } };
}

const bytesOf = ({ size, sha256 }: BundledBytes) => ({ size, sha256 });

/** What the manifest says of its file has to be what the bundle brings. */
function detailsOf(manifest: unknown, { uuid, file }: BundledImage): { details: FileDetails; sha1?: string } {
  const files: unknown = Object(manifest).files;
  const [said, ...others] = Array.isArray(files) ? files : [];
  const compression = compressions.find((known) => known === Object(said).compression);
  if (!isRecord(said) || others.length > 0 || !compression) {
    throw new ImgapiError('InvalidContent', `the manifest of image ${uuid} does not tell of one file`);
  }
  const { size, sha1, dataset_guid } = said;
  if (size !== undefined && size !== file.size) {
    throw new ImgapiError(
      'InvalidContent',
      `the file of image ${uuid} has ${file.size} bytes, and ${size} by its manifest`,
    );
  }
  return {
    details: { compression, ...(typeof dataset_guid === 'string' && { dataset_guid }) },
    ...(typeof sha1 === 'string' && { sha1 }),
  };
}

async function iconOf(deps: Deps, reader: BundleReader, image: BundledImage): Promise<Brought['icon']> {
  const { icon } = image;
  if (!icon) return undefined;
  const { contentType } = icon;
  if (!/^image\/(png|jpeg|gif)$/.test(contentType)) {
    throw new ImgapiError('Upload', `the icon of image ${image.uuid} is of no type that is taken: ${contentType}`);
  }
  const body = await reader.icon({ ...image, icon });
  return {
    arrived: await arrive(deps, body, { expect: bytesOf(icon), limit: deps.policy.maxIconSize }),
    contentType,
  };
}

/** All bytes come in this way; what is refused leaves none. */
async function arrive(
  { blobs }: Deps,
  body: AsyncIterable<Uint8Array>,
  options: TransferOptions & { limit: number; expect: BundledBytes },
): Promise<Received> {
  if (options.expect.size > options.limit) throw new TransferRefused('too-big', options.limit, options.expect.size);
  const staged = await blobs.stage();
  // The chunks are ours: nobody uses their memory again.
  const content = await transfer(Readable.from(body, { objectMode: false }), staged, options);
  return { key: staged.key, content };
}
