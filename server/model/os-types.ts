import type { Image } from '../../imgapi/image.js';

/** What machines are made of an image, by the numbers that management has for it. */
export const osTypes = {
  1: { means: 'Linux VM', os: 'linux', type: 'zvol' },
  2: { means: 'SunOS VM', os: 'illumos', type: 'zvol' },
  3: { means: 'BSD VM', os: 'bsd', type: 'zvol' },
  4: { means: 'Windows VM', os: 'windows', type: 'zvol' },
  5: { means: 'SunOS zone', os: 'smartos', type: 'zone-dataset' },
  6: { means: 'Linux zone', os: 'linux', type: 'lx-dataset' },
} as const;

export type OsType = 1 | 2 | 3 | 4 | 5 | 6;

const LINUX_VM = 1;
const SUNOS_VM = 2;
export const SUNOS_ZONE = 5;
export const LINUX_ZONE = 6;

const byType: Partial<Record<Image['type'], OsType>> = {
  'zone-dataset': SUNOS_ZONE,
  'lx-dataset': LINUX_ZONE,
  lxd: LINUX_ZONE,
  docker: LINUX_ZONE,
};

const byOs: Partial<Record<Image['os'], OsType>> = {
  linux: LINUX_VM,
  illumos: SUNOS_VM,
  smartos: SUNOS_VM,
  bsd: 3,
  windows: 4,
};

/** The type decides about zones, the os about all else; what is not known passes for Linux. */
export const osTypeOf = ({ type, os }: Pick<Image, 'type' | 'os'>): OsType => byType[type] ?? byOs[os] ?? LINUX_VM;

export const isZone = (ostype: OsType): boolean => ostype >= SUNOS_ZONE;
