import type { Command } from 'commander';
import type { Context, Register } from '../command.js';
import { CliError } from '../errors.js';
import type { Field } from '../field.js';
import { kept } from '../kept.js';
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
    ...kept({
      name: 'group',
      columns: 'name alias permissions users dcs',
      fields,
      making: '; "slipway dc add-group" gives it its permissions somewhere',
      deleting: ': its members lose what it permits',
      example: ['north-images', '--permissions admin,image_admin --users alice,bob', '--permissions admin'],
    }),
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
