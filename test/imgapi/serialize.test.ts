import test from 'ava';
import type { Image } from '../../imgapi/image.js';
import { etagOf, serialize, type View } from '../../imgapi/serialize.js';
import { active, image, storedFile } from './images.js';
import { OTHER } from './manifests.js';

const view: View = { mode: 'dc', channels: true, admin: false };

const full: Image = active({
  state: 'failed',
  acl: [OTHER],
  description: 'x',
  homepage: 'https://x',
  eula: 'https://y',
  icon: { ...storedFile, contentType: 'image/png' },
  urn: 'a:b:c:1',
  requirements: { min_ram: 1 },
  users: [{ name: 'root' }],
  generate_passwords: true,
  inherited_directories: ['/opt'],
  origin: OTHER,
  nic_driver: 'a',
  disk_driver: 'b',
  cpu_type: 'c',
  image_size: 1,
  tags: { role: 'db' },
  billing_tags: ['b'],
  traits: { t: true },
  error: { message: 'x' },
  channels: ['dev'],
  expires_at: '2026-12-01T00:00:00.000Z',
});

test('members come in the order of the contract', (t) => {
  t.is(
    Object.keys(serialize(full, view)).join(' '),
    'v uuid owner name version state disabled public published_at type os files acl description homepage eula icon urn requirements users generate_passwords inherited_directories origin nic_driver disk_driver cpu_type image_size tags billing_tags traits error channels',
  );
  t.is(
    Object.keys(serialize(image(), view)).join(' '),
    'v uuid owner name version state disabled public type os files',
  );
});

test('of a file, only what clients know', (t) => {
  const stored = { ...storedFile, digest: 'd', uncompressedDigest: 'u', dataset_guid: '123' };
  const { sha1, size, compression, dataset_guid } = stored;
  const shown = (admin: boolean) => serialize(active({ files: [stored] }), { ...view, admin }).files;
  t.deepEqual(shown(false), [{ sha1, size, compression, dataset_guid }]);
  t.deepEqual(shown(true), [{ sha1, size, compression, dataset_guid, stor: 'local' }]);
});

const rows: [what: string, changes: Partial<Image>, view: Partial<View>, field: string, value: unknown][] = [
  ['an icon is a flag', { icon: { ...storedFile, contentType: 'image/png' } }, {}, 'icon', true],
  ['passwords are not generated (D-08)', { generate_passwords: false }, {}, 'generate_passwords', false],
  ['an empty acl', { acl: [] }, {}, 'acl', undefined],
  ['an empty description', { description: '' }, {}, 'description', undefined],
  ['a size of nothing', { image_size: 0 }, {}, 'image_size', undefined],
  ['empty tags', { tags: {} }, {}, 'tags', {}],
  ['a type that is not known yet', { type: 'null' }, {}, 'type', undefined],
  ['an os that is not known yet', { os: 'null' }, {}, 'os', undefined],
  ['the error of what did not fail', { error: { message: 'x' } }, {}, 'error', undefined],
  ['billing tags', { billing_tags: ['b'] }, { mode: 'private' }, 'billing_tags', ['b']],
  ['billing tags in public', { billing_tags: ['b'] }, { mode: 'public' }, 'billing_tags', undefined],
  ['no billing tags', { billing_tags: [] }, {}, 'billing_tags', undefined],
  ['traits in public', { traits: { t: true } }, { mode: 'public' }, 'traits', undefined],
  ['no traits', { traits: {} }, {}, 'traits', undefined],
  ['channels for old clients', { channels: ['dev'] }, { channels: false }, 'channels', undefined],
];

for (const [what, changes, look, field, value] of rows) {
  test(`shown: ${what}`, (t) => {
    const shown = serialize(active(changes), { ...view, ...look });
    t.deepEqual(shown[field], value);
    t.is(Object.hasOwn(shown, field), value !== undefined);
  });
}

test('the tag is that of what is shown', (t) => {
  t.is(etagOf({ v: 2, name: 'a' }), 'b7ff3b749d2b3b93cd77d7ea751f08e932472957');
  t.regex(etagOf(serialize(full, view)), /^[0-9a-f]{40}$/);
  t.not(etagOf(serialize(full, view)), etagOf(serialize(full, { ...view, channels: false })));
});
