import { posix } from 'node:path';
import type { Host } from './host.js';
import { parseJson, partsOf } from './parse-told.js';

export interface InternalSnapshot {
  id: string;
  name: string;
  created: string;
  /** Bytes of the machine's memory that were kept with it. */
  memory: number;
}

/** A file that is a disk, or was one, as qemu-img tells. */
export interface DiskFile {
  path: string;
  format: 'raw' | 'qcow2';
  /** Does a process write to it? */
  held: boolean;
  /** Bytes of the disk as its machine sees it; absent where the file can not be read. */
  size?: number;
  /** Bytes that it takes on the node. */
  takes: number;
  /** What it builds on: a path, or nothing that is one. */
  backing?: { path: string } | { odd: string };
  snapshots: InternalSnapshot[];
}

// A guest writes what it likes into a raw disk, and could make it look like a qcow2 that builds on any file of the node:
// so the name says what a file is, or libvirt, and never its content.
export const formatOf = (path: string): DiskFile['format'] => (path.endsWith('.qcow2') ? 'qcow2' : 'raw');

// A file that has gone meanwhile is passed over.
const look = `for file; do
  format=\${file%%:*} path=\${file#*:}
  [ -f "$path" ] || [ -b "$path" ] || continue
  held=free
  info=$(qemu-img info -f "$format" --output=json -- "$path" 2>/dev/null) || {
    held=held
    info=$(qemu-img info -U -f "$format" --output=json -- "$path" 2>/dev/null) || info=
  }
  printf '%s\\0%s\\0%s\\0%s\\0' "$path" "$format" "$held" "$info"
done`;

const MOST = 64 << 20;

/** Looks into files, without what they build on. */
export async function lookInto(
  host: Host,
  files: readonly { path: string; format: string }[],
  signal: AbortSignal,
): Promise<DiskFile[]> {
  const asked = files.filter(({ format }) => format === 'raw' || format === 'qcow2');
  if (asked.length === 0) return [];
  const input = asked.map(({ path, format }) => `${format}:${path}\0`).join('');
  const printed = await host.run(['xargs', '-0', 'sh', '-c', look, 'sh'], { signal, input, most: MOST });
  return filesIn(printed);
}

/** What the script above prints. */
function filesIn(printed: string): DiskFile[] {
  const fields = partsOf(printed, '\0');
  const files: DiskFile[] = [];
  for (let at = 0; at + 3 < fields.length; at += 4) {
    const [path = '', format = '', held = '', info = ''] = fields.slice(at, at + 4);
    files.push(fileOf(path, format === 'qcow2' ? 'qcow2' : 'raw', held === 'held', info));
  }
  return files;
}

type Json = Readonly<Record<string, unknown>>;

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

const bytesOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

function fileOf(path: string, format: DiskFile['format'], held: boolean, text: string): DiskFile {
  const info = jsonOf(text);
  const size = bytesOf(info['virtual-size']);
  const backing = info['full-backing-filename'] ?? info['backing-filename'];
  return {
    path,
    format,
    held: held && size !== undefined,
    ...(size !== undefined && { size }),
    takes: bytesOf(info['actual-size']) ?? 0,
    ...(typeof backing === 'string' && { backing: backingOf(backing) }),
    snapshots: Array.isArray(info.snapshots) ? info.snapshots.flatMap(snapshotOf) : [],
  };
}

function jsonOf(text: string): Json {
  try {
    const value: unknown = parseJson(text);
    return isJson(value) ? value : {};
  } catch {
    return {};
  }
}

const backingOf = (name: string) => (name.startsWith('/') ? { path: posix.normalize(name) } : { odd: name });

function snapshotOf(value: unknown): InternalSnapshot[] {
  if (!isJson(value)) return [];
  const { id, name } = value;
  const seconds = bytesOf(value['date-sec']);
  // The number is what is sent back to qemu, which reads it as an option.
  if (typeof id !== 'string' || !/^[0-9]{1,10}$/.test(id) || typeof name !== 'string' || name === '') return [];
  if (seconds === undefined || seconds > 8e9) return [];
  const memory = bytesOf(value['vm-state-size']) ?? 0;
  return [{ id, name, created: new Date(seconds * 1000).toISOString(), memory }];
}

/** A file as an option of qemu, where a comma ends what it does not double. */
export const optionOf = ({ path, format }: Pick<DiskFile, 'path' | 'format'>, ...more: string[]) =>
  [`driver=${format}`, ...more, 'file.driver=file', `file.filename=${path.replaceAll(',', ',,')}`].join(',');
