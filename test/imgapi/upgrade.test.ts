import test from 'ava';
import { upgradeManifest } from '../../imgapi/upgrade.js';
import { type Manifest, OTHER, OWNER, UUID } from './manifests.js';

const old = { uuid: UUID, creator_uuid: OWNER, name: 'base' };
const upgraded = { uuid: UUID, name: 'base', v: 2, owner: OWNER, public: true, disabled: false, state: 'active' };

const rows: [what: string, changes: Manifest, to: Manifest][] = [
  ['the least', {}, {}],
  [
    'what has no successor',
    {
      vendor_uuid: 1,
      creator_name: 1,
      cloud_name: 1,
      creator_admin: 1,
      owner_uuid: 1,
      platform_type: 1,
      updated_at: 1,
      _url: 1,
    },
    {},
  ],
  ['disabled', { disabled: true }, { disabled: true, state: 'disabled' }],
  ['restricted', { restricted_to_uuid: OTHER }, { public: false, acl: [OTHER] }],
  ['created', { created_at: '2012-01-01T00:00:00Z' }, { published_at: '2012-01-01T00:00:00Z' }],
  [
    'published later',
    { created_at: '2012-01-01T00:00:00Z', published_at: '2012-02-01T00:00Z' },
    { published_at: '2012-02-01T00:00:00Z' },
  ],
  [
    'files',
    { files: [{ path: 'a.gz' }, { url: 'http://x/a.bz2' }, { path: 'a' }, { path: 'a.gz', compression: 'xz' }, {}] },
    { files: ['gzip', 'bzip2', 'none', 'xz', 'none'].map((compression) => ({ compression })) },
  ],
  ['a size in a string', { image_size: '10240' }, { image_size: 10_240 }],
  ['a urn', { urn: 'a:b:c:1' }, { urn: 'a:b:c:1' }],
  ['version 1 by name', { v: '1' }, {}],
];

for (const [what, changes, to] of rows) {
  test(`upgraded: ${what}`, (t) => t.deepEqual(upgradeManifest({ ...old, ...changes }), { ...upgraded, ...to }));
}

const refusals: [what: string, manifest: Manifest][] = [
  ['nobody made it', { uuid: UUID }],
  ['version 1, but nobody made it', { uuid: UUID, v: 1 }],
  ['it has a bad uuid', { ...old, uuid: 'x' }],
  ['it has an owner already', { ...old, owner: OTHER }],
  ['it is both public and restricted', { ...old, public: true, restricted_to_uuid: OTHER }],
  ['its version is none', { ...old, v: 'x' }],
  ['its files are none', { ...old, files: 'x' }],
];

for (const [what, manifest] of refusals) {
  test(`can't be upgraded: ${what}`, (t) => {
    t.throws(() => upgradeManifest(manifest), { instanceOf: Error });
  });
}

test('newer manifests are left alone', (t) => {
  const manifest = { v: 2, creator_uuid: OWNER };
  t.is(upgradeManifest(manifest), manifest);
});
