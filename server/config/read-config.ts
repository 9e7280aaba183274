import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parse as parseToml, TomlError } from 'smol-toml';
import { OperatorMistake } from '../model/operator-mistake.js';
import { keys, type Settings, settings } from './settings.js';

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
  const all = Object.fromEntries(keys.map((key) => [key, read(key)])) as unknown as Settings;
  return { ...all, data: resolve(all.data) };
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
