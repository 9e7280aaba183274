import { randomUUID } from 'node:crypto';
import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { groups } from '../model/group.js';
import {
  type Claims,
  mappedGroups,
  type OpenIdRules,
  type Person,
  personIn,
  usedSignIn,
  usedSignIns,
} from '../model/openid.js';
import { bindingKey } from '../model/openid-binding.js';
import { SignInFailed, type SignInProblem } from '../model/sign-in-problem.js';
import { hashToken } from '../model/token.js';
import { isAdmitted, type User, users } from '../model/user.js';
import { type Opened, openSession } from './open-session.js';
import type { Knocking } from './prove-password.js';

export interface Returning {
  claims: Claims;
  /** Of the sign-in, which is used up by this. */
  state: string;
  /** When it would be too late for it anyway. */
  until: Date;
  /** The secret of the session that the browser had, in whose place this one comes. */
  before: string | undefined;
}

/** So many that are of no use any more are forgotten with each that is remembered. */
const MOST_FORGOTTEN = 50;

/** A session for whoever has signed in at the issuer, where that is somebody here. */
export async function signInByOpenId(
  deps: Deps,
  rules: OpenIdRules,
  { claims, state, until, before }: Returning,
  { address, userAgent, onProven }: Knocking,
): Promise<Opened> {
  const person = personIn(claims, rules);
  const { catalog, now, log } = deps;
  const { user, missing } = await catalog.write(async (tx) => {
    await useUp(tx, state, until, now());
    const user = await userOf(tx, person, rules, now());
    if (!isAdmitted(user)) throw new SignInFailed('inactive', `the user "${user.name}" may not come in`);
    onProven(user);
    return { user, missing: await putIntoGroups(tx, user, person, rules) };
  });
  if (missing.length > 0) log.warn({ groups: missing }, 'openidGroupMap names groups that do not exist');
  const instead = before === undefined ? undefined : hashToken(before);
  return openSession(deps, { user, made: 'openid', holder: 'browser', address, userAgent, instead });
}

/** Whatever is replayed, and on whichever daemon: only one write can do this. */
async function useUp(tx: Tx, state: string, until: Date, now: Date): Promise<void> {
  const used = usedSignIn(state, until);
  if (await tx.get(usedSignIns, used.hash)) throw new SignInFailed('used');
  await tx.insert(usedSignIns, used);
  const over: string[] = [];
  for await (const { record } of tx.range(usedSignIns, 'until', { below: now.toISOString(), limit: MOST_FORGOTTEN })) {
    over.push(record.hash);
  }
  for (const hash of over) await tx.delete(usedSignIns, hash);
}

/** By issuer and subject. A name alone proves nobody, so it counts once, and where the settings say that it may. */
async function userOf(tx: Tx, person: Person, rules: OpenIdRules, now: Date): Promise<User> {
  const { issuer, subject, name, displayName, email } = person;
  const known = await tx.find(users, bindingKey(person));
  if (known) return known;
  const refused = (problem: SignInProblem, why: string) =>
    new SignInFailed(problem, `${why}; the subject is "${subject}"`);
  if (!rules.binds && !rules.creates) throw refused('unknown', 'nobody is bound to it');
  if (name === undefined) throw refused('name', `the claim ${rules.name} holds no user name`);
  const openid = { issuer, subject };
  const namesake = await tx.find(users, `name:${name}`);
  if (namesake) {
    const obstacle = obstacleTo(namesake, rules);
    if (obstacle !== undefined) throw refused('taken', obstacle);
    const bound = { ...namesake, openid };
    await tx.replace(users, bound);
    return bound;
  }
  if (!rules.creates) throw refused('unknown', `there is no user "${name}"`);
  const user: User = {
    uuid: randomUUID(),
    name,
    superAdmin: false,
    created: now.toISOString(),
    openid,
    ...(displayName !== undefined && { displayName }),
    ...(email !== undefined && { email }),
  };
  await tx.insert(users, user);
  return user;
}

/** Where somebody else decides who has which name, nobody becomes SuperAdmin by it, nor anybody who is somebody there. */
function obstacleTo({ name, superAdmin, openid }: User, { binds }: OpenIdRules): string | undefined {
  if (!binds) return `"${name}" is here already, and openidBinds is off`;
  if (superAdmin) return `"${name}" is a SuperAdmin, and is bound by another one only`;
  return openid && `"${name}" is bound to another subject`;
}

/** Those of the map, as the issuer tells them now; all others are left alone. Which there are none of is told. */
async function putIntoGroups(
  tx: Tx,
  { uuid }: User,
  { groups: meant }: Pick<Person, 'groups'>,
  rules: OpenIdRules,
): Promise<string[]> {
  const missing: string[] = [];
  for (const name of mappedGroups(rules)) {
    const group = await tx.get(groups, name);
    if (!group) {
      missing.push(name);
      continue;
    }
    const isIn = group.members.includes(uuid);
    if (isIn === meant.has(name)) continue;
    const members = isIn ? group.members.filter((member) => member !== uuid) : [...group.members, uuid];
    await tx.replace(groups, { ...group, members });
  }
  return missing;
}
