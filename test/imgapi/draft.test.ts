import test from 'ava';
import { type DraftKind, finishDraft, readDraft, requireOwner } from '../../imgapi/draft.js';
import type { Rules } from '../../imgapi/manifest.js';
import { serialize } from '../../imgapi/serialize.js';
import { active } from './images.js';
import { type Manifest, OTHER, OWNER, UUID } from './manifests.js';
import { refusalOf } from './refusals.js';

const dc: Rules = { mode: 'dc', channels: false };
const base = { name: 'base', version: '1.0.0', type: 'other', os: 'linux' };
const zvol = { type: 'zvol', nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host' };
const old = { uuid: UUID, creator_uuid: OTHER, name: 'base', version: '1.0.0', type: 'other', os: 'linux' };

function take(kind: DraftKind, body: unknown, rules = dc, channel?: string) {
  const draft = readDraft(kind, body);
  return finishDraft(kind, draft, { uuid: UUID, owner: OWNER, rules, ...(channel !== undefined && { channel }) });
}

test('a create makes an unactivated image of its own', (t) => {
  t.deepEqual(take('create', base), {
    ...base,
    v: 2,
    uuid: UUID,
    owner: OWNER,
    disabled: false,
    public: false,
    files: [],
    activated: false,
    state: 'unactivated',
  });
});

test('lenient forms become what they mean', (t) => {
  const {
    v,
    image_size,
    disabled,
    generate_passwords,
    name,
    public: isPublic,
  } = take('import', {
    ...base,
    ...zvol,
    v: '2',
    image_size: '10240',
    disabled: 'true',
    public: 'true',
    generate_passwords: 'false',
    name: 64,
  });
  t.deepEqual(
    { v, image_size, disabled, generate_passwords, name, isPublic },
    { v: 2, image_size: 10_240, disabled: true, generate_passwords: false, name: '64', isPublic: true },
  );
});

test('files, icon, channels and the state of an import are dropped', (t) => {
  const body = { ...base, files: [{}], icon: true, channels: ['x', 5] };
  t.deepEqual(take('create', body), take('create', base));
  t.deepEqual(take('import', { ...body, v: 2, state: 'active' }), take('import', { ...base, v: 2 }));
});

test('the channel of the request is the channel of the image', (t) => {
  const rules: Rules = { mode: 'dc', channels: true };
  t.deepEqual(take('create', { ...base, channels: ['other'] }, rules, 'dev').channels, ['dev']);
  t.is(
    refusalOf(t, () => take('create', base, rules)),
    'ValidationFailed channels:MissingParameter',
  );
});

test('an import takes what a server says of an image', (t) => {
  const image = active({ urn: 'a:b:c:1', acl: [OTHER], tags: { role: 'db' }, disabled: true, state: 'disabled' });
  const taken = take('import', serialize(image, { mode: 'dc', channels: true, admin: false }));
  t.deepEqual(taken, { ...image, state: 'unactivated', activated: false, files: [] });
});

test('old manifests are upgraded first (D-04)', (t) => {
  const draft = readDraft('import', old);
  t.deepEqual(draft, {
    uuid: UUID,
    name: 'base',
    version: '1.0.0',
    type: 'other',
    os: 'linux',
    v: 2,
    owner: OTHER,
    public: true,
    disabled: false,
  });
  t.is(take('import', old).owner, OWNER);
});

test('what can not be upgraded is refused for what it is', (t) => {
  t.is(
    refusalOf(t, () => take('import', { ...old, owner: OTHER })),
    'InvalidParameter creator_uuid:Invalid',
  );
  t.is(
    refusalOf(t, () => take('import', base)),
    'ValidationFailed v:MissingParameter',
  );
  t.is(readDraft('create', base).v, 2);
});

const refusals: [what: string, kind: DraftKind, body: unknown, refusal: string][] = [
  ['no body', 'create', undefined, 'ValidationFailed body:MissingParameter'],
  ['a list', 'create', [], 'ValidationFailed body:MissingParameter'],
  ['text', 'import', 'x', 'ValidationFailed body:MissingParameter'],
  ['null', 'import', null, 'ValidationFailed body:MissingParameter'],
  [
    'nothing',
    'create',
    {},
    'ValidationFailed name:MissingParameter version:MissingParameter type:MissingParameter os:MissingParameter',
  ],
  ['a state', 'create', { ...base, state: 'active' }, 'ValidationFailed state:NotAllowed'],
  [
    'what only an import sets',
    'create',
    { ...base, uuid: UUID, published_at: 'x', urn: 'x' },
    'InvalidParameter uuid:Invalid published_at:Invalid urn:Invalid',
  ],
  [
    'what nobody sets',
    'import',
    { ...base, v: 2, activated: true, expires_at: 'x', zzz: 1 },
    'InvalidParameter activated:Invalid expires_at:Invalid zzz:Invalid',
  ],
  [
    'drivers of no zvol',
    'create',
    { ...base, ...zvol, type: 'other', image_size: 1 },
    'InvalidParameter nic_driver:Invalid disk_driver:Invalid cpu_type:Invalid image_size:Invalid',
  ],
  ['extras before all else', 'create', { zzz: 1, name: '' }, 'InvalidParameter zzz:Invalid'],
  ['a zvol of no size', 'create', { ...base, ...zvol }, 'ValidationFailed image_size:Invalid'],
  ['an imported zvol of no size', 'import', { ...base, ...zvol, v: 2 }, 'ValidationFailed image_size:MissingParameter'],
  [
    'a zvol of nothing',
    'create',
    { ...base, type: 'zvol' },
    'ValidationFailed nic_driver:MissingParameter disk_driver:MissingParameter cpu_type:MissingParameter image_size:Invalid',
  ],
  ['a date that is a number', 'import', { ...base, v: 2, published_at: 5 }, 'InvalidParameter published_at:Invalid'],
  [
    'a date that is none',
    'import',
    { ...base, v: 2, published_at: '2012-01-01' },
    'ValidationFailed published_at:Invalid',
  ],
  [
    'a bad boolean (D-02)',
    'create',
    { ...base, public: 'perhaps', disabled: null },
    'ValidationFailed disabled:Invalid public:Invalid',
  ],
  ['null', 'create', { ...base, description: null, tags: null }, 'ValidationFailed tags:Invalid description:Invalid'],
];

for (const [what, kind, body, refusal] of refusals) {
  test(`refused on ${kind}: ${what}`, (t) =>
    t.is(
      refusalOf(t, () => take(kind, body)),
      refusal,
    ));
}

test('the message names the fields', (t) => {
  t.is(t.throws(() => take('create', { ...base, name: '', os: 'x' }))?.message, 'invalid image data: name, os');
  t.is(t.throws(() => take('create', { ...base, a: 1, b: 2 }))?.message, 'extra parameters: a, b');
});

test('an image needs an owner (D-01)', (t) => {
  t.is(requireOwner(OWNER), OWNER);
  t.is(
    refusalOf(t, () => requireOwner(undefined)),
    'ValidationFailed owner:MissingParameter',
  );
  t.is(
    refusalOf(t, () => requireOwner('me')),
    'ValidationFailed owner:Invalid',
  );
  t.is(
    refusalOf(t, () => requireOwner([OWNER])),
    'ValidationFailed owner:Invalid',
  );
});

test('what was sent stays as it was', (t) => {
  const body: Manifest = JSON.parse(JSON.stringify({ ...old, files: [{ path: 'x.gz' }], tags: { a: { b: 1 } } }));
  const before = structuredClone(body);
  take('import', body);
  t.deepEqual(body, before);
});

test('a draft with a __proto__ is just a draft with an extra parameter', (t) => {
  const body: unknown = JSON.parse(`{"name":"a","__proto__":{"owner":"${OTHER}"}}`);
  t.is(readDraft('create', body).owner, undefined);
  t.is(
    refusalOf(t, () => take('create', body)),
    'InvalidParameter __proto__:Invalid',
  );
});
