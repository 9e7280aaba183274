import type { Random } from './random.js';

export type Manifest = Record<string, unknown>;

export const UUID = '39ba45c7-9d4a-4a3f-8f5b-0a1d8f7e2c11';
export const OWNER = '930896af-bf8c-48d4-885c-6573a94b1853';
export const OTHER = 'a6cf222d-73f4-414c-a427-5c238ef8e1b7';

export const file = { sha1: 'f572d396fae9206628714fb2ce00f72e94f2258f', size: 6, compression: 'gzip' };

export function nested(depth: number): unknown {
  return depth === 0 ? 'bottom' : { in: nested(depth - 1) };
}

/** Whatever a client may take for a value. */
const junk: readonly unknown[] = [
  null,
  true,
  false,
  'true',
  'false',
  0,
  1,
  -1,
  1.5,
  1e300,
  '',
  ' ',
  '7',
  '-7',
  'x',
  'null',
  'constructor',
  '\ud800',
  [],
  [null],
  ['x'],
  [7],
  [UUID],
  [[UUID]],
  {},
  { name: 'x' },
  { length: 99_999 },
  nested(70),
];

const text = (length: number) => 'a'.repeat(length);
const stamp = '20130308T102805Z';
const platforms: readonly unknown[] = [
  { '7.0': stamp },
  { '6.5': stamp, '7.0': '20261231T235959Z' },
  { '7.0': '20111231T000000Z' },
  { '7.0': '20131308T102805Z', '6.5': '20130332T102805Z' },
  { '7.0': '20130308T242805Z' },
  { '7.0': '20130308T106005Z' },
  { '7.0': '20130308 102805Z' },
  { '7.0': '2013-03-08' },
  { '7.0': 'abcdefghTijklmnZ' },
  { '7.0': null },
  { '7.0': 5 },
  [stamp],
  {},
  'x',
];

/** By field: values that are fine, or at least look as if somebody meant them. */
const values: Record<string, readonly unknown[]> = {
  v: [2, '2', 1, 0, '0', 3],
  uuid: [UUID, OTHER, UUID.toUpperCase()],
  urn: ['sdc:admin:base:1.0.0'],
  owner: [OWNER, OTHER],
  name: ['base-64', 'a/b c._-', 'smart os!', text(1024), text(1025), 'ümlaut', 64],
  version: ['1.0.0', '20.4.0+5', 'a/b', 'a b', text(512), text(513), 1.5],
  description: ['An image', text(10_240), text(10_241), 'line\nline'],
  homepage: [
    'https://example.com',
    'HTTP://x',
    ' http://x',
    'ftp://x',
    'example.com',
    `http://${text(1018)}`,
    'http://[::1',
  ],
  eula: ['http://example.com/eula', 'javascript:alert(1)', `https://x/${text(2000)}`],
  disabled: [true, false],
  activated: [true, false],
  published_at: [
    '2026-11-20T23:57:37.472Z',
    '2012-12-25T12:00:00Z',
    '2012-12-25',
    '2012-12-25T12:00Z',
    '2012-99-25T12:00:00Z',
  ],
  state: ['active', 'unactivated', 'disabled', 'creating', 'failed', 'gone'],
  public: [true, false],
  type: ['zone-dataset', 'lx-dataset', 'zvol', 'lxd', 'docker', 'other', 'kvm'],
  os: ['smartos', 'linux', 'windows', 'bsd', 'illumos', 'other', 'plan9'],
  origin: [OTHER, 'none'],
  error: [{ message: 'broken', code: 'X' }, null],
  files: [
    [],
    [file],
    [{ ...file, compression: 'zstd' }],
    [{ ...file, size: 0, sha1: '' }],
    [{ ...file, digest: 5 }],
    [file, file],
    [file, file, file],
    [{}],
  ],
  icon: [true, false],
  acl: [[OWNER], [OWNER, 'x', 'y'], [OWNER, OTHER]],
  users: [[{ name: 'root' }, { name: 'admin' }], [{ name: 'root', uid: 0 }], [{ name: 5 }], [{}, 'root']],
  billing_tags: [['a', 'b'], [text(128)], [text(129), 5]],
  traits: [
    { a: 'x', b: true, c: ['y'] },
    { a: 1, b: {}, c: null },
  ],
  tags: [{ role: 'db', n: 1, o: { deep: [1] } }, { big: text(102_390) }, { big: text(102_391) }, { s: '\ud800' }],
  generate_passwords: [true, false],
  inherited_directories: [['/opt'], [], ['/opt', 5]],
  nic_driver: ['virtio', ''],
  disk_driver: ['virtio', 'scsi'],
  cpu_type: ['host', 'qemu64'],
  image_size: [10_240, '10240', 0, -1, 1.5, '1.5'],
  channels: [['dev'], ['dev', 'staging'], ['dev', 5]],
};

