import type { Command } from 'commander';
import type { Register } from '../command.js';
import { CliError } from '../errors.js';
import { findImage } from '../find-image.js';
import { printImage } from '../image-line.js';
import { intoList } from '../key-values.js';
import { addManifestOptions, changesOf } from '../manifest-options.js';

interface Options {
  manifest?: string;
  unset?: string[];
  channel?: string;
  json?: true;
}

const EXAMPLES = `
Examples:
  slipway update base@1.0.0 --description 'what everything builds on' --tag role=base
  slipway update base --unset homepage --unset tags.role
  echo '{"tags": {"role": "db"}}' | slipway update 3a1d2e7c -m -

--tag and --requirement leave the others as they are; JSON replaces tags and requirements as a whole.`;

export const register: Register = (program, context) => {
  const command = program
    .command('update')
    .description('change the manifest of an image')
    .argument('<image>', 'UUID, the beginning of one, NAME or NAME@VERSION');
  addManifestOptions(command, { except: ['type'] })
    .optionsGroup('What is changed:')
    .option('--unset <field>', 'remove this field, or a member such as tags.role (can be repeated)', intoList)
    .option('--channel <name>', 'the image of this channel')
    .option('-j, --json', 'print its manifest, as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (wanted: string, options: Options, called: Command) => {
      const { channel, json } = options;
      const client = await context.connect(called);
      const image = await findImage(client, wanted, { channel });
      const changes = await changesOf(image, { ...options }, context);
      if (Object.keys(changes).length === 0) {
        throw new CliError('there is nothing to change', {
          hint: 'say what: "slipway update --help" lists the fields',
        });
      }
      await printImage(context.io, await client.update(image.uuid, changes, { channel }), { json });
    });
};
