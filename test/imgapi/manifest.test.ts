import test from 'ava';
import fc from 'fast-check';
import { type Rules, validateManifest, validateMinimal } from '../../imgapi/manifest.js';
import { file, type Manifest, nested, OTHER, OWNER, UUID } from './manifests.js';

const dc: Rules = { mode: 'dc', channels: false };
const open: Rules = { mode: 'public', channels: false };
const closed: Rules = { mode: 'private', channels: false };
const channelled: Rules = { mode: 'public', channels: true };

const base = {
  v: 2,
  uuid: UUID,
  owner: OWNER,
  name: 'base',
  version: '1.0.0',
  disabled: false,
  activated: false,
  public: true,
  state: 'unactivated',
  type: 'other',
  os: 'linux',
};
const zvol = { type: 'zvol', nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host', image_size: 10 };
const needs = (requirements: Manifest) => ({ requirements });
const stamp = '20130308T102805Z';

const spelled = (errors: { field: string; code: string }[]) =>
  errors.map(({ field, code }) => (code === 'Invalid' ? field : `${field}:${code}`)).join(' ');

const rows: [what: string, changes: Manifest, wrong: string, rules?: Rules][] = [
  ['sound', {}, ''],
  ['sound in public', {}, '', open],
  ['sound in private', { public: false }, '', closed],
  ['sound in a channel', { channels: ['dev'] }, '', channelled],
  ['numbers and booleans as strings', { v: '2', disabled: 'false', activated: 'false', public: 'true' }, ''],
  ['a numeric name and version', { name: 64, version: 1.5 }, ''],
  ['private in public', { public: false }, 'public', open],
  ['public in private', {}, 'public', closed],
  ['no channels where there are some', {}, 'channels:MissingParameter', channelled],
  ['channels where there are none', { channels: ['dev'] }, 'channels'],
  ['channels in dc, where configured', { channels: ['dev'] }, '', { mode: 'dc', channels: true }],
  ['no channels in dc, where configured', {}, 'channels:MissingParameter', { mode: 'dc', channels: true }],
  ['a bad boolean (D-02)', { disabled: 'maybe', generate_passwords: 1 }, 'disabled generate_passwords'],
  ['activated, and nothing to show', { activated: true }, 'published_at:MissingParameter files:MissingParameter'],
  ['activated', { activated: true, published_at: '2026-11-20T23:57:37Z', files: [file], state: 'active' }, ''],
  ['a date without a time', { published_at: '2026-11-20' }, 'published_at'],
  ['a placeholder', { type: 'null', os: 'null', state: 'creating' }, ''],
  ['a failed placeholder', { type: 'null', os: 'null', state: 'failed', error: { message: 'x' } }, ''],
  ['type and os "null" otherwise', { type: 'null', os: 'null' }, 'type os'],
  ['a zvol', zvol, ''],
  ['a zvol with its size in a string', { ...zvol, image_size: '10240' }, ''],
  [
    'a zvol without anything',
    { type: 'zvol' },
    'nic_driver:MissingParameter disk_driver:MissingParameter cpu_type:MissingParameter image_size:MissingParameter',
  ],
  ['drivers of no zvol', { ...zvol, type: 'other' }, 'nic_driver disk_driver cpu_type image_size'],
  ['half a MiB', { ...zvol, image_size: 0.5 }, 'image_size'],
  ['one file too many', { files: [file, file] }, 'files'],
  ['two files of lxd', { type: 'lxd', files: [file, file] }, ''],
  ['three files of lxd', { type: 'lxd', files: [file, file, file] }, 'files'],
  ['a file with nothing', { files: [{}] }, 'files files files'],
  ['only the first bad account', { acl: [OWNER, 'x', 'y'] }, 'acl'],
  ['each bad user', { users: [{ name: 'root' }, {}, { name: 'a', uid: 0 }] }, 'users users'],
  ['each bad trait', { traits: { a: 1, b: null, c: 'x', d: true, e: [1] } }, 'traits traits'],
  ['each bad billing tag', { billing_tags: ['a', 'b'.repeat(129), 5] }, 'billing_tags billing_tags'],
  ['tags of just the right size', { tags: { t: 'x'.repeat(102_400 - 8) } }, ''],
  ['tags that are too big', { tags: { t: 'x'.repeat(102_400 - 7) } }, 'tags'],
  ['tags before all else', { tags: [], v: undefined }, 'tags v:MissingParameter'],
  ['directories of no zone', { inherited_directories: [] }, 'inherited_directories'],
  ['a foreign scheme', { homepage: 'ftp://x', eula: 'javascript:alert(1)' }, 'homepage eula'],
  ['unknown fields last', { zzz: 1, _url: 'x', name: '' }, 'name zzz _url'],
  ['what only a record has', { expires_at: '2026-11-20T23:57:37Z' }, 'expires_at'],
  ['networks', needs({ networks: [{ name: 'net0', description: 'x' }] }), ''],
  [
    'networks without description',
    needs({ networks: [{ name: 'net0' }, 'x'] }),
    'requirements.networks requirements.networks',
  ],
  ['memory as a string', needs({ min_ram: '1024' }), 'requirements.min_ram'],
  ['less memory than needed', needs({ min_ram: 1024, max_ram: 512 }), 'requirements.max_ram'],
  ['platforms', needs({ min_platform: { '7.0': stamp }, max_platform: { '7.0': stamp } }), ''],
  [
    'each bad platform',
    needs({ min_platform: { '7.0': 'x', '6.5': '20111231T000000Z', '6.6': stamp } }),
    'requirements.min_platform requirements.min_platform',
  ],
  ['no platforms', needs({ max_platform: {} }), 'requirements.max_platform'],
  ['bootrom without brand', needs({ bootrom: 'uefi' }), 'requirements.bootrom:MissingParameter'],
  ['bootrom of a foreign brand', needs({ bootrom: 'uefi', brand: 'lx' }), 'requirements.bootrom'],
  ['an unknown bootrom', needs({ bootrom: 'efi', brand: 'bhyve' }), 'requirements.bootrom'],
  ['a bootrom', needs({ bootrom: 'bios', brand: 'bhyve' }), ''],
  ['empty requirements', needs({ networks: 0, brand: '', ssh_key: false, min_ram: 0, min_platform: null }), ''],
  ['an unknown requirement goes by its bare name', needs({ disk: 5 }), 'disk'],
];

for (const [what, changes, wrong, rules = dc] of rows) {
  test(what, (t) => t.is(spelled(validateManifest({ ...base, ...changes }, rules)), wrong));
}

test('problems come in the order of the contract', (t) => {
  t.is(
    spelled(validateManifest({}, channelled)),
    'v uuid owner name version disabled activated public state type os channels'.replace(/\w+/g, '$&:MissingParameter'),
  );
  t.is(
    spelled(
      validateManifest({ ...base, users: 1, urn: 1, acl: 1, os: 'x', name: '', description: 5, icon: 5, tags: 5 }, dc),
    ),
    'icon tags name os urn description acl users',
  );
});

test('a node asks for little', (t) => {
  const { v, uuid, name, version, type, os } = base;
  t.is(spelled(validateMinimal({ v, uuid, name, version, type, os })), '');
  t.is(spelled(validateMinimal({})), 'v uuid name version type os'.replace(/\w+/g, '$&:MissingParameter'));
  t.is(
    spelled(validateMinimal({ ...base, public: 'x', channels: ['dev'], owner: 'x', files: {} })),
    'owner public files',
  );
});

test('messages tell what clients look for in them', (t) => {
  const messages = (changes: Manifest, rules: Rules) =>
    validateManifest({ ...base, ...changes }, rules).map(({ message }) => message ?? '');
  t.regex(messages({ public: 'x' }, dc)[0]!, /invalid value/);
  t.regex(messages({ public: false }, open)[0]!, /private/);
  t.regex(messages({}, closed)[0]!, /public/);
  t.regex(messages({ activated: true, files: [file] }, dc)[0]!, /acti/);
  t.regex(messages({ type: 'kvm' }, dc)[0]!, /"kvm"/);
  t.deepEqual(validateManifest({ ...base, origin: 'x' }, dc), [{ field: 'origin', code: 'Invalid' }]);
});

test('what was parsed from JSON can not lead it astray', (t) => {
  const tricky: unknown = JSON.parse(`{"__proto__":{"owner":"${OTHER}"},"constructor":1,"hasOwnProperty":2}`);
  t.is(
    spelled(validateManifest(tricky, dc)),
    `${'v uuid owner name version disabled activated public state type os'.replace(/\w+/g, '$&:MissingParameter')} __proto__ constructor hasOwnProperty`,
  );
  t.is(spelled(validateManifest({ ...base, type: 'constructor', os: '__proto__' }, dc)), 'type os');
  const bare: unknown = Object.assign(Object.create(null), base, {
    tags: Object.assign(Object.create(null), { a: 1 }),
  });
  t.is(spelled(validateManifest(bare, dc)), '');
});

test('nesting ends somewhere', (t) => {
  t.is(spelled(validateManifest({ ...base, tags: nested(64) }, dc)), '');
  t.is(spelled(validateManifest({ ...base, tags: nested(65) }, dc)), 'tags');
  const abyss: unknown = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000));
  t.is(spelled(validateManifest({ ...base, error: { abyss }, traits: { abyss } }, dc)), 'error traits');
});

const anyManifest = fc.oneof(
  fc.anything(),
  fc.dictionary(
    fc.oneof(
      fc.constantFrom(...Object.keys({ ...base, ...zvol, tags: 0, requirements: 0, files: 0, acl: 0, users: 0 })),
      fc.string(),
    ),
    fc.anything({ withNullPrototype: true, withBigInt: true, withSparseArray: true, withDate: true, withMap: true }),
  ),
);

test('nothing makes it throw, and nothing is changed', (t) => {
  fc.assert(
    fc.property(anyManifest, (manifest) => {
      const before = fc.stringify(manifest);
      for (const rules of [dc, open, closed, channelled]) t.true(Array.isArray(validateManifest(manifest, rules)));
      t.true(Array.isArray(validateMinimal(manifest)));
      t.is(fc.stringify(manifest), before);
    }),
    { seed: 20_261_120, numRuns: 2000 },
  );
});
