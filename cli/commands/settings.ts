import type { Command } from 'commander';
import { didYouMean } from '../../imgapi/nearest.js';
import type { Register } from '../command.js';
import { CliError } from '../errors.js';
import { keyValue } from '../key-values.js';
import { literal } from '../literal.js';
import { Management } from '../management.js';
import { printJson } from '../output.js';
import { call, printResult, resource } from '../resource.js';
import { openSession } from '../session.js';
import type { Meanings } from '../table.js';

const OF_MAIN = 'those of "main" hold for all, and some for nothing else';

/** No image server and none that was chosen are two things. */
export const meanings: Meanings = { VMS_IMAGE_VM: { null: 'this server', '': 'none: records only' } };

/** The server knows which there are: those that it shows. */
async function checkNames(names: readonly string[], management: Management, dc: string): Promise<void> {
  const known = Object.keys(Object((await call(management, 'GET /api/dc/:dc/settings', { dc })).result));
  for (const name of names) {
    if (known.includes(name)) continue;
    throw new CliError(`there is no setting "${name}"${didYouMean(name, known)}`, {
      hint: '"slipway settings show" lists them',
    });
  }
}

const set: Register = (group, context) => {
  group
    .command('set')
    .description('change settings of a data center')
    .argument('<settings...>', 'NAME=VALUE, with values as in "slipway api"')
    .option('--dc <dc>', `of this data center; ${OF_MAIN}`, 'main')
    .option('-j, --json', 'all settings afterwards, as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  slipway settings set --dc north VMS_IMAGE_LIMIT=20 anonymous=false\n' +
        '  slipway settings set VMS_IMAGE_LIMIT=null',
    )
    .action(async (wanted: string[], { dc, json }: { dc: string; json?: true }, command: Command) => {
      const pairs = wanted.map((text) => keyValue(text, 'a setting is written like NAME=VALUE'));
      if (pairs.some(([name]) => name === 'dc')) throw new CliError('there is no setting "dc": name it with --dc');
      const settings = await Promise.all(
        pairs.map(async ([name, text]) => [name, await literal(text, context)] as const),
      );
      const management = new Management(await openSession(command, context));
      await checkNames(
        pairs.map(([name]) => name),
        management,
        dc,
      );
      const { result } = await call(management, 'PUT /api/dc/:dc/settings', { ...Object.fromEntries(settings), dc });
      await (json ? printJson(context.io, result) : printResult(context.io, result, meanings));
    });
};

export const register = resource({
  name: 'settings',
  description: 'what holds in a data center, and what holds in all of them',
  rows: [
    {
      name: 'show',
      description: 'show the settings of a data center',
      asks: 'GET /api/dc/:dc/settings',
      words: ['[dc]'],
      always: { dc: 'main' },
      meanings,
      fields: [['dc', '--dc <dc>', `of this data center, "main" unless given; ${OF_MAIN}`]],
      examples: ['settings show', 'settings show north', 'settings show --dc north --json'],
    },
    set,
  ],
});
