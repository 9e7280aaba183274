import { extname } from 'node:path';
import { isRecord } from './checks.js';
import { isUuid } from './image.js';

type Draft = Record<string, unknown>;

const VERSION = 2;

/** Fields of old manifests that have no successor, or whose successor is computed below. */
const dropped = new Set([
  'creator_uuid',
  'creator_name',
  'creator_admin',
  'vendor_uuid',
  'owner_uuid',
  'cloud_name',
  'platform_type',
  'created_at',
  'updated_at',
  'restricted_to_uuid',
  '_url',
]);

/** From a DSAPI manifest (".dsmanifest", version 1) to one of IMGAPI; newer ones come back as they are. */
export function upgradeManifest(manifest: Draft): Draft {
  const version = Number(manifest.v || (manifest.creator_uuid ? 1 : Number.NaN));
  if (version >= VERSION) return manifest;
  if (Number.isNaN(version)) throw new Error('the manifest has no version');
  if (!isUuid(manifest.uuid)) throw new Error('an old manifest needs a uuid');
  if (!manifest.creator_uuid) throw new Error('an old manifest needs a creator_uuid');
  if (manifest.owner !== undefined) throw new Error('an old manifest has a creator_uuid in the place of an owner');

  const disabled = Boolean(manifest.disabled);
  const published = manifest.published_at || manifest.created_at;
  return {
    ...Object.fromEntries(Object.entries(manifest).filter(([name]) => !dropped.has(name))),
    v: VERSION,
    owner: manifest.creator_uuid,
    ...audience(manifest),
    disabled,
    state: disabled ? 'disabled' : 'active',
    ...(published !== undefined && { published_at: withSeconds(published) }),
    ...(manifest.files ? { files: files(manifest.files) } : {}),
    ...(manifest.image_size ? { image_size: Number(manifest.image_size) } : {}),
  };
}

function audience({ restricted_to_uuid: account, public: isPublic }: Draft): Draft {
  if (!account) return { public: true };
  if (isPublic !== undefined) throw new Error('an old manifest is either public or restricted to an account');
  return { public: false, acl: [account] };
}

const withSeconds = (date: unknown) =>
  typeof date === 'string' ? date.replace(/^(\d{4}-\d\d-\d\dT\d\d:\d\d)Z$/, '$1:00Z') : date;

const compressions: Record<string, string> = { '.gz': 'gzip', '.bz2': 'bzip2' };

function files(value: unknown): Draft[] {
  if (!Array.isArray(value)) throw new Error('files must be an array');
  return value.map((file) => {
    if (!isRecord(file)) throw new Error('a file must be an object');
    const { path, url, ...rest } = file;
    const extension = extname(String(path || url || ''));
    return { ...rest, compression: file.compression || compressions[extension] || 'none' };
  });
}
