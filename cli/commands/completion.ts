import { Argument, type Command, Option } from 'commander';
import type { Register } from '../command.js';
import { bashScript } from '../completion/bash.js';
import { fishScript } from '../completion/fish.js';
import { type Place, placesOf } from '../completion/places.js';
import { zshScript } from '../completion/zsh.js';
import { CliError } from '../errors.js';
import { print } from '../output.js';
import { visible } from '../visible.js';

const scripts: Record<string, (places: readonly Place[]) => string> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

interface Options {
  servers?: true;
  images?: true;
}

/** Whoever has pressed Tab waits so many milliseconds for names. */
const PATIENCE = 3000;

const EXAMPLES = `
Examples:
  source <(slipway completion bash)                                       in ~/.bashrc
  slipway completion zsh > "\${fpath[1]}/_slipway"
  slipway completion fish > ~/.config/fish/completions/slipway.fish`;

export const register: Register = (program, { io, servers, connect }) => {
  program
    .command('completion')
    .description('teach a shell the commands, their options, and the names of servers and images')
    .addArgument(new Argument('[shell]', 'for which shell').choices(Object.keys(scripts)))
    .addOption(new Option('--servers', 'the names of the servers that are known').hideHelp())
    .addOption(new Option('--images', 'the names of the images of the default server').hideHelp())
    .addHelpText('after', EXAMPLES)
    .action(async (shell: string | undefined, { servers: ofServers, images }: Options, command: Command) => {
      if (ofServers) return print(io, lines(Object.keys((await servers.load()).servers)));
      if (images) {
        const names = new Set<string>();
        const client = await connect(command);
        const call = { signal: AbortSignal.timeout(PATIENCE) };
        for await (const { name } of client.listImages({ state: 'all' }, call)) names.add(String(name));
        return print(io, lines([...names].sort()));
      }
      const script = scripts[shell ?? ''];
      if (!script) throw new CliError('for which shell?', { hint: `one of ${Object.keys(scripts).join(', ')}` });
      await print(io, script(placesOf(program)));
    });
};

const lines = (names: string[]) => names.map((name) => `${visible(name)}\n`).join('');
