import test from 'ava';
import type { Image } from '../../imgapi/image.js';
import {
  compareListed,
  type Listed,
  listed,
  matches,
  pageOf,
  parseListQuery,
  type RawQuery,
} from '../../imgapi/query.js';
import { active, image } from './images.js';
import { OTHER, OWNER, UUID } from './manifests.js';
import { refusalOf } from './refusals.js';

test('what lists need to know of an image', (t) => {
  t.deepEqual(listed(image()), {
    uuid: UUID,
    owner: OWNER,
    name: 'base-64',
    version: '1.0.0',
    os: 'smartos',
    type: 'zone-dataset',
    state: 'unactivated',
    public: false,
    activated: false,
    disabled: false,
    published: 0,
    tags: [],
    billingTags: [],
    acl: [],
  });
  const { published, channels, origin } = listed(active({ channels: ['dev'], origin: OTHER }));
  t.deepEqual({ published, channels, origin }, { published: 1_795_219_057_472, channels: ['dev'], origin: OTHER });
});

test('tags are indexed by what can be asked for', (t) => {
  const long = 'x'.repeat(101);
  const tags = { s: 'x', n: 1.5, b: false, o: { a: 1 }, l: [1], z: null, long, 'docker:repo': 'busybox', e: '' };
  t.deepEqual(listed(image({ tags })).tags, [
    's=x',
    'n=1.5',
    'b=false',
    'o=',
    'l=',
    'z=',
    'long=',
    'docker:repo=busybox',
    'e=',
  ]);
});

const some = active({ tags: { role: 'db', n: 1, o: {}, 'a.b:c': 'x' }, billing_tags: ['x', 'y'] });
const filters: [query: RawQuery, is: boolean][] = [
  [{}, true],
  [{ unheard_of: 'x', uuid: OTHER, origin: OTHER, acl: OTHER }, true],
  [{ name: 'base-64' }, true],
  [{ name: 'base' }, false],
  [{ name: '~se-6' }, true],
  [{ name: '~Base' }, false],
  [{ name: '~' }, true],
  [{ name: '' }, false],
  [{ version: '1.0.0' }, true],
  [{ version: '~1.' }, true],
  [{ version: '~2' }, false],
  [{ owner: OWNER }, true],
  [{ owner: OTHER }, false],
  [{ owner: 'nobody' }, false],
  [{ owner: '' }, false],
  [{ os: 'smartos' }, true],
  [{ os: '!linux' }, false],
  [{ type: 'zone-dataset' }, true],
  [{ type: 'zvol' }, false],
  [{ type: '!zvol' }, true],
  [{ type: '!zone-dataset' }, false],
  [{ public: 'false' }, true],
  [{ public: 'true' }, false],
  [{ 'tag.role': 'db', 'tag.n': '1' }, true],
  [{ 'tag.role': 'db', 'tag.n': '2' }, false],
  [{ 'tag.role': 'd' }, false],
  [{ 'tag.o': '' }, true],
  [{ 'tag.role': '' }, false],
  [{ 'tag.a.b:c': 'x' }, true],
  [{ 'tag.role': ['db', 'db'] }, false],
  [{ billing_tag: 'x' }, true],
  [{ billing_tag: ['x', 'y'] }, true],
  [{ billing_tag: ['x', 'z'] }, false],
];

for (const [query, is] of filters) {
  test(`matches ${JSON.stringify(query)}: ${is}`, (t) => t.is(matches(parseListQuery(query), listed(some)), is));
}

const lives: Record<string, Image> = {
  active: active(),
  disabled: active({ disabled: true, state: 'disabled' }),
  unactivated: image(),
  'unactivated, disabled': image({ disabled: true }),
  creating: image({ state: 'creating' }),
  failed: image({ state: 'failed' }),
  'active, failed': active({ state: 'failed' }),
};

const byState: [state: string, found: string][] = [
  ['', 'active; active, failed'],
  ['active', 'active; active, failed'],
  ['disabled', 'disabled'],
  ['unactivated', 'unactivated; unactivated, disabled; creating; failed'],
  ['all', Object.keys(lives).join('; ')],
  ['creating', 'creating'],
  ['failed', 'failed; active, failed'],
];

const found = (query: RawQuery, among: Record<string, Image>) =>
  Object.entries(among)
    .filter(([, image]) => matches(parseListQuery(query), listed(image)))
    .map(([name]) => name)
    .join('; ');

for (const [state, names] of byState) {
  test(`state=${state} finds ${names}`, (t) => t.is(found({ state }, lives), names));
}

