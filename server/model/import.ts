import { isRecord, shown } from '../../imgapi/checks.js';
import type { DiskFormat } from '../../imgapi/disk-format.js';
import { type Draft, readDraft } from '../../imgapi/draft.js';
import { type ErrorDetails, ImgapiError } from '../../imgapi/errors.js';
import { type Compression, compressions, isUuid } from '../../imgapi/image.js';
import type { Packing } from '../../imgapi/packing.js';

/** How a source is asked. */
export interface SourceAccess {
  /** Configured by a SuperAdmin, or asked for by an operator: exempt from the rules for addresses. */
  trusted: boolean;
  /** The reference of a stored secret. */
  secret?: string;
  ca?: string;
  insecure?: boolean;
}

/** Where an image is fetched from. */
export type ImportSource =
  | { kind: 'imgapi'; url: string; channel?: string; access: SourceAccess }
  /** Without a manifest, what is known of the image was said by hand. */
  | { kind: 'url'; manifest?: string; file: string; access: SourceAccess }
  | { kind: 'repository'; name: string };

/** What is known of a file before it has come. */
export interface AnnouncedFile {
  size?: number;
  sha1?: string;
  sha256?: string;
  compression: Compression;
  dataset_guid?: string;
  /** What was found by looking into it, and has to be there again when it comes. */
  inside?: Inside;
}

export interface Inside {
  packing: Packing;
  format: DiskFormat;
  /** Of the file as it is sent, where it is packed anew on its way. */
  promised?: { size?: number; sha1?: string; sha256?: string };
}

/** An image that has to be fetched. */
export interface ImportStep {
  uuid: string;
  from: ImportSource;
  file: AnnouncedFile;
  /** Whether the source has an icon of it. */
  icon?: true;
}

/** What a task that imports has to do: what others build on comes first, the wanted image last. */
export interface ImportPlan {
  steps: ImportStep[];
}

/** A step, with the manifest of the image. */
export interface DescribedStep extends ImportStep {
  draft: Draft;
}

/** As many images as may build on each other. */
export const LONGEST_CHAIN = 100;

export type SourcePart = 'manifest' | 'file';

/** What a source sent, or how it failed, to be told by what it was asked for. */
export class BadSource extends ImgapiError {
  override name = 'BadSource';

  constructor(
    readonly part: SourcePart,
    message: string,
    { isGone = false, ...details }: ErrorDetails & { isGone?: boolean } = {},
  ) {
    super('RemoteSourceError', message, details);
    this.isGone = isGone;
  }

  /** The source works, and does not have it. */
  readonly isGone: boolean;
}

/** What a manifest says has to be done; `wanted` is the uuid that was asked for, where one was. */
export function stepOf(
  manifest: Record<string, unknown>,
  from: ImportSource,
  { wanted, what }: { wanted?: string | undefined; what: string },
): DescribedStep {
  const bad = (message: string) => new BadSource('manifest', `${what} ${message}`);
  const { uuid } = manifest;
  if (!isUuid(uuid)) throw bad(`sent a manifest without a uuid`);
  if (wanted !== undefined && uuid !== wanted) throw bad(`sent image ${uuid} instead of ${wanted}`);
  for (const field of ['name', 'version', 'type', 'os']) {
    if (typeof manifest[field] !== 'string') throw bad(`sent a manifest of image ${uuid} without ${field}`);
  }
  const { files } = manifest;
  if (!Array.isArray(files) || files.length !== 1 || !isRecord(files[0])) {
    const count = Array.isArray(files) ? files.length : 0;
    throw bad(`has ${count} files of image ${uuid}: exactly one is needed`);
  }
  const file = announced(files[0], (problem) => bad(`sent a manifest of image ${uuid} whose file ${problem}`));
  const icon = manifest.icon === true && { icon: true as const };
  return { uuid, from, file, ...icon, draft: readDraft('import', manifest) };
}

const digests = { sha1: /^[0-9a-f]{40}$/, sha256: /^[0-9a-f]{64}$/ };

function announced(file: Record<string, unknown>, bad: (problem: string) => Error): AnnouncedFile {
  const { size, dataset_guid, compression: given = 'none' } = file;
  const compression = compressions.find((known) => known === given);
  if (!compression) throw bad(`has the unknown compression ${shown(given)}`);
  if (size !== undefined && !(Number.isSafeInteger(size) && Number(size) > 0)) throw bad(`has the size ${shown(size)}`);
  const promised: { sha1?: string; sha256?: string } = {};
  for (const [name, form] of Object.entries(digests)) {
    const value = file[name];
    if (value === undefined) continue;
    if (typeof value !== 'string' || !form.test(value.toLowerCase())) throw bad(`has the ${name} ${shown(value)}`);
    promised[name as keyof typeof digests] = value.toLowerCase();
  }
  return {
    ...(size !== undefined && { size: Number(size) }),
    ...promised,
    compression,
    ...(typeof dataset_guid === 'string' && { dataset_guid }),
  };
}

/** Origins have to be active where they come from; so has the image itself, unless it is of a server's own list. */
export function checkActive({ state }: Record<string, unknown>, uuid: string, what: string): void {
  if (state === undefined || state === 'active') return;
  throw new ImgapiError('OriginIsNotActive', `origin ${uuid} is ${shown(state)} at ${what}`);
}

/** Which image is wanted, where there is a choice, and where it and its origins come from. */
export interface Wanted {
  from: ImportSource;
  uuid?: string | undefined;
  /** Nothing where its origins have to be here. */
  origins?: ImportSource | undefined;
}

/** By the address of a manifest: of a server of images, which has the origins too, or of this one only. */
export function wantedAt(url: string, file: string | undefined, access: SourceAccess): Wanted {
  const at = new URL(url);
  const { origin, pathname, searchParams } = at;
  const alone: ImportSource = { kind: 'url', manifest: url, file: file ?? besideManifest(at), access };
  const [, base, uuid] = /^(.*)\/images\/([^/]+)\/?$/.exec(pathname) ?? [];
  const { channel, ...others } = Object.fromEntries(searchParams);
  if (base === undefined || !isUuid(uuid) || Object.keys(others).length > 0) return { from: alone };
  const server: ImportSource = {
    kind: 'imgapi',
    url: origin + base,
    ...(channel !== undefined && { channel }),
    access,
  };
  return { from: file === undefined ? server : alone, uuid, origins: server };
}

function besideManifest(url: URL): string {
  const at = new URL(url);
  at.pathname = `${at.pathname.replace(/\/+$/, '')}/file`;
  return at.href;
}

/** In bytes, where every size is known. */
export function bytesOfSteps(steps: readonly Pick<ImportStep, 'file'>[]): number | undefined {
  let sum = 0;
  for (const { file } of steps) {
    if (file.size === undefined) return undefined;
    sum += file.size;
  }
  return sum;
}

/** Under which what a task fetches is kept until it is whole: the sweep finds by it what nobody will come for. */
export const keptUnder = (task: string) => `tasks/${task}`;

export const holderOf = (task: string, uuid: string) => `${keptUnder(task)}/${uuid}`;

/** Of which task a holder is, where it is one's. */
export const taskOfHolder = (holder: string): string | undefined => /^tasks\/([^/]+)\//.exec(holder)?.[1];
