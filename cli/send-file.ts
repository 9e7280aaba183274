import { isRecord } from '../imgapi/checks.js';
import type { ImgapiClient, RemoteManifest } from '../imgapi/client.js';
import type { Compression } from '../imgapi/image.js';
import type { Context } from './command.js';
import { compressionByContent, compressionByName } from './compression.js';
import { CliError, exits } from './errors.js';
import { note } from './output.js';
import { withProgress } from './progress.js';
import { metered, type Source, sha1Of } from './upload-source.js';

export interface SendOptions {
  compression: Compression;
  /** What the bytes have to be. */
  sha1?: string | undefined;
  datasetGuid?: string | undefined;
  channel?: string | undefined;
  quiet?: true | undefined;
}

type Surroundings = Pick<Context, 'io' | 'signal'>;

/** The file of an image, whole and as it was read, or an error. */
export async function sendFile(
  client: ImgapiClient,
  uuid: string,
  source: Source,
  { compression, sha1: expected, datasetGuid, channel, quiet }: SendOptions,
  { io, signal }: Surroundings,
): Promise<RemoteManifest> {
  const task = { label: source.label, total: source.size, quiet };
  // a file can be read twice, so the server hears beforehand what has to arrive
  const known =
    source.size === undefined
      ? undefined
      : await withProgress(io, { ...task, label: `reading ${source.label}` }, (advance) => sha1Of(source, advance));
  if (known !== undefined) checkSource(source, known, expected);
  return withProgress(io, task, async (advance) => {
    const { stream, sums } = metered(source, advance);
    const image = await client.addImageFile(uuid, stream, {
      compression,
      sha1: known ?? expected,
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
