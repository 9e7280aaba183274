import { ImgapiClient } from '../../imgapi/client.js';
import type { Register } from '../command.js';
import { print, printJson } from '../output.js';
import { openSession } from '../session.js';
import { visible } from '../visible.js';

export const register: Register = (program, context) => {
  const { io } = context;
  program
    .command('ping')
    .description('ask a server whether it is there, and as whom it knows you')
    .option('-j, --json', 'as JSON')
    .addHelpText('after', '\nExamples:\n  slipway ping\n  slipway ping --url https://images.example.com --json')
    .action(async ({ json }: { json?: true }, command) => {
      const options = await openSession(command, context);
      const pong = await new ImgapiClient(options).ping();
      if (json) return printJson(io, pong);
      const who = typeof pong.user === 'string' ? `you are ${pong.user}` : 'you are not logged in';
      await print(io, `${visible(`${options.url} has version ${pong.version}; ${who}`)}\n`);
    });
};
