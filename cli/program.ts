import { Command, Option } from 'commander';
import type { Context, Register } from './command.js';
import { register as acl } from './commands/acl.js';
import { register as activate } from './commands/activate.js';
import { register as api } from './commands/api.js';
import { register as audit } from './commands/audit.js';
import { register as backup } from './commands/backup.js';
import { register as campaign } from './commands/campaign.js';
import { register as channelAdd } from './commands/channel-add.js';
import { register as channels } from './commands/channels.js';
import { register as completion } from './commands/completion.js';
import { register as copy } from './commands/copy.js';
import { register as create } from './commands/create.js';
import { register as createFrom } from './commands/create-from.js';
import { register as dc } from './commands/dc.js';
import { register as remove } from './commands/delete.js';
import { register as disable } from './commands/disable.js';
import { register as download } from './commands/download.js';
import { register as enable } from './commands/enable.js';
import { register as events } from './commands/events.js';
import { register as exportImage } from './commands/export.js';
import { register as follow } from './commands/follow.js';
import { register as group } from './commands/group.js';
import { register as history } from './commands/history.js';
import { register as icon } from './commands/icon.js';
import { register as image } from './commands/image.js';
import { register as importImage } from './commands/import.js';
import { register as list } from './commands/list.js';
import { register as login } from './commands/login.js';
import { register as logout } from './commands/logout.js';
import { register as member } from './commands/member.js';
import { register as migrate } from './commands/migrate.js';
import { register as node } from './commands/node.js';
import { register as overview } from './commands/overview.js';
import { register as picker } from './commands/picker.js';
import { register as ping } from './commands/ping.js';
import { register as repo } from './commands/repo.js';
import { register as restore } from './commands/restore.js';
import { register as secret } from './commands/secret.js';
import { register as settings } from './commands/settings.js';
import { register as show } from './commands/show.js';
import { register as snapshot } from './commands/snapshot.js';
import { register as task } from './commands/task.js';
import { register as token } from './commands/token.js';
import { register as update } from './commands/update.js';
import { register as upload } from './commands/upload.js';
import { register as uploads } from './commands/uploads.js';
import { register as user } from './commands/user.js';
import { register as vm } from './commands/vm.js';
import { register as webhook } from './commands/webhook.js';
import { register as whoami } from './commands/whoami.js';

/** Every command, in the order of the help. Those that ask a server take the options that say which, and as whom. */
const groups: { heading: string; asksServer: boolean; commands: Register[] }[] = [
  { heading: 'Images:', asksServer: true, commands: [list, show, upload, download, create, update, icon, remove] },
  {
    heading: 'Who may use them:',
    asksServer: true,
    commands: [activate, disable, enable, acl, channels, channelAdd],
  },
  {
    heading: 'Data centers, on a server that has them:',
    asksServer: true,
    commands: [dc, image, exportImage, copy, picker, vm, snapshot, createFrom, node, campaign, group, user, settings],
  },
  { heading: 'Images of other servers:', asksServer: true, commands: [importImage, repo, follow, secret] },
  {
    heading: 'What is going on:',
    asksServer: true,
    commands: [overview, history, task, uploads, events, webhook, audit],
  },
  { heading: 'Access:', asksServer: true, commands: [ping, whoami, token, api] },
  { heading: 'The whole server:', asksServer: true, commands: [backup, migrate, member] },
  { heading: 'This machine:', asksServer: false, commands: [login, logout, restore, completion] },
];

const connection = () => [
  new Option('--server <name>', 'a server that "slipway login" knows'),
  new Option('--url <url>', 'a server by its URL').conflicts('server'),
  new Option('--user <name>', 'sign as this user with an ssh key'),
  new Option('--key <file>', 'the ssh key: a file, or a fingerprint in the ssh-agent (the default is its first key)'),
  new Option('--ca <file>', "trust the server's certificate because of this one (PEM)"),
  new Option('--insecure', "do not check the server's certificate"),
];

const EPILOGUE = `
Environment:
  SLIPWAY_SERVER, SLIPWAY_URL   which server is meant
  SLIPWAY_TOKEN                 a token that proves who you are
  SLIPWAY_USER, SLIPWAY_KEY     sign as this user with this key
  SLIPWAY_CA                    trust the server because of this certificate

Images are named by UUID, the beginning of one (8 letters or more), NAME (its newest version), or NAME@VERSION; for
"image" and "dc" the plain NAME is the one that "slipway image list" shows first.

Exit codes: 0 done, 1 refused or wrong usage, 2 server error, 3 no connection, 4 not logged in, 5 interrupted

Examples:
  slipway login main --url https://images.example.com
  slipway upload base.zfs.gz --name base --version 1.0.0 --os smartos --type zone-dataset
  slipway list --name base --latest
  slipway download base@1.0.0
  slipway dc create north --owner alice
  slipway image attach base north
  slipway get /image -full --csv`;

export function createProgram(context: Context): Command {
  const { stdout, stderr } = context.io;
  const program = new Command('slipway')
    .description('works with the images of a Slipway, or of any server that speaks IMGAPI')
    .version(context.version, '--version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .usage('COMMAND [options]')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'slipway: ')),
      getOutHelpWidth: () => stdout.columns || 100,
      getErrHelpWidth: () => stderr.columns || 100,
    })
    .addHelpText('after', EPILOGUE);
  for (const { heading, asksServer, commands } of groups) {
    const before = new Set(below(program));
    program.commandsGroup(heading);
    for (const register of commands) register(program, context);
    for (const command of below(program).filter((one) => !before.has(one))) {
      command.optionsGroup('Which server, and as whom:');
      for (const option of asksServer ? connection() : []) command.addOption(option);
      command
        .optionsGroup('Help:')
        .option('--debug', 'show where an error comes from')
        .helpOption('-h, --help', 'show help');
    }
  }
  for (const command of [program, ...program.commands, ...below(program)]) {
    command.showHelpAfterError(`hint: "${pathOf(command)} --help" shows how it is used`);
  }
  return program;
}

/** The commands that do something, those of groups such as `token` included. */
function below({ commands }: Command): Command[] {
  return commands.flatMap((command) => (command.commands.length > 0 ? below(command) : command));
}

const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
