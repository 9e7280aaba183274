import type { Host } from './host.js';
import { partsOf } from './parse-told.js';

/** What a file beside a machine says of it, on platforms that know no more than disks. All of it is optional. */
export interface Sidecar {
  uuid?: string;
  hostname?: string;
  brand?: string;
  os?: string;
  owner?: string;
  tags: string[];
  /** Of which images its disks were made, in their order. */
  images: string[];
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const LONGEST = 256;

const read = `for file; do printf '%s\\0%s\\0' "$file" "$(head -c 65536 -- "$file")"; done`;

/** By the path of the file that says it. */
export async function sidecarsIn(
  host: Host,
  files: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Sidecar>> {
  if (files.length === 0) return new Map();
  const input = files.map((file) => `${file}\0`).join('');
  const printed = await host.run(['xargs', '-0', 'sh', '-c', read, 'sh'], { signal, input, most: 64 << 20 });
  const fields = partsOf(printed, '\0');
  const found = new Map<string, Sidecar>();
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const sidecar = sidecarOf(fields[at + 1] ?? '');
    if (sidecar) found.set(fields[at] ?? '', sidecar);
  }
  return found;
}

/** Whatever is not of its type is passed over: it is written by hand. */
function sidecarOf(text: string): Sidecar | undefined {
  const said = objectIn(text);
  if (!said) return undefined;
  const own = (name: string) => {
    const value = said[name];
    return typeof value === 'string' && value !== '' && value.length <= LONGEST ? { [name]: value } : {};
  };
  return {
    ...(typeof said.uuid === 'string' && UUID.test(said.uuid) && { uuid: said.uuid }),
    ...own('hostname'),
    ...own('brand'),
    ...own('os'),
    ...own('owner'),
    tags: textsIn(said.tags),
    images: textsIn(said.images).map((image) => (UUID.test(image) ? image : '')),
  };
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

const textsIn = (value: unknown): string[] =>
  Array.isArray(value)
    ? value.filter((one): one is string => typeof one === 'string' && one.length <= LONGEST).slice(0, 64)
    : [];
