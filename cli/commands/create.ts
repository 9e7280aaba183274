import type { Command } from 'commander';
import type { Register } from '../command.js';
import { manifestOf } from '../manifest-options.js';
import { addNewImageOptions, makeImage, type NewImageOptions } from '../new-image.js';
import { print, printJson } from '../output.js';

const EXAMPLES = `
Examples:
  slipway create --name base --version 1.0.0 --os smartos --type zone-dataset --tag role=base
  slipway create -m base.manifest --version 1.0.1 --new-uuid

The image has no file yet: "slipway upload FILE --uuid UUID" gives it one. A manifest that has a uuid keeps it.`;

export const register: Register = (program, context) => {
  const command = program.command('create').description('make an image that has no file yet, and print its uuid');
  addNewImageOptions(command)
    .option('-j, --json', 'print the manifest instead of the uuid')
    .addHelpText('after', EXAMPLES)
    .action(async (options: NewImageOptions & { json?: true }, called: Command) => {
      const manifest = await manifestOf({ ...options }, context);
      const image = await makeImage(await context.connect(called), manifest, options);
      await (options.json ? printJson(context.io, image) : print(context.io, `${image.uuid}\n`));
    });
};
