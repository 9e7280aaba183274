import { createHash } from 'node:crypto';
import type { Scope } from './scope.js';

/** What credentials are good for, and until when; for ever where nothing is said. */
export interface Grant {
  scope: Scope;
  expires?: string | undefined;
}

/** A bearer token. Only its hash is kept. */
export interface Token {
  hash: string;
  name: string;
  user: string;
  created: string;
  /** Full where it is absent: in records from before there were scopes. */
  scope?: Scope;
  /** Good until then; for ever where it is absent. */
  expires?: string;
  /** No longer good, and kept only so that the file from which it came does not bring it back. */
  revoked?: string;
}

export const tokens = {
  name: 'tokens',
  id: (token: Token) => token.hash,
  unique: (token: Token) => [`name:${token.user}/${token.name}`],
};

export function hashToken(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

export function hasExpired({ expires }: Pick<Token, 'expires'>, now: Date): boolean {
  return expires !== undefined && Date.parse(expires) <= now.getTime();
}
