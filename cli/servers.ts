import { mkdir, readFile, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse, stringify } from 'smol-toml';
import { isRecord } from '../imgapi/checks.js';
import { CliError } from './errors.js';
import { writeWhole } from './write-whole.js';

/** A server, and what proves the user to it: a token, or a user's name and ssh key. */
export interface Server {
  url: string;
  token?: string;
  /** The token is that of a login, which ends with it. */
  session?: boolean;
  user?: string;
  /** A file, or the fingerprint of a key in the ssh-agent; without it the agent's first key that is accepted. */
  key?: string;
  /** A file with the certificate that vouches for the server. */
  ca?: string;
  insecure?: boolean;
}

export interface Known {
  /** The name of the server that is meant where nothing names one. */
  default?: string;
  servers: Record<string, Server>;
}

const members: Record<keyof Server, 'string' | 'boolean'> = {
  url: 'string',
  token: 'string',
  session: 'boolean',
  user: 'string',
  key: 'string',
  ca: 'string',
  insecure: 'boolean',
};

const HEAD = '# written by "slipway login"; holds credentials, so it is for its owner only\n\n';

/** Where the servers are kept: `~/.config/slipway/servers.toml`, or below XDG_CONFIG_HOME. */
export function serversPath(env: Readonly<Record<string, string | undefined>>): string {
  return join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'slipway', 'servers.toml');
}

export const isServerName = (name: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name);

/** The file that holds them. */
export class Servers {
  readonly path: string;
  readonly #warn: (text: string) => void;

  constructor(path: string, warn: (text: string) => void) {
    this.path = path;
    this.#warn = warn;
  }

  async load(): Promise<Known> {
    const text = await readFile(this.path, 'utf8').catch((error: unknown) => {
      // a home that is none, such as /dev/null, holds none either
      if (['ENOENT', 'ENOTDIR'].includes(Object(error).code)) return undefined;
      throw error;
    });
    if (text === undefined) return { servers: {} };
    const { mode } = await stat(this.path);
    if ((mode & 0o077) !== 0) this.#warn(`warning: others can read ${this.path}: run "chmod 600 ${this.path}"`);
    try {
      return checked(parse(text));
    } catch (cause) {
      const [what] = cause instanceof Error ? cause.message.split('\n') : [cause];
      throw new CliError(`${this.path} is broken: ${what}`, {
        hint: 'correct it, or delete it and log in again',
        cause,
      });
    }
  }

  /** Whole or not at all, and for nobody else to read. A link to the file stays one. */
  async save({ default: preferred, servers }: Known): Promise<void> {
    const path = await realpath(this.path).catch(() => this.path);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const text = stringify({ ...(preferred !== undefined && { default: preferred }), servers });
    await writeWhole(path, HEAD + text, 0o600);
  }
}

function checked({ default: preferred, servers = {}, ...others }: Record<string, unknown>): Known {
  const [other] = Object.keys(others);
  if (other !== undefined) throw new Error(`it has an unknown key: ${other}`);
  if (!isRecord(servers)) throw new Error('servers must be a table');
  const known = Object.entries(servers).map(([name, server]) => [name, checkServer(name, server)] as const);
  if (preferred === undefined) return { servers: Object.fromEntries(known) };
  if (typeof preferred !== 'string' || !Object.hasOwn(servers, preferred)) {
    throw new Error(`default names no server: ${JSON.stringify(preferred)}`);
  }
  return { default: preferred, servers: Object.fromEntries(known) };
}

function checkServer(name: string, server: unknown): Server {
  if (!isRecord(server)) throw new Error(`servers.${name} must be a table`);
  for (const [member, value] of Object.entries(server)) {
    if (!isMember(member)) throw new Error(`servers.${name} has an unknown key: ${member}`);
    if (typeof value !== members[member]) throw new Error(`servers.${name}.${member} must be a ${members[member]}`);
  }
  if (server.url === undefined) throw new Error(`servers.${name} has no url`);
  return { url: String(server.url), ...server };
}

const isMember = (name: string): name is keyof Server => Object.hasOwn(members, name);
