import test from 'ava';
import { parseImages, parseSources, parseSysinfo, parseVms } from '../../server/hypervisors/parse-vmadm.js';
import {
  parseBytes,
  parseEstimate,
  parseGuid,
  parseProperties,
  parseTime,
} from '../../server/hypervisors/parse-zfs.js';

const UUID = '54f1cc77-68f1-42ab-acac-5c4f64f5d6e0';
const IMAGE = '2b683a82-a066-11e3-97ab-2faa44701c5a';
const vms = (...list: unknown[]) => parseVms(JSON.stringify(list));

test('a zone has one disk: its dataset', (t) => {
  const [vm] = vms({
    uuid: UUID,
    alias: 'web1',
    brand: 'joyent',
    state: 'running',
    image_uuid: IMAGE,
    quota: 10,
    zfs_filesystem: `zones/${UUID}`,
    tags: { role: 'web', prod: true, count: 3 },
  });
  t.like(vm, { uuid: UUID, hostname: 'web1', state: 'running', brand: 'joyent', os: 'smartos' });
  t.deepEqual(vm?.tags, ['role', 'role:web', 'prod', 'count']);
  t.deepEqual(vm?.disks, [{ disk: 1, volume: `zones/${UUID}`, size: 10_240, image: IMAGE }]);
});

test('a virtual machine has the disks that it is given, without what is no disk', (t) => {
  const [vm] = vms({
    uuid: UUID,
    brand: 'bhyve',
    state: 'stopped',
    bootrom: 'uefi',
    nics: [{ model: 'virtio' }],
    disks: [
      { zfs_filesystem: `zones/${UUID}/disk0`, size: 5120, image_uuid: IMAGE, model: 'virtio', media: 'disk' },
      { path: '/dev/zvol/rdsk/zones/iso', media: 'cdrom' },
      { path: `/dev/zvol/rdsk/zones/${UUID}-disk1`, size: '1024', model: 'ide' },
    ],
  });
  t.deepEqual(vm?.disks, [
    { disk: 1, volume: `zones/${UUID}/disk0`, size: 5120, image: IMAGE },
    { disk: 2, volume: `zones/${UUID}-disk1`, size: 1024 },
  ]);
  t.like(vm, { hostname: UUID, diskDrivers: ['virtio', 'ide'], nicDriver: 'virtio', bootrom: 'uefi' });
  t.is(vm?.os, undefined);
});

test('states are told in our words', (t) => {
  const of = (state: unknown) => vms({ uuid: UUID, state })[0]?.state;
  t.is(of('shutting_down'), 'stopping');
  t.is(of('installed'), 'stopped');
  t.is(of('incomplete'), 'provisioning');
  t.is(of('failed'), 'failed');
  for (const odd of ['toString', '__proto__', '', undefined, 7, {}]) t.is(of(odd), 'unknown', String(odd));
});

test('what is no list of machines is none, as a machine that is passed over keeps no image', (t) => {
  for (const printed of ['', '{}', 'null', '[1]', '[null]', '[{}]', `[{"uuid":"${UUID}/../x"}]`, '<html>']) {
    t.throws(() => parseVms(printed), { instanceOf: SyntaxError }, printed);
  }
  const disks = [{ zfs_filesystem: '-rf', path: '/dev/zvol/rdsk/$(reboot)' }];
  t.throws(() => vms({ uuid: UUID, brand: 'kvm', disks }), { message: /no dataset/ });
  t.deepEqual(vms({ uuid: UUID, zfs_filesystem: 'zones/a;reboot' })[0]?.disks, []);
});

test('images and sources are those that are of their form', (t) => {
  const list = [
    { manifest: { uuid: IMAGE, os: 'linux' }, zpool: 'zones', cloneNames: ['zones/a', 'zones/b'], clones: 7 },
    { manifest: { uuid: UUID }, zpool: 'tank', clones: 1 },
    { manifest: { uuid: '../x' } },
    7,
  ];
  t.deepEqual(parseImages(JSON.stringify(list)), [
    { uuid: IMAGE, pool: 'zones', clones: 2, os: 'linux' },
    { uuid: UUID, pool: 'tank', clones: 1 },
  ]);
  const sources = [{ url: 'https://a.test', type: 'imgapi' }, { url: 'https://docker.io', type: 'docker' }, {}];
  t.deepEqual(parseSources(JSON.stringify(sources)), sources.slice(0, 2) as { url: string; type: string }[]);
  for (const printed of ['{}', 'x']) t.throws(() => parseSources(printed), { instanceOf: SyntaxError });
});

test('sysinfo tells what can run', (t) => {
  const said = { Hostname: 'n1', 'Live Image': '20240111T000000Z', 'SDC Version': '7.0', 'VM Capable': true };
  t.deepEqual(parseSysinfo(JSON.stringify(said)), {
    hostname: 'n1',
    platform: '20240111T000000Z',
    release: '7.0',
    brands: ['joyent', 'joyent-minimal', 'lx', 'kvm'],
  });
});

test('figures of zfs are figures, or nothing', (t) => {
  t.is(parseEstimate('full\tzones/a@s\t4096\nsize\t4096\n'), 4096);
  t.is(parseEstimate('total estimated size is 4K\nsize\t123456789012\n'), 123_456_789_012);
  t.is(parseEstimate('size\t-1\nsize\tmany'), undefined);
  t.is(parseBytes('99999999999999999999'), undefined);
  t.is(parseBytes('1e9'), undefined);
  t.is(parseGuid('18311179913471318582'), '18311179913471318582');
  t.is(parseGuid('$(reboot)'), undefined);
  t.is(parseTime('1795311238'), '2026-11-22T01:33:58.000Z');
  t.is(parseTime('999999999999999'), undefined);
  const printed = 'a b@s\tguid\t7\na b@s\tused\t0\nodd line\ntoo\tmany\tof\tthem\n';
  t.deepEqual(
    [...parseProperties(printed)],
    [
      [
        'a b@s',
        new Map([
          ['guid', '7'],
          ['used', '0'],
        ]),
      ],
    ],
  );
});
