import { prefixOf } from './public-url.js';

/** How the cookie of a session has to look: browsers hold names that begin so to what they say. */
export interface CookieForm {
  name: string;
  path: string;
  secure: boolean;
}

/** As secrets are made. */
const VALUE = /^slipway_[\w-]{32}$/;

/** `overTls`: the request has come so, as far as is known here. */
export function cookieForm(overTls: boolean, { publicUrl }: { publicUrl: string | undefined }): CookieForm {
  const path = prefixOf({ publicUrl }) || '/';
  if (!overTls && !publicUrl?.startsWith('https:')) return { name: 'slipway', path, secure: false };
  return { name: path === '/' ? '__Host-slipway' : '__Secure-slipway', path, secure: true };
}

/**
 * What a browser has been given. Of two cookies with the name one is from somewhere else, and nobody can say which: none
 * counts then.
 */
export function secretIn(header: string, { name }: CookieForm): string | undefined {
  const pairs = header.split(';').map((pair) => pair.trim());
  const [value = '', ...others] = pairs.filter((pair) => pair.startsWith(`${name}=`));
  const secret = value.slice(name.length + 1);
  return others.length === 0 && VALUE.test(secret) ? secret : undefined;
}

/** A Set-Cookie; the empty value with no age takes the cookie away. */
export function cookieLine({ name, path, secure }: CookieForm, secret: string, seconds: number): string {
  const flags = ['HttpOnly', 'SameSite=Strict', ...(secure ? ['Secure'] : [])];
  return [`${name}=${secret}`, `Path=${path}`, `Max-Age=${seconds}`, ...flags].join('; ');
}

export const clearedCookie = (form: CookieForm) => cookieLine(form, '', 0);
