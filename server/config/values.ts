import { isIP } from 'node:net';
import { type Channel, checkChannels } from '../../imgapi/channels.js';
import { shown } from '../../imgapi/checks.js';
import { GROUP_NAME } from '../model/group.js';
import { addressMatcher } from '../model/networks.js';
import { findsItself } from '../model/public-url.js';

/** How settings are read: from a file with its types, from a flag or a variable as text. Each throws with what is wrong. */

export function text(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new Error('text is expected');
  return value;
}

export function headerValue(value: unknown): string {
  const given = text(value);
  if (!/^[\x20-\x7e]+$/.test(given)) throw new Error('plain characters of one line are expected');
  return given;
}

export function headerName(value: unknown): string {
  const given = text(value).toLowerCase();
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(given)) throw new Error(`${shown(value)} is not the name of a header`);
  return given;
}

export function address(value: unknown): string {
  const given = text(value);
  if (given !== 'localhost' && isIP(given) === 0) throw new Error(`${shown(given)} is not an IP address`);
  return given;
}

export function integer(least: number, most = Number.MAX_SAFE_INTEGER) {
  return (value: unknown): number => {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most) return number;
    throw new Error(`${shown(value)} is not a whole number from ${least} to ${most}`);
  };
}

/** 0 means something of its own. */
export const zeroOr =
  (read: (value: unknown) => number) =>
  (value: unknown): number =>
    value === 0 || value === '0' ? 0 : read(value);

const portNumber = integer(0, 65535);

export function portOrOff(value: unknown): number | 'off' {
  if (value === 'off') return 'off';
  try {
    return portNumber(value);
  } catch (cause) {
    throw new Error(`${cause instanceof Error ? cause.message : cause}, nor "off"`, { cause });
  }
}

export function oneOf<T extends string>(choices: readonly T[]) {
  return (value: unknown): T => {
    const choice = choices.find((known) => known === value);
    if (choice === undefined) throw new Error(`${shown(value)} is not one of ${choices.join(', ')}`);
    return choice;
  };
}

const spelled = new Map<unknown, boolean>([
  [true, true],
  [false, false],
  ['true', true],
  ['false', false],
]);

export function flag(value: unknown): boolean {
  const read = spelled.get(value);
  if (read === undefined) throw new Error(`${shown(value)} is neither true nor false`);
  return read;
}

export function texts(value: unknown): string[] {
  const list = typeof value === 'string' ? listed(value) : value;
  if (!Array.isArray(list)) throw new Error('a list is expected');
  return list.map(text);
}

/** Nothing is a list of none: so a flag can take away what a file says. */
const listed = (value: string) => (value.trim() === '' ? [] : value.split(',').map((part) => part.trim()));

export function networks(value: unknown): string[] {
  const list = texts(value);
  addressMatcher(list);
  return list;
}

export function channels(value: unknown): Channel[] {
  return checkChannels(typeof value === 'string' ? JSON.parse(value) : value);
}

/** As a Host header has them: without scheme and port. */
export function hostNames(value: unknown): string[] {
  const list = texts(value);
  const wrong = list.find((name) => name !== '*' && !/^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/i.test(name));
  if (wrong !== undefined) throw new Error(`${shown(wrong)} is not a name such as images.example.com, nor "*"`);
  return list;
}

/** User name → public ssh keys, one line each. That they are keys is found out by who reads them. */
export function keysByUser(value: unknown): Record<string, string[]> {
  const given: unknown = typeof value === 'string' ? JSON.parse(value) : value;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new Error('a table of user names and their keys is expected');
  }
  return Object.fromEntries(Object.entries(given).map(([user, keys]) => [user, [keys].flat().map(text)]));
}

/** The name of something → where it is. */
/** As images name them: with the port where that is not the usual one. */
export function registryHosts(value: unknown): string[] {
  const list = texts(value);
  const wrong = list.find((name) => !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/.test(name));
  if (wrong !== undefined) throw new Error(`${shown(wrong)} is not a host such as registry.example.com:5000`);
  return list;
}

export function urlsByName(value: unknown): Record<string, string> {
  const given: unknown = typeof value === 'string' ? JSON.parse(value) : value;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new Error('a table of names and their URLs is expected');
  }
  return Object.fromEntries(Object.entries(given).map(([name, url]) => [name, httpUrl(url)]));
}

