import { posix } from 'node:path';
import type { Node } from '../model/node.js';
import type { NodePool } from '../model/node-status.js';
import type { Host, Words } from './host.js';
import { NotOnNode, NotOnPlatform } from './hypervisor.js';
import { partsOf } from './parse-told.js';

/** A directory that holds machines, and a pool of images: by its last name, or all of its path where others end so too. */
export interface Place {
  name: string;
  path: string;
  /** Has nobody said that it is there? */
  presumed: boolean;
}

export function placesOf({ name, connection }: Node, presumed: string): Place[] {
  const places = connection?.places ?? [];
  if (places.length === 0) return [{ name: posix.basename(presumed), path: presumed, presumed: true }];
  const paths = [...new Set(places.map((place) => posix.normalize(place).replace(/(.)\/$/, '$1')))];
  const odd = paths.find((path) => !path.startsWith('/') || path === '/');
  if (odd !== undefined)
    throw new NotOnPlatform(`"${odd}" is no place on ${name}: give directories, such as ${presumed}`);
  const lasts = paths.map((path) => posix.basename(path));
  const nameOf = (path: string) => {
    const last = posix.basename(path);
    return lasts.filter((other) => other === last).length > 1 ? path.slice(1).replaceAll('/', '-') : last;
  };
  return paths.map((path) => ({ name: nameOf(path), path, presumed: false }));
}

export function placeNamed(places: readonly Place[], pool: string, node: string): Place {
  const place = places.find(({ name }) => name === pool);
  if (place) return place;
  throw new NotOnNode(
    'pool',
    `there is no pool "${pool}" on ${node}: it has ${places.map(({ name }) => name).join(', ')}`,
  );
}

const look = `printf '%s\\0%s\\0' "$(hostname 2>/dev/null || uname -n)" "$(uname -sr)"
for tool; do
  if command -v "$tool" >/dev/null; then printf '%s\\0%s\\0' "$tool" "$("$tool" --version 2>&1 | head -n 1)"; fi
done`;

/** What is the same on all of them: `version` is that of the kernel. */
export async function describeLinux(
  host: Host,
  tools: readonly string[],
  signal: AbortSignal,
): Promise<{ hostname: string; version: string; tools: Record<string, string> }> {
  const printed = await host.run(['sh', '-c', look, 'sh', ...tools], { signal, most: 64 << 10 });
  const [hostname = '', version = '', ...found] = printed.split('\0').map((field) => field.trim().slice(0, 200));
  const versions = found.flatMap((name, at) => (at % 2 === 0 && name !== '' ? [[name, versionIn(found[at + 1])]] : []));
  return { hostname, version, tools: Object.fromEntries(versions) };
}

const versionIn = (said = '') => /\d+(\.\d+)+[\w.+~-]*/.exec(said)?.[0] ?? said;

const measure = `for place; do printf '%s\\0' "$(df -Pk -- "$place" 2>/dev/null | tail -n 1)"; done`;

/** How much room there is at each place. One that is not there is told so. */
export async function poolsAt(host: Host, places: readonly Place[], signal: AbortSignal): Promise<NodePool[]> {
  const paths = places.map(({ path }) => path);
  const printed = await host.run(['sh', '-c', measure, 'sh', ...paths], { signal, most: 1 << 20 });
  const lines = printed.split('\0');
  return places.flatMap(({ name, presumed }, at) => {
    const room = roomIn(lines[at]);
    if (room) return [{ name, ...room, health: 'online' }];
    return presumed ? [] : [{ name, size: 0, free: 0, health: 'missing' }];
  });
}

/** Of a line of `df -Pk`, whose first column can hold anything. */
function roomIn(line = ''): { size: number; free: number } | undefined {
  const [, size, free] = /\s(\d{1,15})\s+\d{1,15}\s+(\d{1,15})\s+(?:\d+%|-)\s/.exec(line) ?? [];
  return size === undefined ? undefined : { size: Number(size) * 1024, free: Number(free) * 1024 };
}

/** Files by patterns of their names. A place that is not there is a failure: its machines have not gone. */
export async function filesAt(
  host: Host,
  places: readonly Place[],
  { depth, names }: { depth: number; names: readonly string[] },
  signal: AbortSignal,
): Promise<string[]> {
  const paths = places.map(({ path }) => path);
  const named = names.flatMap((name, at) => (at === 0 ? ['-name', name] : ['-o', '-name', name]));
  const args = [...paths, '-mindepth', '1', '-maxdepth', `${depth}`, '-type', 'f', '(', ...named, ')', '-print0'];
  const find: Words = ['find', '-H', ...args];
  const [only] = places;
  const command: Words = only?.presumed ? ['sh', '-c', whereItIs, 'sh', only.path, ...find] : find;
  const printed = await host.run(command, { signal, most: 64 << 20 });
  return [...new Set(partsOf(printed, '\0'))].filter((path) => path !== '');
}

const whereItIs = '[ -d "$1" ] || exit 0; shift; exec "$@"';
