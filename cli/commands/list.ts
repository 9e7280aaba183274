import { type Command, Option } from 'commander';
import type { RemoteManifest } from '../../imgapi/client.js';
import { oses, types } from '../../imgapi/image.js';
import type { RawQuery } from '../../imgapi/query.js';
import type { Register } from '../command.js';
import { CliError } from '../errors.js';
import { columnsMeaning, imageColumns, imageOrder } from '../image-columns.js';
import { intoList, intoTags } from '../key-values.js';
import { printJson, printTable, sorted } from '../output.js';
import { compareVersions } from '../versions.js';

interface Options {
  name?: string;
  version?: string;
  os?: string;
  type?: string;
  owner?: string;
  state?: string;
  public?: true;
  private?: true;
  tag?: Record<string, string>;
  billingTag?: string[];
  account?: string;
  channel?: string;
  limit?: string;
  latest?: true;
  columns: string;
  sort?: string;
  header: boolean;
  json?: true;
}

const STATES = ['active', 'disabled', 'unactivated', 'all', 'creating', 'failed'];

const EXAMPLES = `
Examples:
  slipway list                                       active images, the oldest first
  slipway list --name base --latest                  the newest version of one
  slipway list --name ~base --os smartos -s -published,name
  slipway list --tag role=db -o uuid,name,tags.role
  slipway list --state all -H -o uuid                for scripts
  slipway list --json | jq '.[].name'`;

export const register: Register = (program, { io, connect }) => {
  program
    .command('list')
    .description('list images')
    .optionsGroup('Which images:')
    .option('--name <name>', 'of this name; ~TEXT: with TEXT in it')
    .option('--version <version>', 'of this version; ~TEXT: with TEXT in it')
    .option('--os <os>', `for this operating system: ${oses.join(', ')}`)
    .option('--type <type>', `of this type: ${types.join(', ')}; !TYPE: of any other`)
    .option('--owner <uuid>', 'of this owner')
    .addOption(new Option('--state <state>', 'in this state (active unless given)').choices(STATES))
    .addOption(new Option('--public', 'public ones').conflicts('private'))
    .option('--private', 'private ones')
    .option('--tag <key=value>', 'with this tag; several: with all of them', intoTags)
    .option('--billing-tag <tag>', 'with this billing tag; several: with all of them', intoList)
    .option('--account <uuid>', 'that this account may use')
    .option('--channel <name>', 'in this channel; "*" means all')
    .option('--limit <number>', 'the first so many, before --latest and --sort')
    .option('--latest', 'of each name the newest version only')
    .optionsGroup('How they are shown:')
    .option('-o, --columns <names>', `these columns: ${columnsMeaning}`, 'uuid,name,version,state,os,type,published')
    .option('-s, --sort <columns>', 'sorted by these columns; -COLUMN: descending')
    .option('-H, --no-header', 'without the titles of the columns')
    .option('-j, --json', 'as JSON, the manifests whole')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Options, command: Command) => {
      const columns = imageColumns(options.columns);
      const order = imageOrder(options.sort ?? '');
      const query = queryOf(options);
      const client = await connect(command);
      const { account, channel } = options;
      const images: RemoteManifest[] = [];
      for await (const image of client.listImages(query, { account, channel })) images.push(image);
      const shown = sorted(options.latest ? latest(images) : images, order);
      if (options.json) await printJson(io, shown);
      else await printTable(io, columns, shown, options);
    });
};

function queryOf(options: Options): RawQuery {
  const { name, version, os, type, owner, state, tag = {}, billingTag, limit } = options;
  if (limit !== undefined && !/^[1-9]\d{0,8}$/.test(limit)) {
    throw new CliError(`--limit has to be a number, not "${limit}"`);
  }
  return {
    name,
    version,
    os,
    type,
    owner,
    state,
    limit,
    billing_tag: billingTag,
    public: options.public ? 'true' : options.private && 'false',
    ...Object.fromEntries(Object.entries(tag).map(([key, value]) => [`tag.${key}`, value])),
  };
}

/** Images of one name that have the same version stay side by side: which of them is meant is not ours to say. */
function latest(images: RemoteManifest[]): RemoteManifest[] {
  const newest = new Map<unknown, string>();
  for (const { name, version } of images) {
    const known = newest.get(name);
    if (known === undefined || compareVersions(known, String(version)) < 0) newest.set(name, String(version));
  }
  return images.filter(({ name, version }) => newest.get(name) === version);
}