const ACCOUNT = 'b0b0b0b0-0000-4000-8000-000000000001';
const shared = { owner: OTHER, acl: [ACCOUNT] };
const fleet: Record<string, Image> = {
  own: active({ owner: ACCOUNT }),
  'own public': active({ owner: ACCOUNT, public: true }),
  'own disabled': active({ owner: ACCOUNT, disabled: true, state: 'disabled' }),
  'own unactivated': image({ owner: ACCOUNT }),
  'own failed': image({ owner: ACCOUNT, state: 'failed' }),
  public: active({ owner: OTHER, public: true }),
  'public disabled': active({ owner: OTHER, public: true, disabled: true, state: 'disabled' }),
  'public unactivated': image({ owner: OTHER, public: true }),
  shared: active(shared),
  'shared disabled': active({ ...shared, disabled: true, state: 'disabled' }),
  'shared unactivated': image(shared),
  hidden: active({ owner: OTHER }),
};

const forAccount: [query: RawQuery, found: string][] = [
  [{}, 'own; own public; public; shared'],
  [
    { state: 'all' },
    'own; own public; own disabled; own unactivated; own failed; public; public disabled; shared; shared disabled',
  ],
  [{ state: 'disabled' }, 'own disabled'],
  [{ state: 'unactivated' }, 'own unactivated; own failed'],
  [{ public: 'true' }, 'own public; public'],
  [{ public: 'false' }, 'own; shared'],
  [{ owner: ACCOUNT }, 'own; own public'],
  [{ owner: ACCOUNT, state: 'all' }, 'own; own public; own disabled; own unactivated; own failed'],
  [{ owner: OTHER }, 'public; shared'],
  [{ owner: OTHER, state: 'all' }, 'public; public disabled; shared; shared disabled'],
  [{ owner: OTHER, state: 'disabled' }, ''],
  [{ owner: OTHER, state: 'unactivated' }, ''],
  [{ owner: OTHER, state: 'failed' }, 'public; public disabled; shared; shared disabled'],
  [{ owner: OTHER, public: 'false' }, 'shared'],
  [{ name: 'x' }, ''],
];

for (const [query, names] of forAccount) {
  test(`for an account, ${JSON.stringify(query)} finds ${names}`, (t) => {
    t.is(found({ ...query, account: ACCOUNT }, fleet), names);
  });
}

test('an account that is no uuid sees what is public', (t) => {
  t.is(found({ account: 'nobody' }, fleet), 'own public; public');
  t.is(found({ account: '' }, fleet), 'own public; public');
});

const malformed: [query: RawQuery, field: string][] = [
  [{ state: 'gone' }, 'state'],
  [{ state: 'constructor' }, 'state'],
  [{ state: ['active', 'active'] }, 'state'],
  [{ public: 'perhaps' }, 'public'],
  [{ public: '' }, 'public'],
  [{ public: ['true', 'true'] }, 'public'],
  [{ name: ['a', 'b'] }, 'name'],
  [{ owner: [OWNER, OWNER] }, 'owner'],
  [{ account: [OWNER, OWNER] }, 'account'],
  [{ limit: 'x' }, 'limit'],
  [{ limit: '-1' }, 'limit'],
  [{ limit: '1.5' }, 'limit'],
  [{ limit: '1e999' }, 'limit'],
  [{ limit: '9007199254740993' }, 'limit'],
  [{ limit: ['1', '2'] }, 'limit'],
  [{ marker: 'x' }, 'marker'],
  [{ marker: [UUID, UUID] }, 'marker'],
  [{ sort: 'name' }, 'sort'],
  [{ sort: '.asc' }, 'sort'],
  [{ sort: ['published_at', 'published_at'] }, 'sort'],
];

for (const [query, field] of malformed) {
  test(`malformed: ${JSON.stringify(query)}`, (t) => {
    t.is(
      refusalOf(t, () => parseListQuery(query)),
      `InvalidParameter ${field}:Invalid`,
    );
  });
}

const parsed: [query: RawQuery, limit: number | undefined, descending: boolean, marker?: object][] = [
  [{}, undefined, false],
  [{ limit: '', marker: '', sort: '' }, undefined, false],
  [{ limit: '0' }, undefined, false],
  [{ limit: '10' }, 10, false],
  [{ sort: 'published_at' }, undefined, false],
  [{ sort: 'published_at.asc' }, undefined, false],
  [{ sort: 'published_at.ASC' }, undefined, false],
  [{ sort: 'published_at.desc' }, undefined, true],
  [{ sort: 'published_at.down' }, undefined, true],
  [{ marker: UUID }, undefined, false, { uuid: UUID }],
  [{ marker: '2012-01-01' }, undefined, false, { time: Date.UTC(2012, 0, 1) }],
  [{ marker: '1970-01-01T00:00:00Z' }, undefined, false, { time: 0 }],
];

