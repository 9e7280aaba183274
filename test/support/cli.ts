import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import type { Exit } from './daemon.js';
import { scratch } from './scratch.js';

type Test = Pick<ExecutionContext, 'teardown'>;

export interface CliOptions {
  env?: Record<string, string>;
  /** What standard input holds; it is empty unless given. */
  input?: string | Buffer;
  /** Where relative files lie. */
  cwd?: string;
}

export interface Started {
  child: ChildProcess;
  exited: Promise<Exit>;
}

export interface Cli {
  /** A home of its own: nothing of who runs the tests is seen or changed. */
  home: string;
  /** One command of the real command line, to its end. */
  run(args: string[], options?: CliOptions): Promise<Exit>;
  /** The same, to be stopped or fed on its way; killed when the test ends. Its output is for `exited`. */
  start(args: string[], options?: CliOptions): Started;
}

const main = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

/** The command line with these variables and nobody's login. */
export async function cli(t: Test, env: Record<string, string> = {}): Promise<Cli> {
  const home = await scratch(t);
  const start: Cli['start'] = (args, options = {}) => {
    const child = spawn(process.execPath, [main, ...args], {
      env: { PATH: process.env.PATH, HOME: home, ...env, ...options.env },
      cwd: options.cwd ?? home,
      stdio: 'pipe',
    });
    t.teardown(() => child.kill('SIGKILL'));
    // a command that is refused does not read what it was given
    child.stdin.on('error', () => {}).end(options.input ?? '');
    return { child, exited: ended(child) };
  };
  return { home, start, run: (args, options) => start(args, options).exited };
}

/** What the servers' file of this home is called. */
export const serversFile = ({ home }: Cli): string => join(home, '.config', 'slipway', 'servers.toml');

async function ended(child: ChildProcess): Promise<Exit> {
  const closed = new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.once('close', (code, signal) => resolve([code, signal]));
  });
  const [stdout, stderr, [code, signal]] = await Promise.all([text(child.stdout!), text(child.stderr!), closed]);
  return { code, signal, stdout, stderr };
}
