import type { Command } from 'commander';
import { isRecord } from '../../imgapi/checks.js';
import type { Context, Register } from '../command.js';
import { type Field, oneOf, optionsOf, valuesOf } from '../field.js';
import { isRunning, Management } from '../management.js';
import { note, print, printJson } from '../output.js';
import { openSession } from '../session.js';
import { snapshotNamed, snapshotPath } from '../snapshot-name.js';
import { visible } from '../visible.js';
import { awaited } from '../wait.js';
import { fields as imageFields } from './image.js';

const EXAMPLES = `
Examples:
  slipway create-from web@before-update web-2
  slipway create-from node1/web@before-update web-2 --alias web --version 2.0 --disk 2
  slipway create-from web@now web-3 --take --compression xz --level 6
  slipway create-from web@monday web-4 --incremental --compress-on here

The server fetches it from the node; the image belongs to the data center of the machine.`;

const fields: readonly Field[] = [
  ['disk_id', '--disk <number>', 'which disk, counted from 1; the first one unless given', 'number'],
  ['take', '--take', 'the snapshot is taken for this, under a name that begins so, and removed afterwards', 'flag'],
  ['incremental', '--incremental', 'only what has changed since the image that the disk was made of', 'flag'],
  [
    'compression',
    '--compression <how>',
    'how it is packed; with gzip unless given',
    oneOf('none', 'gzip', 'bzip2', 'xz', 'zstd'),
  ],
  [
    'format',
    '--format <form>',
    'how a disk is sent, where its node has several; raw unless given',
    oneOf('raw', 'qcow2'),
  ],
  ['compression_level', '--level <number>', 'how hard it is packed', 'number'],
  ['compress_on', '--compress-on <where>', 'where it is packed; on the node unless given', oneOf('node', 'here')],
  ['os', '--os <os>', 'what the machine runs, where its node does not know'],
  ...imageFields.filter(([name]) => name !== 'dc_bound'),
];

interface Options extends Record<string, unknown> {
  wait: boolean;
  json?: true;
}

export const register: Register = (program, context) => {
  const command = program
    .command('create-from')
    .description('have the server make an image of a snapshot of a machine')
    .argument('<snapshot>', 'VM@SNAPSHOT or HOST/VM@SNAPSHOT')
    .argument('<name>', 'the key by which the image is addressed');
  for (const field of fields) for (const option of optionsOf(field)) command.addOption(option);
  command
    .option('--no-wait', 'do not wait until it is here: the task is printed')
    .option('-j, --json', 'the answer, as JSON')
    .addHelpText('after', EXAMPLES)
    .action((snapshot: string, name: string, options: Options, called: Command) =>
      createFrom({ snapshot, name }, options, called, context),
    );
};

async function createFrom(
  what: { snapshot: string; name: string },
  options: Options,
  command: Command,
  context: Context,
): Promise<void> {
  const { io } = context;
  const { node, ...named } = snapshotNamed(what.snapshot);
  const json = { ...(await valuesOf(fields, options, context)), ...(node !== undefined && { node }) };
  const management = new Management(await openSession(command, context));
  const path = `${snapshotPath(named)}/image/${encodeURIComponent(what.name)}`;
  const begun = await management.ask('POST', path, { json });
  const { warnings = [] } = isRecord(begun.result) ? begun.result : {};
  for (const warning of [warnings].flat()) note(io, `warning: ${visible(String(warning))}`);
  const outcome = options.wait === false ? begun : await awaited(management, begun, context.io);
  if (options.json) return printJson(io, isRunning(outcome) ? outcome : outcome.result);
  await print(io, `${visible(isRunning(outcome) ? String(outcome.task) : String(Object(outcome.result).uuid))}\n`);
}
