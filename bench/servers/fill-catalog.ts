import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { MAIN } from '../../server/model/datacenter.js';
import { fileHolder, images } from '../../server/model/image.js';
import type { RegisteredImage } from '../../server/model/registration.js';
import { bytesOf, ofOwner, usage } from '../../server/model/usage.js';
import { ADMIN } from '../../server/model/user.js';
import type { Catalog } from '../../storage/catalog.js';
import { contents, type Holding } from '../../storage/holdings.js';
import { openCatalog } from '../../storage/open.js';

/** The nth image as it is kept, or not at all. */
export type Standing = (image: RegisteredImage, n: number) => RegisteredImage | undefined;

const inMain: Standing = (image) => image;

/** So many images have the same name, each with a version of its own, whatever the number of images. */
export const OF_A_NAME = 20;

const AT_ONCE = 2000;

/**
 * Fills the catalog of a data directory that no daemon has open with active public images of about 2 KB, each published
 * a minute after the one before, always the same ones. Their records stand as if the files had been received, in
 * main unless told otherwise.
 */
export async function fillCatalog(data: string, count: number, standing: Standing = inMain): Promise<void> {
  const catalog = await openCatalog({ kind: 'leveldb', directory: join(data, 'catalog') });
  try {
    await fill(catalog, count, standing);
  } finally {
    await catalog.close();
  }
}

/** The same, of any catalog. */
export async function fill(catalog: Catalog, count: number, standing: Standing = inMain): Promise<void> {
  let kept = 0;
  let bytes = 0;
  for (let first = 0; first < count; first += AT_ONCE) {
    await catalog.write(async (tx) => {
      for (let n = first; n < Math.min(first + AT_ONCE, count); n += 1) {
        const image = standing(imageOf(n, count), n);
        if (!image) continue;
        kept += 1;
        bytes += bytesOf(image);
        await tx.insert(images, image);
        await tx.insert(contents, holdingOf(image));
      }
    });
  }
  await catalog.write((tx) => tx.insert(usage, { of: ofOwner(ADMIN.uuid), images: kept, bytes }));
}

/** The name that the nth image of so many has, to filter by. */
export const nameOf = (n: number, count: number) =>
  `${pick(PRODUCTS, familyOf(n, count))}-${String(familyOf(n, count)).padStart(5, '0')}`;

const familyOf = (n: number, count: number) => n % Math.ceil(count / OF_A_NAME);

const FIRST_PUBLISHED = Date.parse('2020-01-01T00:00:00Z');
const MINUTE = 60_000;

const DISK = { nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host', image_size: 10_240 };

const KINDS = [
  { type: 'zone-dataset', os: 'smartos', requirements: { min_platform: { '7.0': '20210826T002459Z' } } },
  { type: 'lx-dataset', os: 'linux', requirements: { brand: 'lx', min_platform: { '7.0': '20210826T002459Z' } } },
  { type: 'zvol', os: 'linux', ...DISK, requirements: { ssh_key: true } },
  { type: 'zvol', os: 'bsd', ...DISK, requirements: { bootrom: 'uefi' } },
  { type: 'other', os: 'other', requirements: { brand: 'bhyve' } },
] as const;

const PRODUCTS = ['base', 'minimal', 'debian', 'postgresql', 'nginx', 'node', 'redis', 'haproxy', 'mattermost'];
const WORDS =
  `a lightweight image with pkgsrc packages and common tools pre-installed for a 64-bit instance which serves as
the basis of application servers that are built from it and kept up to date by the team that maintains them including
monitoring agents log shipping certificates and hardened defaults`.split(/\s+/);

export function imageOf(n: number, count: number): RegisteredImage {
  const { requirements, ...kind } = pick(KINDS, n);
  const published = new Date(FIRST_PUBLISHED + n * MINUTE).toISOString();
  const name = nameOf(n, count);
  const version = `${20 + Math.floor(n / Math.ceil(count / OF_A_NAME))}.${n % 4}.${n % 10}`;
  return {
    v: 2,
    uuid: uuidOf(n),
    owner: ADMIN.uuid,
    name,
    version,
    state: 'active',
    disabled: false,
    activated: true,
    public: true,
    published_at: published,
    ...kind,
    files: [fileOf(n, published)],
    description: Array.from({ length: 80 }, (_, word) => pick(WORDS, n * 7 + word * (1 + (n % 11)))).join(' '),
    homepage: `https://docs.example.com/images/${name}/${version}`,
    eula: `https://docs.example.com/images/${name}/licence`,
    urn: `example:admin:${name}:${version}`,
    requirements: {
      networks: [
        { name: 'net0', description: 'admin' },
        { name: 'net1', description: 'public' },
      ],
      min_ram: 512 << (n % 4),
      max_ram: 65_536,
      ...requirements,
    },
    users: ['root', 'admin', 'service'].map((user) => ({ name: user })),
    generate_passwords: true,
    tags: {
      role: pick(['web', 'database', 'cache', 'build'], n),
      team: `team-${n % 50}`,
      kernel: '5.10.0',
      eol: false,
    },
    billing_tags: [`tier-${n % 5}`],
    registration: {
      name: `${name.slice(0, 20)}-${n}`,
      access: 'public',
      datacenters: [MAIN],
      created: published,
      changed: published,
    },
  };
}

function fileOf(n: number, mtime: string): RegisteredImage['files'][number] {
  return {
    sha1: digest('sha1', n).toString('hex'),
    sha256: digest('sha256', n).toString('hex'),
    contentMD5: digest('md5', n).toString('base64'),
    size: 100_000_000 + n,
    mtime,
    stor: 'local',
    compression: 'gzip',
    dataset_guid: digest('md5', n).readBigUInt64BE().toString(),
  };
}

function holdingOf({ uuid, files: [file] }: RegisteredImage): Holding {
  const { sha256, size } = file!;
  return { sha256, key: digest('md5', fileHolder(uuid, 0)).toString('hex'), size, holders: [fileHolder(uuid, 0)] };
}

function uuidOf(n: number): string {
  const hex = digest('sha256', n).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

const digest = (algorithm: string, of: number | string) => createHash(algorithm).update(String(of)).digest();

const pick = <T>(choice: readonly T[], n: number): T => choice[n % choice.length]!;