for (const [query, limit, descending, marker] of parsed) {
  test(`parsed: ${JSON.stringify(query)}`, (t) => {
    const { limit: l, descending: d, marker: m } = parseListQuery(query);
    t.deepEqual({ l, d, m }, { l: limit, d: descending, m: marker });
  });
}

/** One entry for each letter, published at the number behind it. */
const entries = (spelled: string): Listed[] =>
  spelled
    .split(' ')
    .map((one) => ({ ...listed(active()), uuid: one[0]!, published: Number(one.slice(1)) }))
    .sort(compareListed);

const shelf = entries('b0 a0 c1 f2 d2 e2 g3');

test('older first, then by uuid', (t) => t.is(shelf.map(({ uuid }) => uuid).join(''), 'abcdefg'));

const at = (uuid: string) => shelf.find((entry) => entry.uuid === uuid);
const pages: [what: string, query: RawQuery, marker: string | undefined, page: string][] = [
  ['all', {}, undefined, 'abcdefg'],
  ['all, descending', { sort: 'published_at.desc' }, undefined, 'gfedcba'],
  ['some', { limit: '2' }, undefined, 'ab'],
  ['some, descending', { limit: '2', sort: 'published_at.desc' }, undefined, 'gf'],
  ['from a marker, with it', {}, 'e', 'efg'],
  ['from a marker, descending', { sort: 'published_at.desc' }, 'e', 'edcba'],
  ['from the last', {}, 'g', 'g'],
  ['from the last, descending', { sort: 'published_at.desc' }, 'c', 'cba'],
  ['from what was never published', {}, 'b', 'abcdefg'],
  ['from what was never published, descending', { sort: 'published_at.desc' }, 'b', 'gfedcba'],
  ['from a time', { marker: new Date(2).toISOString() }, undefined, 'defg'],
  ['up to a time, descending', { marker: new Date(2).toISOString(), sort: 'published_at.desc' }, undefined, 'fedcba'],
  ['from a time that is past', { marker: new Date(9).toISOString() }, undefined, ''],
  ['up to the beginning of time', { marker: new Date(0).toISOString(), sort: 'published_at.desc' }, undefined, 'ba'],
  ['some from a marker', { limit: '2' }, 'd', 'de'],
];

for (const [what, query, marker, page] of pages) {
  test(`page: ${what}`, (t) => {
    const raw = marker ? { ...query, marker: UUID } : query;
    const entry = marker ? at(marker) : undefined;
    t.is(
      pageOf(shelf, parseListQuery(raw), entry, () => true)
        .map(({ uuid }) => uuid)
        .join(''),
      page,
    );
  });
}

test('the limit counts what was accepted', (t) => {
  const odd = pageOf(shelf, parseListQuery({ limit: '2' }), undefined, ({ uuid }) => 'cg'.includes(uuid));
  t.is(odd.map(({ uuid }) => uuid).join(''), 'cg');
});

test('nothing has no pages', (t) => {
  t.deepEqual(
    pageOf([], parseListQuery({}), undefined, () => true),
    [],
  );
  t.deepEqual(
    pageOf([], parseListQuery({ sort: 'published_at.desc' }), at('d'), () => true),
    [],
  );
});

for (const sort of ['published_at.asc', 'published_at.desc']) {
  for (const limit of [2, 3, 5]) {
    test(`markers neither skip nor repeat: ${sort}, pages of ${limit}`, (t) => {
      const seen: string[] = [];
      const published = entries('a1 b1 c1 d1 e1 f1 g2 h2 i2 j3');
      for (let marker: Listed | undefined; ; ) {
        const query = parseListQuery({ sort, limit: String(limit), ...(marker && { marker: UUID }) });
        const page = pageOf(published, query, marker, () => true);
        seen.push(...(marker ? page.slice(1) : page).map(({ uuid }) => uuid));
        if (page.length < limit) break;
        marker = page.at(-1);
      }
      t.is(seen.join(''), sort.endsWith('asc') ? 'abcdefghij' : 'jihgfedcba');
    });
  }
}
