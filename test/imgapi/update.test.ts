import test from 'ava';
import type { Image } from '../../imgapi/image.js';
import { applyUpdate } from '../../imgapi/update.js';
import { active, image, storedFile } from './images.js';
import { type Manifest, OTHER, OWNER } from './manifests.js';
import { refusalOf } from './refusals.js';

const operator = { operator: true, rules: { mode: 'dc', channels: false } } as const;
const owner = { ...operator, operator: false };
const draft = image({ files: [storedFile] });
const zvol = { type: 'zvol', nic_driver: 'a', disk_driver: 'b', cpu_type: 'c', image_size: 1 } as const;

const changes: [what: string, from: Image, body: Manifest, to: Manifest][] = [
  [
    'plain fields',
    active(),
    { name: 'x', version: '2', os: 'linux', public: true, owner: OTHER },
    { name: 'x', version: '2', os: 'linux', public: true, owner: OTHER },
  ],
  [
    'lenient forms',
    active(zvol),
    { public: 'true', generate_passwords: 'false', image_size: '20' },
    { public: true, generate_passwords: false, image_size: 20 },
  ],
  [
    'whole objects',
    active({ tags: { a: 1, b: 2 }, requirements: { min_ram: 1 } }),
    { tags: { c: 3 }, requirements: { max_ram: 2 } },
    { tags: { c: 3 }, requirements: { max_ram: 2 } },
  ],
  ['an empty list', active({ acl: [OTHER] }), { acl: [] }, { acl: [] }],
  [
    'what operators set',
    active(),
    { state: 'failed', error: { message: 'x' }, billing_tags: ['b'], traits: { t: true } },
    { state: 'failed', error: { message: 'x' }, billing_tags: ['b'], traits: { t: true } },
  ],
  ['uuid and origin, before activation', draft, { uuid: OTHER, origin: OWNER }, { uuid: OTHER, origin: OWNER }],
  [
    'the digests of a file, before activation',
    draft,
    { files: [{ digest: 'sha256:a', uncompressedDigest: 'sha256:b' }] },
    { files: [{ ...storedFile, digest: 'sha256:a', uncompressedDigest: 'sha256:b' }] },
  ],
  [
    'a file sent back as it was shown',
    draft,
    { files: [{ sha1: storedFile.sha1, size: 6, compression: 'gzip', digest: 'd' }] },
    { files: [{ ...storedFile, digest: 'd' }] },
  ],
];

for (const [what, from, body, to] of changes) {
  test(`changed: ${what}`, (t) => t.deepEqual<unknown, unknown>(applyUpdate(from, body, operator), { ...from, ...to }));
}

test('null removes, tags among them (D-14)', (t) => {
  const from = active({ tags: { a: 1 }, description: 'x', acl: [OTHER], origin: OTHER });
  const updated = applyUpdate(from, { tags: null, description: null, acl: null, homepage: null }, operator);
  t.deepEqual(updated, active({ origin: OTHER }));
});

test('the image itself, and what only the server knows of it, stay', (t) => {
  const icon = { ...storedFile, contentType: 'image/png' };
  const from = active({ icon, expires_at: '2026-12-01T00:00:00.000Z' });
  const before = structuredClone(from);
  const updated = applyUpdate(from, { description: 'x' }, operator);
  t.deepEqual(from, before);
  t.deepEqual(updated, { ...before, description: 'x' });
});

test('a placeholder fails with nothing but its error', (t) => {
  const placeholder = image({ type: 'null', os: 'null', state: 'creating', expires_at: '2026-12-01T00:00:00.000Z' });
  const failed = applyUpdate(placeholder, { state: 'failed', error: { message: 'x' } }, operator);
  t.deepEqual(failed, { ...placeholder, state: 'failed', error: { message: 'x' } });
});

const refusals: [what: string, from: Image, body: unknown, refusal: string, context?: typeof owner][] = [
  ['no body', draft, undefined, 'ValidationFailed body:MissingParameter'],
  ['text', draft, 'x', 'ValidationFailed body:MissingParameter'],
  ['nothing', draft, {}, 'ValidationFailed'],
  ['an empty list', draft, [], 'ValidationFailed'],
  ['a list', draft, [1], 'ValidationFailed 0:NotAllowed'],
  [
    'what never changes',
    draft,
    { v: 2, urn: 'x', disabled: true, activated: true, published_at: 'x', type: 'lxd', icon: true, zzz: 1, name: '' },
    'ValidationFailed v:NotAllowed urn:NotAllowed disabled:NotAllowed activated:NotAllowed published_at:NotAllowed type:NotAllowed icon:NotAllowed zzz:NotAllowed',
  ],
  [
    'what operators set',
    draft,
    { state: 'failed', error: {}, billing_tags: [], traits: {}, uuid: OTHER, origin: OTHER, files: [{ digest: 'd' }] },
    'ValidationFailed state:NotAllowed error:NotAllowed billing_tags:NotAllowed traits:NotAllowed uuid:NotAllowed origin:NotAllowed files:NotAllowed',
    owner,
  ],
  [
    'what activation settles',
    active(),
    { uuid: OTHER, origin: OTHER, files: [{ digest: 'd' }] },
    'ValidationFailed uuid:NotAllowed origin:NotAllowed files:NotAllowed',
  ],
  ['another size', draft, { files: [{ size: 7 }] }, 'ValidationFailed files:NotAllowed'],
  ['another stor', draft, { files: [{ stor: 'manta' }] }, 'ValidationFailed files:NotAllowed'],
  ['a new member', draft, { files: [{ constructor: 1 }] }, 'ValidationFailed files:NotAllowed'],
  ['one file more', draft, { files: [{}, {}] }, 'ValidationFailed files:NotAllowed'],
  ['one file less', draft, { files: [] }, 'ValidationFailed files:NotAllowed'],
  ['no files', draft, { files: null }, 'ValidationFailed files:NotAllowed'],
  ['files that are no list', draft, { files: 'x' }, 'ValidationFailed files:Invalid'],
  ['a digest that is no text', draft, { files: [{ digest: 5 }] }, 'ValidationFailed files:Invalid'],
  [
    'bad values',
    active(),
    { name: '', os: 'x', public: 'perhaps', acl: ['x'] },
    'ValidationFailed name:Invalid public:Invalid os:Invalid acl:Invalid',
  ],
  [
    'nothing where something must be',
    active(),
    { name: null, owner: null, public: null },
    'ValidationFailed owner:MissingParameter name:MissingParameter public:MissingParameter',
  ],
  ['channels on a server without', active(), { channels: ['dev'] }, 'ValidationFailed channels:Invalid'],
  ['a __proto__', active(), JSON.parse('{"__proto__":{"v":1}}'), 'ValidationFailed __proto__:NotAllowed'],
];

for (const [what, from, body, refusal, context = operator] of refusals) {
  test(`refused: ${what}`, (t) =>
    t.is(
      refusalOf(t, () => applyUpdate(from, body, context)),
      refusal,
    ));
}

test('channels, where there are some', (t) => {
  const context = { operator: false, rules: { mode: 'public', channels: true } } as const;
  const from = active({ public: true, channels: ['dev'] });
  t.deepEqual(applyUpdate(from, { channels: ['gone', 'dev'] }, context).channels, ['gone', 'dev']);
  t.is(
    refusalOf(t, () => applyUpdate(from, { channels: null }, context)),
    'ValidationFailed channels:MissingParameter',
  );
});
