import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { Context, Register } from '../command.js';
import { CliError, exits } from '../errors.js';
import { stemOf } from '../file-names.js';
import { findImage } from '../find-image.js';
import { printImage } from '../image-line.js';
import { DASH, readInput, wholeOf } from '../input.js';
import { print } from '../output.js';
import { visible } from '../visible.js';
import { writeWhole } from '../write-whole.js';

interface Options {
  output?: string;
  force?: true;
  channel?: string;
  json?: true;
}

const IMAGE = ['<image>', 'UUID, the beginning of one, NAME or NAME@VERSION'] as const;
/** More than any server takes; its own limit, 128 KiB unless it was told another, is its to tell. */
const MOST = 16 * 1024 ** 2;

/** The kinds of icons, and what they begin with. */
const kinds = [
  { contentType: 'image/png', extension: '.png', magic: Buffer.from('\x89PNG', 'latin1') },
  { contentType: 'image/jpeg', extension: '.jpg', magic: Buffer.from([0xff, 0xd8, 0xff]) },
  { contentType: 'image/gif', extension: '.gif', magic: Buffer.from('GIF8') },
];

export const register: Register = (program, context) => {
  const group = program.command('icon').description('set, fetch and delete the icon of an image').helpCommand(false);
  registerSet(group, context);
  registerGet(group, context);
  registerDelete(group, context);
};

function registerSet(group: Command, context: Context): void {
  group
    .command('set')
    .description('give an image an icon: PNG, JPEG or GIF')
    .argument(...IMAGE)
    .argument('<file>', 'the icon; "-": standard input')
    .option('--channel <name>', 'the image of this channel')
    .option('-j, --json', 'print its manifest, as JSON')
    .addHelpText('after', '\nExamples:\n  slipway icon set base@1.0.0 base.png')
    .action(async (wanted: string, file: string, { channel, json }: Options, command: Command) => {
      const icon = await readInput(file, MOST, context);
      const kind = kinds.find(({ magic }) => icon.subarray(0, magic.length).equals(magic));
      if (!kind) throw new CliError(`${file} is no icon`, { hint: 'an icon is a PNG, JPEG or GIF file' });
      const client = await context.connect(command);
      const { uuid } = await findImage(client, wanted, { channel });
      const sha1 = createHash('sha1').update(icon).digest('hex');
      const details = { contentType: kind.contentType, sha1, size: icon.length, channel };
      await printImage(context.io, await client.putIcon(uuid, Readable.from([icon]), details), { json });
    });
}

function registerGet(group: Command, { io, connect }: Context): void {
  group
    .command('get')
    .description('fetch the icon of an image')
    .argument(...IMAGE)
    .option('-O, --output <file>', 'into this file; "-": to standard output')
    .option('--force', 'replace a file that is there')
    .option('--channel <name>', 'the image of this channel')
    .addHelpText('after', '\nExamples:\n  slipway icon get base@1.0.0 -O base.png')
    .action(async (wanted: string, { output, force, channel }: Options, command: Command) => {
      if (output === DASH && io.stdout.isTTY) {
        throw new CliError('standard output is a terminal', { hint: 'name a file with -O FILE' });
      }
      const client = await connect(command);
      const image = await findImage(client, wanted, { channel });
      const { headers, body } = await client.getIcon(image.uuid, { channel });
      const icon = await wholeOf('the icon', body, MOST);
      checkIcon(icon, headers['content-md5']);
      if (output === DASH) return print(io, icon);
      const kind = kinds.find(({ contentType }) => contentType === headers['content-type']);
      const path = output ?? stemOf(image) + (kind?.extension ?? '.icon');
      if (!force && existsSync(path)) throw new CliError(`${path} exists already`, { hint: '--force replaces it' });
      await writeWhole(path, icon);
      await print(io, `${visible(path)}\n`);
    });
}

function registerDelete(group: Command, { io, connect }: Context): void {
  group
    .command('delete')
    .description('delete the icon of an image')
    .argument(...IMAGE)
    .option('--channel <name>', 'the image of this channel')
    .option('-j, --json', 'print its manifest, as JSON')
    .addHelpText('after', '\nExamples:\n  slipway icon delete base@1.0.0')
    .action(async (wanted: string, { channel, json }: Options, command: Command) => {
      const client = await connect(command);
      const { uuid } = await findImage(client, wanted, { channel });
      await printImage(io, await client.deleteIcon(uuid, { channel }), { json });
    });
}

function checkIcon(icon: Buffer, md5: string | undefined): void {
  if (md5 === undefined || createHash('md5').update(icon).digest('base64') === md5) return;
  throw new CliError('the icon was damaged on the way', { exit: exits.serverFailed, hint: 'try again' });
}
