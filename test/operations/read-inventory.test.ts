import test from 'ava';
import { ImgapiError } from '../../imgapi/errors.js';
import type { FoundVm } from '../../server/hypervisors/hypervisor.js';
import { readDescription, readImages, readMachines } from '../../server/operations/read-inventory.js';
import { numbered } from '../support/fixtures.js';

const node = { name: 'n1', datacenters: [], addresses: [], knownByAddress: false, created: '' };
const pools = [{ name: 'zones', size: 1, free: 1, health: 'ONLINE' }];

const vm = (number: number, more: Partial<FoundVm> = {}): FoundVm => ({
  uuid: numbered(number),
  hostname: `vm${number}`,
  state: 'running',
  tags: [],
  disks: [{ disk: 1, volume: 'zones/a', image: numbered(100) }],
  ...more,
});

const only = (told: FoundVm) => [...readMachines(node, [told], pools).values()][0]!;
const read = (...told: FoundVm[]) => [...readMachines(node, told, pools).entries()];

test('machines are taken by uuid, with the images of their disks and the pools on which these lie', (t) => {
  t.deepEqual(read(vm(1, { brand: 'lx', owner: 'mia', tags: ['a', 'b'] })), [
    [
      numbered(1),
      {
        node: 'n1',
        hostname: 'vm1',
        state: 'running',
        brand: 'lx',
        owner: 'mia',
        tags: ['a', 'b'],
        images: [{ disk: 1, image: numbered(100), pool: 'zones' }],
      },
    ],
  ]);
});

test('a uuid that is told twice is one machine, which uses what both use', (t) => {
  const twin = vm(1, { hostname: 'twin', disks: [{ disk: 1, volume: 'x', image: numbered(101) }] });
  const [first, ...others] = read(vm(1), twin);
  const [uuid, { hostname, images }] = first!;
  t.deepEqual([uuid, hostname, others], [numbered(1), 'vm1', []]);
  t.deepEqual(
    images.map(({ image }) => image),
    [numbered(100), numbered(101)],
  );
});

test('disks without an image, or of something else, use nothing', (t) => {
  const disks = [
    { disk: 1, volume: 'v' },
    { disk: 2, volume: 'v', image: 'base.qcow2' },
    { disk: 3, volume: 'v', image: '../../etc/passwd' },
    { disk: 4, volume: 'v', image: numbered(100).toUpperCase(), size: -5 },
    { disk: 5, volume: 'v', image: numbered(101), size: Number.NaN },
  ];
  const { images } = only(vm(1, { disks }));
  t.deepEqual(images, [
    { disk: 4, image: numbered(100) },
    { disk: 5, image: numbered(101) },
  ]);
});

test('what people are shown is cut and cleaned', (t) => {
  const hostile = vm(1, {
    hostname: `\u001b[31m$(reboot)\n${'x'.repeat(5000)}`,
    brand: 'b\u0000',
    tags: ['a\nb', 'ok'],
  });
  const { hostname, brand, tags } = only(hostile);
  t.is(hostname.length, 198);
  t.regex(hostname, /^\[31m\$\(reboot\)x+$/);
  t.deepEqual([brand, tags], ['b', ['ok']]);
  t.is(only(vm(2, { hostname: '\u0007' })).hostname, numbered(2));
});

test('what no node can have is not believed at all', (t) => {
  const many = Array.from({ length: 20_001 }, (_, n) => vm(n + 1));
  const disks = Array.from({ length: 257 }, (_, n) => ({ disk: n + 1, volume: 'v', image: numbered(n) }));
  const cases: [string, () => unknown][] = [
    ['20001 machines', () => read(...many)],
    ['a machine whose uuid is none: "$(reboot)"', () => read(vm(1), vm(2, { uuid: '$(reboot)' }))],
    ['a machine whose uuid is none: ""', () => read(vm(2, { uuid: '' }))],
    [`257 disks of machine ${numbered(1)}`, () => read(vm(1, { disks }))],
    [`machine ${numbered(1)} again and again`, () => read(...Array.from({ length: 300 }, () => vm(1)))],
    [
      '50001 images',
      () =>
        readImages(
          node,
          Array.from({ length: 50_001 }, () => ({ uuid: numbered(1), pool: 'p' })),
        ),
    ],
  ];
  for (const [what, reading] of cases) {
    const error = t.throws(reading, { instanceOf: ImgapiError });
    t.is(error?.code, 'NodeFailed');
    t.true(error?.message.startsWith(`node n1 has told of ${what}`), error?.message);
  }
  t.is(read(...many.slice(1)).length, 20_000);
});

test('descriptions are bounded', (t) => {
  const long = 'x'.repeat(10_000);
  const described = readDescription({
    platform: 'smartos',
    hostname: long,
    version: '\u001b[2J1',
    tools: Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`t${n}`, long])),
    pools: Array.from({ length: 1000 }, (_, n) => ({ name: `p${n}`, size: 1, free: 1, health: long })),
    brands: Array.from({ length: 1000 }, () => long),
    firmware: [],
    drivers: [],
  });
  t.true(JSON.stringify(described).length < 200_000);
  t.is(described.version, '[2J1');
  t.is(described.pools.length, 256);
});
