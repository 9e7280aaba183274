/** The stored form of an image: its manifest plus what only the server knows. Names are those of the wire. */

export const states = ['active', 'unactivated', 'disabled', 'creating', 'failed'] as const;
export const types = ['zone-dataset', 'lx-dataset', 'zvol', 'lxd', 'docker', 'other'] as const;
export const oses = ['smartos', 'linux', 'windows', 'bsd', 'illumos', 'other'] as const;
export const compressions = ['gzip', 'bzip2', 'xz', 'none'] as const;
export const modes = ['public', 'private', 'dc'] as const;

export type State = (typeof states)[number];
export type Compression = (typeof compressions)[number];
export type Mode = (typeof modes)[number];

/** The owner of images that nobody in particular owns. */
export const UNSET_OWNER = '00000000-0000-0000-0000-000000000000';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}

/** Digests of stored bytes, in hex except where the wire wants base64. */
export interface Stored {
  sha1: string;
  sha256: string;
  size: number;
  contentMD5: string;
  mtime: string;
  stor: 'local';
}

export interface ImageFile extends Stored {
  /** Only images that were made here can be packed with zstd, where all who fetch them are said to unpack it. */
  compression: Compression | 'zstd';
  dataset_guid?: string;
  digest?: string;
  uncompressedDigest?: string;
}

export interface ImageIcon extends Stored {
  contentType: string;
}

export interface Image {
  v: number;
  uuid: string;
  owner: string;
  name: string;
  version: string;
  state: State;
  disabled: boolean;
  activated: boolean;
  public: boolean;
  published_at?: string;
  expires_at?: string;
  /** The string "null" for a placeholder whose type and os are not known yet. */
  type: (typeof types)[number] | 'null';
  os: (typeof oses)[number] | 'null';
  files: ImageFile[];
  icon?: ImageIcon;
  acl?: string[];
  description?: string;
  homepage?: string;
  eula?: string;
  urn?: string;
  requirements?: Record<string, unknown>;
  users?: { name: string }[];
  generate_passwords?: boolean;
  inherited_directories?: string[];
  origin?: string;
  nic_driver?: string;
  disk_driver?: string;
  cpu_type?: string;
  image_size?: number;
  tags?: Record<string, unknown>;
  billing_tags?: string[];
  traits?: Record<string, unknown>;
  error?: { message?: string; code?: string; stack?: string };
  channels?: string[];
}
