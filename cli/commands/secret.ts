import { type Command, Option } from 'commander';
import type { Context, Register } from '../command.js';
import { paging } from '../field.js';
import { Management } from '../management.js';
import { print } from '../output.js';
import { call, resource } from '../resource.js';
import { secretValue } from '../secret-value.js';
import { openSession } from '../session.js';
import { visible } from '../visible.js';

const ofDc = ['dc', '--dc <dc>', 'the data center of the secret, where it has one'] as const;

interface Options {
  dc?: string;
  host?: string;
  type?: string;
  username?: string;
  value?: boolean;
  stdin?: true;
}

const add = saving({
  name: 'add',
  description:
    'keep credentials for a server that images come from, or a key for nodes; a password or token is asked for',
  asks: 'POST /api/secret/:name',
  done: 'is kept',
  examples: [
    'secret add upstream --host images.example.com --username mirror',
    'pass show upstream | slipway secret add upstream --host images.example.com --type bearer --stdin',
    'cat id_ed25519 | slipway secret add old-nodes --type ssh-key --stdin',
  ],
  options: (command) =>
    command
      .option('--host <host>', 'to whom it is told: a host, with its port where that is not the usual one')
      .addOption(new Option('--type <type>', 'what it is').choices(['basic', 'bearer', 'ssh-key']).default('basic')),
});

const set = saving({
  name: 'set',
  description: 'change credentials; the password or token is asked for',
  asks: 'PUT /api/secret/:name',
  done: 'is changed',
  examples: ['secret set upstream', 'secret set upstream --username other --no-value'],
  options: (command) =>
    command
      .option('--host <host>', 'to whom it is told')
      .addOption(new Option('--type <type>', 'what it is').choices(['basic', 'bearer']))
      .option('--no-value', 'leave the password or token as it is'),
});

interface Saving {
  name: string;
  description: string;
  asks: string;
  done: string;
  examples: readonly string[];
  options: (command: Command) => Command;
}

/** Never an argument: the shell's history and other users would see it. */
function saving({ name: verb, description, asks, done, examples, options }: Saving): Register {
  return (parent, context: Context) => {
    const command = parent.command(verb).description(description).argument('<name>', 'what to call it');
    options(command)
      .option('--username <name>', 'the user, for type basic')
      .option('--dc <dc>', 'for this data center, whose import administrators use it')
      .option('--stdin', 'read the password, token or key from standard input instead of asking for it')
      .addHelpText(
        'after',
        ['\nExamples:', ...examples.map((one) => `  ${one.includes('|') ? '' : 'slipway '}${one}`)].join('\n'),
      )
      .action(async (name: string, { stdin, value: wanted, ...given }: Options, called: Command) => {
        const management = new Management(await openSession(called, context));
        const { dc, host, type, username } = given;
        const value = wanted === false ? undefined : await secretValue(name, stdin, context);
        await call(management, asks, { name, dc, host, type, username, value });
        await print(context.io, `${visible(`secret ${name} ${done}`)}\n`);
      });
  };
}

export const register = resource({
  name: 'secret',
  description: 'credentials for the servers that images come from, and keys for nodes',
  rows: [
    {
      name: 'list',
      description: 'list the credentials that you may use, without what they are',
      asks: 'GET /api/secret',
      always: { full: true },
      fields: [ofDc, ...paging],
      columns: 'name dc host type username changed',
      examples: ['secret list', 'secret list --dc north'],
    },
    {
      name: 'show',
      description: 'show for which server credentials are',
      asks: 'GET /api/secret/:name',
      fields: [ofDc],
      examples: ['secret show upstream'],
    },
    add,
    set,
    {
      name: 'delete',
      description: 'delete credentials that nothing uses',
      asks: 'DELETE /api/secret/:name',
      fields: [ofDc],
      confirms: 'secret :name',
      done: 'secret :name is deleted',
      examples: ['secret delete upstream', 'secret delete upstream --yes'],
    },
  ],
});
