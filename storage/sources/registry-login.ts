import { isRecord } from '../../imgapi/checks.js';
import { type Credentials, Exchange, type ExchangeOptions } from '../../imgapi/exchange.js';
import type { RegistryOptions } from '../registry.js';
import { smallBody } from './small-body.js';

const MOST_OF_A_TOKEN = 1 << 20;

interface Challenge {
  scheme: string;
  parameters: Record<string, string>;
}

/** What a WWW-Authenticate header asks for. */
export function challengesOf(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  for (const [, scheme, name, quoted, plain] of header.matchAll(
    /(?:^|[\s,])(?:(\w+)(?=\s+\w+\s*=)|(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))/g,
  )) {
    if (scheme !== undefined) challenges.push({ scheme: scheme.toLowerCase(), parameters: {} });
    const last = challenges.at(-1);
    if (name !== undefined && last)
      last.parameters[name.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '';
  }
  return challenges;
}

interface Login {
  /** How the registry is reached. */
  server: ExchangeOptions;
  login: RegistryOptions['login'];
  /** What is asked for, whatever the registry would have us ask for. */
  scopes: readonly string[];
  signal: AbortSignal;
}

/**
 * The credentials that a registry has asked for, or nothing where there is no way to have some. The name and password are
 * sent to the realm that the registry names, and to no other.
 */
export async function credentialsFor(header: string, login: Login): Promise<Credentials | undefined> {
  const challenges = challengesOf(header);
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
  if (bearer) return { kind: 'bearer', token: await tokenOf(bearer.parameters, login) };
  const isBasic = challenges.some(({ scheme }) => scheme === 'basic') && login.login !== undefined;
  return isBasic && login.login ? { kind: 'basic', ...login.login } : undefined;
}

async function tokenOf(
  { realm = '', service }: Record<string, string>,
  { server: { credentials: _, ...server }, login, scopes, signal }: Login,
): Promise<string> {
  const at = URL.canParse(realm) ? new URL(realm) : undefined;
  const protocols = ['https:', new URL(server.url).protocol];
  if (!at || !protocols.includes(at.protocol) || at.username || at.password) {
    throw new Exchange(server).answeredBadly(401, 'sends us for a token to a realm that is none of https');
  }
  if (service !== undefined) at.searchParams.set('service', service);
  for (const scope of scopes) at.searchParams.append('scope', scope);
  if (login) at.searchParams.set('account', login.user);
  const exchange = new Exchange({
    ...server,
    url: at.origin,
    ...(login && { credentials: { kind: 'basic', ...login } }),
  });
  const answer = await exchange.send('GET', at.pathname + at.search, { signal });
  const text = (await smallBody(exchange, answer, MOST_OF_A_TOKEN)).toString();
  const { token, access_token } = parsed(text);
  const found = token ?? access_token;
  if (typeof found !== 'string' || !/^[\x21-\x7e]+$/.test(found)) throw exchange.answeredBadly(200, 'sent no token');
  return found;
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}
