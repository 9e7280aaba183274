import type { Command } from 'commander';
import { findImages } from '../change-images.js';
import type { Register } from '../command.js';
import { confirmDeletion } from '../confirm.js';
import { nameAndVersion, printImage } from '../image-line.js';

interface Options {
  allChannels?: true;
  channel?: string;
  yes?: true;
}

const EXAMPLES = `
Examples:
  slipway delete base@1.0.0
  slipway delete 3a1d2e7c 9b0f11aa --yes

An image that is in several channels only leaves the one that is meant, unless --all-channels is given.`;

export const register: Register = (program, context) => {
  program
    .command('delete')
    .description('delete images with their files, after asking on a terminal')
    .argument('<images...>', 'UUID, the beginning of one, NAME or NAME@VERSION')
    .option('--channel <name>', 'from this channel')
    .option('--all-channels', 'from all channels')
    .option('-y, --yes', 'without asking; needed where there is no terminal')
    .addHelpText('after', EXAMPLES)
    .action(async (wanted: string[], { channel, allChannels, yes }: Options, command: Command) => {
      const client = await context.connect(command);
      const images = await findImages(client, wanted, channel);
      if (!yes)
        await confirmDeletion(
          images.map((image) => `${image.uuid}  ${nameAndVersion(image)}`),
          context,
        );
      for (const image of images) {
        await client.deleteImage(image.uuid, { channel, forceAllChannels: allChannels });
        const stays = !allChannels && Array.isArray(image.channels) && image.channels.length > 1;
        await printImage(context.io, image, { outcome: stays ? 'left the channel' : 'deleted' });
      }
    });
};
