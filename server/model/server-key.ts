/** What proves the server to others: where several daemons are one server they have it here, sealed. */
export interface ServerKey {
  name: ServerKeyName;
  /** The private key as PEM. */
  sealed: string;
  created: string;
}

/** `audit` signs how far the audit goes; `node` lets the server into nodes. */
export type ServerKeyName = 'audit' | 'node';

export const serverKeys = {
  name: 'server-keys',
  id: ({ name }: ServerKey) => name,
};

/** What it is sealed for. */
export const purposeOf = (name: ServerKeyName) => `server key ${name}`;
