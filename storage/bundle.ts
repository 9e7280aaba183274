import { createHash } from 'node:crypto';
import type { BlobStore } from './blobs.js';
import { StorageDown } from './errors.js';
import { BadTar, readTar, type TarFile, type TarMember, tarParts, tarSize, writeTar } from './tar.js';

/**
 *   slipway-bundle.json           which images, what they build on first, and what their bytes are
 *   images/<uuid>/manifest.json
 *   images/<uuid>/file
 *   images/<uuid>/icon            where there is one
 */
const INDEX = 'slipway-bundle.json';
const FORMAT = 'slipway-bundle';
const VERSION = 1;

export interface BundledBytes {
  size: number;
  sha256: string;
}

/** An image as the index tells of it. */
export interface BundledImage {
  uuid: string;
  manifest: BundledBytes;
  file: BundledBytes;
  icon?: BundledBytes & { contentType: string };
}

/** An image on its way into a bundle. */
export interface Bundling {
  uuid: string;
  manifest: Record<string, unknown>;
  file: BundledBytes & { key: string };
  icon?: (BundledBytes & { key: string; contentType: string }) | undefined;
}

/** A stream, and how long it is. Chunks are lent: each is valid until the next one is asked for. */
export interface Bundle {
  size: number;
  read(): AsyncGenerator<Uint8Array>;
  /** The same, with each file as itself. */
  parts(): AsyncGenerator<Uint8Array | TarFile>;
}

