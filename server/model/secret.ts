/** What proves the server to somebody else's: kept sealed, and told to that host only. */
export interface Secret {
  name: string;
  /** Whose import administrators manage and use it; SuperAdmins only where it is absent. */
  datacenter?: string;
  /** None for keys. As in a URL, with its port where that is not the usual one; `http://` before it where plain HTTP is meant. */
  host: string;
  type: SecretType;
  username?: string;
  /** Of a private key: what nodes are given. */
  publicKey?: string;
  /** The password, the token or the private key. */
  sealed: string;
  created: string;
  changed: string;
}

export const secretTypes = ['basic', 'bearer', 'ssh-key'] as const;
export type SecretType = (typeof secretTypes)[number];

/** By what others refer to it: names are unique in a data center, so that nobody learns of those of others. */
export const secretRef = ({ name, datacenter }: Pick<Secret, 'name' | 'datacenter'>) =>
  datacenter === undefined ? name : `${datacenter}/${name}`;

export const secrets = {
  name: 'secrets',
  id: (secret: Secret) => secretRef(secret),
};

export const SECRET_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** What it is sealed for: on another host it does not open. */
export const purposeOf = (secret: Pick<Secret, 'name' | 'datacenter' | 'host' | 'type'>) =>
  `secret ${secretRef(secret)} ${secret.type} ${secret.host}`;

/** The host as it is kept; nothing where it is none. */
export function hostFrom(text: string): string | undefined {
  const [, scheme = 'https://', rest = ''] = /^(https?:\/\/)?([^/?#@\s]+)\/?$/i.exec(text) ?? [];
  const url = URL.canParse(scheme + rest) ? new URL(scheme + rest) : undefined;
  if (!url || url.hostname === '') return undefined;
  return url.protocol === 'http:' ? `http://${url.host}` : url.host;
}

/** Plain HTTP shows it to everybody on the way: only where that was said, or where there is no way. */
export function isFor({ host }: Pick<Secret, 'host'>, url: URL): boolean {
  if (url.protocol === 'https:') return url.host === host;
  if (url.protocol !== 'http:') return false;
  return (
    host === `http://${url.host}` ||
    (host === url.host && /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/.test(url.hostname))
  );
}

export const presentSecret = ({ name, datacenter, host, type, username, publicKey, created, changed }: Secret) => ({
  name,
  dc: datacenter ?? null,
  host,
  type,
  username: username ?? null,
  public_key: publicKey ?? null,
  created,
  changed,
});
