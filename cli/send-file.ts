import { isRecord } from '../imgapi/checks.js';
import type { ImgapiClient, RemoteManifest } from '../imgapi/client.js';
import { Unreachable } from '../imgapi/exchange-errors.js';
import type { Compression } from '../imgapi/image.js';
import type { Context } from './command.js';
import { compressionByContent, compressionByName } from './compression.js';
import { CliError, exits, tell } from './errors.js';
import { note } from './output.js';
import { withProgress } from './progress.js';
import { sendInParts, takesParts, type Whole } from './send-in-parts.js';
import { digestsOf, metered, type Source } from './upload-source.js';

export interface SendOptions {
  compression: Compression;
  /** What the bytes have to be. */
  sha1?: string | undefined;
  datasetGuid?: string | undefined;
  channel?: string | undefined;
  quiet?: true | undefined;
  /** Told when the rest can be sent later, to the same image. */
  left?: (() => void) | undefined;
}

type Surroundings = Pick<Context, 'io' | 'signal'>;

/** The file of an image, whole and as it was read, or an error. */
export async function sendFile(
  client: ImgapiClient,
  uuid: string,
  source: Source,
  options: SendOptions,
  context: Surroundings,
): Promise<RemoteManifest> {
  const { size } = source;
  if (size === undefined) return sendStream(client, uuid, source, options, context);
  // a file can be read twice, so the server hears beforehand what has to arrive
  const task = { label: `reading ${source.label}`, total: size, quiet: options.quiet };
  const digests = await withProgress(context.io, task, (advance) => digestsOf(source, advance));
  checkSource(source, digests.sha1, options.sha1);
  if (!(await takesParts(client.exchange, context.signal))) {
    return sendStream(client, uuid, source, { ...options, sha1: digests.sha1 }, context);
  }
  const { compression, datasetGuid } = options;
  return sendWhole(client, { image: uuid, size, ...digests, compression, datasetGuid }, source, options, context);
}

/** In one go: it comes whole, or it has not come. */
async function sendStream(
  client: ImgapiClient,
  uuid: string,
  source: Source,
  { compression, sha1: expected, datasetGuid, channel, quiet }: SendOptions,
  { io, signal }: Surroundings,
): Promise<RemoteManifest> {
  const task = { label: source.label, total: source.size, quiet };
  return withProgress(io, task, async (advance) => {
    const { stream, sums } = metered(source, advance);
    const image = await client.addImageFile(uuid, stream, {
      compression,
      sha1: expected,
      size: source.size,
      dataset_guid: datasetGuid,
      channel,
      signal,
    });
    const sent = sums();
    checkSource(source, sent.sha1, expected);
    checkReceived(image, sent);
    return image;
  });
}

/** A connection that is cut is made again, and it goes on where it was. */
async function sendWhole(
  client: ImgapiClient,
  whole: Whole,
  source: Source,
  { channel, quiet, left }: SendOptions,
  { io, signal }: Surroundings,
): Promise<RemoteManifest> {
  const again = (error: unknown) => void (quiet || note(io, `${tell(error).message}; going on`));
  await withProgress(io, { label: source.label, total: whole.size, quiet }, (advance) =>
    sendInParts(client.exchange, whole, source, { signal, advance, again }),
  ).catch((error: unknown) => {
    if (signal.aborted || error instanceof Unreachable) left?.();
    throw error;
  });
  const image = await client.getImage(whole.image, { channel, signal });
  checkReceived(image, whole);
  return image;
}

function checkSource({ label }: Source, sha1: string, expected: string | undefined): void {
  if (expected === undefined || sha1 === expected) return;
  throw new CliError(`${label} has the sha1 ${sha1}, not ${expected}`, { hint: 'the file is damaged, or another one' });
}

function checkReceived({ files }: RemoteManifest, sent: { sha1: string; size: number }): void {
  const [file] = Array.isArray(files) ? files : [];
  if (isRecord(file) && file.sha1 === sent.sha1 && Number(file.size) === sent.size) return;
  const received = isRecord(file) ? `${file.size} bytes with the sha1 ${file.sha1}` : 'nothing';
  throw new CliError(
    `the server has received ${received}, but ${sent.size} bytes with the sha1 ${sent.sha1} were sent`,
    { exit: exits.serverFailed, hint: 'something on the way changes what is sent: try again' },
  );
}

/** How the source is compressed: its name says so, or else its first bytes do. */
export function compressionOf({ label, head }: Source, { io }: Pick<Context, 'io'>): Compression {
  const content = compressionByContent(head);
  const name = compressionByName(label);
  if (name !== undefined && name !== content) {
    note(io, `warning: ${label} is called like a ${name} file, but does not begin like one; --compression decides`);
  }
  return name ?? content;
}
