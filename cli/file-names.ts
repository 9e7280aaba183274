import { basename } from 'node:path';
import { isRecord } from '../imgapi/checks.js';
import type { RemoteManifest } from '../imgapi/client.js';
import { compressionByName, extensionOf } from './compression.js';

/** What the content of an image of this type is called; others are `.img`. */
const extensions = new Map<unknown, string>([
  ['zone-dataset', '.zfs'],
  ['lx-dataset', '.zfs'],
  ['zvol', '.zfs'],
  ['docker', '.tar'],
]);

const CONTENT = /\.(zfs|img|raw|tar|qcow2|vmdk|vhdx?|iso|dsk)$/i;
/** The version begins with a digit, behind the last dash that has one behind it. */
const NAME_VERSION = /^(?<name>.+)-v?(?<version>\d[^/]*)$/;
const MOST = 200;

/** NAME-VERSION, fit to be a file's name whatever the server calls the image: neither hidden nor like an option. */
export function stemOf({ name, version }: RemoteManifest): string {
  const plain = `${name}-${version}`.replace(/[^A-Za-z0-9._+ -]/g, '_');
  return plain.replace(/^[.-]+/, '_').slice(0, MOST);
}

export function fileNameOf(image: RemoteManifest, compression: unknown): string {
  return stemOf(image) + (formatOf(image) ?? extensions.get(image.type) ?? '.img') + extensionOf(compression);
}

/** As images that were made of disks say it. */
function formatOf({ tags }: RemoteManifest): string | undefined {
  const { format } = isRecord(tags) ? tags : {};
  return format === 'raw' || format === 'qcow2' ? `.${format}` : undefined;
}

/** The file's name without what only says how its content is written. */
export function stemOfFile(file: string): string {
  const plain = compressionByName(file) === undefined ? file : file.slice(0, file.lastIndexOf('.'));
  return plain.replace(CONTENT, '');
}

/** What a file such as `base-1.0.0.zfs.gz` says of its image. */
export function namedBy(file: string): { name: string; version: string } | undefined {
  const { name, version } = NAME_VERSION.exec(stemOfFile(basename(file)))?.groups ?? {};
  return name !== undefined && version !== undefined ? { name, version } : undefined;
}
