/** What can be set for a data center, by the names that its command lines know. */
export interface DatacenterSettings {
  /** Do anonymous callers see its active public images? */
  anonymous: boolean;
  /** May every administrator of it use private images of others that are attached to it? */
  privateUsableByDcAdmin: boolean;
  /** How many images may be bound to it; any number where it is null. */
  VMS_IMAGE_LIMIT: number | null;
  /** How many bytes they may have together. */
  imageBytesLimit: number | null;
  /** The names of images that pickers preselect. */
  VMS_DISK_IMAGE_DEFAULT: string;
  VMS_DISK_IMAGE_ZONE_DEFAULT: string;
  VMS_DISK_IMAGE_LX_ZONE_DEFAULT: string;
  /** Are images made of snapshots here? */
  VMS_VM_SNAPSHOT_ENABLED: boolean;
  /** By which URL its nodes reach this server; by that of the server where it is null. */
  publicUrl: string | null;
  /** The virtual machine that serves images; this daemon where it is null, nothing but records are kept where it is ''. */
  VMS_IMAGE_VM: string | null;
  /** Which of its network cards nodes reach. */
  VMS_IMAGE_VM_NIC: number;
  /** Other image servers that nodes are told of. */
  VMS_IMAGE_SOURCES: string[];
  /** Image servers from which images can be imported, by name. */
  VMS_IMAGE_REPOSITORIES: Record<string, string>;
}

/** Set in main for all data centers, and nowhere else. */
export const globalSettings = [
  'VMS_IMAGE_VM',
  'VMS_IMAGE_VM_NIC',
  'VMS_IMAGE_SOURCES',
  'VMS_IMAGE_REPOSITORIES',
] as const satisfies (keyof DatacenterSettings)[];

/** Names of images: each has to be one that the data center has. */
export const imageSettings = [
  'VMS_DISK_IMAGE_DEFAULT',
  'VMS_DISK_IMAGE_ZONE_DEFAULT',
  'VMS_DISK_IMAGE_LX_ZONE_DEFAULT',
] as const satisfies (keyof DatacenterSettings)[];

/** What the server comes with. */
export const presetRepositories: Readonly<Record<string, string>> = {
  danubecloud: 'https://images.danube.cloud',
  'images.joyent.com': 'https://images.joyent.com',
};

/** Of every data center but the first. */
const datacenterDefaults: DatacenterSettings = {
  anonymous: false,
  privateUsableByDcAdmin: false,
  VMS_IMAGE_LIMIT: null,
  imageBytesLimit: null,
  VMS_DISK_IMAGE_DEFAULT: '',
  VMS_DISK_IMAGE_ZONE_DEFAULT: 'base-64-es',
  VMS_DISK_IMAGE_LX_ZONE_DEFAULT: 'alpine-3',
  VMS_VM_SNAPSHOT_ENABLED: true,
  publicUrl: null,
  VMS_IMAGE_VM: null,
  VMS_IMAGE_VM_NIC: 1,
  VMS_IMAGE_SOURCES: [],
  VMS_IMAGE_REPOSITORIES: { ...presetRepositories },
};

/** A server with one data center answers everybody, as image servers do. */
const mainDefaults: DatacenterSettings = { ...datacenterDefaults, anonymous: true };

interface Configured {
  name: string;
  settings: Partial<DatacenterSettings>;
}

/**
 * With what holds where nothing was set: what was set in main, and else the defaults. That main answers everybody is no
 * reason for others to.
 */
export function settingsOf({ name, settings }: Configured, main?: Pick<Configured, 'settings'>): DatacenterSettings {
  if (name === 'main') return { ...mainDefaults, ...settings };
  const { anonymous: _, ...inherited } = main?.settings ?? {};
  const own = Object.entries(settings).filter(([key]) => !globalSettings.some((global) => global === key));
  return { ...datacenterDefaults, ...inherited, ...Object.fromEntries(own) };
}

/** Where what holds was set: in the data center itself, in main for all, or nowhere. */
export const settingSources = ['here', 'main', 'default'] as const;
export type SettingSource = (typeof settingSources)[number];

export const settingNames = Object.keys(datacenterDefaults) as (keyof DatacenterSettings)[];

export function sourceOf(
  setting: keyof DatacenterSettings,
  { name, settings }: Configured,
  main?: Pick<Configured, 'settings'>,
): SettingSource {
  const isMain = name === 'main';
  const isGlobal = globalSettings.some((global) => global === setting);
  if (setting in settings && (isMain || !isGlobal)) return 'here';
  return !isMain && setting !== 'anonymous' && main && setting in main.settings ? 'main' : 'default';
}
