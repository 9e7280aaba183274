import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext, TestFn } from 'ava';
import { type Daemon, type Exit, type Options, startDaemon } from './daemon.js';
import { scratch } from './scratch.js';

type Test = Pick<ExecutionContext, 'teardown'>;

export interface CliOptions {
  env?: Record<string, string>;
  /** What standard input holds; it is empty unless given. */
  input?: string | Buffer;
  /** Where relative files lie. */
  cwd?: string;
  /** A file in the place of the pipe that is read. */
  stdout?: number;
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
      stdio: ['pipe', options.stdout ?? 'pipe', 'pipe'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    // a command that is refused does not read what it was given
    child.stdin?.on('error', () => {}).end(options.input ?? '');
    return { child, exited: ended(child) };
  };
  return { home, start, run: (args, options) => start(args, options).exited };
}

/** A daemon that all tests of a file ask; gone when the last of them has ended. */
export function sharedDaemon(test: TestFn, options: Options = {}): () => Daemon {
  const closing: (() => unknown)[] = [];
  let daemon: Daemon | undefined;
  test.before('the daemon starts', async () => {
    daemon = await startDaemon({ teardown: (close) => closing.push(close) }, options);
  });
  test.after.always('the daemon ends', async () => {
    for (const close of closing.reverse()) await close();
  });
  return () => {
    if (!daemon) throw new Error('the daemon starts before the first test');
    return daemon;
  };
}

/** An image that is active and public. */
export async function anImage({ ask }: Daemon, manifest: Record<string, unknown> = {}, file = 'the bytes') {
  const body = { name: 'sample', version: '1.0.0', os: 'other', type: 'other', public: true, ...manifest };
  const { json } = await ask('POST', '/images', { body });
  await ask('PUT', `/images/${json.uuid}/file?compression=none`, { body: file });
  return (await ask('POST', `/images/${json.uuid}?action=activate`)).json;
}

/** What the servers' file of this home is called. */
export const serversFile = ({ home }: Cli): string => join(home, '.config', 'slipway', 'servers.toml');

async function ended(child: ChildProcess): Promise<Exit> {
  const closed = new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.once('close', (code, signal) => resolve([code, signal]));
  });
  const all = (stream: Readable | null) => (stream ? text(stream).catch(() => '') : '');
  const [stdout, stderr, [code, signal]] = await Promise.all([all(child.stdout), all(child.stderr), closed]);
  return { code, signal, stdout, stderr };
}
