import { type CookieForm, secretIn } from '../model/session-cookie.js';

/** What a request offers to prove who asks; a secret that can not be one is empty. */
export type Offer =
  | { scheme: 'bearer' | 'api-key' | 'path' | 'cookie'; secret: string }
  | { scheme: 'signature' | 'other'; secret?: undefined };

const SCHEME = /^([A-Za-z-]+)(?: |$)/;
const SECRET = /^[\x21-\x7e]{1,512}$/;

const schemes = new Map<string, 'bearer' | 'signature'>([
  ['bearer', 'bearer'],
  ['token', 'bearer'],
  ['signature', 'signature'],
]);

/** The part of a request that can prove who asks. */
export interface Offering {
  path: string;
  get(header: string): string;
  state: { pathToken?: string; cookie: CookieForm };
}

/** Where browsers are expected, and nothing else believes their cookies. */
const FOR_BROWSERS = /^\/(api|console)(\/|$)/;

/**
 * The Authorization header comes before that of the management API, and that before what stood in the path. What browsers
 * send unasked comes last.
 */
export function offered(request: Offering): Offer | undefined {
  const { pathToken, cookie } = request.state;
  const authorization = request.get('authorization');
  if (authorization !== '') return ofHeader(authorization);
  const apiKey = request.path.startsWith('/api/') ? request.get('es-api-key') : '';
  if (apiKey !== '') return { scheme: 'api-key', secret: usable(apiKey) };
  if (pathToken !== undefined) return { scheme: 'path', secret: usable(pathToken) };
  const secret = FOR_BROWSERS.test(request.path) ? secretIn(request.get('cookie'), cookie) : undefined;
  return secret === undefined ? undefined : { scheme: 'cookie', secret };
}

function ofHeader(authorization: string): Offer {
  const [whole = '', name = ''] = SCHEME.exec(authorization) ?? [];
  const scheme = schemes.get(name.toLowerCase()) ?? 'other';
  return scheme === 'bearer' ? { scheme, secret: usable(authorization.slice(whole.length)) } : { scheme };
}

const usable = (secret: string) => (SECRET.test(secret) ? secret : '');
