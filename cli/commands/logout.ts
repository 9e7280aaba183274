import type { Register } from '../command.js';
import { CliError } from '../errors.js';
import { print } from '../output.js';

export const register: Register = (program, { io, servers }) => {
  program
    .command('logout')
    .description('forget a server and what proved you to it')
    .argument('[name]', 'what the server is called; the default one unless given')
    .addHelpText(
      'after',
      '\nA token stays good until it is revoked: see "slipway token revoke".\n\nExamples:\n  slipway logout main',
    )
    .action(async (name: string | undefined) => {
      const known = await servers.load();
      const forgotten = name ?? known.default;
      if (forgotten === undefined || !Object.hasOwn(known.servers, forgotten)) {
        const names = Object.keys(known.servers).join(', ') || 'none';
        throw new CliError(forgotten === undefined ? 'which server?' : `no server is called "${forgotten}"`, {
          hint: `known are: ${names}`,
        });
      }
      const { [forgotten]: _, ...others } = known.servers;
      await servers.save({
        servers: others,
        ...(known.default !== forgotten && known.default !== undefined && { default: known.default }),
      });
      await print(io, `logged out of ${forgotten}\n`);
    });
};
