import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { type Asker, asker } from './ask.js';
import { scratch } from './scratch.js';

type Test = Pick<ExecutionContext, 'teardown'>;

export interface Options {
  /** A directory of its own unless given. */
  data?: string;
  /** Written to a configuration file: an object as JSON, a string as it is, which is TOML. */
  config?: object | string;
  args?: string[];
  env?: Record<string, string>;
  /** Of its administrator, where it makes none itself. */
  token?: string;
  process?: ProcessOptions;
}

export interface ProcessOptions {
  stdin?: 'ignore' | 'pipe';
  /** Where its log goes, as an open file, instead of to the test. */
  stderr?: number;
  /** A command before it, such as `ip netns exec NAME`; it must become the daemon, not start it. */
  through?: readonly string[];
  /** What is run, where that is not the daemon of this build. */
  main?: string;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface LogLine {
  [field: string]: unknown;
  msg: string;
}

/** The daemon as a process of its own, from its start to its end, whichever way that comes. */
export interface Running {
  child: ChildProcess;
  exited: Promise<Exit>;
  /** The first line of standard output that holds the text; rejects when the process ends without it. */
  printed(text: string): Promise<string>;
  /** The first line of the log that satisfies; rejects when the process ends without it. */
  logged(wanted: string | ((line: LogLine) => boolean)): Promise<LogLine>;
  kill(signal: NodeJS.Signals): Promise<Exit>;
}

export interface Daemon extends Running, Asker {
  url: string;
  port: number;
  data: string;
  token: string;
}

const ours = fileURLToPath(new URL('../../server/main.js', import.meta.url));

/** As `npm start` and the service have it: Node 24 would let the memory of what is young grow to twice that of Node 20. */
const SHIPPED = ['--max-semi-space-size=16'];

const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Starts the daemon with these arguments and nothing else; killed when the test ends, if it is still there. */
export function launch(
  t: Test,
  args: string[],
  env: Record<string, string> = {},
  { stdin = 'ignore', stderr: log, through = [], main = ours }: ProcessOptions = {},
): Running {
  const own = Object.entries(process.env).filter(([name]) => !/^(SLIPWAY_.*|(https?|no)_proxy)$/i.test(name));
  const [command = '', ...words] = [...through, process.execPath, ...SHIPPED, main, ...args];
  const child = spawn(command, words, {
    env: { ...Object.fromEntries(own), ...env },
    stdio: [stdin, 'pipe', log ?? 'pipe'],
  });
  alive.add(child);
  const stdout = new Lines();
  const stderr = new Lines();
  child.stdout!.setEncoding('utf8').on('data', (text: string) => stdout.add(text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => stderr.add(text));
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => {
      alive.delete(child);
      resolve({ code, signal, stdout: stdout.text, stderr: stderr.text });
      const ended = new Error(`the daemon ended with ${code ?? signal}: ${stderr.text}`);
      stdout.end(ended);
      stderr.end(ended);
    });
  });
  const kill = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return exited;
  };
  t.teardown(() => kill('SIGKILL'));
  return {
    child,
    exited,
    kill,
    printed: (text) => stdout.find((line) => (line.includes(text) ? line : undefined)),
    logged: (wanted) =>
      stderr.find((text) => {
        const line = parsed(text);
        const isIt = line && (typeof wanted === 'string' ? line.msg === wanted : wanted(line));
        return isIt ? line : undefined;
      }),
  };
}

/** The daemon on a free port of loopback, ready for requests. */
export async function startDaemon(t: Test, options: Options = {}): Promise<Daemon> {
  const data = options.data ?? join(await scratch(t), 'data');
  const config = options.config === undefined ? [] : ['--config', await configFile(t, options.config)];
  const running = launch(
    t,
    ['--port', '0', '--data', data, ...config, ...(options.args ?? [])],
    options.env,
    options.process,
  );
  const line = await running.printed('Slipway is listening on');
  const [, url = '', port = ''] = /(http:\/\/[^ ]*:(\d+))/.exec(line) ?? [];
  const token = options.token ?? (await readFile(join(data, 'admin-token'), 'utf8')).trim();
  const { ask, close } = asker(Number(port), token);
  t.teardown(close);
  return { ...running, url, port: Number(port), data, token, ask, close };
}

/** A configuration file with this content; gone when the test ends. */
export async function configFile(t: Test, content: object | string): Promise<string> {
  const isToml = typeof content === 'string';
  const path = join(await scratch(t), isToml ? 'slipway.toml' : 'slipway.json');
  await writeFile(path, isToml ? content : JSON.stringify(content));
  return path;
}

function parsed(text: string): LogLine | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // not from the log
  }
}

/** What a process writes, line by line, for those who wait for one. */
class Lines {
  text = '';
  readonly #lines: string[] = [];
  readonly #waiting = new Set<(line: string) => void>();
  readonly #losers = new Set<(error: Error) => void>();
  #rest = '';
  #ended: Error | undefined;

  add(text: string): void {
    this.text += text;
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      this.#lines.push(line);
      for (const look of [...this.#waiting]) look(line);
    }
  }

  end(error: Error): void {
    this.#ended = error;
    for (const lose of this.#losers) lose(error);
  }

  find<T>(test: (line: string) => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (line: string) => {
        const found = test(line);
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      for (const line of this.#lines) if (this.#waiting.has(look)) look(line);
      if (this.#ended) reject(this.#ended);
      this.#losers.add(reject);
    });
  }
}
