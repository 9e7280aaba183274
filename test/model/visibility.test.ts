import test from 'ava';
import type { Mode } from '../../imgapi/image.js';
import { anonymous, type Caller, trusted } from '../../server/model/caller.js';
import { noRights } from '../../server/model/rights.js';
import { type User, userUuid } from '../../server/model/user.js';
import { canList, canRead, type Visible } from '../../server/model/visibility.js';
import { table } from '../support/table.js';

const user = (name: string, superAdmin = false): User => ({ uuid: userUuid(name), name, superAdmin, created: '' });

const MAIN = new Set(['main']);

const as = (user: User): Caller => ({
  kind: 'user',
  user,
  rights: { ...noRights, superAdmin: user.superAdmin, member: MAIN },
});

const callers: Record<string, Caller> = {
  anonymous,
  trusted,
  admin: as(user('admin', true)),
  owner: as(user('owner')),
  guest: as(user('guest')),
  stranger: as(user('stranger')),
};

const kinds = table<'kind' | 'public' | 'activated' | 'disabled' | 'shared'>(`
  kind              public  activated  disabled  shared
  new               yes     no         no        no
  new-disabled      yes     no         yes       no
  new-private       no      no         no        yes
  active            yes     yes        no        no
  disabled          yes     yes        yes       no
  private           no      yes        no        no
  private-disabled  no      yes        yes       no
  shared            no      yes        no        yes
  shared-disabled   no      yes        yes       yes
`);

const imageOf = new Map(
  kinds.map(({ kind, ...row }): [string, Visible] => [
    kind,
    {
      owner: userUuid('owner'),
      public: row.public === 'yes',
      activated: row.activated === 'yes',
      disabled: row.disabled === 'yes',
      acl: row.shared === 'yes' ? [userUuid('guest')] : undefined,
    },
  ]),
);

const ALL = kinds.map(({ kind }) => kind).join(' ');
const PUB = 'new new-disabled active disabled';
const PRI = 'new-private private private-disabled shared shared-disabled';

/**
 * Which images can be had by whoever can name them, and which of those that the filters let through are listed. A server
 * that is public, or private, has nothing of the other kind, from whichever time it may be.
 */
const law = table<'mode' | 'caller' | 'account' | 'reads' | 'lists'>(`
  mode     caller     account   reads                                               lists
  dc       anonymous  -         active                                              active
  dc       trusted    -         ALL                                                 ALL
  dc       admin      -         ALL                                                 ALL
  dc       owner      -         ALL                                                 ALL
  dc       stranger   -         active                                              active
  dc       trusted    owner     ALL                                                 ALL
  dc       trusted    guest     active disabled shared shared-disabled              ALL
  dc       trusted    stranger  active disabled                                     ALL
  dc       admin      guest     active disabled shared shared-disabled              ALL
  dc       guest      guest     active shared                                       active shared
  dc       owner      owner     ALL                                                 ALL
  public   anonymous  -         PUB                                                 active
  public   anonymous  owner     PUB                                                 active
  public   anonymous  stranger  active disabled                                     active
  public   stranger   -         PUB                                                 PUB
  public   trusted    -         PUB                                                 PUB
  public   admin      -         PUB                                                 PUB
  public   admin      stranger  active disabled                                     PUB
  private  anonymous  -         PRI                                                 private shared
  private  anonymous  owner     PRI                                                 private shared
  private  anonymous  guest     shared shared-disabled                              private shared
  private  anonymous  stranger  NONE                                                private shared
  private  stranger   -         PRI                                                 PRI
  private  admin      -         PRI                                                 PRI
`);

const named: Record<string, string> = { ALL, PUB, PRI, NONE: '' };

for (const { mode, caller, account, reads, lists } of law) {
  test(`mode ${mode}: ${caller}${account && ` for ${account}`}`, (t) => {
    const viewer = {
      caller: callers[caller]!,
      mode: mode as Mode,
      open: MAIN,
      ...(account && { account: userUuid(account) }),
    };
    const those = (may: typeof canRead) =>
      kinds.filter(({ kind }) => may(viewer, imageOf.get(kind)!)).map((k) => k.kind);
    t.is(those(canRead).join(' '), named[reads] ?? reads);
    t.is(those(canList).join(' '), named[lists] ?? lists);
  });
}

test('an account that is nobody owns nothing and is in no list', (t) => {
  const viewer = { caller: trusted, mode: 'dc', account: '', open: MAIN } as const;
  t.deepEqual(
    kinds.map(({ kind }) => kind).filter((kind) => canRead(viewer, imageOf.get(kind)!)),
    ['active', 'disabled'],
  );
});
