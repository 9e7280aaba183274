import type { Command } from 'commander';
import type { ImgapiClient, RemoteManifest } from '../imgapi/client.js';
import type { Context } from './command.js';
import { type Found, findImage } from './find-image.js';
import { printImage } from './image-line.js';

export interface ChangeOptions {
  channel?: string;
  json?: true;
}

interface Verb {
  name: string;
  description: string;
  examples: string;
  change(client: ImgapiClient, uuid: string, call: { channel: string | undefined }): Promise<RemoteManifest>;
}

/** A command that does one thing to several images, one after another. */
export function registerVerb(program: Command, context: Context, { name, description, examples, change }: Verb): void {
  program
    .command(name)
    .description(description)
    .argument('<images...>', 'UUID, the beginning of one, NAME or NAME@VERSION')
    .option('--channel <name>', 'images of this channel')
    .option('-j, --json', 'print their manifests, as JSON')
    .addHelpText('after', examples)
    .action(async (wanted: string[], { channel, json }: ChangeOptions, command: Command) => {
      const client = await context.connect(command);
      for (const { uuid } of await findImages(client, wanted, channel)) {
        await printImage(context.io, await change(client, uuid, { channel }), { json });
      }
    });
}

/** All of them are found before anything happens to the first; what is named twice is there once. */
export async function findImages(
  client: ImgapiClient,
  wanted: readonly string[],
  channel: string | undefined,
): Promise<Found[]> {
  const found = new Map<string, Found>();
  for (const name of wanted) {
    const image = await findImage(client, name, { channel });
    found.set(image.uuid, image);
  }
  return [...found.values()];
}
