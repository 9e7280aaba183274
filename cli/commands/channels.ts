import type { Channel } from '../../imgapi/channels.js';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Register } from '../command.js';
import { CliError } from '../errors.js';
import { type Column, printJson, printTable } from '../output.js';

const columns: Column<Channel>[] = [
  { title: 'NAME', text: ({ name }) => name },
  { title: 'DEFAULT', text: (channel) => (channel.default ? 'yes' : '-') },
  { title: 'DESCRIPTION', text: ({ description }) => description },
];

export const register: Register = (program, { io, connect }) => {
  program
    .command('channels')
    .description('list the channels of a server')
    .option('-H, --no-header', 'without the titles of the columns')
    .option('-j, --json', 'as JSON')
    .addHelpText('after', '\nExamples:\n  slipway channels\n  slipway list --channel staging')
    .action(async (options: { header: boolean; json?: true }, command) => {
      const client = await connect(command);
      const channels = await client.channels().catch(explain);
      if (options.json) await printJson(io, channels);
      else await printTable(io, columns, channels, options);
    });
};

function explain(error: unknown): never {
  if (!(error instanceof ImgapiError) || error.code !== 'ResourceNotFound') throw error;
  throw new CliError('this server has no channels', { cause: error });
}
