import test from 'ava';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Mode } from '../../imgapi/image.js';
import {
  anonymous,
  type Caller,
  checkActsFor,
  checkOperator,
  isKnown,
  isOperator,
  trusted,
} from '../../server/model/caller.js';
import { noRights } from '../../server/model/rights.js';
import { userUuid } from '../../server/model/user.js';
import { table } from '../support/table.js';

const callers: Record<string, Caller> = {
  anonymous,
  trusted,
  admin: as('admin', true),
  someone: as('someone', false),
};

function as(name: string, superAdmin: boolean): Caller {
  const user = { uuid: userUuid(name), name, superAdmin, created: '' };
  return { kind: 'user', user, rights: { ...noRights, superAdmin } };
}

const OTHER = userUuid('other');

function refused(act: () => void): string {
  try {
    act();
  } catch (error) {
    if (error instanceof ImgapiError && error.code === 'OperatorOnly') return 'no';
    throw error;
  }
  return 'yes';
}

const law = table<'caller' | 'known' | 'operator' | 'operates' | 'for another'>(`
  caller     known  operator  operates  for another
  anonymous  no     no        no        no
  trusted    yes    yes       yes       no
  admin      yes    yes       yes       no
  someone    yes    no        no        no
`);

for (const { caller: name, known, operator, operates, 'for another': forAnother } of law) {
  test(`${name}: what a caller is`, (t) => {
    const caller = callers[name]!;
    t.is(isKnown(caller), known === 'yes');
    t.is(isOperator(caller), operator === 'yes');
    t.is(
      refused(() => checkOperator(caller, undefined, 'this')),
      operates,
    );
    t.is(
      refused(() => checkOperator(caller, OTHER, 'this')),
      forAnother,
    );
  });
}

const acting = table<'mode' | 'caller' | 'nobody' | 'itself' | 'another'>(`
  mode     caller     nobody  itself  another
  dc       anonymous  yes     no      no
  dc       someone    yes     yes     no
  dc       admin      yes     yes     yes
  dc       trusted    yes     yes     yes
  public   anonymous  yes     yes     yes
  public   someone    yes     yes     yes
  public   admin      yes     yes     yes
  private  anonymous  yes     yes     yes
  private  someone    yes     yes     yes
  private  trusted    yes     yes     yes
`);

for (const { mode, caller: name, nobody, itself, another } of acting) {
  test(`mode ${mode}: for whom ${name} may act`, (t) => {
    const caller = callers[name]!;
    const may = (account: string | undefined) => refused(() => checkActsFor(caller, account, mode as Mode));
    t.is(may(undefined), nobody);
    t.is(may(caller.user?.uuid ?? userUuid('nobody')), itself);
    t.is(may(OTHER), another);
    t.is(may(''), another);
  });
}