/** Its query and path may hold a token; it is shown without them. */
export function webhook(value: unknown): string {
  const given = text(value);
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username || url.password || url.hash) {
    throw new Error('a URL such as https://keeper.example.com/heads, without credentials, is expected');
  }
  return url.href;
}

export function httpUrl(value: unknown): string {
  const given = text(value);
  const url = URL.canParse(given) ? new URL(given) : undefined;
  // Without saying them: what is refused ends up on terminals and in logs.
  if (url ? url.username || url.password : given.includes('@'))
    throw new Error('a URL without credentials is expected');
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new Error(`${shown(given)} is not a URL such as https://images.example.com/base`);
  }
  return given.replace(/\/+$/, '');
}

/** Of one server or of several, by commas. Without saying it: it may hold a password. */
export function databaseUrl(value: unknown): string {
  const given = text(value);
  if (!/^postgres(ql)?:\/\/([^@/?#\s]*@)?[^@/?#\s]*\/[^@/?#\s]+(\?[^#\s]*)?$/.test(given)) {
    throw new Error('a URL such as postgres://slipway:password@db.example.com/slipway is expected');
  }
  return given;
}

export function memberName(value: unknown): string {
  const given = text(value);
  if (!/^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$/i.test(given)) {
    throw new Error(`${shown(given)} is not a name such as east-1: letters, digits, dots and dashes, 64 at most`);
  }
  return given;
}

export function storeUrl(value: unknown): string {
  const given = text(value).replace(/\/+$/, '');
  if (!/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[A-Za-z0-9!_.*'()-]+)*$/.test(given)) {
    throw new Error(`${shown(given)} is not a store such as s3://bucket/prefix`);
  }
  return given;
}

export function storeEncryption(value: unknown): string {
  const given = text(value);
  if (!/^(AES256|aws:kms(:[\x21-\x7e]+)?)$/.test(given)) {
    throw new Error(`${shown(given)} is neither AES256 nor aws:kms:KEY`);
  }
  return given;
}

const DESCRIPTION = '/.well-known/openid-configuration';

/** As it is, letter by letter: it is compared with what the issuer calls itself. */
export function issuerUrl(value: unknown): string {
  const given = text(value);
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url ? url.username || url.password : given.includes('@'))
    throw new Error('a URL without credentials is expected');
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new Error(`${shown(given)} is not a URL such as https://login.example.com`);
  }
  if (url.pathname.endsWith(DESCRIPTION)) throw new Error(`${shown(given)} is one ${DESCRIPTION} too long`);
  if (url.protocol === 'http:' && !findsItself(given)) {
    throw new Error(`${shown(given)} is not https: whoever is on the way could sign in as anybody`);
  }
  return given;
}

export function scopes(value: unknown): string[] {
  const list = texts(value);
  const wrong = list.find((scope) => !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope));
  if (wrong !== undefined) throw new Error(`${shown(wrong)} is no scope: it holds characters that are not allowed`);
  if (!list.includes('openid')) throw new Error('the scope "openid" has to be among them');
  return list;
}

export function claimName(value: unknown): string {
  const given = text(value);
  if (!/^[\x21-\x7e]{1,200}$/.test(given)) throw new Error(`${shown(given)} is not the name of a claim`);
  return given;
}

/** The value of a claim → groups of ours, of which one needs no list. */
export function groupsByValue(value: unknown): Record<string, string[]> {
  const given: unknown = typeof value === 'string' ? JSON.parse(value) : value;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new Error('a table of values and the groups that they mean is expected');
  }
  const map = Object.entries(given).map(([told, names]) => [told, [names].flat().map(text)] as const);
  const wrong = map.flatMap(([, names]) => names).find((name) => !GROUP_NAME.test(name));
  if (wrong !== undefined) throw new Error(`${shown(wrong)} is not the name of a group`);
  return Object.fromEntries(map);
}

/** For a button. */
export function label(value: unknown): string {
  const given = text(value);
  if (!/^[^\p{Cc}\p{Cf}]{1,64}$/u.test(given)) throw new Error('a line of 1 to 64 characters is expected');
  return given;
}
