import { createHash } from 'node:crypto';
import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import { covers, type Scope, type UserScope } from './scope.js';
import { ADMIN, type User } from './user.js';

/** What credentials are good for, and until when; for ever where nothing is said. */
export interface Grant {
  scope: Scope;
  expires?: string | undefined;
  /** When they end themselves, where that is said of what they give no more: a login can be repeated. */
  ends?: string;
  /** The one data center in which they are good; all where it is absent. */
  dc?: string | undefined;
  /** The hash of the token that they are; none where they are a signature. */
  token?: string;
}

/** What a user has who signs, or knows the password. */
export const LASTING: Grant = { scope: 'full' };

/** A bearer token. Only its hash is kept. */
export interface Token {
  hash: string;
  name: string;
  user: string;
  created: string;
  /** Full where it is absent: in records from before there were scopes. */
  scope?: UserScope;
  /** Good until then; for ever where it is absent. */
  expires?: string;
  /** The one data center in which it is good. */
  dc?: string;
  lastUsed?: string;
  /** No longer good, and kept only so that the file from which it came does not bring it back. */
  revoked?: string;
}

export const tokens = {
  name: 'tokens',
  id: (token: Token) => token.hash,
  unique: (token: Token) => [tokenKey(token.user, token.name)],
};

export const tokenKey = (user: string, name: string) => `name:${user}/${name}`;

/** The administrator's token that stands in DATA/admin-token. */
export const FIRST = { user: ADMIN.uuid, name: 'first' };

export const isFirst = ({ user, name }: Token) => user === FIRST.user && name === FIRST.name;

export const TOKEN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Where a token does not belong, it is not told on. */
export const withoutSecrets = (text: string) => text.replace(/slipway(?:_|%5f)[\w%-]{16,}/gi, 'slipway_…');

export function hashToken(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

export function hasExpired({ expires }: Pick<Token, 'expires'>, now: Date): boolean {
  return expires !== undefined && Date.parse(expires) <= now.getTime();
}

/** A number of minutes, hours, days or weeks. */
export const DURATION = /^([1-9]\d{0,4})([mhdw])$/;

const MINUTES: Record<string, number> = { m: 1, h: 60, d: 24 * 60, w: 7 * 24 * 60 };

/** The end of a token, from a duration or a date. */
export function expiryFrom(text: string, now: Date): string {
  const [, count, unit = ''] = DURATION.exec(text) ?? [];
  const time = count ? now.getTime() + Number(count) * (MINUTES[unit] ?? 0) * 60_000 : Date.parse(text);
  if (time > now.getTime()) return new Date(time).toISOString();
  throw invalidInput([{ field: 'expires', code: 'Invalid', message: `expires is not in the future: ${text}` }]);
}

/** Nobody gives what they do not have: neither more rights than their own credentials, nor for longer. */
export function checkGives(own: Grant, wanted: Grant): void {
  if (!covers(own.scope, wanted.scope)) {
    throw new ImgapiError('NotPermitted', `a token of scope ${own.scope} can not give one of scope ${wanted.scope}`);
  }
  if (own.dc !== undefined && own.dc !== wanted.dc) {
    throw new ImgapiError('NotPermitted', `a token that is good in data center ${own.dc} only can not give more`);
  }
  if (own.expires !== undefined && endOf(wanted) > endOf(own)) {
    throw new ImgapiError(
      'NotPermitted',
      `the token that asks is good until ${own.expires}: ask for one that expires no later`,
    );
  }
}

/** As a time: of dates in text, those with a year of five digits come first. */
const endOf = ({ expires }: Grant) => (expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires));

/** A token as people see it. Its hash is nobody's business. */
export function presentToken({ name, created, scope = 'full', expires, dc, lastUsed }: Token, user: User, now: Date) {
  return {
    name,
    user: user.name,
    scope,
    dc: dc ?? null,
    created,
    ...(expires && { expires }),
    expired: hasExpired({ expires }, now),
    last_used: lastUsed ?? null,
  };
}
