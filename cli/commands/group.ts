import type { Command } from 'commander';
import type { Context, Register } from '../command.js';
import { CliError } from '../errors.js';
import { type Field, paging } from '../field.js';
import { Management } from '../management.js';
import { print } from '../output.js';
import { call, resource } from '../resource.js';
import { openSession } from '../session.js';
import { visible } from '../visible.js';

const fields: readonly Field[] = [
  ['alias', '--alias <text>', 'what people call it'],
  [
    'permissions',
    '--permissions <names>',
    'admin, image_admin, image_import_admin, share_public; with commas between them',
    'list',
  ],
  ['users', '--users <users>', 'its members, with commas between them', 'list'],
];

export const register = resource({
  name: 'group',
  description: 'groups of users, who have the same permissions where the group is attached',
  rows: [
    {
      name: 'list',
      description: 'list groups',
      asks: 'GET /api/group',
      always: { full: true },
      fields: paging,
      columns: 'name alias permissions users dcs',
      examples: ['group list', 'group list --json'],
    },
    { name: 'show', description: 'show a group', asks: 'GET /api/group/:group', examples: ['group show north-images'] },
    {
      name: 'create',
      description: 'make a group; "slipway dc add-group" gives it its permissions somewhere',
      asks: 'POST /api/group/:group',
      fields,
      done: 'group :group is made',
      examples: ['group create north-images --permissions admin,image_admin --users alice,bob'],
    },
    {
      name: 'update',
      description: 'change a group; lists are replaced as a whole',
      asks: 'PUT /api/group/:group',
      fields,
      done: 'group :group is changed',
      examples: ['group update north-images --permissions admin', "group update north-images --users ''"],
    },
    {
      name: 'delete',
      description: 'delete a group: its members lose what it permits',
      asks: 'DELETE /api/group/:group',
      confirms: 'group :group',
      done: 'group :group is deleted',
      examples: ['group delete north-images --yes'],
    },
    membership('add-member', 'take users into a group', 'is in', (members, users) => [
      ...members.filter((member) => !users.includes(member)),
      ...users,
    ]),
    membership('remove-member', 'take users out of a group', 'is not in', (members, users) =>
      members.filter((member) => !users.includes(member)),
    ),
  ],
});

/** The members are read, and written as a whole. */
function membership(
  name: string,
  description: string,
  outcome: string,
  change: (members: readonly string[], users: readonly string[]) => string[],
): Register {
  return (parent, context: Context) => {
    parent
      .command(name)
      .description(description)
      .argument('<group>')
      .argument('<users...>')
      .addHelpText('after', `\nExamples:\n  slipway group ${name} north-images alice bob`)
      .action(async (group: string, users: string[], _options: object, command: Command) => {
        const management = new Management(await openSession(command, context));
        const { result } = await call(management, 'GET /api/group/:group', { group });
        const { users: members } = Object(result);
        if (!Array.isArray(members)) throw new CliError(`${group} came without its members`);
        await call(management, 'PUT /api/group/:group', { group, users: change(members, users) });
        await print(context.io, users.map((user) => `${visible(`${user} ${outcome} ${group}`)}\n`).join(''));
      });
  };
}
