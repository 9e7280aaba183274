import { isRecord } from '../../imgapi/checks.js';
import { invalidInput } from '../../imgapi/errors.js';
import { type OpenIdBinding, SUBJECT } from './openid-binding.js';
import { SignInFailed } from './sign-in-problem.js';
import { hashToken } from './token.js';
import { isUserName } from './user-name.js';

/** Whom the issuer proves here, as the settings say it. */
export interface OpenIdRules {
  issuer: string;
  /** Claims. */
  name: string;
  groups: string;
  /** Which groups of ours a value of that claim means; without any, groups are not touched. */
  groupMap: Readonly<Record<string, readonly string[]>>;
  /** Is a user made of whoever is not known? */
  creates: boolean;
  /** Is who has the same name the same person? */
  binds: boolean;
  /** What the button says. */
  label: string;
}

/** What an issuer says of somebody. */
export type Claims = Readonly<Record<string, unknown>> & { readonly sub: string };

/** Somebody who has signed in at the issuer. */
export interface Person extends OpenIdBinding {
  /** Absent where none was told that can be one here. */
  name: string | undefined;
  /** By our names, those of the map that are meant. */
  groups: ReadonlySet<string>;
  displayName: string | undefined;
  email: string | undefined;
}

export function personIn(claims: Claims, rules: OpenIdRules): Person {
  const { sub: subject } = claims;
  if (!SUBJECT.test(subject)) throw new SignInFailed('odd', 'the subject is not 1 to 255 plain characters');
  const name = claimIn(claims, rules.name);
  return {
    issuer: rules.issuer,
    subject,
    name: typeof name === 'string' && isUserName(name) ? name : undefined,
    groups: meant(claims, rules),
    displayName: lineIn(claims.name, 64),
    email: lineIn(claims.email, 254),
  };
}

/** Those that the map can give, and so can take away. */
export const mappedGroups = ({ groupMap }: Pick<OpenIdRules, 'groupMap'>) => new Set(Object.values(groupMap).flat());

/** Is everything told that the rules ask for? */
export const isTold = (claims: Claims, { name, groups, groupMap }: OpenIdRules) =>
  claimIn(claims, name) !== undefined && (Object.keys(groupMap).length === 0 || claimIn(claims, groups) !== undefined);

/** A claim of that name, or where there is none, what its parts lead to. */
function claimIn(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name] ?? undefined;
  let value: unknown = claims;
  for (const part of name.split('.')) value = isRecord(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  return value ?? undefined;
}

/** Whoever is in no group has no such claim, with many; one that can not be read must not leave rights behind. */
function meant(claims: Claims, { groups, groupMap }: OpenIdRules): ReadonlySet<string> {
  if (Object.keys(groupMap).length === 0) return new Set();
  const told = claimIn(claims, groups) ?? [];
  const values = typeof told === 'string' ? [told] : told;
  if (!Array.isArray(values) || !values.every((value) => typeof value === 'string')) {
    throw new SignInFailed('groups', `the claim ${groups} is neither text nor a list of texts`);
  }
  const elsewhere = claims._claim_names;
  if (isRecord(elsewhere) && Object.hasOwn(elsewhere, groups)) {
    throw new SignInFailed('groups', `the claim ${groups} is left out, as there are too many: have fewer of them told`);
  }
  return new Set(values.flatMap((value) => (Object.hasOwn(groupMap, value) ? (groupMap[value] ?? []) : [])));
}

/** What others wrote, where it is such as a user could have been given here. */
const lineIn = (value: unknown, most: number) =>
  typeof value === 'string' && value.length <= most && /^[^\x00-\x1f\x7f<>%$&;'"]+$/.test(value) ? value : undefined;

export const CONSOLE = '/console/';

/** Where the browser goes in the end: nowhere but into the console. With the prefix that pages see, or without. */
export function pathInConsole(to: unknown, prefix: string): string {
  const given = to ?? CONSOLE;
  const path = typeof given === 'string' && given.length <= MOST_OF_A_PATH ? given : '';
  const url = PLAIN.test(path)
    ? new URL(path.slice(path.startsWith(`${prefix}/`) ? prefix.length : 0), HERE)
    : undefined;
  const isInside = url?.origin === HERE && (url.pathname.startsWith(CONSOLE) || url.pathname === '/console');
  if (isInside && !url.pathname.startsWith(`${CONSOLE}openid/`)) return url.pathname + url.search + url.hash;
  throw invalidInput([{ field: 'to', code: 'Invalid', message: `to is not a path below ${CONSOLE}` }]);
}

const MOST_OF_A_PATH = 1500;
const HERE = 'http://here';
/** Browsers take a backslash for a slash. */
const PLAIN = /^\/(?!\/)[\x21-\x5b\x5d-\x7e]*$/;

/** For logs: where a browser comes back to, without what it brings. */
export const withoutCode = (url: string) => url.replace(/^([^?]*\/console\/openid\/callback[^?]*)\?.*$/is, '$1?…');

/** A sign-in that was finished: it is not finished again, wherever that is tried. */
export interface UsedSignIn {
  /** Of its state. */
  hash: string;
  /** Nobody believes it later anyway. */
  until: string;
}

export const usedSignIns = {
  name: 'openid-used',
  id: ({ hash }: UsedSignIn) => hash,
  index: ({ until }: UsedSignIn) => [`until:${until}`],
};

export const usedSignIn = (state: string, until: Date): UsedSignIn => ({
  hash: hashToken(state),
  until: until.toISOString(),
});
