import type { Command } from 'commander';
import type { ImgapiClient, RemoteManifest } from '../imgapi/client.js';
import { ImgapiError } from '../imgapi/errors.js';
import type { Context } from './command.js';
import { CliError, tell } from './errors.js';
import type { Found } from './find-image.js';
import { addManifestOptions } from './manifest-options.js';
import { note } from './output.js';

export interface NewImageOptions {
  manifest?: string;
  newUuid?: true;
  skipOwnerCheck?: true;
  channel?: string;
  dc?: string;
}

/** What an image that is made from another's manifest gets anew. */
const OWN = ['uuid', 'urn', 'state', 'activated', 'published_at', 'files', 'icon', 'channels'];

/** How long the server may take to forget an image again. */
const UNDOING = 10_000;

export function addNewImageOptions(command: Command): Command {
  return addManifestOptions(command)
    .optionsGroup('How it is made:')
    .option('--new-uuid', 'a new image, though the manifest is that of another')
    .option('--skip-owner-check', "with the manifest's owner, though the server does not know it")
    .option('--dc <dc>', 'in this data center, where you manage the images of several')
    .option('--channel <name>', 'in this channel');
}

/** A manifest that has a uuid keeps it; without one the server makes a new image. */
export async function makeImage(
  client: ImgapiClient,
  manifest: RemoteManifest,
  { newUuid, skipOwnerCheck, channel, dc }: NewImageOptions,
): Promise<Found> {
  const { uuid } = manifest;
  if (uuid === undefined || newUuid) {
    const fresh = Object.fromEntries(Object.entries(manifest).filter(([name]) => !OWN.includes(name)));
    const image = await client.createImage(newUuid ? fresh : manifest, { channel, dc });
    return { ...image, uuid: String(image.uuid) };
  }
  if (typeof uuid !== 'string') throw new CliError('the uuid of the manifest is no text');
  return { ...(await client.importImage(uuid, manifest, { channel, dc, skipOwnerCheck })), uuid };
}

/** An image that was made for what then failed is deleted again, and what happened is said. */
export async function unmakeImage(
  client: ImgapiClient,
  { uuid }: Found,
  { io, signal }: Pick<Context, 'io' | 'signal'>,
): Promise<void> {
  // who asks a second time gets no answer any more
  if (signal.aborted) note(io, `image ${uuid} is deleted again, unless you interrupt once more`);
  try {
    await client.deleteImage(uuid, { forceAllChannels: true, signal: AbortSignal.timeout(UNDOING) });
    note(io, `image ${uuid} was deleted again`);
  } catch (error) {
    if (error instanceof ImgapiError && error.code === 'ResourceNotFound') return;
    note(io, `image ${uuid} stays behind: ${tell(error).message}; "slipway delete ${uuid}" deletes it`);
  }
}
