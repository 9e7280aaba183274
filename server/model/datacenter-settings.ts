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
}

/** Of every data center but the first. */
export const datacenterDefaults: DatacenterSettings = {
  anonymous: false,
  privateUsableByDcAdmin: false,
  VMS_IMAGE_LIMIT: null,
  imageBytesLimit: null,
  VMS_DISK_IMAGE_DEFAULT: '',
  VMS_DISK_IMAGE_ZONE_DEFAULT: 'base-64-es',
  VMS_DISK_IMAGE_LX_ZONE_DEFAULT: 'alpine-3',
};

/** A server with one data center answers everybody, as image servers do. */
export const mainDefaults: DatacenterSettings = { ...datacenterDefaults, anonymous: true };

/** With what holds where nothing was set. */
export function settingsOf({
  name,
  settings,
}: {
  name: string;
  settings: Partial<DatacenterSettings>;
}): DatacenterSettings {
  return { ...(name === 'main' ? mainDefaults : datacenterDefaults), ...settings };
}
