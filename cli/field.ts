import { access } from 'node:fs/promises';
import { Option } from 'commander';
import type { Context } from './command.js';
import { CliError } from './errors.js';
import { DASH, readInput } from './input.js';
import { words } from './key-values.js';

type Kind = 'text' | 'text or none' | 'file' | 'list' | 'list or all' | 'number' | 'flag' | 'switch' | 'json' | 'disks';

/** What may be said, each with what it is on the wire. */
export type Choices = Readonly<Record<string, unknown>>;

/** What a call is told: its name on the wire, the option that gives it, and how that is read; as text unless it is said. */
export type Field = readonly [name: string, flags: string, meaning: string, read?: Kind | Choices];

type Surroundings = Pick<Context, 'io' | 'signal'>;

/** No group and no user is called so. */
export const ALL = '*';

const MAX_JSON = 1024 ** 2;
const MAX_FILE = 1024 ** 2;

/** How the text of an option becomes a value. Flags and switches have none. */
const readers: Record<Kind, (given: string, flags: string, context: Surroundings) => unknown> = {
  text: (given) => given,
  'text or none': (given) => (given === '' ? null : given),
  file: async (given, _flags, context) => (await readInput(given, MAX_FILE, context)).toString(),
  list: (given) => words(given),
  'list or all': (given) => (given === ALL ? null : words(given)),
  number: (given, flags) => {
    if (/^\d{1,15}$/.test(given)) return Number(given);
    throw new CliError(`${flags.split(' ', 1)} has to be a number, not "${given}"`);
  },
  flag: () => true,
  switch: (given) => given,
  json: (given, _flags, context) => readJson(given, context),
  disks: (given, _flags, context) => readDisks(given, context),
};

/** Lists that come in pages. */
export const paging: readonly Field[] = [
  ['search', '--search <text>', 'only what contains this'],
  ['order_by', '-s, --sort <field>', 'sorted by this field; -FIELD: descending'],
  ['limit', '--limit <number>', 'at most so many', 'number'],
  ['offset', '--offset <number>', 'without the first so many', 'number'],
];

/** A switch can be turned on, and with `--no-` off. */
export function optionsOf([, flags, meaning, read]: Field): Option[] {
  const option = new Option(flags, meaning);
  if (typeof read === 'object') option.choices(Object.keys(read));
  return read === 'switch' ? [option, new Option(flags.replace('--', '--no-'), `not: ${meaning}`)] : [option];
}

/** Those fields of which the options say something. */
export async function valuesOf(
  fields: readonly Field[],
  options: Record<string, unknown>,
  context: Surroundings,
): Promise<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const [name, flags, , read = 'text'] of fields) {
    const given = options[new Option(flags).attributeName()];
    if (given === undefined) continue;
    if (typeof given === 'boolean') values[name] = given;
    else if (typeof read === 'object') values[name] = read[String(given)];
    else values[name] = await readers[read](String(given), flags, context);
  }
  return values;
}

/** Choices that are called on the wire as they are here. */
export const oneOf = (...names: string[]): Choices => Object.fromEntries(names.map((name) => [name, name]));

export async function readJson(path: string, context: Surroundings): Promise<unknown> {
  const text = (await readInput(path, MAX_JSON, context)).toString();
  try {
    return JSON.parse(text);
  } catch (cause) {
    const where = path === '-' ? 'standard input' : path;
    throw new CliError(`${where} holds no JSON: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** A file, or images with commas between them, of which each is a disk. */
async function readDisks(given: string, context: Surroundings): Promise<unknown> {
  if (given === DASH || /[/\\]|\.json$/i.test(given) || (await isThere(given))) return readJson(given, context);
  return words(given).map((image, at) => ({ disk: at + 1, image }));
}

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
