import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import type { Command } from 'commander';
import type { ExchangeOptions } from '../imgapi/exchange.js';
import { atPath } from './at-path.js';
import type { Context } from './command.js';
import { proofFor } from './credentials.js';
import { CliError } from './errors.js';
import { note } from './output.js';
import type { Known, Server } from './servers.js';

/** The options of every command that say which server is meant, and as whom. */
export interface Choice {
  server?: string;
  url?: string;
  user?: string;
  key?: string;
  ca?: string;
  insecure?: true;
}

type Env = Context['env'];
type Surroundings = Omit<Context, 'connect'>;

/** Where a daemon listens that was started without any options. */
export const NEAREST = 'http://127.0.0.1:8080';

/** What a client is constructed with, for the server and the user that the options, the environment or a login name. */
export async function openSession(command: Command, context: Surroundings): Promise<ExchangeOptions> {
  const choice: Choice = command.optsWithGlobals();
  const chosen = await serverOf(choice, context);
  const server = { ...chosen, ...proofOf(choice, context.env, chosen), ...trustOf(choice, context.env) };
  const options = await connectionOptions(server, context);
  const { token, sign } = await proofFor(server, options, context);
  return { ...options, ...(token !== undefined && { token }), ...(sign && { sign }) };
}

/** How the server is reached, without any credentials. */
export async function connectionOptions(server: Server, context: Surroundings): Promise<ExchangeOptions> {
  const url = checkUrl(server.url);
  const agent = await agentOf(server, context);
  return {
    url,
    signal: context.signal,
    userAgent: `slipway/${context.version}`,
    ...(agent && { agent: ({ protocol }: URL) => (protocol === 'https:' ? agent : undefined) }),
  };
}

async function serverOf(choice: Choice, { env, servers }: Pick<Context, 'env' | 'servers'>): Promise<Server> {
  const known = await servers.load();
  const { server: name, url } = named(choice, env);
  if (url !== undefined) return withUrl(checkUrl(url), known);
  const wanted = name ?? known.default;
  const names = Object.keys(known.servers).join(', ') || 'none';
  if (wanted === undefined) {
    if (names === 'none') return { url: NEAREST };
    throw new CliError('no server is meant', {
      hint: `name one with --server: ${names}; "slipway login" makes one the default`,
    });
  }
  const server = Object.hasOwn(known.servers, wanted) ? known.servers[wanted] : undefined;
  if (server) return server;
  throw new CliError(`no server is called "${wanted}"`, {
    hint: `known are: ${names}; "slipway login ${wanted} --url URL" adds it`,
  });
}

/** One that is known by this URL comes with its credentials, the default before others. */
function withUrl(url: string, { default: preferred = '', servers }: Known): Server {
  const byPreference = [servers[preferred], ...Object.values(servers)];
  return byPreference.find((server) => server?.url === url) ?? { url };
}

function named(choice: Choice, env: Env): { server?: string | undefined; url?: string | undefined } {
  if (choice.server !== undefined || choice.url !== undefined) return choice;
  const [server, url] = [env.SLIPWAY_SERVER || undefined, env.SLIPWAY_URL || undefined];
  if (server !== undefined && url !== undefined) {
    throw new CliError('SLIPWAY_SERVER and SLIPWAY_URL are both set', { hint: 'unset one of them' });
  }
  return { server, url };
}

/** A way to prove oneself replaces another as a whole: what is named closest to the command counts. */
function proofOf(choice: Choice, env: Env, server: Server): Pick<Server, 'token' | 'user' | 'key'> {
  const signed = (user: string | undefined, key: string | undefined) => {
    if (user === undefined)
      throw new CliError('a key needs the name of its user', { hint: 'name the user with --user' });
    return { token: undefined, user, ...(key !== undefined && { key }) };
  };
  const [token, user, key] = [env.SLIPWAY_TOKEN, env.SLIPWAY_USER, env.SLIPWAY_KEY].map((value) => value || undefined);
  if (choice.user !== undefined || choice.key !== undefined) {
    return signed(choice.user ?? user ?? server.user, choice.key ?? key);
  }
  if (token !== undefined) return { token, user: undefined, key: undefined };
  if (user !== undefined || key !== undefined) return signed(user ?? server.user, key);
  return server;
}

function trustOf({ ca, insecure }: Choice, env: Env): Pick<Server, 'ca' | 'insecure'> {
  const file = ca ?? (env.SLIPWAY_CA || undefined);
  return { ...(file !== undefined && { ca: file }), ...(insecure && { insecure }) };
}

async function agentOf({ url, ca, insecure }: Server, { io }: Pick<Context, 'io'>): Promise<Agent | undefined> {
  if (insecure) note(io, `warning: the certificate of ${new URL(url).host} is not checked`);
  if (ca === undefined && !insecure) return undefined;
  return new Agent({
    keepAlive: true,
    rejectUnauthorized: !insecure,
    ...(ca !== undefined && { ca: await readCertificate(ca) }),
  });
}

/** TLS would take anything, and then trust nobody. */
async function readCertificate(path: string): Promise<Buffer> {
  const bytes = await atPath(path, readFile(path));
  try {
    new X509Certificate(bytes);
    return bytes;
  } catch (cause) {
    throw new CliError(`${path} holds no certificate`, { hint: 'it has to be one in PEM form', cause });
  }
}

/** The same server has the same URL, however it was written. */
export function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // what stands before an @ may be a secret
  const shown = text.replace(/\/\/.*@/, '//…@');
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new CliError(`"${shown}" is not the URL of a server`, { hint: 'write it like https://images.example.com' });
  }
  if (url.username || url.password) {
    throw new CliError(`"${shown}" has credentials in it, which no server takes`, {
      hint: 'leave them out, and log in with a token or an ssh key: "slipway login"',
    });
  }
  return url.origin + url.pathname.replace(/\/+$/, url.search && '/') + url.search;
}
