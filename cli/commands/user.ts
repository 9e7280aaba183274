import type { Command } from 'commander';
import type { Register } from '../command.js';
import type { Field } from '../field.js';
import { readInput } from '../input.js';
import { kept } from '../kept.js';
import { Management } from '../management.js';
import { print } from '../output.js';
import { newPassword } from '../password.js';
import { call, resource } from '../resource.js';
import { openSession } from '../session.js';
import { visible } from '../visible.js';

const fields: readonly Field[] = [
  ['display_name', '--display-name <text>', 'what people call the user'],
  ['email', '--email <address>', 'where mail reaches the user'],
  ['active', '--active', 'the user may do something', 'switch'],
  ['api_access', '--api-access', 'the user may use the management API', 'switch'],
  ['openid_subject', '--openid-subject <subject>', 'who signs in by OpenID Connect as this user; "" for nobody'],
  ['super_admin', '--super-admin', 'the user may do everything, everywhere', 'switch'],
];

const MAX_KEY = 64 * 1024;

/** A key is read from its file, so that only its public half can be meant. */
const addKey: Register = (group, context) => {
  group
    .command('add-key')
    .description('add an ssh key: what it signs proves the user at once')
    .argument('<user>')
    .argument('<title>', 'what to call the key')
    .argument('<file>', 'its public half, as ssh-keygen writes it; "-": from standard input')
    .addHelpText('after', '\nExamples:\n  slipway user add-key alice laptop ~/.ssh/id_ed25519.pub')
    .action(async (user: string, title: string, file: string, _options: object, command: Command) => {
      const key = String(await readInput(file, MAX_KEY, context)).trim();
      const management = new Management(await openSession(command, context));
      await call(management, 'POST /api/user/:user/key/:title', { user, title, key });
      await print(context.io, `${visible(`key ${title} of ${user} is added`)}\n`);
    });
};

/** Never an argument: the shell's history and other users would see it. */
const password: Register = (group, context) => {
  group
    .command('password')
    .description('set a password, with which the user can log in')
    .argument('<user>')
    .option('--stdin', 'read it from standard input instead of asking for it')
    .addHelpText(
      'after',
      '\nExamples:\n  slipway user password alice\n  pass show alice | slipway user password alice --stdin',
    )
    .action(async (user: string, { stdin }: { stdin?: true }, command: Command) => {
      const management = new Management(await openSession(command, context));
      const json = { user, password: await newPassword(user, stdin, context) };
      await call(management, 'PUT /api/user/:user', json);
      await print(context.io, `${visible(`the password of ${user} is set`)}\n`);
    });
};

export const register = resource({
  name: 'user',
  description: 'users, their keys, passwords and sessions',
  rows: [
    ...kept({
      name: 'user',
      columns: 'name display_name email active api_access super_admin',
      fields,
      parting: [['reassign', '--reassign <user>', 'give the images to this user first']],
      making: '; "slipway user password" and "slipway token create --for" let the user in',
      deleting: ' who owns no images',
      example: ['alice', '--display-name Alice --email alice@example.com', '--no-active'],
    }),
    password,
    {
      name: 'keys',
      description: 'list the ssh keys of a user',
      asks: 'GET /api/user/:user/key',
      always: { full: true },
      columns: 'title fingerprint added',
      examples: ['user keys alice'],
    },
    addKey,
    {
      name: 'remove-key',
      description: 'remove an ssh key: it proves nobody any more',
      asks: 'DELETE /api/user/:user/key/:title',
      done: 'key :title of :user is removed',
      examples: ['user remove-key alice laptop'],
    },
    {
      name: 'sessions',
      description: 'list where a user is signed in, and how',
      asks: 'GET /api/user/:user/session',
      columns: 'id made address user_agent created last_used expires current',
      examples: ['user sessions alice'],
    },
    {
      name: 'end-session',
      description: 'log a user out where one session is: "slipway user sessions" tells its id',
      asks: 'DELETE /api/user/:user/session/:id',
      done: 'session :id of :user is ended',
      examples: ['user end-session alice 3f0a9c1d2e4b5a6978877665'],
    },
    {
      name: 'end-sessions',
      description: 'log a user out everywhere',
      asks: 'DELETE /api/user/:user/session',
      done: ':user is logged out everywhere',
      examples: ['user end-sessions alice'],
    },
  ],
});
