import type { Draft } from '../../imgapi/draft.js';
import { ImgapiError } from '../../imgapi/errors.js';
import { type Compression, UNSET_OWNER } from '../../imgapi/image.js';
import { uuidOfHex } from './chain-uuid.js';

interface Offered {
  product: string;
  version: string;
  pubname?: string;
  os: string;
  release: string;
  releaseTitle: string;
  arch: string;
  aliases: string;
  fingerprint: string;
  files: readonly { ftype: string; path: string; sha256: string }[];
}

export interface LxdAlias {
  /** As it was given: registry:image. */
  full: string;
  registry: string;
  image: string;
}

export function parseAlias(full: string): LxdAlias | undefined {
  const colon = full.indexOf(':');
  if (colon < 0) return undefined;
  return { full, registry: full.slice(0, colon), image: full.slice(colon + 1) };
}

export const lxdUuidOf = ({ fingerprint }: Pick<Offered, 'fingerprint'>) => uuidOfHex(fingerprint);

/** As a manifest to import. */
export function lxdDraft(offered: Offered, { registry, visible }: { registry: string; visible: boolean }): Draft {
  const { product, version, pubname = product, os, release, releaseTitle, arch, aliases, fingerprint, files } = offered;
  const [first, last] = [files[0], files.at(-1)];
  const published = /^(\d{4})(\d\d)(\d\d)/.exec(version);
  const at = published ? `${published[1]}-${published[2]}-${published[3]}T00:00:00.000Z` : undefined;
  return {
    v: 2,
    uuid: lxdUuidOf(offered),
    owner: UNSET_OWNER,
    name: pubname.replace(/[^A-Za-z0-9._/ -]/g, '_').slice(0, 1024),
    version: version.replace(/[^A-Za-z0-9._/+-]/g, '_').slice(0, 512),
    description: [os, releaseTitle || release, arch, `(${version})`]
      .filter((word) => word !== '')
      .join(' ')
      .slice(0, 512),
    public: visible,
    ...(at !== undefined && !Number.isNaN(Date.parse(at)) && { published_at: at }),
    type: 'lxd',
    os: 'linux',
    requirements: { brand: 'lx' },
    tags: {
      'lxd:arch': arch,
      'lxd:aliases': aliases,
      'lxd:fingerprint': fingerprint,
      'lxd:ftype': last?.ftype,
      'lxd:name': pubname,
      'lxd:os': os,
      'lxd:path': first?.path,
      'lxd:release': release,
      'lxd:release_title': releaseTitle,
      'lxd:repo': registry,
      'lxd:sha256': first?.sha256,
    },
  };
}

const endings: readonly [string, Compression][] = [
  ['.gz', 'gzip'],
  ['.bz2', 'bzip2'],
  ['.xz', 'xz'],
];

/** A squashfs is compressed inside, which is nobody's business but that of who mounts it. */
export const compressionOfPath = (path: string): Compression =>
  endings.find(([ending]) => path.endsWith(ending))?.[1] ?? 'none';

export const unknownRegistry = (name: string, known: readonly string[]) =>
  new ImgapiError('RemoteSourceError', `there is no registry "${name}": configured are ${known.join(', ') || 'none'}`);
