import test from 'ava';
import { checkSuits, problemsOf, requirementsOf } from '../../server/model/node-requirements.js';
import type { Description } from '../../server/model/node-status.js';
import { table } from '../support/table.js';

const nothing = { hostname: 'node1', tools: {}, pools: [], brands: [], firmware: [], drivers: [] };

const nodes: Record<string, Description | undefined> = {
  smartos: {
    ...nothing,
    platform: 'smartos',
    version: '20240111T000000Z',
    brands: ['joyent', 'bhyve', 'lx'],
    firmware: ['bios', 'uefi'],
    drivers: ['virtio', 'ahci'],
  },
  old: {
    ...nothing,
    platform: 'smartos',
    version: 'joyent_20150101T000000Z',
    brands: ['joyent', 'kvm'],
    firmware: ['bios'],
  },
  odd: { ...nothing, platform: 'smartos', version: 'custom' },
  zfs: { ...nothing, platform: 'linux-zfs', version: '6.1.0', drivers: ['virtio'] },
  qemu: { ...nothing, platform: 'qemu', version: '6.1.0', firmware: ['bios'] },
  silent: undefined,
};

const zvol = { type: 'zvol', os: 'linux', disk_driver: 'virtio', nic_driver: 'virtio', cpu_type: 'qemu64' } as const;
const zone = { type: 'zone-dataset', os: 'smartos' } as const;
const asking = (requirements: Record<string, unknown>) => ({ ...zone, requirements });

const images = {
  'a zone': zone,
  'a disk': zvol,
  'a disk on IDE': { ...zvol, disk_driver: 'ide' },
  'a raw disk': { ...zvol, tags: { format: 'raw' } },
  'a qcow2': { type: 'other', os: 'linux', tags: { format: 'qcow2' } },
  'a strange one': { type: 'other', os: 'linux', tags: { format: 'constructor' } },
  'a disk for Epyc': { ...zvol, cpu_type: 'EPYC' },
  'an lx zone': { type: 'lx-dataset', os: 'linux' },
  'for bhyve by UEFI': { ...zvol, requirements: { brand: 'bhyve', bootrom: 'uefi' } },
  'since 2020': asking({ min_platform: { '7.0': '20200101T000000Z' } }),
  'a disk since 2020': { ...zvol, requirements: { min_platform: { '7.0': '20200101T000000Z' } } },
  'until 2020': asking({ max_platform: { '7.0': '20200101T000000Z' } }),
  'to the second': asking({
    min_platform: { '7.0': '20240111T000000Z' },
    max_platform: { '7.0': '20240111T000000Z' },
  }),
  'since 6.5': asking({ min_platform: { '6.5': '20990101T000000Z' } }),
  'until 6.5': asking({ max_platform: { '6.5': '20990101T000000Z' } }),
  'since 8.0': asking({ min_platform: { '8.0': '20120101T000000Z' } }),
  'of nothing': asking({ brand: '', bootrom: false, min_platform: {}, max_platform: null, min_ram: 4096 }),
} as const;

/** What speaks against it; `yes` where nothing does, and in brackets what can not be told. */
const law = table<'image' | keyof typeof nodes>(`
  image              smartos       old               odd                      zfs                qemu                     silent
  a zone             yes           yes               yes                      yes                platform                 (platform)
  a disk             yes           (disk nic)        (disk nic)               yes                (disk nic)               (disk nic)
  a disk on IDE      disk          (disk nic)        (disk nic)               disk               (disk nic)               (disk nic)
  a disk for Epyc    (cpu)         (disk nic cpu)    (disk nic cpu)           (cpu)              (disk nic cpu)           (disk nic cpu)
  a raw disk         platform      platform          platform                 platform           (disk nic)               (platform disk nic)
  a qcow2            platform      platform          platform                 platform           yes                      (platform)
  a strange one      yes           yes               yes                      yes                yes                      yes
  an lx zone         yes           brand             (brand)                  (brand)            platform                 (platform brand)
  for bhyve by UEFI  yes           brand bootrom     (brand bootrom disk nic)  (brand bootrom)  bootrom                  (brand bootrom disk nic)
  since 2020         yes           min               min                      (min)              platform                 (platform min)
  a disk since 2020  yes           min               min                      (min)              (min disk nic)           (min disk nic)
  until 2020         max           yes               max                      (max)              platform                 (platform max)
  to the second      yes           min               min max                  (min max)          platform                 (platform min max)
  since 6.5          yes           yes               min                      (min)              platform                 (platform min)
  until 6.5          max           max               max                      (max)              platform                 (platform max)
  since 8.0          min           min               min                      (min)              platform                 (platform min)
  of nothing         yes           yes               yes                      yes                platform                 (platform)
`);

const short = (what: string) => what.replace(/_(platform|driver|type)$/, '');

for (const { image: name, ...verdicts } of law) {
  test(`requirements: ${name}`, (t) => {
    for (const [node, verdict] of Object.entries(verdicts)) {
      const image = images[name as keyof typeof images];
      const bad = problemsOf(image, nodes[node]).map(({ what }) => short(what));
      const dark = requirementsOf(image, nodes[node]).filter(({ ok }) => ok === null);
      const told =
        bad.length > 0 ? bad.join(' ') : dark.length > 0 ? `(${dark.map(({ what }) => short(what)).join(' ')})` : 'yes';
      t.is(told, verdict ?? '', node);
    }
  });
}

test('the refusal has both values of all that speaks against it', (t) => {
  const image = { ...images['for bhyve by UEFI'], uuid: 'aaaa' };
  t.notThrows(() => checkSuits(image, 'node1', nodes.smartos));
  t.notThrows(() => checkSuits(image, 'node1', undefined), 'silence speaks against nothing');
  const error = t.throws(() => checkSuits(image, 'node2', nodes.old), { name: 'ImgapiError' });
  t.like(error, { code: 'NodeUnsuitable', managementStatus: 428 });
  t.is(
    error?.message,
    'image aaaa is not for node node2: brand: it asks for bhyve, the node has joyent, kvm; bootrom: it asks for uefi, the node has bios',
  );
});
