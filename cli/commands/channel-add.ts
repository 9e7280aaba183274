import type { Command } from 'commander';
import type { Register } from '../command.js';
import { findImage } from '../find-image.js';
import { printImage } from '../image-line.js';

export const register: Register = (program, { io, connect }) => {
  program
    .command('channel-add')
    .description('put an image into one more channel')
    .argument('<image>', 'UUID, the beginning of one, NAME or NAME@VERSION')
    .argument('<channel>', 'the channel that it comes into')
    .option('--channel <name>', 'a channel that it is in')
    .option('-j, --json', 'print its manifest, as JSON')
    .addHelpText('after', '\nExamples:\n  slipway channel-add base@1.0.0 release --channel staging')
    .action(
      async (
        wanted: string,
        target: string,
        { channel, json }: { channel?: string; json?: true },
        command: Command,
      ) => {
        const client = await connect(command);
        const { uuid } = await findImage(client, wanted, { channel });
        const image = await client.channelAdd(uuid, target, { channel });
        const outcome = `in ${[image.channels ?? []].flat().join(', ')}`;
        await printImage(io, image, { json, outcome });
      },
    );
};
