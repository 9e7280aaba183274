import { isIP } from 'node:net';
import { addressMatcher, isNetwork } from '../model/networks.js';
import { OperatorMistake } from '../model/operator-mistake.js';

export interface ProxyServer {
  url: URL;
  /** What it is told about who asks, where its URL has credentials. */
  authorization?: string;
}

/** Through whom a URL is asked; nobody where the answer is none. */
export type ProxyOf = (url: URL) => ProxyServer | undefined;

export const noProxy: ProxyOf = () => undefined;

/** As curl and others read the environment: small letters before capitals. */
export function proxiesFrom(env: Readonly<Record<string, string | undefined>>): ProxyOf {
  const proxies: Record<string, ProxyServer | undefined> = {
    'http:': proxyIn(env, 'http_proxy'),
    'https:': proxyIn(env, 'https_proxy'),
  };
  const isExempt = exemptionsIn(env.no_proxy || env.NO_PROXY || '');
  return (url) => (isExempt(url) ? undefined : proxies[url.protocol]);
}

function proxyIn(env: Readonly<Record<string, string | undefined>>, name: string): ProxyServer | undefined {
  const given = env[name] || env[name.toUpperCase()];
  if (!given) return undefined;
  const text = given.includes('://') ? given : `http://${given}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // it may hold a password, and is not repeated
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw new OperatorMistake(
      `${name} in the environment is not the URL of a proxy such as http://proxy.example.com:3128`,
    );
  }
  const { username, password } = url;
  if (username === '') return { url };
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { url, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

/** Names stand for what is below them as well; an entry with a port is for that port alone. */
function exemptionsIn(list: string): (url: URL) => boolean {
  const entries = list.split(/[\s,]+/).filter((entry) => entry !== '');
  const isInNetwork = addressMatcher(entries.filter(isNetwork));
  const names = entries.filter((entry) => !isNetwork(entry)).map((entry) => entry.toLowerCase());
  return ({ hostname, port, protocol }) => {
    const host = hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0 && isInNetwork(host)) return true;
    const number = port || (protocol === 'https:' ? '443' : '80');
    return names.some((entry) => {
      if (entry === '*') return true;
      const [, name = '', only = number] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(entry) ?? [];
      const bare = name.replace(/^\*?\./, '');
      return only === number && (host === bare || host.endsWith(`.${bare}`));
    });
  };
}
