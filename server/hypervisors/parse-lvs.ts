import { parseJson } from './parse-told.js';

/** A logical volume, as `lvs` tells. */
export interface Volume {
  /** `VG/NAME`. */
  path: string;
  group: string;
  name: string;
  uuid: string;
  size: number;
  /** The thin pool that it lies in. */
  pool: string;
  /** The volume of the same group that it was taken of. */
  origin: string;
  created?: string;
  tags: string[];
  kind: 'pool' | 'thin' | 'other';
  /** Is it in use by a machine? Not known where the kernel does not say. */
  isOpen?: boolean;
  /** Is it left alone where all are activated, as snapshots are, or is it never written to? */
  isFrozen: boolean;
  isHealthy: boolean;
  /** Of its size, that is taken. */
  taken: number;
}

/** As LVM allows them. */
export const VOLUME_NAME = /^[A-Za-z0-9+_.][A-Za-z0-9+_.-]{0,126}$/;

/** What is asked for. */
export const FIELDS = [
  'vg_name',
  'lv_name',
  'lv_uuid',
  'lv_size',
  'lv_attr',
  'lv_layout',
  'pool_lv',
  'origin',
  'lv_time',
  'lv_tags',
  'data_percent',
] as const;

/** Of `lvs --reportformat json --units b --nosuffix`, with the time in seconds. What it says of others than these is passed over. */
export function volumesIn(printed: string): Volume[] {
  const report: unknown = parseJson(printed);
  return listAt(report, 'report').flatMap((part) => listAt(part, 'lv').flatMap(volumeOf));
}

function listAt(value: unknown, key: string): unknown[] {
  const found = isObject(value) ? value[key] : undefined;
  return Array.isArray(found) ? found : [];
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function volumeOf(value: unknown): Volume[] {
  if (!isObject(value)) return [];
  const text = (key: (typeof FIELDS)[number]) => (typeof value[key] === 'string' ? (value[key] as string) : '');
  const [group, name, attr] = [text('vg_name'), text('lv_name'), text('lv_attr')];
  const size = Number(text('lv_size'));
  // What LVM hides from its users stands in brackets.
  if (!VOLUME_NAME.test(group) || !VOLUME_NAME.test(name) || !Number.isSafeInteger(size)) return [];
  const layout = text('lv_layout').split(',');
  const seconds = Number(text('lv_time'));
  const hasTime = Number.isSafeInteger(seconds) && seconds > 0 && seconds < 8e9;
  return [
    {
      path: `${group}/${name}`,
      group,
      name,
      uuid: text('lv_uuid'),
      size,
      pool: text('pool_lv'),
      origin: text('origin'),
      ...(hasTime && { created: new Date(seconds * 1000).toISOString() }),
      tags: text('lv_tags')
        .split(',')
        .filter((tag) => tag !== ''),
      kind: layout.includes('pool') ? 'pool' : layout.includes('thin') ? 'thin' : 'other',
      ...(attr[5] !== 'X' && { isOpen: attr[5] === 'o' }),
      isFrozen: attr[1]?.toLowerCase() === 'r' || attr[9] === 'k',
      isHealthy: !/[FDMpX]/.test(attr[8] ?? ''),
      taken: Math.min(100, Math.max(0, Number(text('data_percent')) || 0)) / 100,
    },
  ];
}
