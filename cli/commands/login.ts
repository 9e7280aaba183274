import { resolve } from 'node:path';
import { Option } from 'commander';
import { ImgapiClient } from '../../imgapi/client.js';
import { ImgapiError } from '../../imgapi/errors.js';
import { Exchange, type ExchangeOptions } from '../../imgapi/exchange.js';
import { askSecret, isAttended } from '../ask.js';
import type { Context, Register } from '../command.js';
import { checkToken, proofFor } from '../credentials.js';
import { CliError, exits } from '../errors.js';
import { DASH, readInput } from '../input.js';
import { note, print } from '../output.js';
import { givenPassword, givenUser } from '../password.js';
import { isServerName, type Known, type Server } from '../servers.js';
import { checkUrl, connectionOptions, NEAREST } from '../session.js';
import { visible } from '../visible.js';

interface Options {
  url?: string;
  tokenFile?: string;
  tokenStdin?: true;
  user?: string;
  key?: string;
  agent?: true;
  password?: true;
  passwordStdin?: true;
  anonymous?: true;
  ca?: string;
  insecure?: true;
}

const MAX_TOKEN = 1024;

const PROOFS = 'with --token-file FILE, --token-stdin, --user NAME and --key FILE or --password; or say --anonymous';

const EXAMPLES = `
The credentials are tried first. They are kept for you alone in ~/.config/slipway/servers.toml, and the server
becomes the one that is meant where nothing else is said. Tokens are never read from the command line, where
the shell's history and other users would see them. The name of a known server alone makes that one the default
again, with the credentials that it has; with --url as well it asks for new ones.

Examples:
  slipway login --url https://images.example.com           asks for a token
  slipway login main --url http://127.0.0.1:8080 --token-file data/admin-token
  slipway login main --user alice --key ~/.ssh/id_ed25519
  slipway login main --user alice --agent
  slipway login main                                       goes back to it
  slipway login main --user alice --password               asks for the password
  pass show slipway | slipway login main --url https://images.example.com --token-stdin`;

export const register: Register = (program, context) => {
  const proofs = ['tokenFile', 'tokenStdin', 'user', 'anonymous'];
  const keys = ['key', 'agent', 'tokenFile', 'anonymous'];
  program
    .command('login')
    .description('prove to a server who you are, and remember it by a name')
    .argument('[name]', 'what to call the server; its host name unless given')
    .option('--url <url>', `where the server is; ${NEAREST} unless it is known already`)
    .optionsGroup('Who you are:')
    .addOption(new Option('--token-file <file>', 'the token in this file').conflicts(proofs.slice(1)))
    .addOption(new Option('--token-stdin', 'the token on standard input').conflicts(['user', 'anonymous']))
    .addOption(new Option('--user <name>', 'this user, with an ssh key').conflicts('anonymous'))
    .addOption(new Option('--key <file>', 'the key: a file, or its fingerprint in the ssh-agent').conflicts('agent'))
    .option('--agent', 'the key: the first of the ssh-agent that the server accepts')
    .addOption(new Option('--password', 'the password of the user, which is asked for').conflicts(keys))
    .addOption(new Option('--password-stdin', 'the password on standard input').conflicts([...keys, 'tokenStdin']))
    .option('--anonymous', 'nobody: just remember the server')
    .optionsGroup('Trust:')
    .option('--ca <file>', "trust the server's certificate because of this one (PEM)")
    .option('--insecure', "do not check the server's certificate")
    .addHelpText('after', EXAMPLES)
    .action(async (name: string | undefined, options: Options) => {
      const known = await context.servers.load();
      const url = urlOf(name, options, known, context);
      const called = nameOf(name, url, known);
      const reached = { url, ...trustOf(options) };
      const again =
        isBare(options) && name !== undefined && Object.hasOwn(known.servers, name) ? known.servers[name] : undefined;
      const [proven, user] =
        (again && (await proveAgain(again, context))) ??
        (await prove({ ...reached, ...(await claimOf(reached, options, context)) }, context));
      await context.servers.save({ default: called, servers: { ...known.servers, [called]: proven } });
      await print(context.io, `${visible(`logged in to ${url} as ${user ?? 'nobody'}; it is called "${called}"`)}\n`);
    });
};

function urlOf(name: string | undefined, { url }: Options, known: Known, { env }: Context): string {
  const urlBehind = (called = '') => known.servers[called]?.url;
  return checkUrl(
    url ?? urlBehind(name) ?? (env.SLIPWAY_URL || (name === undefined && urlBehind(known.default)) || NEAREST),
  );
}

