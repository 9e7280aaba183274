import type { Command } from 'commander';
import type { Context, Register } from '../command.js';
import { findImage } from '../find-image.js';
import { printImage } from '../image-line.js';
import { print, printJson } from '../output.js';
import { visible } from '../visible.js';

interface Options {
  channel?: string;
  json?: true;
}

const IMAGE = ['<image>', 'UUID, the beginning of one, NAME or NAME@VERSION'] as const;

export const register: Register = (program, context) => {
  const group = program.command('acl').description('say which accounts may use a private image').helpCommand(false);
  registerList(group, context);
  registerChange(group, context, 'add');
  registerChange(group, context, 'remove');
};

function registerList(group: Command, { io, connect }: Context): void {
  group
    .command('list')
    .description('list the accounts that may use an image, beside its owner')
    .argument(...IMAGE)
    .option('--channel <name>', 'the image of this channel')
    .option('-j, --json', 'as JSON')
    .addHelpText('after', '\nExamples:\n  slipway acl list base@1.0.0')
    .action(async (wanted: string, { channel, json }: Options, command: Command) => {
      const { acl } = await findImage(await connect(command), wanted, { channel });
      const accounts = Array.isArray(acl) ? acl.map(String) : [];
      await (json ? printJson(io, accounts) : print(io, accounts.map((account) => `${visible(account)}\n`).join('')));
    });
}

const changes = {
  add: { description: 'let accounts use an image', method: 'addToAcl' },
  remove: { description: 'do not let accounts use an image any more', method: 'removeFromAcl' },
} as const;

function registerChange(group: Command, { io, connect }: Context, name: keyof typeof changes): void {
  const { description, method } = changes[name];
  group
    .command(name)
    .description(description)
    .argument(...IMAGE)
    .argument('<accounts...>', 'the uuids of the accounts')
    .option('--channel <name>', 'the image of this channel')
    .option('-j, --json', 'print its manifest, as JSON')
    .addHelpText('after', `\nExamples:\n  slipway acl ${name} base@1.0.0 639e4b6d-8f1a-4d5c-9a3e-2f6b1c0dce7c`)
    .action(async (wanted: string, accounts: string[], { channel, json }: Options, command: Command) => {
      const client = await connect(command);
      const { uuid } = await findImage(client, wanted, { channel });
      await printImage(io, await client[method](uuid, accounts, { channel }), { json });
    });
}
