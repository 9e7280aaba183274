import { Option } from 'commander';
import { isRecord } from '../../imgapi/checks.js';
import type { Register } from '../command.js';
import { type Field, paging } from '../field.js';
import { isRunning, Management } from '../management.js';
import { note, print, printJson } from '../output.js';
import { addListOptions, call, resource } from '../resource.js';
import { openSession } from '../session.js';
import { columnsOf, type Fields, printRows, type Shown } from '../table.js';
import { awaited } from '../wait.js';

const fields: readonly Field[] = [
  ['match', '--match <pattern>', "those of this name: * for any letters, ? for one; '' for all", 'text or none'],
  ['os', '--os <os>', "those with this operating system; '' for all", 'text or none'],
  ['type', '--type <type>', "those of this type; '' for all", 'text or none'],
  ['channel', '--channel <name>', "those in this channel there; '' for all", 'text or none'],
  ['newest', '--newest <number>', 'so many of each name, the newest', 'number'],
  ['dc', '--dc <dc>', 'where they stand; main unless it is said'],
  ['shared', '--shared', 'they are shared, and do not belong to that data center', 'switch'],
  ['access', '--access <level>', 'for whom they are', { public: 1, private: 3 }],
  ['every', '--every <minutes>', 'it runs so often; 0: on demand', 'number'],
  ['retire', '--retire', 'images that are gone from the repository are retired', 'switch'],
  ['enabled', '--enabled', 'its schedule holds', 'switch'],
];

const NOTHING_NEW =
  'nothing is to do by the last list of the repository; a run asks for a new one, as "slipway repo refresh" does';

type RunOptions = Shown & { dryRun?: true; wait: boolean };

/** What a dry run would do, in the form of what a run has done. */
const planned = (plan: Fields): Fields[] =>
  ['import', 'retire', 'spared'].flatMap((action) =>
    [plan[action]]
      .flat()
      .filter(isRecord)
      .map((row) => ({ action: action === 'spared' ? 'spare' : action, ...row })),
  );

const run: Register = (group, context) => {
  addListOptions(
    group
      .command('run')
      .description('refresh the repository, import what is new and retire what is gone')
      .argument('<follow>')
      .addOption(new Option('--dry-run', 'only tell what would be done, by the last list'))
      .option('--no-wait', 'do not wait for the task')
      .addHelpText('after', '\nExamples:\n  slipway follow run bases --dry-run\n  slipway follow run bases'),
  ).action(async (follow: string, options: RunOptions, command) => {
    const { io } = context;
    const management = new Management(await openSession(command, context));
    const { dryRun: dry_run } = options;
    const begun = await call(management, 'POST /api/follow/:follow/run', { follow, dry_run });
    const outcome = options.wait ? await awaited(management, begun, io) : begun;
    if (isRunning(outcome)) return options.json ? printJson(io, outcome) : print(io, `${outcome.task}\n`);
    const result: Fields = Object(outcome.result);
    if (options.json) return printJson(io, result);
    if (typeof result.stopped === 'string') note(io, `nothing is retired: ${result.stopped}`);
    const rows = dry_run ? planned(result) : [result.images].flat().filter(isRecord);
    if (rows.length === 0) note(io, dry_run ? NOTHING_NEW : 'nothing was to do');
    const columns = dry_run ? 'action uuid name version why' : 'action uuid name version status task why detail';
    return printRows(io, columnsOf(columns.split(' ')), rows, options);
  });
};

export const register = resource({
  name: 'follow',
  description: 'images that are brought from repositories as they appear',
  rows: [
    {
      name: 'list',
      description: 'list what is followed, and how the last runs went',
      asks: 'GET /api/follow',
      always: { full: true },
      fields: paging,
      columns: 'name repository match every retire enabled last_run imported retired error',
      examples: ['follow list'],
    },
    { name: 'show', description: 'show a follow', asks: 'GET /api/follow/:follow', examples: ['follow show bases'] },
    {
      name: 'add',
      description: 'follow a repository',
      asks: 'POST /api/follow/:follow',
      words: ['<follow>', '<repository>'],
      fields,
      done: ':repository is followed; "slipway follow run :follow --dry-run" tells what that brings',
      examples: [
        "follow add bases mirror --match 'base-*' --newest 2 --every 1440",
        'follow add mirror mirror --retire',
      ],
    },
    {
      name: 'set',
      description: 'change what is followed, and how',
      asks: 'PUT /api/follow/:follow',
      fields: [['repository', '--repository <repo>', 'what is followed'], ...fields],
      done: 'follow :follow is changed',
      examples: ['follow set bases --newest 3', 'follow set bases --no-enabled'],
    },
    {
      name: 'delete',
      description: 'follow no more; what was brought stays',
      asks: 'DELETE /api/follow/:follow',
      confirms: 'follow :follow',
      done: 'follow :follow is deleted',
      examples: ['follow delete bases', 'follow delete bases --yes'],
    },
    run,
  ],
});