function nameOf(name: string | undefined, url: string, { servers }: Known): string {
  if (name !== undefined) {
    if (isServerName(name)) return name;
    throw new CliError(`"${name}" is not a name for a server: letters, digits, ".", "_" and "-" are`);
  }
  const former = Object.keys(servers).find((known) => servers[known]?.url === url);
  if (former !== undefined) return former;
  const host = new URL(url).hostname.replace(/[^A-Za-z0-9._-]/g, '');
  if (!Object.hasOwn(servers, host)) return host;
  throw new CliError(`${servers[host]?.url} is called "${host}" already`, {
    hint: 'give the other one a name: slipway login NAME --url URL',
  });
}

const trustOf = ({ ca, insecure }: Options): Partial<Server> => ({
  ...(ca !== undefined && { ca: resolve(ca) }),
  ...(insecure && { insecure }),
});

/** Who the user says to be, and with what: nothing of it is proven yet. */
async function claimOf(server: Server, options: Options, context: Context): Promise<Partial<Server>> {
  const { url } = server;
  if (options.anonymous) return {};
  if (options.password || options.passwordStdin) return claimOfPassword(server, options, context);
  if (options.user !== undefined || options.key !== undefined || options.agent) return claimOfKey(options, context);
  const source = options.tokenStdin ? DASH : options.tokenFile;
  if (source !== undefined) return { token: checkToken(String(await readInput(source, MAX_TOKEN, context))) };
  if (isAttended(context))
    return { token: checkToken(await askSecret(`Token for ${visible(url)} (it does not show): `, context)) };
  throw new CliError('how do you prove who you are?', {
    hint: PROOFS,
  });
}

/** The server has a token for a password: that of a session, which is good for a while. */
async function claimOfPassword(server: Server, options: Options, context: Context): Promise<Partial<Server>> {
  const username = await givenUser(options.user, context);
  if (!username) throw new CliError('a password needs the name of its user', { hint: 'name the user with --user' });
  const password = await givenPassword(username, options.passwordStdin, context);
  const connection = await connectionOptions(server, context);
  if (isOverheard(connection)) note(context.io, `warning: the password goes to ${server.url} as clear text; use https`);
  const answer = await new Exchange(connection).json('POST', '/api/accounts/login', {
    json: { username, password },
    answers: [400],
  });
  const { token, detail } = Object(answer);
  if (typeof token === 'string') return { token: checkToken(token), session: true };
  throw new CliError(typeof detail === 'string' ? detail : 'the server let nobody in', {
    hint: 'check the name and the password; "slipway user password" sets one',
    exit: exits.notLoggedIn,
  });
}

async function claimOfKey({ user, key }: Options, context: Context): Promise<Partial<Server>> {
  const named = await givenUser(user, context);
  if (!named) throw new CliError('a key needs the name of its user', { hint: 'name the user with --user' });
  return { user: named, ...(key !== undefined && { key: isFingerprint(key) ? key : resolve(key) }) };
}

/** As ssh-keygen shows them, and as its elders did. */
const isFingerprint = (key: string) => /^(SHA\d+|MD5):|^([0-9a-f]{2}:){15}[0-9a-f]{2}$/i.test(key);

const isBare = (options: Options) => Object.keys(options).every((name) => name === 'debug');

/** With what is kept of a server; who sits at a terminal is asked for something else where that is not taken any more. */
async function proveAgain(server: Server, context: Context): Promise<[Server, user?: string] | undefined> {
  try {
    return await prove(server, context);
  } catch (error) {
    if (!(error instanceof ImgapiError) || error.status !== 401) throw error;
    const message = `${server.url} does not take the former credentials any more`;
    if (!isAttended(context)) throw new CliError(message, { hint: PROOFS, exit: exits.notLoggedIn, cause: error });
    note(context.io, message);
    return undefined;
  }
}

/** The server has to say who the user is; some answer everybody, whatever they send. */
async function prove(server: Server, context: Context): Promise<[Server, user?: string]> {
  const options = await connectionOptions(server, context);
  const { fingerprint, ...proof } = await proofFor(server, options, context);
  const { user } = await new ImgapiClient({ ...options, ...proof }).ping();
  if (server.token === undefined && server.user === undefined) return [server];
  if (typeof user !== 'string') {
    throw new CliError(`${server.url} does not say who you are: it asks nobody for credentials`, {
      hint: 'log in with --anonymous',
      exit: exits.notLoggedIn,
    });
  }
  if (server.token !== undefined && isOverheard(options)) {
    note(context.io, `warning: the token goes to ${server.url} as clear text; use https`);
  }
  // which of the agent's keys it is need not be found out again
  return [{ ...server, ...(fingerprint && server.key === undefined && { key: fingerprint }) }, user];
}

function isOverheard({ url }: ExchangeOptions): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !/^(localhost|127\..*|\[::1\])$/.test(hostname);
}
