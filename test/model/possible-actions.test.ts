import test from 'ava';
import { trusted } from '../../server/model/caller.js';
import { type Action, type Circumstances, possibleActions } from '../../server/model/possible-actions.js';
import type { ManagedImage, Registration } from '../../server/model/registration.js';
import { table } from '../support/table.js';

const registered: Registration = {
  name: 'web',
  access: 'private',
  datacenters: ['east'],
  boundTo: 'east',
  created: '',
  changed: '',
};
const file = {
  sha1: 'a',
  sha256: 'b',
  size: 5,
  contentMD5: 'c',
  mtime: '',
  stor: 'local',
  compression: 'none',
} as const;
const base: ManagedImage = {
  v: 2,
  uuid: 'u',
  owner: 'o',
  name: 'web',
  version: '1',
  os: 'linux',
  type: 'zvol',
  public: false,
  state: 'active',
  disabled: false,
  activated: true,
  files: [file],
  registration: registered,
};
const none = { seen: 0, hidden: false };
const quiet: Circumstances = {
  users: none,
  children: none,
  recordsOnly: false,
  whySentToNone: () => undefined,
  mode: 'dc',
  open: new Set(),
};

const standing = (change: Partial<Registration>): ManagedImage => ({
  ...base,
  registration: { ...registered, ...change },
});
const { boundTo: _, ...unbound } = registered;
const free = (change: Partial<Registration>): ManagedImage => ({ ...base, registration: { ...unbound, ...change } });

const images: Record<string, ManagedImage> = {
  bound: base,
  shared: free({}),
  'in two': free({ datacenters: ['east', 'west'] }),
  nowhere: free({ datacenters: [] }),
  global: free({ global: true }),
  public: standing({ access: 'public' }),
  retired: standing({ access: 'deleted' }),
  golden: standing({ golden: true }),
  deprecated: standing({ deprecated: { at: '', by: 'eve' } }),
  'with no file': { ...base, activated: false, files: [] },
  waiting: { ...base, activated: false, state: 'unactivated' },
  disabled: { ...base, disabled: true, state: 'disabled' },
  pending: standing({ pending: { task: 't', what: 'import' } }),
};
const circumstances: Record<string, Circumstances> = {
  quiet,
  'used by one': { ...quiet, users: { seen: 1, hidden: false } },
  'used by two': { ...quiet, users: { seen: 2, hidden: false } },
  'used by hidden': { ...quiet, users: { seen: 2, hidden: true } },
  origin: { ...quiet, children: { seen: 2, hidden: false } },
  'hidden origin': { ...quiet, children: { seen: 0, hidden: true } },
  'records only': { ...quiet, recordsOnly: true },
  'no node': { ...quiet, whySentToNone: () => 'no node that is talked to serves it' },
};

for (const { image, when, action, reason } of table<'image' | 'when' | 'action' | 'reason'>(`
  image         when            action       reason
  bound         quiet           update       -
  bound         quiet           delete       -
  bound         used by one     delete       1 machine uses it
  bound         used by two     delete       2 machines use it
  bound         used by hidden  delete       machines use it
  bound         origin          delete       2 images build on it
  bound         hidden origin   delete       images build on it
  bound         quiet           detach       -
  bound         used by one     detach       -
  nowhere       quiet           detach       it is attached to no data center
  global        quiet           detach       it is attached to all data centers
  global        quiet           attach       it is attached to all data centers
  in two        quiet           attach       -
  bound         quiet           bind         it is bound already
  shared        quiet           bind         -
  in two        quiet           bind         it is attached to 2 data centers
  nowhere       quiet           bind         it is attached to no data center
  global        quiet           bind         it is attached to all data centers
  bound         quiet           unbind       -
  shared        quiet           unbind       it is not bound to a data center
  global        quiet           globalize    it is attached to all data centers already
  shared        quiet           unglobalize  it is attached to chosen data centers only
  public        quiet           publish      it is public already
  bound         quiet           unpublish    it is not public
  retired       quiet           retire       it is retired already
  bound         quiet           restore      it is not retired
  retired       quiet           restore      -
  golden        quiet           golden       it is golden already
  bound         quiet           ungolden     it is not golden
  deprecated    quiet           deprecate    it is deprecated already
  bound         quiet           undeprecate  it is not deprecated
  with no file  quiet           upload       -
  with no file  records only    upload       this server keeps no files
  bound         quiet           upload       it is activated already
  with no file  quiet           activate     its file has not arrived
  waiting       quiet           activate     -
  bound         quiet           activate     it is activated already
  bound         quiet           pull         -
  waiting       quiet           pull         it is unactivated
  disabled      quiet           pull         it is disabled
  bound         no node         pull         no node that is talked to serves it
  pending       quiet           pull         something works on it: import
  pending       quiet           update       something works on it: import
  pending       used by one     delete       something works on it: import
`)) {
  test(`${action} of an image that is ${image}, ${when}: ${reason || 'possible'}`, (t) => {
    const known = circumstances[when];
    if (!known || !images[image]) throw new Error(`no such row: ${image}, ${when}`);
    const { may, may_not } = possibleActions(trusted, images[image], known, { writes: true });
    t.is(may_not[action as Action], reason || undefined);
    t.is(may.includes(action as Action), reason === '');
  });
}

test('credentials that are good for reading only permit nothing', (t) => {
  t.deepEqual(possibleActions(trusted, base, quiet, { writes: false }), { may: [], may_not: {} });
});
