import { Command, Option } from 'commander';
import type { Context, Register } from './command.js';
import { register as channels } from './commands/channels.js';
import { register as list } from './commands/list.js';
import { register as ping } from './commands/ping.js';
import { register as show } from './commands/show.js';

/** Every command, in the order of the help. */
const commands: Register[] = [ping, list, show, channels];

/** Which server is meant, and as whom: every command takes these. */
const connection = () => [
  new Option('--server <name>', 'a server that "slipway login" knows'),
  new Option('--url <url>', 'a server by its URL').conflicts('server'),
  new Option('--user <name>', 'sign as this user with an ssh key'),
  new Option('--key <file>', 'the ssh key: a file, or a fingerprint in the ssh-agent (the default is its first key)'),
  new Option('--ca <file>', "trust the server's certificate because of this one (PEM)"),
  new Option('--insecure', "do not check the server's certificate"),
  new Option('--debug', 'show where an error comes from'),
];

const EPILOGUE = `
Environment:
  SLIPWAY_SERVER, SLIPWAY_URL   which server is meant
  SLIPWAY_TOKEN                 a token that proves who you are
  SLIPWAY_USER, SLIPWAY_KEY     sign as this user with this key
  SLIPWAY_CA                    trust the server because of this certificate

Images are named by UUID, the beginning of one (8 letters or more), NAME (its newest version), or NAME@VERSION.

Exit codes: 0 done, 1 refused or wrong usage, 2 server error, 3 no connection, 4 not logged in, 5 interrupted

Examples:
  slipway login main --url https://images.example.com
  slipway upload base.zfs.gz --name base --version 1.0.0 --os smartos --type zone-dataset
  slipway list --name base --latest
  slipway download base@1.0.0`;

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
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
    })
    .addHelpText('after', EPILOGUE);
  for (const register of commands) register(program, context);
  for (const command of below(program)) {
    command.optionsGroup('Which server, and as whom:');
    for (const option of connection()) command.addOption(option);
  }
  for (const command of [program, ...below(program)]) {
    command.showHelpAfterError(`hint: "${pathOf(command)} --help" shows how it is used`);
  }
  return program;
}

/** The commands that do something, those of groups such as `token` included. */
export function below({ commands }: Command): Command[] {
  return commands.flatMap((command) => (command.commands.length > 0 ? below(command) : command));
}

const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
