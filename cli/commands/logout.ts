import { Exchange } from '../../imgapi/exchange.js';
import type { Context, Register } from '../command.js';
import { CliError, tell } from '../errors.js';
import { note, print } from '../output.js';
import type { Server } from '../servers.js';
import { connectionOptions } from '../session.js';

export const register: Register = (program, context) => {
  const { io, servers } = context;
  program
    .command('logout')
    .description('forget a server and what proved you to it')
    .argument('[name]', 'what the server is called; the default one unless given')
    .addHelpText(
      'after',
      '\nWhat began with a password ends; a token stays good until it is revoked: see "slipway token revoke".\n\nExamples:\n  slipway logout main',
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
      const { [forgotten]: left, ...others } = known.servers;
      await servers.save({
        servers: others,
        ...(known.default !== forgotten && known.default !== undefined && { default: known.default }),
      });
      if (left?.session) await end(left, context);
      await print(io, `logged out of ${forgotten}\n`);
    });
};

/** Forgotten is forgotten, also where the server can not be asked to end what began with a password. */
async function end(server: Server, context: Context): Promise<void> {
  try {
    const { token = '' } = server;
    const exchange = new Exchange({ ...(await connectionOptions(server, context)), token });
    await exchange.json('GET', '/api/accounts/logout');
  } catch (error) {
    note(context.io, `warning: the server may still know the session: ${tell(error).message}`);
  }
}
