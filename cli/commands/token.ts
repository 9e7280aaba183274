import { type Command, Option } from 'commander';
import { isRecord } from '../../imgapi/checks.js';
import type { Context, Register } from '../command.js';
import { Management } from '../management.js';
import { type Column, note, print, printJson } from '../output.js';
import { addListOptions } from '../resource.js';
import { openSession } from '../session.js';
import { printRows, type Shown, valueText } from '../table.js';
import { visible } from '../visible.js';

interface Token {
  name: string;
  user: string;
  scope: string;
  dc?: string | null;
  created: string;
  expires?: string;
  expired: boolean;
  last_used?: string | null;
}

interface CreateOptions {
  scope: string;
  dc?: string;
  expires?: string;
  for?: string;
  json?: true;
}

interface ListOptions extends Shown {
  for?: string;
}

const PATH = '/api/token';

const isToken = (value: unknown): value is Token =>
  isRecord(value) && ['name', 'user', 'scope', 'created'].every((member) => typeof value[member] === 'string');

const columns: Column<Token>[] = [
  { title: 'NAME', text: ({ name }) => name },
  { title: 'USER', text: ({ user }) => user },
  { title: 'SCOPE', text: ({ scope }) => scope },
  { title: 'DC', text: ({ dc }) => valueText(dc) },
  { title: 'CREATED', text: ({ created }) => created },
  { title: 'EXPIRES', text: ({ expires = 'never', expired }) => (expired ? `${expires} (expired)` : expires) },
  { title: 'LAST USED', text: ({ last_used }) => valueText(last_used) },
];

export const register: Register = (program, context) => {
  const group = program.command('token').description('make, list and revoke tokens').helpCommand(false);
  registerCreate(group, context);
  registerList(group, context);
  registerRevoke(group, context);
};

function registerCreate(group: Command, context: Context): void {
  group
    .command('create')
    .description('make a token: it is printed, and can not be had again')
    .argument('<name>', 'what to call it')
    .addOption(
      new Option('--scope <scope>', 'what it is good for')
        .choices(['full', 'admin', 'write', 'read', 'metrics'])
        .default('full'),
    )
    .option('--dc <dc>', 'good in this data center only')
    .option('--expires <when>', 'until when: a duration such as 12h or 90d, or a date; for ever unless given')
    .option('--for <user>', 'for another user; operators only')
    .option('-j, --json', 'all that is known of it, as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  slipway token create ci --scope read --expires 90d\n  slipway token create backup > token',
    )
    .action(async (name: string, options: CreateOptions, command: Command) => {
      const { scope, dc, expires, for: user, json } = options;
      const management = new Management(await openSession(command, context));
      const { result: made } = await management.ask('POST', PATH, { json: { name, scope, dc, expires, user } });
      if (!isRecord(made) || typeof made.token !== 'string') {
        throw management.exchange.answeredBadly(201, 'sent no token');
      }
      if (json) return printJson(context.io, made);
      note(
        context.io,
        `token "${made.name}" is ${made.user}'s, of scope ${made.scope}; keep it, it is not shown again`,
      );
      await print(context.io, `${visible(made.token)}\n`);
    });
}

function registerList(group: Command, context: Context): void {
  const command = group
    .command('list')
    .description('list tokens: your own, or, for operators, those of all users')
    .option('--for <user>', 'those of this user');
  addListOptions(command)
    .addHelpText('after', '\nExamples:\n  slipway token list\n  slipway token list --for alice --json')
    .action(async (options: ListOptions, called: Command) => {
      const management = new Management(await openSession(called, context));
      const { result: tokens } = await management.ask('GET', PATH, { query: { user: options.for } });
      if (!Array.isArray(tokens) || !tokens.every(isToken)) {
        throw management.exchange.answeredBadly(200, 'sent no list of tokens');
      }
      await printRows(context.io, columns, tokens, options);
    });
}

function registerRevoke(group: Command, context: Context): void {
  group
    .command('revoke')
    .description('revoke a token: nobody gets in with it any more')
    .argument('<name>', 'what it is called')
    .option('--for <user>', 'one of this user; operators only')
    .addHelpText('after', '\nExamples:\n  slipway token revoke ci')
    .action(async (name: string, options: { for?: string }, command: Command) => {
      const management = new Management(await openSession(command, context));
      await management.ask('DELETE', `${PATH}/${encodeURIComponent(name)}`, { query: { user: options.for } });
      await print(context.io, `token ${visible(name)} is revoked\n`);
    });
}
