import type { Command } from 'commander';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Context, Register } from '../command.js';
import { CliError } from '../errors.js';
import { type Field, optionsOf, valuesOf } from '../field.js';
import { isRunning, Management, type Outcome } from '../management.js';
import { print, printJson } from '../output.js';
import { isBundle, sendBundle } from '../send-bundle.js';
import { openSession } from '../session.js';
import { type Fields, printFields } from '../table.js';
import { visible } from '../visible.js';
import { awaited } from '../wait.js';
import { fields as imageFields, osTypes } from './image.js';

const EXAMPLES = `
Examples:
  slipway import https://images.example.com/images/7b5981c4-1889-11e7-b4c5-3f3bdfc9b88b --show
  slipway import https://images.example.com/images/7b5981c4-1889-11e7-b4c5-3f3bdfc9b88b --name base
  slipway import https://example.com/base.json --file https://files.example.com/base.zfs.gz --name base --dc north
  slipway import https://cloud.example.com/debian-12.qcow2 --name debian-12 --os linux --sha256 HEX
  slipway import harbour/7b5981c4-1889-11e7-b4c5-3f3bdfc9b88b
  slipway import base.tar --dc north
  slipway export base | slipway import - --server remote
  slipway import docker:busybox:1.36 --dc north
  slipway import lxd:images:alpine/3.18

The server fetches it: what the image builds on comes first, what is cut is gone on with, and you may leave meanwhile.`;

const ofImport: readonly Field[] = [
  ['name', '--name <name>', 'the key by which it is addressed; one of a repository has that of its manifest otherwise'],
  ['file_url', '--file <url>', 'where its file is, if not beside its manifest'],
  ['secret', '--secret <name>', 'what proves the server to the other one'],
  ['dc', '--dc <dc>', 'the data center to which it is bound'],
];

/** Of a file that no manifest describes; that it is one is told by the first two. */
const ofFile: readonly Field[] = [
  ['os', '--os <os>', 'of a bare file, which this says that it is: what it runs, such as linux'],
  ['ostype', '--ostype <type>', 'of a bare file: which machines it is for', osTypes],
  ['type', '--type <type>', 'of a bare file: its type, such as zvol'],
  [
    'format',
    '--format <format>',
    'of a bare file: raw, qcow2, vmdk, zfs or tar; found in its bytes, where it is not a raw disk without partitions',
  ],
  ['compression', '--compression <how>', 'of a bare file: none, gzip, bzip2, xz or zstd; found in its bytes'],
  ['image_size', '--image-size <mib>', 'of a bare file of type zvol: the size of the disk'],
  ['size', '--size <bytes>', 'of a bare file: how long it is'],
  ['sha1', '--sha1 <hex>', 'of a bare file: its digest'],
  ['sha256', '--sha256 <hex>', 'of a bare file: its digest'],
];

const fields: readonly Field[] = [...ofImport, ...imageFields, ...ofFile];

/** What can be imported, by how it is called. */
const ways: readonly { fits: RegExp; begin(management: Management, what: string, given: Fields): Promise<Outcome> }[] =
  [
    { fits: /^docker:./, begin: (management, what, given) => fromRegistry(management, 'docker', what, given) },
    { fits: /^lxd:./, begin: (management, what, given) => fromRegistry(management, 'lxd', what, given) },
    {
      fits: /^https?:\/\//i,
      begin: (management, url, { name, ...given }) => {
        if (typeof name !== 'string') {
          throw new CliError('how is the image to be called?', { hint: 'say it with --name NAME' });
        }
        const isBare = given.os !== undefined || given.ostype !== undefined;
        const json = { ...given, ...(isBare ? { file_url: url } : { manifest_url: url }) };
        const asked = management.ask('POST', `/api/image/${encodeURIComponent(name)}`, { json });
        return isBare ? asked : asked.catch(orIsBare);
      },
    },
    {
      fits: /^[^/]+\/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
      begin: (management, what, { file_url, secret, ...given }) => {
        const ofUrls = { file_url, secret, ...pick(given, ofFile) };
        if (Object.values(ofUrls).some((value) => value !== undefined)) {
          throw new CliError(
            '--file, --secret and what is said of bare files are for images that are imported by a URL',
          );
        }
        const [repository = '', uuid = ''] = what.split('/');
        const path = `/api/imagestore/${encodeURIComponent(repository)}/image/${uuid}`;
        return management.ask('POST', path, { json: given });
      },
    },
  ];