/** One tar of images, those first that others come from. */
export function bundle(blobs: BlobStore, images: readonly Bundling[]): Bundle {
  const manifests = images.map(({ manifest }) => Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
  const index = {
    format: FORMAT,
    version: VERSION,
    images: images.map(
      ({ uuid, file, icon }, at): BundledImage => ({
        uuid,
        manifest: described(manifests[at]!),
        file: { size: file.size, sha256: file.sha256 },
        ...(icon && { icon: { size: icon.size, sha256: icon.sha256, contentType: icon.contentType } }),
      }),
    ),
  };
  const files = [
    inMemory(INDEX, Buffer.from(`${JSON.stringify(index, null, 2)}\n`)),
    ...images.flatMap(({ uuid, file, icon }, at) => [
      inMemory(`images/${uuid}/manifest.json`, manifests[at]!),
      stored(blobs, `images/${uuid}/file`, file),
      ...(icon ? [stored(blobs, `images/${uuid}/icon`, icon)] : []),
    ]),
  ];
  return { size: tarSize(files.map(({ size }) => size)), read: () => writeTar(files), parts: () => tarParts(files) };
}

const described = (bytes: Buffer): BundledBytes => ({
  size: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
});

const inMemory = (name: string, bytes: Buffer): TarFile => ({ name, size: bytes.length, bytes: () => [bytes] });

const stored = (blobs: BlobStore, name: string, { key, size }: { key: string; size: number }): TarFile => ({
  name,
  size,
  key,
  bytes: async function* () {
    const chunks = await blobs.read(key);
    if (!chunks) throw new StorageDown(`reading blob ${key}`, new Error('it disappeared'));
    yield* chunks;
  },
});

/** It is no bundle, or not what it says. What came before is good. */
export class BadBundle extends Error {
  override name = 'BadBundle';
}

const MOST_INDEX = 1 << 20;
const MOST_MANIFEST = 1 << 20;
const MOST_IMAGES = 256;

type PartName = 'manifest.json' | 'file' | 'icon';

/** A bundle, member by member, in the order of its index. */
export class BundleReader {
  readonly #members: AsyncGenerator<TarMember>;
  readonly #met = new Set<string>();
  #waiting: TarMember | undefined;
  #known: ReadonlySet<string> = new Set();

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#members = readTar(source);
  }

  async index(): Promise<readonly BundledImage[]> {
    const first = await this.#next();
    if (first?.name !== INDEX) throw new BadBundle(`it is no bundle of images: it does not begin with ${INDEX}`);
    const { format, version, images } = Object(await json(first, MOST_INDEX));
    if (format !== FORMAT || !Array.isArray(images)) throw new BadBundle('it is no bundle of images');
    if (version !== VERSION) throw new BadBundle(`the bundle is of version ${version}: this server reads ${VERSION}`);
    if (images.length === 0 || images.length > MOST_IMAGES) {
      throw new BadBundle(`the bundle tells of ${images.length} images, where 1 to ${MOST_IMAGES} are taken`);
    }
    for (const image of images) checkListed(image);
    const listed: BundledImage[] = images;
    if (new Set(listed.map(({ uuid }) => uuid)).size < listed.length) {
      throw new BadBundle('the bundle tells of an image twice');
    }
    this.#known = new Set(listed.flatMap(namesOf));
    return listed;
  }

  async manifest(image: BundledImage): Promise<unknown> {
    const member = await this.#part(image.uuid, 'manifest.json', image.manifest);
    return json(member, MOST_MANIFEST, image.manifest.sha256);
  }

  /** Its bytes: there until the next member is asked for. */
  async file(image: BundledImage): Promise<AsyncIterable<Uint8Array>> {
    return (await this.#part(image.uuid, 'file', image.file)).body;
  }

  async icon(image: BundledImage & { icon: BundledBytes }): Promise<AsyncIterable<Uint8Array>> {
    return (await this.#part(image.uuid, 'icon', image.icon)).body;
  }

  /** Passes over what is left of an image, which has to be there all the same. */
  async skip(image: BundledImage): Promise<void> {
    for (const name of namesOf(image)) if (!this.#met.has(name)) await this.#named(name);
  }

  /** Behind the last image there is nothing. */
  async end(): Promise<void> {
    const more = await this.#next();
    if (more) throw unexpected(more.name, this.#met, this.#known);
  }

  async close(): Promise<void> {
    await this.#members.return(undefined);
  }

  async #part(uuid: string, part: PartName, { size }: BundledBytes): Promise<TarMember> {
    const member = await this.#named(`images/${uuid}/${part}`);
    if (member.size === size) return member;
    throw new BadBundle(`${member.name} has ${member.size} bytes, and ${size} by the index`);
  }

  async #named(name: string): Promise<TarMember> {
    this.#waiting ??= await this.#next();
    const member = this.#waiting;
    if (!member) throw new BadBundle(`${name} is missing`);
    if (member.name !== name) {
      const other = unexpected(member.name, this.#met, this.#known);
      throw this.#known.has(member.name) && !this.#met.has(member.name) ? new BadBundle(`${name} is missing`) : other;
    }
    this.#waiting = undefined;
    this.#met.add(name);
    return member;
  }

  async #next(): Promise<TarMember | undefined> {
    const { done, value } = await this.#members.next();
    return done ? undefined : value;
  }
}

const namesOf = ({ uuid, icon }: BundledImage): string[] =>
  ['manifest.json', 'file', ...(icon ? ['icon'] : [])].map((part) => `images/${uuid}/${part}`);

function unexpected(name: string, met: ReadonlySet<string>, known: ReadonlySet<string>): BadBundle {
  const shown = JSON.stringify(name.slice(0, 200));
  if (met.has(name)) return new BadBundle(`${shown} comes twice`);
  return new BadBundle(known.has(name) ? `${shown} comes too late` : `${shown} has no place in a bundle`);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const SHA256 = /^[0-9a-f]{64}$/;

function checkListed(image: unknown): void {
  const { uuid, manifest, file, icon } = Object(image);
  if (typeof uuid !== 'string' || !UUID.test(uuid)) throw new BadBundle('the index tells of an image without a uuid');
  const isWhole = [manifest, file, ...(icon === undefined ? [] : [icon])].every(
    (bytes) => Number.isSafeInteger(Object(bytes).size) && bytes.size > 0 && SHA256.test(String(bytes.sha256)),
  );
  if (!isWhole || (icon !== undefined && typeof icon.contentType !== 'string')) {
    throw new BadBundle(`the index does not say of image ${uuid} what its bytes are`);
  }
}

async function json({ name, size, body }: TarMember, most: number, sha256?: string): Promise<unknown> {
  if (size > most) throw new BadBundle(`${name} has ${size} bytes, of which ${most} are allowed`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (sha256 !== undefined && described(bytes).sha256 !== sha256) {
    throw new BadBundle(`${name} is not the one that the index tells of: its sha256 is another`);
  }
  try {
    return JSON.parse(bytes.toString());
  } catch (cause) {
    throw new BadBundle(`${name} is no JSON`, { cause });
  }
}

/** Is it the fault of what came? */
export const isOfTheBundle = (error: unknown): error is Error => error instanceof BadBundle || error instanceof BadTar;
