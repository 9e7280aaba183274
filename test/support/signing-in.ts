import type { ExecutionContext } from 'ava';
import type { OpenIdRules } from '../../server/model/openid.js';
import { sessions } from '../../server/model/session.js';
import { type User, users } from '../../server/model/user.js';
import { Browser, type Page } from './browser.js';
import { CLIENT, type Issuer, PUBLIC, startIssuer } from './issuer.js';
import { type ServerOptions, startServer, type TestServer } from './server.js';

export const HOST = new URL(PUBLIC).host;

export const rulesFor = (issuer: Issuer, rules: Partial<OpenIdRules> = {}): OpenIdRules => ({
  issuer: issuer.url,
  name: 'preferred_username',
  groups: 'groups',
  groupMap: {},
  creates: true,
  binds: false,
  label: 'Sign in at home',
  ...rules,
});

export interface House {
  issuer: Issuer;
  server: TestServer;
  browser(): Browser;
  /** From the button to where it ends. */
  signIn(browser?: Browser, to?: string): Promise<Page>;
}

export const serving = (
  issuer: Issuer,
  rules: Partial<OpenIdRules> = {},
  options: ServerOptions = {},
): ServerOptions => ({
  publicUrl: PUBLIC,
  openid: rulesFor(issuer, rules),
  openidClient: { ...CLIENT, scopes: ['openid', 'profile', 'email', 'groups'], patience: 60_000 },
  ...options,
});

/** A server, and the issuer where its people sign in. */
export async function openHouse(
  t: ExecutionContext,
  rules: Partial<OpenIdRules> = {},
  options: ServerOptions = {},
): Promise<House> {
  const issuer = await startIssuer(t);
  issuer.person = { sub: 'subject-of-anna', preferred_username: 'anna' };
  const server = await startServer(t, serving(issuer, rules, options));
  return houseOf(issuer, server);
}

export function houseOf(issuer: Issuer, server: TestServer): House {
  const browser = () => new Browser({ [HOST]: { port: server.port } });
  return { issuer, server, browser, signIn: (one = browser(), to = '/console/') => signInWith(one, to) };
}

/** Pages of the console are not asked for: they need not have been built. */
export const signInWith = (browser: Browser, to = '/console/') =>
  browser.open(`${PUBLIC}/console/openid/start?to=${encodeURIComponent(to)}`, isPage);

export const isPage = ({ host, pathname }: URL) =>
  host === HOST && pathname.startsWith('/console/') && !pathname.startsWith('/console/openid/');

/** What the page is to tell about: `ok` where that is nothing. */
export const endOf = ({ url }: Page) => url.searchParams.get('error') ?? 'ok';

export const accountOf = async (browser: Browser) => {
  const { status, body } = await browser.get(`${PUBLIC}/api/account`, { 'sec-fetch-site': 'same-origin' });
  return status === 200 ? JSON.parse(body).result : undefined;
};

export const userNamed = ({ deps }: TestServer, name: string) => deps.catalog.find(users, `name:${name}`);

export async function change({ deps }: TestServer, name: string, fields: Partial<User>): Promise<void> {
  await deps.catalog.write(async (tx) => {
    const user = await tx.find(users, `name:${name}`);
    await tx.replace(users, { ...user!, ...fields });
  });
}

export async function sessionsIn({ deps }: TestServer): Promise<number> {
  let count = 0;
  for await (const _ of deps.catalog.list(sessions)) count += 1;
  return count;
}
