import { type Command, Option } from 'commander';
import { isRecord } from '../../imgapi/checks.js';
import { ImgapiClient, type RemoteManifest } from '../../imgapi/client.js';
import { type Compression, compressions } from '../../imgapi/image.js';
import type { Context, Register } from '../command.js';
import { CliError } from '../errors.js';
import { namedBy } from '../file-names.js';
import { type Found, findImage } from '../find-image.js';
import { graceAfter } from '../grace.js';
import { DASH } from '../input.js';
import { Management } from '../management.js';
import { manifestOf } from '../manifest-options.js';
import { addNewImageOptions, makeImage, type NewImageOptions, unmakeImage } from '../new-image.js';
import { note, print, printJson } from '../output.js';
import { compressionOf, type SendOptions, sendFile } from '../send-file.js';
import { openSession } from '../session.js';
import { openSource, type Source } from '../upload-source.js';

interface Options extends NewImageOptions {
  uuid?: string;
  compression?: Compression;
  sha1?: string;
  datasetGuid?: string;
  activate: boolean;
  keep?: true;
  quiet?: true;
  json?: true;
}

const EXAMPLES = `
Examples:
  slipway upload base-1.0.0.zfs.gz --os smartos --type zone-dataset
  slipway upload disk.zfs.gz -m disk.manifest
  zfs send zones/base@v1 | gzip | slipway upload - --name base --version 1.0.0 --os smartos --type zone-dataset
  slipway upload base.zfs.gz --uuid 3a1d2e7c --no-activate

Name and version are taken from a file that is called NAME-VERSION, unless something else says them.
A manifest that has a uuid keeps it: the image is imported. What fails leaves no image behind.`;

export const register: Register = (program, context) => {
  const command = program
    .command('upload')
    .description('make an image of a file: create it, send the file, activate it')
    .argument('<file>', 'the file; "-": standard input');
  addNewImageOptions(command)
    .optionsGroup('The file:')
    .addOption(
      new Option('--compression <kind>', 'how it is compressed; its name or its first bytes say so').choices(
        compressions,
      ),
    )
    .option('--sha1 <hex>', 'what its sha1 has to be', readSha1)
    .option('--dataset-guid <guid>', 'the guid of the ZFS snapshot in it')
    .optionsGroup('What happens:')
    .option('--uuid <image>', 'no new image: the file is for this one, which is not activated yet')
    .option('--no-activate', 'the image is left unactivated')
    .option('--keep', 'what fails leaves the image behind, unactivated')
    .option('-q, --quiet', 'without progress and notes')
    .option('-j, --json', 'print the manifest instead of the uuid')
    .addHelpText('after', EXAMPLES)
    .action((file: string, options: Options, called: Command) => upload(file, options, called, context));
};

async function upload(file: string, options: Options, command: Command, context: Context): Promise<void> {
  const { io } = context;
  if (file === DASH && options.manifest === DASH) throw new CliError('one thing only can come from standard input');
  const source = await openSource(file, context);
  const manifest = await manifestOf({ ...options }, context);
  const told = fromManifest(manifest, options);
  const compression = options.compression ?? told.compression ?? compressionOf(source, context);
  const send = { ...told, ...options, compression };
  const image =
    options.uuid === undefined
      ? await uploadNew(source, manifest, send, command, context)
      : await uploadTo(options.uuid, source, manifest, send, command, context);
  await (options.json ? printJson(io, image) : print(io, `${image.uuid}\n`));
}

type Chosen = Options & SendOptions;

