import test from 'ava';
import { ImgapiError } from '../../imgapi/errors.js';
import { UNSET_OWNER } from '../../imgapi/image.js';
import { readLegacyRecord } from '../../imgapi/legacy-record.js';
import { file, type Manifest, nested, OTHER, OWNER, randomManifest, randomOldManifest, UUID } from './manifests.js';
import { Random } from './random.js';

const sound = {
  v: 2,
  uuid: UUID,
  owner: OWNER,
  name: 'base-64',
  version: '1.0.0',
  state: 'active',
  disabled: false,
  activated: true,
  public: true,
  published_at: '2014-02-03T04:05:06.000Z',
  type: 'zone-dataset',
  os: 'smartos',
  files: [file],
};
const { files: _, ...image } = sound;
const UPLOADED = '2015-01-02T03:04:05.006Z';

const read = (changes: Manifest, unsaidState?: 'active') => {
  const all = Object.entries({ ...sound, ...changes }).filter(([, value]) => value !== undefined);
  return readLegacyRecord(Object.fromEntries(all), { uuid: UUID, unsaidState, uploaded: UPLOADED });
};

/** How the record changes what the image is: fields that become undefined are not there. */
const rows: [what: string, changes: Manifest, becomes: Manifest][] = [
  ['nothing is to be done', {}, {}],
  ['no version of the format', { v: undefined }, {}],
  ['a version in a string', { v: '2' }, {}],
  ['flags in strings', { disabled: 'true', activated: 'true', public: 'false' }, { disabled: true, public: false }],
  ['more of them', { generate_passwords: 'false', state: 'active' }, { generate_passwords: false }],
  [
    'numbers in strings',
    { type: 'zvol', nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host', image_size: '10240' },
    { type: 'zvol', nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host', image_size: 10_240 },
  ],
  [
    'requirements in strings',
    { requirements: { min_ram: '256', max_ram: '512', ssh_key: 'true', brand: 'lx' } },
    { requirements: { min_ram: 256, max_ram: 512, ssh_key: true, brand: 'lx' } },
  ],
  ['tags beside their list', { tags: ['a=1'], tagsObj: { a: 1, b: { c: [] } } }, { tags: { a: 1, b: { c: [] } } }],
  ['tags as a list only', { tags: ['a=1', 'b=x=y', 'c=', 'd'] }, { tags: { a: '1', b: 'x=y', c: '', d: '' } }],
  ['one tag', { tags: 'role=db' }, { tags: { role: 'db' } }],
  ['no tags', { tags: [] }, { tags: undefined }],
  ['tags that no object may have', { tags: ['__proto__=x'] }, { tags: JSON.parse('{"__proto__":"x"}') }],
  ['tags as they are served', { tags: { a: 1 } }, { tags: { a: 1 } }],
  ['a bare account', { acl: OTHER }, { acl: [OTHER] }],
  ['a bare billing tag', { billing_tags: 'gold' }, { billing_tags: ['gold'] }],
  ['a bare channel', { channels: 'dev' }, { channels: ['dev'] }],
  ['channels', { channels: ['dev', 'release'] }, { channels: ['dev', 'release'] }],
  ['nothing in many words', { homepage: '', eula: null, origin: '', urn: null, inherited_directories: [] }, {}],
  ['no owner', { owner: undefined }, { owner: UNSET_OWNER }],
  ['no public', { public: undefined }, { public: false }],
  ['disabled by its state', { disabled: undefined, state: 'disabled' }, { disabled: true, state: 'disabled' }],
  ['activated by its state', { activated: undefined }, {}],
  [
    'unactivated by its state',
    { activated: undefined, state: 'unactivated', published_at: undefined, files: undefined },
    { activated: false, state: 'unactivated', published_at: undefined },
  ],
  ['no state', { state: undefined }, {}],
  ['neither, but published', { state: undefined, activated: undefined, disabled: undefined }, {}],
  [
    'neither, and never published',
    { state: undefined, activated: undefined, published_at: undefined },
    { activated: false, state: 'unactivated', published_at: undefined },
  ],
  ['a date without seconds', { published_at: '2014-02-03T04:05Z' }, { published_at: '2014-02-03T04:05:00.000Z' }],
  ['microseconds', { published_at: '2014-02-03T04:05:06.123456Z' }, { published_at: '2014-02-03T04:05:06.123Z' }],
  ['no zone', { published_at: '2014-02-03 04:05:06' }, { published_at: '2014-02-03T04:05:06.000Z' }],
  ['another zone', { published_at: '2014-02-03T04:05:06+01:00' }, { published_at: '2014-02-03T03:05:06.000Z' }],
  ['no date', { published_at: undefined }, { published_at: UPLOADED }],
  ['an end', { expires_at: '2030-01-01T00:00:00.000Z' }, { expires_at: '2030-01-01T00:00:00.000Z' }],
  ['an end in milliseconds', { expires_at: 1_893_456_000_000 }, { expires_at: '2030-01-01T00:00:00.000Z' }],
  [
    'a placeholder',
    {
      state: 'creating',
      activated: false,
      type: 'null',
      os: 'null',
      published_at: undefined,
      files: undefined,
      expires_at: '2030-01-01T00:00:00Z',
    },
    {
      state: 'creating',
      activated: false,
      type: 'null',
      os: 'null',
      published_at: undefined,
      expires_at: '2030-01-01T00:00:00.000Z',
    },
  ],
  [
    'one that failed',
    { state: 'failed', activated: 'false', type: 'null', os: 'null', error: { message: 'no space', code: 'X' } },
    { state: 'failed', activated: false, type: 'null', os: 'null', error: { message: 'no space', code: 'X' } },
  ],
  ['an error in a word', { state: 'failed', error: 'no space' }, { state: 'failed', error: { message: 'no space' } }],
  ['what is of no manifest', { _etag: 'x', vendor_uuid: OTHER }, {}],
  ['a zvol from somewhere else', { type: 'zvol' }, { type: 'zvol' }],
  [
    'DSAPI',
    {
      v: undefined,
      owner: undefined,
      state: undefined,
      activated: undefined,
      public: undefined,
      disabled: 'false',
      creator_uuid: OWNER,
      cloud_name: 'sdc',
      restricted_to_uuid: OTHER,
      published_at: '2012-05-06T07:08Z',
      urn: 'sdc:sdc:base:1.0.0',
      files: [{ path: 'base.zfs.bz2', sha1: file.sha1, size: 6 }],
    },
    { owner: OWNER, public: false, acl: [OTHER], urn: 'sdc:sdc:base:1.0.0', published_at: '2012-05-06T07:08:00Z' },
  ],
];

for (const [what, changes, becomes] of rows) {
  test(`read: ${what}`, (t) => {
    const wanted = Object.entries({ ...image, ...becomes }).filter(([, value]) => value !== undefined);
    t.deepEqual(read(changes).image, { ...Object.fromEntries(wanted), files: [] });
  });
}

test('a record of today is not mended, one of yesterday says what was done to it', (t) => {
  t.deepEqual(read({}).mended, []);
  const { mended } = read({ v: undefined, tags: ['a=b'], _etag: 'x', published_at: undefined, owner: null });
  const fields = mended.map((line) => line.split(':')[0]);
  t.deepEqual(fields, ['v', 'tags', 'owner', 'published_at', '_etag']);
});

test('an image may say nothing of its state where the server asked for none', (t) => {
  const silent = { state: undefined, activated: undefined, published_at: undefined };
  t.like(read(silent, 'active').image, { activated: true, state: 'active', published_at: UPLOADED });
});

test('what a zvol lacks is told, not refused', (t) => {
  t.deepEqual(read({ type: 'zvol', cpu_type: 'host' }).lacking, ['nic_driver', 'disk_driver', 'image_size']);
});

test('files come with all that was promised of them', (t) => {
  const [first] = read({
    files: [
      {
        ...file,
        sha1: file.sha1.toUpperCase(),
        size: '6',
        contentMD5: 'rL0Y20zC+Fzt72VPzMSk2A==',
        mtime: '2013-01-01T00:00:00.000Z',
        dataset_guid: '1234567890',
        digest: 'sha256:x',
        uncompressedDigest: 'sha256:y',
        sha256: 'AB'.repeat(32),
        stor: 'local',
        path: '/old',
      },
    ],
  }).files;
  t.deepEqual(first, {
    sha1: file.sha1,
    size: 6,
    md5: 'acbd18db4cc2f85cedef654fccc4a4d8',
    mtime: '2013-01-01T00:00:00.000Z',
    sha256: 'ab'.repeat(32),
    dataset_guid: '1234567890',
    digest: 'sha256:x',
    uncompressedDigest: 'sha256:y',
    compression: 'gzip',
  });
  t.deepEqual(read({}).files, [{ sha1: file.sha1, size: 6, compression: 'gzip' }]);
  t.is(read({ type: 'lxd', files: [file, file] }).files.length, 2);
});

test('the compression of a DSAPI file is in its name', (t) => {
  const old = { v: undefined, owner: undefined, creator_uuid: OWNER, public: undefined };
  const files = [{ ...file, compression: undefined, path: 'a.zfs.bz2' }];
  t.is(read({ ...old, files }).files[0]?.compression, 'bzip2');
});

test('icons were flags once', (t) => {
  t.deepEqual(read({ icon: true }).icon, {});
  t.deepEqual(read({ icon: 'true' }).icon, {});
  t.false('icon' in read({ icon: false }));
  t.false('icon' in read({ icon: null }));
  const icon = { sha1: file.sha1, size: 6, contentMD5: 'rL0Y20zC+Fzt72VPzMSk2A==', contentType: 'image/png' };
  t.deepEqual(read({ icon: { ...icon, stor: 'local' } }).icon, {
    sha1: file.sha1,
    size: 6,
    md5: 'acbd18db4cc2f85cedef654fccc4a4d8',
    contentType: 'image/png',
  });
});

const refusals: [what: string, changes: Manifest, fields: string[]][] = [
  ['another uuid', { uuid: OTHER }, ['uuid']],
  ['no uuid', { uuid: undefined }, ['uuid', 'uuid']],
  ['no name', { name: '' }, ['name']],
  ['a name that no manifest may have', { name: 'a(b)' }, ['name']],
  [
    'nothing but a uuid',
    Object.fromEntries(Object.keys(sound).map((name) => [name, undefined])),
    ['uuid', 'uuid', 'name', 'version', 'type', 'os'],
  ],
  ['flags that are none', { disabled: 'maybe', public: 7 }, ['disabled', 'public']],
  ['a date that is none', { published_at: 'yesterday' }, ['published_at']],
  ['tags that are no text', { tags: [1] }, ['tags']],
  ['a type of its own', { type: 'kvm' }, ['type']],
  ['a placeholder that is active', { type: 'null' }, ['type']],
  ['accounts that are none', { acl: 'everybody' }, ['acl']],
  ['files elsewhere', { files: [{ ...file, stor: 'manta' }] }, ['files']],
  ['an icon elsewhere', { icon: { stor: 'manta' } }, ['icon']],
  ['too many files', { files: [file, file] }, ['files']],
  ['a file without a sha1', { files: [{ ...file, sha1: undefined }] }, ['files']],
  ['a sha1 that is none', { files: [{ ...file, sha1: 'x' }] }, ['files']],
  ['a size that is none', { files: [{ ...file, size: -1 }] }, ['files']],
  ['a compression of its own', { files: [{ ...file, compression: 'zstd' }] }, ['files']],
  ['files that are none', { files: 'x' }, ['files']],
  ['a file that is none', { files: [null] }, ['files', 'files', 'files']],
  ['for an account that is not known any more', { restricted_to_uuid: OTHER }, ['restricted_to_uuid']],
  ['what can not be upgraded', { v: 1, owner: undefined, creator_uuid: OWNER, restricted_to_uuid: OTHER }, ['v']],
  ['a nest', { tags: nested(200) }, ['tags']],
];

for (const [what, changes, fields] of refusals) {
  test(`refused: ${what}`, (t) => {
    const error = t.throws(() => read(changes), { instanceOf: ImgapiError });
    t.is(error?.code, 'ValidationFailed');
    t.deepEqual(
      error?.errors?.map(({ field }) => field),
      fields,
    );
  });
}

test('whatever a record holds, it is read or refused', (t) => {
  const random = new Random(14);
  const pieces = [nested(70), [nested(3)], 'x', 5, null, undefined, { stor: 'manta' }, ['a=b'], [{}], { size: '5' }];
  const outcomes = { read: 0, refused: 0 };
  for (let round = 0; round < 3000; round += 1) {
    const record: unknown = random.chance(3)
      ? random.pick(pieces)
      : { ...(random.chance(50) ? randomManifest(random) : randomOldManifest(random)) };
    if (typeof record === 'object' && record !== null && random.chance(60)) {
      const field = random.pick([
        'icon',
        'files',
        'tagsObj',
        'tags',
        'acl',
        'expires_at',
        'requirements',
        'error',
        'v',
      ]);
      Object.assign(record, { [field]: random.pick(pieces) });
    }
    try {
      const { image, files } = readLegacyRecord(record, { uuid: UUID, uploaded: UPLOADED });
      t.is(image.uuid, UUID);
      t.true(files.every(({ sha1, size }) => /^[0-9a-f]{40}$/.test(sha1 ?? '') && Number.isInteger(size)));
      t.is(typeof image.activated, 'boolean');
      outcomes.read += 1;
    } catch (error) {
      if (!(error instanceof ImgapiError))
        throw new Error(`round ${round}: ${JSON.stringify(record)}`, { cause: error });
      outcomes.refused += 1;
    }
  }
  t.true(outcomes.read > 100 && outcomes.refused > 100, JSON.stringify(outcomes));
});
