import { isRecord, type Manifest } from './checks.js';
import { type FieldError, validationFailed } from './errors.js';
import type { Compression, Image } from './image.js';
import { findProblems, normalize } from './manifest.js';
import { type Circumstances, dateOf, mend } from './mend-record.js';

export type { Circumstances };

/** What a record says of bytes that are still to be seen. Digests are in hex. */
export interface Promised {
  size?: number;
  sha1?: string;
  sha256?: string;
  md5?: string;
  mtime?: string;
}

export interface PromisedFile extends Promised {
  compression: Compression;
  dataset_guid?: string;
  digest?: string;
  uncompressedDigest?: string;
}

/** Once, a record only said that there is one. */
export interface PromisedIcon extends Promised {
  contentType?: string;
}

/** An image as an old server recorded it, in today's form; its bytes are not looked at yet. */
export interface LegacyImage {
  image: Image;
  files: PromisedFile[];
  icon?: PromisedIcon;
  /** What had to be changed to get here. */
  mended: string[];
  /** What it lacks and can do without, though no new image may. */
  lacking: string[];
}

/** What is missing in an image that was good enough to be used: updates will ask for it. */
const dispensable = new Set(['nic_driver', 'disk_driver', 'cpu_type', 'image_size']);

/** Reads what an image server, of whatever age, kept of an image. Throws ValidationFailed with all that can't be read. */
export function readLegacyRecord(value: unknown, circumstances: Circumstances): LegacyImage {
  if (!isRecord(value)) throw validationFailed([{ field: 'record', code: 'Invalid', message: 'is no object' }]);
  const mended: string[] = [];
  const { icon, files, ...manifest } = normalize(mend(value, circumstances, (what) => mended.push(what)));
  const entries = readFiles(files);
  const record = { ...manifest, files: entries };
  const rules = { mode: 'dc', channels: manifest.channels !== undefined } as const;
  const problems = [
    ...sameUuid(manifest, circumstances),
    ...findProblems(record, rules),
    ...promiseProblems(entries),
    ...keptElsewhere('files', entries),
    ...keptElsewhere('icon', icon),
  ];
  const isDispensable = ({ field, code }: FieldError) => code === 'MissingParameter' && dispensable.has(field);
  const grave = problems.filter((problem) => !isDispensable(problem));
  if (grave.length > 0) throw validationFailed(grave);
  return {
    image: { ...manifest, files: [] } as unknown as Image,
    files: entries.map((file) => promisedFile(file)),
    ...(icon !== undefined && icon !== false && { icon: promisedIcon(icon) }),
    mended,
    lacking: problems.filter(isDispensable).map(({ field }) => field),
  };
}

function sameUuid({ uuid }: Manifest, expected: Circumstances): FieldError[] {
  if (uuid === expected.uuid) return [];
  return [{ field: 'uuid', code: 'Invalid', message: `is not ${expected.uuid}, as its place says` }];
}

const readSize = (size: unknown) => (typeof size === 'string' && /^\d+$/.test(size) ? Number(size) : size);

/** What is no list of objects is left to validation. */
function readFiles(files: unknown): Record<string, unknown>[] {
  if (!Array.isArray(files)) return (files ?? []) as Record<string, unknown>[];
  return files.map((file) => (isRecord(file) ? { ...file, size: readSize(file.size) } : file));
}

const isSha1 = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{40}$/i.test(value);

/** Stricter than for manifests: without these, nobody can say whether the bytes are the right ones. */
function promiseProblems(files: unknown): FieldError[] {
  if (!Array.isArray(files)) return [];
  return files.filter(isRecord).flatMap(({ sha1, size }) => {
    const invalid = (message: string): FieldError => ({ field: 'files', code: 'Invalid', message });
    return [
      ...(!sha1 || isSha1(sha1) ? [] : [invalid('has a file whose sha1 is none')]),
      ...(!size || (Number.isSafeInteger(size) && Number(size) > 0) ? [] : [invalid('has a file whose size is none')]),
    ];
  });
}

function keptElsewhere(field: string, value: unknown): FieldError[] {
  const places = [value].flat().flatMap((item) => (isRecord(item) && item.stor ? [item.stor] : []));
  return places
    .filter((place) => place !== 'local')
    .map((place) => ({ field, code: 'Invalid', message: `is kept in ${String(place)}, not in this directory` }));
}

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

function promised(stored: Record<string, unknown>): Promised {
  const size = readSize(stored.size);
  const md5 = hexOf(stored.contentMD5);
  const sha256 = text(stored.sha256);
  const mtime = dateOf(stored.mtime);
  return {
    ...(typeof size === 'number' && { size }),
    ...(isSha1(stored.sha1) && { sha1: stored.sha1.toLowerCase() }),
    ...(sha256 && /^[0-9a-f]{64}$/i.test(sha256) && { sha256: sha256.toLowerCase() }),
    ...(md5 && { md5 }),
    ...(mtime && { mtime }),
  };
}

/** From base64, if that is what it is. */
export function hexOf(md5: unknown): string | undefined {
  const bytes = typeof md5 === 'string' ? Buffer.from(md5, 'base64') : undefined;
  return bytes?.length === 16 ? bytes.toString('hex') : undefined;
}

function promisedFile(file: Record<string, unknown>): PromisedFile {
  const kept = ['dataset_guid', 'digest', 'uncompressedDigest'].map((name) => [name, text(file[name])]);
  return {
    ...promised(file),
    compression: file.compression as Compression,
    ...Object.fromEntries(kept.filter(([, value]) => value !== undefined)),
  };
}

function promisedIcon(icon: unknown): PromisedIcon {
  if (!isRecord(icon)) return {};
  const contentType = text(icon.contentType);
  return { ...promised(icon), ...(contentType && { contentType }) };
}