async function uploadNew(
  source: Source,
  given: RemoteManifest,
  options: Chosen,
  command: Command,
  context: Context,
): Promise<RemoteManifest> {
  const { io, signal } = context;
  const manifest = { ...namesOf(source, given, options, context), ...given };
  // what was begun is undone, also when Ctrl-C was what ended it
  const session = await openSession(command, { ...context, signal: graceAfter(signal) });
  const client = new ImgapiClient(session);
  const image = await made(makeImage(client, manifest, options), context);
  try {
    signal.throwIfAborted();
    const filled = await fill(client, image, source, options, context);
    if (!options.quiet) await tellName(new Management({ ...session, signal }), filled, context);
    return filled;
  } catch (error) {
    if (!options.keep) await unmakeImage(client, image, context);
    else note(io, `image ${image.uuid} stays, unactivated; "slipway upload FILE --uuid ${image.uuid}" goes on`);
    throw error;
  }
}

/** Who stops us while the server makes the image learns that we wait for it, and what happens if not. */
async function made<T>(making: Promise<T>, { io, signal }: Context): Promise<T> {
  const tell = () =>
    note(io, 'the image is being made: waiting to delete it again; what stays behind is in "slipway list --state all"');
  signal.addEventListener('abort', tell, { once: true });
  try {
    return await making;
  } finally {
    signal.removeEventListener('abort', tell);
  }
}

/** Where the name is taken, management knows the image by another. Not every server has management: then there is nothing to tell. */
async function tellName(management: Management, { uuid, name }: RemoteManifest, { io }: Context): Promise<void> {
  const known = await management.ask('GET', `/api/image/${uuid}`).catch(() => undefined);
  const { name: managed = name } = Object(known?.result);
  if (managed !== name) note(io, `"slipway image" and "slipway dc" know this image as ${managed}`);
}

async function uploadTo(
  wanted: string,
  source: Source,
  manifest: RemoteManifest,
  options: Chosen,
  command: Command,
  context: Context,
): Promise<RemoteManifest> {
  if (Object.keys(manifest).length > 0) {
    throw new CliError(`--uuid ${wanted} takes the file alone, for an image that is there already`, {
      hint: `change its manifest with "slipway update ${wanted}"; a new image has its uuid from the manifest of -m`,
    });
  }
  const client = await context.connect(command);
  const image = await findImage(client, wanted, { channel: options.channel });
  const left = () =>
    note(
      context.io,
      'what was sent stays for a while: the same command goes on with it, "slipway uploads" tells of it',
    );
  return fill(client, image, source, { ...options, left }, context);
}

async function fill(
  client: ImgapiClient,
  { uuid }: Found,
  source: Source,
  options: Chosen,
  context: Context,
): Promise<RemoteManifest> {
  const sent = await sendFile(client, uuid, source, options, context);
  const { channel, activate } = options;
  return activate ? client.activate(uuid, { channel, signal: context.signal }) : sent;
}

/** The file's name tells what nothing else does. */
function namesOf(
  { label, size }: Source,
  given: RemoteManifest,
  { quiet }: Options,
  { io }: Context,
): { name?: string; version?: string } {
  const named = size === undefined || given.uuid !== undefined ? undefined : namedBy(label);
  if (!named || (given.name !== undefined && given.version !== undefined)) return {};
  const { name = named.name, version = named.version } = given;
  if (!quiet) note(io, `the image is ${name}@${version}, after the name of its file`);
  return named;
}

/** The manifest of an image that exists elsewhere says what its file has to be. */
function fromManifest({ uuid, files }: RemoteManifest, { newUuid }: Options): Partial<SendOptions> {
  const [file] = uuid !== undefined && !newUuid && Array.isArray(files) ? files : [];
  if (!isRecord(file)) return {};
  const compression = compressions.find((known) => known === file.compression);
  return {
    ...(compression && { compression }),
    ...(typeof file.sha1 === 'string' && { sha1: file.sha1 }),
    ...(typeof file.dataset_guid === 'string' && { datasetGuid: file.dataset_guid }),
  };
}

function readSha1(text: string): string {
  if (/^[0-9a-f]{40}$/i.test(text)) return text.toLowerCase();
  throw new CliError(`"${text}" is no sha1`, { hint: 'a sha1 has 40 letters and digits, as sha1sum prints it' });
}
