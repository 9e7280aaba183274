import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parse as parseToml, TomlError } from 'smol-toml';
import { type Channel, checkChannels } from '../imgapi/channels.js';
import { type Mode, modes } from '../imgapi/image.js';
import { addressMatcher } from './auth/trusted-networks.js';
import { OperatorMistake } from './model/operator-mistake.js';

export interface Settings {
  address: string;
  port: number;
  data: string;
  mode: Mode;
  authType: 'none' | 'signature';
  channels: Channel[];
  trustedNetworks: string[];
  serverName: string | undefined;
  logLevel: string;
  maxFileSize: number;
  maxIconSize: number;
  blobGrace: number;
  shutdownGrace: number;
}

interface Setting<T> {
  meaning: string;
  default: T;
  /** Throws with what is wrong. What comes from a flag or the environment is a string. */
  read(value: unknown): T;
}

/** Every setting: its key in the file is its flag (`--key`) and its variable (`SLIPWAY_KEY`) too. */
export const settings: { [Key in keyof Settings]: Setting<Settings[Key]> } = {
  address: { meaning: 'address to listen on', default: '127.0.0.1', read: address },
  port: { meaning: 'port to listen on; 0 picks a free one', default: 8080, read: integer(0, 65535) },
  data: { meaning: 'directory of everything that is kept', default: 'data', read: text },
  mode: { meaning: 'what the server is for: dc, public or private', default: 'dc', read: oneOf(modes) },
  authType: {
    meaning: 'signature: changes need credentials; none: everybody may change everything',
    default: 'signature',
    read: oneOf(['none', 'signature'] as const),
  },
  channels: { meaning: 'release channels: name, description, and default on one of them', default: [], read: channels },
  trustedNetworks: { meaning: 'networks whose callers are operators without credentials', default: [], read: networks },
  serverName: { meaning: 'the Server header; imgapi/VERSION unless set', default: undefined, read: headerValue },
  logLevel: {
    meaning: 'how much is logged',
    default: 'info',
    read: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const),
  },
  maxFileSize: { meaning: 'largest image file in bytes', default: 20 * 1024 ** 3, read: integer(1) },
  maxIconSize: { meaning: 'largest icon in bytes', default: 128 * 1024, read: integer(1) },
  blobGrace: {
    meaning: 'seconds that bytes are kept when no image holds them any more',
    default: 3600,
    read: integer(0),
  },
  shutdownGrace: {
    meaning: 'seconds that transfers may go on after a stop was asked for',
    default: 30,
    read: integer(0),
  },
};

const keys = Object.keys(settings) as (keyof Settings)[];

export class ConfigError extends OperatorMistake {
  override name = 'ConfigError';
}

/** Flags win over the environment, the environment over the file, the file over the defaults. */
export function readConfig(argv: readonly string[], env: NodeJS.ProcessEnv): Settings {
  const flags = readFlags(argv);
  const file = flags.config ?? env.SLIPWAY_CONFIG;
  const sources = [
    { of: (key: string) => flags[key], named: (key: string) => `--${key}` },
    { of: (key: string) => env[variable(key)], named: variable },
    { of: reader(file === undefined ? {} : readFile(file)), named: (key: string) => `${key} in ${file}` },
  ];
  const read = <Key extends keyof Settings>(key: Key): Settings[Key] => {
    const source = sources.find(({ of }) => of(key) !== undefined);
    if (!source) return settings[key].default;
    try {
      return settings[key].read(source.of(key));
    } catch (cause) {
      throw new ConfigError(`${source.named(key)}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  };
  return {
    address: read('address'),
    port: read('port'),
    data: resolve(read('data')),
    mode: read('mode'),
    authType: read('authType'),
    channels: read('channels'),
    trustedNetworks: read('trustedNetworks'),
    serverName: read('serverName'),
    logLevel: read('logLevel'),
    maxFileSize: read('maxFileSize'),
    maxIconSize: read('maxIconSize'),
    blobGrace: read('blobGrace'),
    shutdownGrace: read('shutdownGrace'),
  };
}

export const usage = [
  'usage: npm start -- [--config FILE] [--KEY VALUE]…',
  '',
  ...keys.map((key) => `  --${key.padEnd(16)} ${settings[key].meaning}${shown(settings[key].default)}`),
  `  --${'config'.padEnd(16)} file with these keys, as TOML or JSON`,
].join('\n');

function shown(value: unknown): string {
  return value === undefined || Array.isArray(value) ? '' : ` (${value})`;
}

/** `trustedNetworks` → `SLIPWAY_TRUSTED_NETWORKS` */
const variable = (key: string) => `SLIPWAY_${key.replace(/[A-Z]/g, '_$&').toUpperCase()}`;

const reader = (values: Record<string, unknown>) => (key: string) => values[key];

function readFlags(argv: readonly string[]): Record<string, string | undefined> {
  const options = Object.fromEntries([...keys, 'config'].map((key) => [key, { type: 'string' as const }]));
  try {
    const { values } = parseArgs({ args: [...argv], options, strict: true, allowPositionals: false });
    return values;
  } catch (cause) {
    throw new ConfigError(`${inOneLine(cause)}; --help lists all there is`, { cause });
  }
}

function readFile(path: string): Record<string, unknown> {
  let values: unknown;
  try {
    const content = readFileSync(path, 'utf8');
    values = content.trimStart().startsWith('{') ? JSON.parse(content) : parseToml(content);
  } catch (cause) {
    throw new ConfigError(`can not read ${path}: ${inOneLine(cause)}`, { cause });
  }
  const record = Object(values) as Record<string, unknown>;
  const unknown = Object.keys(record).filter((key) => !Object.hasOwn(settings, key));
  if (unknown.length > 0) {
    throw new ConfigError(`${path}: unknown ${unknown.join(', ')}; there are ${keys.join(', ')}`);
  }
  return record;
}

function inOneLine(cause: unknown): string {
  const [what = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
  return cause instanceof TomlError ? `${what} in line ${cause.line}, column ${cause.column}` : what;
}

function text(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new Error('text is expected');
  return value;
}

function headerValue(value: unknown): string {
  const given = text(value);
  if (!/^[\x20-\x7e]+$/.test(given)) throw new Error('plain characters of one line are expected');
  return given;
}

function address(value: unknown): string {
  const given = text(value);
  if (given !== 'localhost' && isIP(given) === 0) throw new Error(`"${given}" is not an IP address`);
  return given;
}

function integer(least: number, most = Number.MAX_SAFE_INTEGER) {
  return (value: unknown): number => {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most) return number;
    throw new Error(`"${value}" is not a whole number from ${least} to ${most}`);
  };
}

function oneOf<T extends string>(choices: readonly T[]) {
  return (value: unknown): T => {
    const choice = choices.find((known) => known === value);
    if (choice === undefined) throw new Error(`"${value}" is not one of ${choices.join(', ')}`);
    return choice;
  };
}

function networks(value: unknown): string[] {
  const list = typeof value === 'string' ? value.split(',').map((part) => part.trim()) : value;
  if (!Array.isArray(list)) throw new Error('a list of networks is expected');
  const checked = list.map(text);
  addressMatcher(checked);
  return checked;
}

function channels(value: unknown): Channel[] {
  return checkChannels(typeof value === 'string' ? JSON.parse(value) : value);
}
