import test from 'ava';
import { intoRequirements, intoTags } from '../../cli/key-values.js';

test('tags are texts, split at the first equals sign', (t) => {
  const tags = ['role=db', 'a.b=c=d', 'empty=', '__proto__=x', 'role=web'].reduce(
    (known, text) => intoTags(text, known),
    {},
  );
  t.deepEqual(Object.entries(tags), [
    ['role', 'web'],
    ['a.b', 'c=d'],
    ['empty', ''],
    ['__proto__', 'x'],
  ]);
  for (const text of ['role', '=db', '']) t.throws(() => intoTags(text), { message: /a tag is written like/ });
});

test('requirements have the types that manifests want', (t) => {
  const texts = [
    'brand=bhyve',
    'bootrom=uefi',
    'ssh_key=true',
    'min_ram=512',
    'min_platform.7.0=20141030T081701Z',
    'min_platform.7.1=20151030T081701Z',
    'networks.net0=public',
    'networks.net1=private = secret',
  ];
  t.deepEqual(
    texts.reduce((known, text) => intoRequirements(text, known), {}),
    {
      brand: 'bhyve',
      bootrom: 'uefi',
      ssh_key: true,
      min_ram: 512,
      min_platform: { '7.0': '20141030T081701Z', '7.1': '20151030T081701Z' },
      networks: [
        { name: 'net0', description: 'public' },
        { name: 'net1', description: 'private = secret' },
      ],
    },
  );
  t.throws(() => intoRequirements('min_ram'), { message: /a requirement is written like/ });
});
