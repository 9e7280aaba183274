import type { Command } from 'commander';
import { isRecord } from '../../imgapi/checks.js';
import type { Context, Register } from '../command.js';
import { CliError } from '../errors.js';
import { type Field, optionsOf, paging, valuesOf } from '../field.js';
import { withImages } from '../managed-image.js';
import { isRunning, Management, type Outcome } from '../management.js';
import { note, print, printJson } from '../output.js';
import { addListOptions, call, resource } from '../resource.js';
import { openSession } from '../session.js';
import { columnsOf, type Fields, printRows, type Shown } from '../table.js';
import { awaited } from '../wait.js';

const until: Field = ['until', '--until <when>', 'so long nodes that are away are waited for: 24h, or a date'];

const fields: readonly Field[] = [
  ['pool', '--pool <pool>', 'where it is to lie; "zones", or the only one that a node has, unless given'],
  ['dc', '--dc <dc>', 'where the image is meant, where several have its name'],
  ['nodes', '--nodes <nodes>', 'the nodes, with commas; all that serve the image unless given', 'list'],
  ['dcs', '--dcs <dcs>', 'all nodes of these data centers, with commas', 'list'],
  ['at_once', '--at-once <number>', 'so many nodes fetch side by side; 4 unless given', 'number'],
  ['bandwidth', '--bandwidth <bytes>', 'bytes a second of all together', 'number'],
  until,
];

const COLUMNS = 'node state tries error at';

type Options = Shown & Fields & { wait: boolean };

/** What begins with a task, and ends with the nodes as they are then. */
async function follow(context: Context, begun: Outcome, management: Management, campaign: string, options: Options) {
  const { io } = context;
  const outcome = options.wait ? await awaited(management, begun, io) : begun;
  if (isRunning(outcome)) return options.json ? printJson(io, outcome) : print(io, `${outcome.task}\n`);
  const { result } = await call(management, 'GET /api/campaign/:campaign', { campaign });
  if (!isRecord(result)) throw management.exchange.answeredBadly(200, 'has no such campaign');
  if (options.json) await printJson(io, result);
  else await printRows(io, columnsOf(COLUMNS.split(' ')), [result.nodes].flat().filter(isRecord), options);
  const { total, done, skipped, failed } = result;
  note(io, `${done} of ${total} nodes have it; skipped: ${skipped}, failed: ${failed}`);
  if (result.state !== 'failed') return;
  throw new CliError(`campaign "${campaign}" has failed on ${failed} nodes`, {
    hint: `"slipway campaign retry ${campaign}" tries again with all that do not have it`,
  });
}

const waiting = (command: Command) => addListOptions(command.option('--no-wait', 'do not wait for its end'));

const create: Register = (group, context) => {
  const command = group
    .command('create')
    .description('bring an image onto many nodes, and wait until it is there')
    .argument('<campaign>', 'what to call it')
    .argument('<image>');
  for (const field of fields) for (const option of optionsOf(field)) command.addOption(option);
  waiting(command)
    .addHelpText(
      'after',
      '\nExamples:\n  slipway campaign create base-everywhere base --pool zones --at-once 8 --bandwidth 100000000\n' +
        '  slipway campaign create base-north base --pool zones --dcs north --until 3d --no-wait',
    )
    .action(async (campaign: string, image: string, options: Options, called: Command) => {
      const management = new Management(await openSession(called, context));
      const given = { campaign, image, ...(await valuesOf(fields, { ...options }, context)) };
      const told = await withImages(given, { management, io: context.io, dc: options.dc, deletes: false });
      const begun = await call(management, 'POST /api/campaign/:campaign', told);
      await follow(context, begun, management, campaign, options);
    });
};

const again =
  (action: 'start' | 'retry', description: string): Register =>
  (group, context) => {
    const command = group.command(action).description(description).argument('<campaign>');
    for (const option of optionsOf(until)) command.addOption(option);
    waiting(command)
      .addHelpText('after', `\nExamples:\n  slipway campaign ${action} base-everywhere`)
      .action(async (campaign: string, options: Options, called: Command) => {
        const management = new Management(await openSession(called, context));
        const given = { campaign, action, ...(await valuesOf([until], { ...options }, context)) };
        const begun = await call(management, 'PUT /api/campaign/:campaign', given);
        await follow(context, begun, management, campaign, options);
      });
  };

export const register = resource({
  name: 'campaign',
  description: 'images that are brought onto many nodes',
  rows: [
    create,
    {
      name: 'list',
      description: 'list campaigns, and how far they are',
      asks: 'GET /api/campaign',
      always: { full: true },
      fields: paging,
      columns: 'name image_name pool state total done pulling waiting skipped failed created',
      examples: ['campaign list', 'campaign list --csv'],
    },
    {
      name: 'show',
      description: 'show how far an image is on each node; as JSON with all that is known',
      asks: 'GET /api/campaign/:campaign',
      columns: COLUMNS,
      lists: 'nodes',
      examples: ['campaign show base-everywhere', 'campaign show base-everywhere --json'],
    },
    {
      name: 'stop',
      description: 'stop a campaign: what is being fetched is given up, and what is there stays',
      asks: 'PUT /api/campaign/:campaign',
      always: { action: 'stop' },
      done: 'campaign :campaign is stopped',
      examples: ['campaign stop base-everywhere'],
    },
    again('start', 'let a campaign go on where it was stopped'),
    again('retry', 'try again with all nodes that do not have the image'),
    {
      name: 'delete',
      description: 'forget a campaign that does not run; images stay where they are',
      asks: 'DELETE /api/campaign/:campaign',
      confirms: 'campaign :campaign',
      done: 'campaign :campaign is deleted',
      examples: ['campaign delete base-everywhere --yes'],
    },
  ],
});
