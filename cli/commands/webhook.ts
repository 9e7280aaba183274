import type { Command } from 'commander';
import { isRecord } from '../../imgapi/checks.js';
import type { Register } from '../command.js';
import { paging } from '../field.js';
import { Management } from '../management.js';
import { note, print, printJson } from '../output.js';
import { call, resource } from '../resource.js';
import { openSession } from '../session.js';
import { visible } from '../visible.js';

const ofUser = ['user', '--for <user>', 'one of this user; operators only'] as const;
const url = ['url', '--to <url>', 'where it is told, by POST'] as const;
const events = [
  'events',
  '--events <events>',
  'images.created, images.*, or *; with commas between them',
  'list',
] as const;

const create: Register = (group, context) => {
  group
    .command('create')
    .description('tell a URL what happens; the key that signs it is printed, and can not be had again')
    .argument('<name>', 'what to call it')
    .requiredOption('--to <url>', 'where it is told, by POST')
    .requiredOption('--events <events>', 'images.created, images.*, or *; with commas between them')
    .option('--dc <dc>', 'only of this data center')
    .option('--for <user>', 'for another user; operators only')
    .option('-j, --json', 'all that is known of it, as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  slipway webhook create chat --to https://chat.example.com/hook --events images.*',
    )
    .action(async (name: string, options: Record<string, string>, command: Command) => {
      const { to, events, dc, for: user, json } = options;
      const management = new Management(await openSession(command, context));
      const { result } = await call(management, 'POST /api/webhook/:name', { name, url: to, events, dc, user });
      await printSecret(management, result, json);
    });
  group
    .command('new-key')
    .description('make a new key for a webhook: it is printed, and can not be had again')
    .argument('<name>')
    .option('--for <user>', 'one of this user; operators only')
    .option('-j, --json', 'all that is known of it, as JSON')
    .addHelpText('after', '\nExamples:\n  slipway webhook new-key chat')
    .action(async (name: string, { for: user, json }: Record<string, string>, command: Command) => {
      const management = new Management(await openSession(command, context));
      const { result } = await call(management, 'PUT /api/webhook/:name', { name, user, new_secret: true });
      await printSecret(management, result, json);
    });

  async function printSecret(management: Management, result: unknown, json: unknown): Promise<void> {
    if (!isRecord(result) || typeof result.secret !== 'string') {
      throw management.exchange.answeredBadly(200, 'sent no key');
    }
    if (json) return printJson(context.io, result);
    note(context.io, `webhook "${result.name}" signs with this key; keep it, it is not shown again`);
    await print(context.io, `${visible(result.secret)}\n`);
  }
};

const callbackKey: Register = (group, context) => {
  group
    .command('callback-key')
    .description('make the key that signs your callbacks (cb_url) from now on; it is printed, and can not be had again')
    .addHelpText('after', '\nExamples:\n  slipway webhook callback-key')
    .action(async (_options: object, command: Command) => {
      const management = new Management(await openSession(command, context));
      const { result } = await call(management, 'PUT /api/account/callback-key', {});
      if (!isRecord(result) || typeof result.key !== 'string') {
        throw management.exchange.answeredBadly(200, 'sent no key');
      }
      await print(context.io, `${visible(result.key)}\n`);
    });
};

export const register = resource({
  name: 'webhook',
  description: 'URLs that are told what happens',
  rows: [
    {
      name: 'list',
      description: 'list webhooks: your own, or, for operators, those of all users',
      asks: 'GET /api/webhook',
      always: { full: true },
      fields: [ofUser, ...paging],
      columns: 'name user url events dc active failing_since',
      examples: ['webhook list'],
    },
    {
      name: 'show',
      description: 'show a webhook, and whether it works',
      asks: 'GET /api/webhook/:name',
      fields: [ofUser],
      examples: ['webhook show chat'],
    },
    create,
    {
      name: 'update',
      description: 'change a webhook; switched on again it goes on where it was',
      asks: 'PUT /api/webhook/:name',
      fields: [ofUser, url, events, ['active', '--active', 'it is told what happens', 'switch']],
      done: 'webhook :name is changed',
      examples: ['webhook update chat --active', 'webhook update chat --events images.created,images.deleted'],
    },
    {
      name: 'ping',
      description: 'try a webhook: what it answers is shown',
      asks: 'POST /api/webhook/:name/ping',
      words: ['<name>'],
      examples: ['webhook ping chat'],
    },
    {
      name: 'deliveries',
      description: 'list what a webhook was told lately, and how that went',
      asks: 'GET /api/webhook/:name/delivery',
      fields: [ofUser],
      columns: 'at took status events error',
      examples: ['webhook deliveries chat'],
    },
    {
      name: 'delete',
      description: 'delete a webhook',
      asks: 'DELETE /api/webhook/:name',
      fields: [ofUser],
      confirms: 'webhook :name',
      done: 'webhook :name is deleted',
      examples: ['webhook delete chat', 'webhook delete chat --yes'],
    },
    callbackKey,
  ],
});
