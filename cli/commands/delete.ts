import type { Command } from 'commander';
import { ask, isAttended } from '../ask.js';
import { findImages } from '../change-images.js';
import type { Context, Register } from '../command.js';
import { CliError } from '../errors.js';
import type { Found } from '../find-image.js';
import { nameAndVersion, printImage } from '../image-line.js';
import { visible } from '../visible.js';

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
      if (!yes) await confirm(images, context);
      for (const image of images) {
        await client.deleteImage(image.uuid, { channel, forceAllChannels: allChannels });
        const stays = !allChannels && Array.isArray(image.channels) && image.channels.length > 1;
        await printImage(context.io, image, { outcome: stays ? 'left the channel' : 'deleted' });
      }
    });
};

async function confirm(images: Found[], context: Context): Promise<void> {
  if (!isAttended(context)) {
    throw new CliError('nothing was deleted: there is no terminal to ask on', {
      hint: 'say --yes where nobody is asked',
    });
  }
  const names = images.map((image) => `  ${visible(`${image.uuid}  ${nameAndVersion(image)}`)}\n`);
  context.io.stderr.write(names.join(''));
  const answer = await ask('Delete? [y/N] ', context);
  if (!/^y(es)?$/i.test(answer)) throw new CliError('nothing was deleted');
}
