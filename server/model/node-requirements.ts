import { ImgapiError } from '../../imgapi/errors.js';
import type { Image } from '../../imgapi/image.js';
import type { Platform } from './node.js';
import type { Description } from './node-status.js';

/** Something that an image asks of a node. */
export interface Requirement {
  /** As the manifest calls it. */
  what: string;
  wanted: string;
  /** What the node has; '' where it does not tell. */
  there: string;
  /** Nothing where it can not be told. */
  ok: boolean | null;
}

export type Problem = Requirement & { ok: false };

type Asking = Pick<Image, 'type' | 'tags' | 'requirements' | 'disk_driver' | 'nic_driver' | 'cpu_type'>;

/** The series of platforms that SmartOS has been of since there are images. */
const SERIES = '7.0';
const STAMP = /\d{8}T\d{6}Z/;

/** Of the zones of SmartOS, and of nothing that has no ZFS. */
const zones: ReadonlySet<Asking['type']> = new Set(['zone-dataset', 'lx-dataset', 'lxd', 'docker']);
const withZfs: readonly Platform[] = ['smartos', 'linux-zfs'];

/** Of disks that say what is in their file: only these take them as they are. */
const takers = new Map<string | undefined, readonly Platform[]>([
  ['raw', ['qemu', 'lvm-thin']],
  ['qcow2', ['qemu']],
]);

/** Processors that every host can play. */
const anyCpu: ReadonlySet<string> = new Set(['qemu32', 'qemu64', 'kvm32', 'kvm64', 'host']);

/** All that the image asks for, met or not, in the order in which people are told. */
export function requirementsOf(image: Asking, described: Description | undefined): Requirement[] {
  const { brand, bootrom } = textsIn(image.requirements);
  const isLx = zones.has(image.type) && image.type !== 'zone-dataset';
  return [
    ...typeOf(image, described),
    ...platformOf('min_platform', image, described),
    ...platformOf('max_platform', image, described),
    ...among('brand', brand ?? (isLx ? 'lx' : undefined), described?.brands),
    ...among('bootrom', bootrom, described?.firmware),
    ...among('disk_driver', image.disk_driver, described?.drivers),
    ...among('nic_driver', image.nic_driver, described?.drivers),
    ...(image.cpu_type && !anyCpu.has(image.cpu_type) ? among('cpu_type', image.cpu_type, undefined) : []),
  ];
}

/** What speaks against the image on the node. What the node does not tell speaks against nothing. */
export const problemsOf = (image: Asking, described: Description | undefined): Problem[] =>
  requirementsOf(image, described).filter((one): one is Problem => one.ok === false);

/** Both values, for people. */
export const spelled = ({ what, wanted, there }: Requirement): string =>
  `${what}: it asks for ${wanted}, ${there === '' ? 'and the node does not tell' : `the node has ${there}`}`;

/** Throws NodeUnsuitable with all that speaks against it. */
export function checkSuits(image: Asking & { uuid: string }, node: string, described: Description | undefined): void {
  const problems = problemsOf(image, described);
  if (problems.length === 0) return;
  throw new ImgapiError(
    'NodeUnsuitable',
    `image ${image.uuid} is not for node ${node}: ${problems.map(spelled).join('; ')}`,
  );
}

function typeOf({ type, tags }: Asking, described: Description | undefined): Requirement[] {
  const platforms = zones.has(type) ? withZfs : takers.get(textsIn(tags).format);
  if (!platforms) return [];
  const ok = described ? platforms.includes(described.platform) : null;
  return [{ what: 'platform', wanted: platforms.join(' or '), there: described?.platform ?? '', ok }];
}

const bounds = {
  min_platform: { words: 'at least', holds: (there: string, bound: string) => there >= bound },
  max_platform: { words: 'at most', holds: (there: string, bound: string) => there <= bound },
} as const;

/**
 * Stamps are SmartOS's: what they ask of others can not be told. On SmartOS one that can not be read is no proof that the
 * platform will do: what is too old shows only when machines do not start.
 */
function platformOf(what: keyof typeof bounds, { requirements }: Asking, described: Description | undefined) {
  const { words, holds } = bounds[what];
  const stamps = textsIn(requirements?.[what]);
  const [other] = Object.entries(stamps);
  if (!other) return [];
  const bound = stamps[SERIES] ?? '';
  const wanted = `${words} ${bound || other.join(' ')}`;
  const there = described?.version ?? '';
  if (described?.platform !== 'smartos') return [{ what, wanted, there, ok: null }];
  const [stamp] = STAMP.exec(there) ?? [];
  const meets = bound === '' ? Object.keys(stamps).some((one) => holds(SERIES, one)) : holds(stamp ?? '', bound);
  return [{ what, wanted, there: there || 'a platform without a stamp', ok: stamp !== undefined && meets }];
}

function among(what: string, wanted: string | undefined, has: readonly string[] | undefined): Requirement[] {
  if (!wanted) return [];
  if (!has || has.length === 0) return [{ what, wanted, there: '', ok: null }];
  return [{ what, wanted, there: has.join(', '), ok: has.includes(wanted) }];
}

/** What is text in it: manifests are of every age. */
const textsIn = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(Object(value)).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== '',
    ),
  );
