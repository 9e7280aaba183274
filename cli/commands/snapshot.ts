import type { Command } from 'commander';
import { isRecord } from '../../imgapi/checks.js';
import type { Context, Register } from '../command.js';
import { confirmDeletion } from '../confirm.js';
import { CliError } from '../errors.js';
import { Management } from '../management.js';
import { print, printJson } from '../output.js';
import { addListOptions, asQuery, resource } from '../resource.js';
import { openSession } from '../session.js';
import { machineNamed, snapshotNamed, snapshotPath } from '../snapshot-name.js';
import { columnsOf, printRows, type Shown } from '../table.js';
import { visible } from '../visible.js';

const COLUMNS = 'disk name created used status task';
const meanings = { status: { 1: 'ok', 2: 'pending' } };

const list: Register = (group, context) => {
  const command = group
    .command('list')
    .description('list the snapshots of a machine, as its node has them')
    .argument('<vm>', 'VM or HOST/VM')
    .option('--disk <number>', 'those of this disk, counted from 1');
  addListOptions(command)
    .addHelpText('after', '\nExamples:\n  slipway snapshot list web\n  slipway snapshot list node1/web --disk 2 --json')
    .action(async (vm: string, options: Shown & { disk?: string }, called: Command) => {
      const { node, ...named } = machineNamed(vm);
      const told = {
        ...(node !== undefined && { node }),
        ...(options.disk !== undefined && { disk_id: options.disk }),
      };
      const management = new Management(await openSession(called, context));
      const path = `/api/vm/${encodeURIComponent(named.vm)}/snapshot`;
      const { result } = await management.ask('GET', path, { query: asQuery(told) });
      if (!Array.isArray(result)) throw management.exchange.answeredBadly(200, 'sent no list of snapshots');
      await printRows(context.io, columnsOf(COLUMNS.split(' '), meanings), result.filter(isRecord), options);
    });
};

interface Options {
  disk?: string;
  json?: true;
  yes?: true;
}

interface Change {
  name: string;
  description: string;
  method: 'POST' | 'DELETE';
  done: (snapshot: string) => string;
  example: string;
}

const change =
  ({ name, description, method, done, example }: Change): Register =>
  (group, context) => {
    const command = group
      .command(name)
      .description(description)
      .argument('<snapshot>', 'VM@SNAPSHOT or HOST/VM@SNAPSHOT')
      .option('--disk <number>', 'which disk, counted from 1; the first one unless given')
      .option('-j, --json', 'the answer, as JSON');
    if (method === 'DELETE') command.option('-y, --yes', 'without asking; needed where there is no terminal');
    command
      .addHelpText('after', `\nExamples:\n  slipway snapshot ${example}`)
      .action((text: string, options: Options, called: Command) => perform(text, options, called, context));
    const perform = async (text: string, options: Options, called: Command, { io }: Context) => {
      const { node, ...named } = snapshotNamed(text);
      const json = { ...(node !== undefined && { node }), ...(options.disk !== undefined && diskOf(options.disk)) };
      const management = new Management(await openSession(called, context));
      if (method === 'DELETE' && !options.yes) await confirmDeletion([`snapshot ${text}`], context);
      const { result } = await management.ask(method, snapshotPath(named), { json });
      if (options.json) return printJson(io, result);
      await print(io, `${visible(done(text))}\n`);
    };
  };

function diskOf(text: string): { disk_id: number } {
  if (/^\d{1,4}$/.test(text)) return { disk_id: Number(text) };
  throw new CliError(`--disk has to be a number, not "${visible(text)}"`);
}

export const register = resource({
  name: 'snapshot',
  description: 'the snapshots of machines, of which images are made',
  rows: [
    list,
    change({
      name: 'take',
      description: 'take a snapshot of a disk of a machine',
      method: 'POST',
      done: (snapshot) => `snapshot ${snapshot} is taken`,
      example: 'take node1/web@before-update --disk 2',
    }),
    change({
      name: 'remove',
      description: 'remove a snapshot of a disk of a machine',
      method: 'DELETE',
      done: (snapshot) => `snapshot ${snapshot} is removed`,
      example: 'remove web@before-update --yes',
    }),
  ],
});
