/** What a login with a password gives: a token that ends soon, and with the password nothing more than its user has. */
export interface Session {
  /** Of its secret, as of tokens. */
  hash: string;
  user: string;
  created: string;
  expires: string;
  /** Where the login came from. */
  address: string;
  lastUsed?: string;
}

export const sessions = {
  name: 'sessions',
  id: ({ hash }: Session) => hash,
  index: ({ user, expires }: Session) => [`user:${user}`, `expires:${expires}`],
};

/** A session as its user sees it; `current` is the one that asks. */
export const presentSession = (
  { created, expires, address, lastUsed, hash }: Session,
  current: string | undefined,
) => ({
  created,
  expires,
  address,
  last_used: lastUsed ?? null,
  current: hash === current,
});
