import type { Command } from 'commander';
import type { Register } from '../command.js';
import { paging } from '../field.js';
import { print } from '../output.js';
import { resource } from '../resource.js';
import { endUpload } from '../send-in-parts.js';
import { visible } from '../visible.js';

const end: Register = (group, context) => {
  group
    .command('end')
    .description('end an upload: what was sent is thrown away, and its room is free again')
    .argument('<upload>')
    .addHelpText('after', '\nExamples:\n  slipway uploads end 6f0c1a52-93b1-4a55-9f5e-0d6a2b1c7e88')
    .action(async (upload: string, _options: object, command: Command) => {
      const { exchange } = await context.connect(command);
      await endUpload(exchange, upload, context.signal);
      await print(context.io, `${visible(`upload ${upload} has ended`)}\n`);
    });
};

export const register = resource({
  name: 'uploads',
  description: 'files that are being sent: see how far they have come, end them',
  rows: [
    {
      name: 'list',
      description: 'list your uploads that can be gone on with, and those that have just ended',
      asks: 'GET /api/upload',
      fields: [...paging],
      columns: 'id image status offset size expires',
      examples: ['uploads list', 'uploads list --json'],
    },
    end,
  ],
});
