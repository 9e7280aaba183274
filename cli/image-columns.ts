import { isRecord } from '../imgapi/checks.js';
import type { RemoteManifest } from '../imgapi/client.js';
import { fieldOf } from '../imgapi/fields.js';
import { CliError } from './errors.js';
import { words } from './key-values.js';
import { type Column, sizeText } from './output.js';
import { compareVersions } from './versions.js';

type ImageColumn = Omit<Column<RemoteManifest>, 'title'>;

const at = (path: string): ImageColumn => ({ text: (image) => textOf(memberAt(image, path)) });

/** Columns that are more than a field of the manifest. */
const special: Record<string, ImageColumn> = {
  version: { ...at('version'), compare: (a, b) => compareVersions(textOf(a.version), textOf(b.version)) },
  published: { text: ({ published_at }) => textOf(published_at).slice(0, 10), compare: byPublication },
  size: { text: (image) => sizeText(bytesOf(image)), compare: bySize, align: 'right' },
  bytes: { text: (image) => String(bytesOf(image)), compare: bySize, align: 'right' },
};

export const columnsMeaning = `any field of a manifest, ${Object.keys(special).slice(1).join(', ')}, or a member such as tags.role`;

/** The columns that a list such as `uuid,name,tags.role` names. */
export function imageColumns(names: string): Column<RemoteManifest>[] {
  return words(names).map((name) => ({ title: name.toUpperCase(), ...columnOf(name) }));
}

/** The order that a list such as `name,-published` names; a minus makes it descend. */
export function imageOrder(names: string): { column: Column<RemoteManifest>; descending: boolean }[] {
  return words(names).map((word) => {
    const descending = word.startsWith('-');
    const name = descending ? word.slice(1) : word;
    return { column: { title: name, ...columnOf(name) }, descending };
  });
}

function columnOf(name: string): ImageColumn {
  if (Object.hasOwn(special, name)) return special[name]!;
  const [field = ''] = name.split('.', 1);
  if (fieldOf(field) !== undefined) return at(name);
  throw new CliError(`there is no column "${name}"`, { hint: `a column is ${columnsMeaning}` });
}

/** Tags may have dots in their names, so all that is behind the first one is a name as well. */
function memberAt(value: unknown, path: string): unknown {
  if (!isRecord(value)) return undefined;
  if (Object.hasOwn(value, path)) return value[path];
  const dot = path.indexOf('.');
  return dot === -1 ? undefined : memberAt(value[path.slice(0, dot)], path.slice(dot + 1));
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '-';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function byPublication(a: RemoteManifest, b: RemoteManifest): number {
  return Date.parse(String(a.published_at ?? 0)) - Date.parse(String(b.published_at ?? 0));
}

function bySize(a: RemoteManifest, b: RemoteManifest): number {
  return bytesOf(a) - bytesOf(b);
}

function bytesOf({ files }: RemoteManifest): number {
  return Array.isArray(files) ? files.reduce((sum: number, file) => sum + Number(Object(file).size ?? 0), 0) : 0;
}
