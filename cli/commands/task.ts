import type { Command } from 'commander';
import type { Register } from '../command.js';
import { oneOf, paging } from '../field.js';
import { Management } from '../management.js';
import { printJson } from '../output.js';
import { printResult, resource } from '../resource.js';
import { openSession } from '../session.js';
import { awaited } from '../wait.js';

const statuses = oneOf('PENDING', 'STARTED', 'SUCCESS', 'FAILURE', 'REVOKED');

const wait: Register = (group, context) => {
  group
    .command('wait')
    .description('wait until a task has ended, and show what it came to')
    .argument('<task>')
    .option('-j, --json', 'as JSON')
    .addHelpText('after', '\nExamples:\n  slipway task wait "$(slipway image delete base --yes --no-wait)"')
    .action(async (task: string, { json }: { json?: true }, command: Command) => {
      const management = new Management(await openSession(command, context));
      const { result } = await awaited(management, { task, status: 'PENDING', result: null }, context.io);
      await (json ? printJson(context.io, result) : printResult(context.io, result));
    });
};

export const register = resource({
  name: 'task',
  description: 'what works on something, or has: see, wait for, cancel it',
  rows: [
    {
      name: 'list',
      description: 'list the tasks that you may know of',
      asks: 'GET /api/task',
      always: { full: true },
      fields: [
        ['dc', '--dc <dc>', 'those in this data center'],
        ['status', '--status <status>', 'those that stand so', statuses],
        ...paging,
      ],
      columns: 'id name object status user created ended',
      examples: ['task list', 'task list --dc north --limit 20'],
    },
    {
      name: 'show',
      description: 'show a task',
      asks: 'GET /api/task/:task',
      examples: ['task show 7d0f6a3e-52c1-4b0e-9d5a-0c3f8e1b2a44'],
    },
    wait,
    {
      name: 'cancel',
      description: 'cancel a task: what it has done so far stays done',
      asks: 'PUT /api/task/:task/cancel',
      answers: [410],
      done: 'task :task is cancelled',
      examples: ['task cancel 7d0f6a3e-52c1-4b0e-9d5a-0c3f8e1b2a44'],
    },
    {
      name: 'callback',
      description: 'show how the cb_url of a task was told of its end',
      asks: 'GET /api/task/:task/callback',
      examples: ['task callback 7d0f6a3e-52c1-4b0e-9d5a-0c3f8e1b2a44'],
    },
    {
      name: 'log',
      description: 'list what was done, and by whom',
      asks: 'GET /api/task/log',
      fields: [
        ['dc', '--dc <dc>', 'in this data center'],
        ['object_name', '--object <name>', 'to this: a name or a uuid'],
        ['object_type', '--type <type>', 'to things of this type: image, dc, user …'],
        ['limit', '--limit <number>', 'at most so many', 'number'],
        ['offset', '--offset <number>', 'without the first so many', 'number'],
      ],
      columns: 'time username msg object_name status detail',
      examples: ['task log', 'task log --dc north --csv'],
    },
  ],
});
