import { type Command, Option } from 'commander';
import { isRecord } from '../imgapi/checks.js';
import type { RemoteManifest } from '../imgapi/client.js';
import { type FieldName, fieldOf } from '../imgapi/fields.js';
import { oses, types } from '../imgapi/image.js';
import type { Context } from './command.js';
import { CliError } from './errors.js';
import { readJson } from './field.js';
import { intoList, intoRequirements, intoTags } from './key-values.js';

type Options = Record<string, unknown>;
type Read = (text: string, known?: never) => unknown;
type Row = [field: FieldName, flags: string, meaning: string, read?: Read];

const mebibytes: Read = (text) => {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new CliError(`--image-size has to be a number of MiB, not "${text}"`);
};

/** Each gives one field of the manifest. */
const rows: Row[] = [
  ['name', '--name <name>', 'its name'],
  ['version', '--version <version>', 'its version'],
  ['type', '--type <type>', `what it is: ${types.join(', ')}`],
  ['os', '--os <os>', `its operating system: ${oses.join(', ')}`],
  ['owner', '--owner <uuid>', 'who owns it; whoever asks, unless given'],
  ['description', '--description <text>', 'what it is, in words'],
  ['homepage', '--homepage <url>', 'where there is more about it'],
  ['eula', '--eula <url>', 'where its licence is'],
  ['origin', '--origin <uuid>', 'the image that it builds on'],
  ['tags', '--tag <key=value>', 'a tag (can be repeated)', intoTags],
  ['billing_tags', '--billing-tag <tag>', 'a billing tag (can be repeated)', intoList],
  ['acl', '--acl <uuid>', 'an account that may use it (can be repeated)', intoList],
  [
    'requirements',
    '--requirement <key=value>',
    'what it needs, such as min_ram=512, min_platform.7.0=STAMP or networks.net0=TEXT (can be repeated)',
    intoRequirements,
  ],
  ['nic_driver', '--nic-driver <driver>', 'of a zvol: its network driver'],
  ['disk_driver', '--disk-driver <driver>', 'of a zvol: its disk driver'],
  ['cpu_type', '--cpu-type <type>', 'of a zvol: its CPU type'],
  ['image_size', '--image-size <MiB>', 'of a zvol: its size', mebibytes],
];

/** These are put together from several options, so that one of them leaves the others as they are. */
const gathered = ['tags', 'requirements'] as const;

export function addManifestOptions(command: Command, { except = [] }: { except?: FieldName[] } = {}): Command {
  command.optionsGroup('The manifest:');
  for (const [field, flags, meaning, read] of rows) {
    if (!except.includes(field)) command.addOption(optionOf(flags, meaning, read));
  }
  return command
    .addOption(new Option('--public', 'for everybody').conflicts('private'))
    .option('--private', 'for its owner, and accounts that are let in')
    .option('-m, --manifest <file>', 'fields in JSON from this file, "-": from standard input; options go before them');
}

/** The fields that the file and the options give. */
export async function manifestOf(options: Options, context: Pick<Context, 'io' | 'signal'>): Promise<RemoteManifest> {
  const { manifest: path } = options;
  const written = typeof path === 'string' ? await readManifest(path, context) : {};
  return merged(written, written, fieldsOf(options));
}

/** What has to change so that an image has these fields, and those without. */
export async function changesOf(
  image: RemoteManifest,
  options: Options & { unset?: string[] },
  context: Pick<Context, 'io' | 'signal'>,
): Promise<RemoteManifest> {
  const { manifest: path, unset = [] } = options;
  const written = typeof path === 'string' ? await readManifest(path, context) : {};
  const changes = merged(written, { ...image, ...written }, fieldsOf(options));
  return unset.reduce((before, name) => without(before, image, name), changes);
}

/** Fields that are gathered go on from what is known; the others replace it. */
function merged(written: RemoteManifest, known: RemoteManifest, given: RemoteManifest): RemoteManifest {
  const whole = { ...written, ...given };
  for (const field of gathered) {
    if (isRecord(given[field]) && isRecord(known[field])) whole[field] = { ...known[field], ...given[field] };
  }
  return whole;
}

/** A field becomes null, which removes it; of a gathered one, `tags.role` removes a single member. */
function without(changes: RemoteManifest, image: RemoteManifest, name: string): RemoteManifest {
  const [, field, member] = /^(tags|requirements)\.(.+)$/s.exec(name) ?? [];
  if (field !== undefined && member !== undefined) {
    const members = Object.entries(Object(changes[field] ?? image[field]));
    return { ...changes, [field]: Object.fromEntries(members.filter(([key]) => key !== member)) };
  }
  if (fieldOf(name) !== undefined) return { ...changes, [name]: null };
  throw new CliError(`a manifest has no field "${name}"`, { hint: 'fields are called as "slipway show" calls them' });
}

function fieldsOf(options: Options): RemoteManifest {
  const given = rows.flatMap(([field, flags, meaning, read]) => {
    const value = options[optionOf(flags, meaning, read).attributeName()];
    return value === undefined ? [] : [[field, value] as const];
  });
  const isPublic = options.public ?? (options.private && false);
  return { ...Object.fromEntries(given), ...(isPublic !== undefined && { public: isPublic }) };
}

function optionOf(flags: string, meaning: string, read?: Read): Option {
  const option = new Option(flags, meaning);
  return read ? option.argParser((text: string, known: unknown) => read(text, known as never)) : option;
}

async function readManifest(path: string, context: Pick<Context, 'io' | 'signal'>): Promise<RemoteManifest> {
  const value = await readJson(path, context);
  if (isRecord(value)) return value;
  const where = path === '-' ? 'standard input' : path;
  throw new CliError(`${where} holds no manifest: a JSON object is needed`);
}
