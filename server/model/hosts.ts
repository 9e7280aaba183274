import { isIP } from 'node:net';
import { remembering } from '../../imgapi/remembering.js';

/** The names by which a server is known to those who send no credentials. */
export interface KnownAs {
  hostNames: readonly string[];
  publicUrl: string | undefined;
  /** What the machine calls itself. */
  hostname: string;
  /** By what else it is known, at the moment. */
  isAlso?: (host: string) => boolean;
}

export const ANY_HOST = '*';

/** Of the hosts that are remembered, in characters. */
const MOST = 10_000;

/**
 * Is the server meant? A browser that has been told by a page's own name server to come here names that page's host.
 * Addresses can not be told so, and who sends no Host is no browser.
 */
export function hostMatcher({
  hostNames,
  publicUrl,
  hostname,
  isAlso = () => false,
}: KnownAs): (host: string) => boolean {
  if (hostNames.includes(ANY_HOST)) return () => true;
  const names = new Set([...named({ hostNames, publicUrl }), lower(hostname), 'localhost']);
  const isKnown = remembering(
    (host: string) => {
      const name = nameOf(host);
      return host === '' || isIP(name) !== 0 || names.has(name);
    },
    MOST,
    ({ length }) => length + 1,
  );
  return (host) => isKnown(host) || isAlso(nameOf(host));
}

/** Does a page of this origin belong to the server that answers to this host? */
export function originMatcher(knownAs: KnownAs): (origin: string, host: string) => boolean {
  const names = new Set(named(knownAs));
  return (origin, host) => {
    const url = URL.canParse(origin) ? new URL(origin) : undefined;
    if (!url) return false;
    return names.has(url.hostname) || withoutDefaultPort(url.host) === withoutDefaultPort(host.toLowerCase());
  };
}

/**
 * Is it a page of this very server? Not of another one on the same machine, at another port: browsers keep cookies for
 * both together. Over TLS, not of one that anybody on the way may have written either.
 */
export function ownOriginMatcher({
  hostNames,
  publicUrl,
}: Pick<KnownAs, 'hostNames' | 'publicUrl'>): (origin: string, host: string, overTls: boolean) => boolean {
  const ofPublicUrl = publicUrl === undefined ? [] : [withoutDefaultPort(new URL(publicUrl).host)];
  const names = new Set([...hostNames.map(lower), ...ofPublicUrl]);
  return (origin, host, overTls) => {
    const url = URL.canParse(origin) ? new URL(origin) : undefined;
    if (!url || (overTls && url.protocol !== 'https:')) return false;
    const asked = withoutDefaultPort(url.host);
    return asked !== '' && (names.has(asked) || asked === withoutDefaultPort(host.toLowerCase()));
  };
}

const named = ({ hostNames, publicUrl }: Omit<KnownAs, 'hostname'>) =>
  [...hostNames, ...(publicUrl ? [new URL(publicUrl).hostname] : [])].map(lower);

const lower = (name: string) => name.toLowerCase();

/** `[::1]:8080` → `::1` */
const nameOf = (host: string) => lower(host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1')).replace(/\.$/, '');

const withoutDefaultPort = (host: string) => host.replace(/:(80|443)?$/, '');