const requirementValues: Record<string, readonly unknown[]> = {
  networks: [
    [{ name: 'net0', description: 'public' }],
    [{ name: 'net0' }],
    [{ name: 'a', description: 'b', c: 1 }, 'x'],
  ],
  brand: ['bhyve', 'joyent', ''],
  ssh_key: [true, false],
  min_ram: [256, 1024, '1024', 0],
  max_ram: [512, 2048, 0, -5],
  min_platform: platforms,
  max_platform: platforms,
  bootrom: ['bios', 'uefi', 'efi', ''],
  unheard_of: [1],
};

const value = (random: Random, choices: readonly unknown[]) => random.pick(random.chance(85) ? choices : junk);

function requirements(random: Random): Manifest {
  const chosen = Object.entries(requirementValues).filter(() => random.chance(25));
  return Object.fromEntries(chosen.map(([name, choices]) => [name, value(random, choices)]));
}

const drivers = { nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host', image_size: 10_240 };

/** Everything that a server could ask for. */
function sound(random: Random): Manifest {
  const activated = random.chance(50);
  const type = random.pick(['zone-dataset', 'lx-dataset', 'zvol', 'lxd', 'docker', 'other']);
  return {
    v: 2,
    uuid: UUID,
    owner: OWNER,
    name: 'base-64',
    version: '1.0.0',
    disabled: false,
    activated,
    ...(activated && { published_at: '2026-11-20T23:57:37.472Z' }),
    public: random.chance(50),
    state: activated ? 'active' : 'unactivated',
    type,
    os: 'smartos',
    files: activated ? [file] : [],
    ...(type === 'zvol' && drivers),
    ...(random.chance(50) && { channels: ['dev'] }),
  };
}

/** A sound manifest in which some fields, from none to many, were set to something else, taken away, or added. */
export function randomManifest(random: Random): Manifest {
  const manifest = sound(random);
  for (let changes = random.below(6); changes > 0; changes -= 1) {
    const field = random.pick([...Object.keys(values), 'requirements', 'requirements', 'requirements']);
    manifest[field] = random.chance(10)
      ? random.pick(junk)
      : field === 'requirements'
        ? requirements(random)
        : value(random, values[field]!);
    if (random.chance(15)) delete manifest[field];
    if (random.chance(3)) manifest[random.pick(['unheard_of', '_url', 'expires_at', 'hasOwnProperty', 'toString'])] = 1;
  }
  return manifest;
}

const oldFiles: readonly unknown[] = [
  [{ path: 'base.zfs.gz', sha1: file.sha1, size: 6 }],
  [{ url: 'https://example.com/base.zfs.bz2', sha1: file.sha1, size: 6 }],
  [{ path: 'base.zfs', url: 'https://example.com/base.zfs.gz' }],
  [{ path: 'base.zfs.gz', compression: 'xz' }],
  [{ sha1: file.sha1 }],
  [null],
  [],
  'x',
];

const oldValues: Record<string, readonly unknown[]> = {
  v: [1, '1', 0, 2, '2', 3, 'x', null],
  uuid: [UUID, 'x', null],
  creator_uuid: [OWNER, 'x', ''],
  owner: [OWNER],
  vendor_uuid: [OTHER],
  creator_name: ['sdc'],
  creator_admin: [true],
  cloud_name: ['sdc'],
  owner_uuid: [OTHER],
  platform_type: ['smartos'],
  created_at: ['2012-01-01T00:00:00Z', '2012-01-01T00:00Z'],
  updated_at: ['2012-01-02T00:00:00Z'],
  published_at: ['2012-02-01T00:00:00.000Z', '2012-02-01T00:00Z', '', 5],
  _url: ['https://example.com'],
  restricted_to_uuid: [OTHER, ''],
  public: [true, false],
  disabled: [true, false, 'false', 0, 1],
  files: oldFiles,
  image_size: [10_240, '10240', '', 'x'],
  urn: ['sdc:sdc:base:1.0.0'],
  tags: [{ a: { b: 1 } }],
};

export function randomOldManifest(random: Random): Manifest {
  const base = { uuid: UUID, creator_uuid: OWNER, name: 'base', version: '1.0.0', type: 'zone-dataset', os: 'smartos' };
  const chosen = Object.entries(oldValues).filter(() => random.chance(25));
  return { ...base, ...Object.fromEntries(chosen.map(([name, choices]) => [name, random.pick(choices)])) };
}