/** A disk image where a manifest was looked for is refused in words of JSON, which tell nobody what to do. */
function orIsBare(error: unknown): never {
  if (!(error instanceof ImgapiError) || !error.message.includes('JSON')) throw error;
  throw new CliError(error.message, { hint: 'if it is a bare file, and no manifest, say --os', cause: error });
}

/** Of what comes from there the manifests say the rest. */
const ofRegistries = ['dc', 'dc_bound', 'access', 'secret'];

function fromRegistry(management: Management, kind: 'docker' | 'lxd', what: string, given: Fields): Promise<Outcome> {
  const other = Object.keys(given).find((name) => given[name] !== undefined && !ofRegistries.includes(name));
  if (other !== undefined) {
    throw new CliError(`"${other}" is not said of images of registries: change it when the image is here`);
  }
  return management.ask('POST', `/api/registry/${kind}`, { json: { ...given, image: what.slice(kind.length + 1) } });
}

const pick = (given: Fields, wanted: readonly Field[]) =>
  Object.fromEntries(wanted.map(([name]) => [name, given[name]]));

/** What a manifest says, without an import. */
async function showManifest(url: string, options: Options, command: Command, context: Context): Promise<void> {
  if (!/^https?:\/\//i.test(url)) throw new CliError('--show is for the URL of a manifest');
  const { secret, dc, ...others } = await valuesOf(fields, options, context);
  const other = Object.keys(others).find((name) => others[name] !== undefined);
  if (other !== undefined) throw new CliError(`--show takes no "${other}": nothing is imported`);
  const management = new Management(await openSession(command, context));
  const { result } = await management.ask('POST', '/api/manifest', { json: { manifest_url: url, secret, dc } });
  if (options.json) return printJson(context.io, result);
  await printFields(context.io, Object(result));
}

interface Options extends Fields {
  show?: true;
  wait: boolean;
  json?: true;
}

export const register: Register = (program, context) => {
  const command = program
    .command('import')
    .description(
      'have the server fetch an image: URL, REPOSITORY/UUID, docker:REPO:TAG or lxd:REGISTRY:IMAGE; or send it a FILE of "slipway export"',
    )
    .argument(
      '<what>',
      'URL of a manifest or a bare file, REPOSITORY/UUID, docker:REPO:TAG, lxd:REGISTRY:IMAGE, FILE or "-"',
    );
  for (const field of fields) for (const option of optionsOf(field)) command.addOption(option);
  command
    .option('--show', 'what the manifest at the URL says and whether it is here already; nothing is done')
    .option('--no-wait', 'do not wait until it is here: the task is printed')
    .option('-j, --json', 'the answer, as JSON')
    .addHelpText('after', EXAMPLES)
    .action((what: string, options: Options, called: Command) => importImage(what, options, called, context));
};

async function importImage(what: string, options: Options, command: Command, context: Context): Promise<void> {
  const { io } = context;
  if (options.show) return showManifest(what, options, command, context);
  const way = ways.find(({ fits }) => fits.test(what));
  if (!way && (await isBundle(what))) return importBundle(what, options, command, context);
  if (!way && looksLikeFile(what)) throw new CliError(`there is no file ${visible(what)}`);
  if (!way) {
    throw new CliError(`"${visible(what)}" is nothing that can be imported`, {
      hint: 'it is the URL of a manifest, REPOSITORY/UUID as "slipway repo browse" shows them, docker:REPO:TAG, lxd:REGISTRY:IMAGE, a file of "slipway export", or "-"',
    });
  }
  const given = await valuesOf(fields, options, context);
  const management = new Management(await openSession(command, context));
  const begun = await way.begin(management, what, given);
  const outcome = options.wait === false ? begun : await awaited(management, begun, context.io);
  if (options.json) return printJson(io, isRunning(outcome) ? outcome : outcome.result);
  await print(io, `${visible(isRunning(outcome) ? String(outcome.task) : String(Object(outcome.result).uuid))}\n`);
}

const looksLikeFile = (what: string) => /\.tar$|^\.{0,2}\//.test(what);

/** What of these options means something for all images of a bundle. */
const ofBundles: ReadonlySet<string> = new Set(['dc', 'access', 'dc_bound']);

async function importBundle(file: string, options: Options, command: Command, context: Context): Promise<void> {
  const given = Object.entries(await valuesOf(fields, options, context)).filter(([, value]) => value !== undefined);
  const [other] = given.find(([name]) => !ofBundles.has(name)) ?? [];
  if (other !== undefined) throw new CliError(`a bundle takes no "${other}": its images have their own`);
  const management = new Management(await openSession(command, context));
  const query = Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
  await sendBundle(file, query, { header: true, ...(options.json && { json: true }) }, management, context);
}
