import { isJson, isRecord } from '../../imgapi/checks.js';
import { ImgapiError } from '../../imgapi/errors.js';
import { type Image, isUuid } from '../../imgapi/image.js';
import { type OsType, osTypeOf } from './os-types.js';

/** An image of a repository, as it was when the repository was refreshed. */
export interface RepositoryImage {
  repository: string;
  uuid: string;
  /** Of the manifest: what has not changed is not written again. */
  digest: string;
  /** As it came: nothing of it has been checked but that it can be listed. */
  manifest: Record<string, unknown>;
}

const idOf = ({ repository, uuid }: Pick<RepositoryImage, 'repository' | 'uuid'>) => `${repository}/${uuid}`;

export const repositoryImages = { name: 'repository-images', id: (image: RepositoryImage) => idOf(image) };

export const repositoryImageId = (repository: string, uuid: string) => idOf({ repository, uuid });

/** What lists of them need. */
export interface ListedRemote {
  repository: string;
  uuid: string;
  digest: string;
  name: string;
  version: string;
  created: string;
  /** When, in milliseconds: 0 where that is not said. */
  at: number;
  os: string;
  type: string;
  ostype: OsType;
  desc: string;
  homepage: string;
  /** Of the disk, in MiB. */
  size: number;
  state: string;
  /** In bytes. */
  download_size: number;
  channels: readonly string[];
}

/** Refuses what can not be listed: which entry of the list, and why. */
export function checkListed(manifest: Record<string, unknown>, at: number): string {
  const { uuid, type } = manifest;
  if (!isUuid(uuid)) throw unlistable(`entry ${at} has no uuid`);
  const missing = ['name', 'type', ...(type === 'zvol' ? ['os'] : [])].filter(
    (field) => typeof manifest[field] !== 'string' || manifest[field] === '',
  );
  if (missing.length > 0) throw unlistable(`image ${uuid} has no ${missing.join(' and no ')}`);
  if (!isJson(manifest)) throw unlistable(`image ${uuid} is nested too deeply`);
  return uuid;
}

const unlistable = (what: string) => new ImgapiError('RemoteSourceError', `the list can not be taken: ${what}`);

export function listedRemote({ repository, uuid, digest, manifest }: RepositoryImage): ListedRemote {
  const created = textOf(manifest.published_at);
  const os = textOf(manifest.os);
  const type = textOf(manifest.type);
  return {
    repository,
    uuid,
    digest,
    name: textOf(manifest.name),
    version: textOf(manifest.version),
    created,
    at: Date.parse(created) || 0,
    os,
    type,
    ostype: osTypeOf({ os, type } as Pick<Image, 'os' | 'type'>),
    desc: textOf(manifest.description).slice(0, 256),
    homepage: homepageIn(textOf(manifest.homepage)),
    size: Math.floor(numberOf(manifest.image_size)),
    state: textOf(manifest.state) || 'active',
    download_size: numberOf(firstFile(manifest).size),
    channels: Array.isArray(manifest.channels) ? manifest.channels.filter((name) => typeof name === 'string') : [],
  };
}

/** The newest first, in a total order. */
export const compareRemote = (a: ListedRemote, b: ListedRemote): number =>
  b.at - a.at || inOrder(a.uuid, b.uuid) || inOrder(a.repository, b.repository);

const inOrder = (a: string, b: string) => (a < b ? -1 : Number(a > b));

const textOf = (value: unknown) => (typeof value === 'string' ? value : '');

const numberOf = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0);

/** Nothing else is a link that a page should show. */
const homepageIn = (text: string) => (/^https?:\/\//i.test(text) && URL.canParse(text) ? text : '');

function firstFile({ files }: Record<string, unknown>): Record<string, unknown> {
  const [first]: unknown[] = Array.isArray(files) ? files : [];
  return isRecord(first) ? first : {};
}
