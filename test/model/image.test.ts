import test from 'ava';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Image, ImageFile, ImageIcon, State } from '../../imgapi/image.js';
import {
  activate,
  disable,
  enable,
  holdingsOf,
  images,
  isExpired,
  isPlaceholder,
  notSharedWith,
  sharedWith,
  withChannel,
  withFile,
  withIcon,
  withoutChannel,
  withoutIcon,
} from '../../server/model/image.js';
import { table } from '../support/table.js';

const NOW = new Date('2030-01-02T03:04:05.678Z');
const UUID = '39ba45c7-9d4a-4a3f-8f5b-0a1d8f7e2c11';

const file: ImageFile = {
  sha1: 'a',
  sha256: 'b',
  size: 5,
  contentMD5: 'c',
  mtime: NOW.toISOString(),
  stor: 'local',
  compression: 'none',
};
const icon: ImageIcon = { ...file, sha256: 'i', contentType: 'image/png' };

const base: Image = {
  v: 2,
  uuid: UUID,
  owner: UUID,
  name: 'sample',
  version: '1',
  state: 'unactivated',
  disabled: false,
  activated: false,
  public: true,
  type: 'other',
  os: 'other',
  files: [file],
};

/** Frozen, so that a transition that changes what it is given throws. */
const image = (more: Partial<Image> = {}): Image => Object.freeze({ ...base, ...more });

const codeOf = (change: () => Image) => {
  try {
    return change().state;
  } catch (error) {
    if (error instanceof ImgapiError) return error.code;
    throw error;
  }
};

const transitions = table<'state' | 'activated' | 'disabled' | 'activate' | 'disable' | 'enable'>(`
  state        activated  disabled  activate               disable      enable
  unactivated  false      false     active                 unactivated  unactivated
  unactivated  false      true      disabled               unactivated  unactivated
  creating     false      false     active                 creating     creating
  creating     false      true      disabled               creating     creating
  failed       false      false     active                 failed       failed
  failed       false      true      disabled               failed       failed
  active       true       false     ImageAlreadyActivated  disabled     active
  disabled     true       true      ImageAlreadyActivated  disabled     active
  failed       true       false     ImageAlreadyActivated  disabled     active
  active       false      false     active                 unactivated  unactivated
`);

test('states and the ways between them', (t) => {
  const ways: Record<string, (image: Image) => Image> = {
    activate: (before) => activate(before, NOW),
    disable,
    enable,
  };
  for (const { state, activated, disabled, ...expected } of transitions) {
    const before = image({ state: state as State, activated: activated === 'true', disabled: disabled === 'true' });
    for (const [name, outcome] of Object.entries(expected)) {
      const why = `${state} ${activated} ${disabled}: ${name}`;
      t.is(
        codeOf(() => ways[name]!(before)),
        outcome as State,
        why,
      );
      if (outcome === 'ImageAlreadyActivated') continue;
      const after = ways[name]!(before);
      t.is(after.disabled, name === 'activate' ? before.disabled : name === 'disable', why);
      t.is(after.activated, name === 'activate' || before.activated, why);
    }
  }
});

test('a way that is gone twice leads nowhere else', (t) => {
  for (const way of [disable, enable]) {
    for (const before of [image(), image({ activated: true, state: 'active' })]) {
      t.deepEqual(way(way(before)), way(before));
    }
  }
});

test('activation needs a file, sets a date unless there is one, and ends the waiting', (t) => {
  t.is(
    codeOf(() => activate(image({ files: [] }), NOW)),
    'NoActivationNoFile',
  );
  t.is(
    codeOf(() => activate(image({ files: [], activated: true }), NOW)),
    'ImageAlreadyActivated',
  );
  t.is(activate(image(), NOW).published_at, NOW.toISOString());
  t.is(activate(image({ published_at: '2013-01-01T00:00:00Z' }), NOW).published_at, '2013-01-01T00:00:00Z');
  t.false('expires_at' in activate(image({ state: 'creating', expires_at: '2013-01-01T00:00:00Z' }), NOW));
});

test('files come until activation, icons come and go at any time', (t) => {
  const active = image({ activated: true, state: 'active' });
  const other = { ...file, sha256: 'other' };
  t.deepEqual(withFile(image(), other), { ...base, files: [other] });
  t.is(
    codeOf(() => withFile(active, other)),
    'ImageAlreadyActivated',
  );
  for (const before of [image(), active]) {
    t.deepEqual(withIcon(before, icon), { ...before, icon });
    t.deepEqual(withoutIcon(withIcon(before, icon)), before);
    t.is(
      codeOf(() => withoutIcon(before)),
      'ResourceNotFound',
    );
  }
});

const lists = table<'before' | 'change' | 'with' | 'without'>(`
  before  change  with     without
  -       a       a        -
  a       a       a        -
  a b     c       a b c    a b
  a b c   b       a b c    a c
`);

const words = (text: string) => (text ? text.split(' ') : []);

test('channels and accounts: none comes twice, the order stays', (t) => {
  for (const { before, change, with: joined, without: left } of lists) {
    t.deepEqual(withChannel(image({ channels: words(before) }), change).channels, words(joined));
    t.deepEqual(withoutChannel(image({ channels: words(before) }), change).channels, words(left));
    t.deepEqual(sharedWith(image({ acl: words(before) }), [change]).acl, words(joined));
    t.deepEqual(notSharedWith(image({ acl: words(before) }), [change]).acl, words(left));
  }
  t.deepEqual(sharedWith(image(), ['a', 'b', 'a']).acl, ['a', 'b']);
  t.deepEqual(notSharedWith(image(), ['a']).acl, []);
  t.deepEqual(withChannel(image(), 'a').channels, ['a']);
  t.deepEqual(withoutChannel(image(), 'a').channels, []);
});

test('what an image holds of the store', (t) => {
  t.deepEqual([...holdingsOf(undefined)], []);
  t.deepEqual([...holdingsOf(image({ files: [] }))], []);
  const second = { ...file, sha256: 'second' };
  t.deepEqual(
    [...holdingsOf(image({ files: [file, second], icon }))],
    [
      [`images/${UUID}/file0`, file],
      [`images/${UUID}/file1`, second],
      [`images/${UUID}/icon`, icon],
    ],
  );
});

test('images are found by their origin', (t) => {
  t.is(images.id(image()), UUID);
  t.deepEqual(images.index(image()), []);
  t.deepEqual(images.index(image({ origin: 'o' })), ['origin:o']);
});

const expiry = table<'state' | 'expires_at' | 'placeholder' | 'expired'>(`
  state        expires_at                placeholder  expired
  creating     2030-01-02T03:04:05.678Z  true         true
  creating     2030-01-02T03:04:05.679Z  true         false
  creating     -                         true         false
  creating     nonsense                  true         false
  failed       2030-01-02T03:04:05.678Z  false        true
  failed       2031-01-01T00:00:00.000Z  false        false
  unactivated  2020-01-01T00:00:00.000Z  false        false
  active       2020-01-01T00:00:00.000Z  false        false
  disabled     2020-01-01T00:00:00.000Z  false        false
`);

test('placeholders, and when they run out', (t) => {
  for (const { state, expires_at, placeholder, expired } of expiry) {
    const record = image({ state: state as State, ...(expires_at && { expires_at }) });
    t.is(String(isPlaceholder(record)), placeholder, state);
    t.is(String(isExpired(record, NOW)), expired, `${state} ${expires_at}`);
  }
});
