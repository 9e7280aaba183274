import { PassThrough, Readable } from 'node:stream';
import type { Io } from '../../cli/command.js';
import { Interrupted } from '../../cli/errors.js';
import { run } from '../../cli/run.js';

export interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

interface Options {
  input?: string;
  env?: Record<string, string>;
}

export interface Going {
  exited: Promise<Said>;
  /** When standard output has this in it; what it has until then. */
  written(text: string): Promise<string>;
  interrupt(): void;
}

export interface CommandLine {
  /** One command, to its end. */
  slipway(args: string[], options?: Options): Promise<Said>;
  /** One that goes on until it is interrupted. */
  start(args: string[], options?: Options): Going;
}

/** The command line within this process: nothing of it but the process itself is left out. */
export function commandLine(env: Record<string, string>): CommandLine {
  const start: CommandLine['start'] = (args, { input = '', env: more = {} } = {}) => {
    const stdout = new Written();
    const stderr = new Written();
    const io: Io = { stdin: Readable.from([Buffer.from(input)]), stdout: stdout.stream, stderr: stderr.stream };
    const interrupt = new AbortController();
    const surroundings = { io, env: { HOME: '/nonexistent', ...env, ...more }, version: '0.0.0-test' };
    const exited = run(args, { ...surroundings, signal: interrupt.signal });
    return {
      exited: exited.then((code) => ({ code, stdout: stdout.text, stderr: stderr.text })),
      written: (text) => stdout.holding(text),
      interrupt: () => interrupt.abort(new Interrupted('SIGINT')),
    };
  };
  return { start, slipway: (args, options) => start(args, options).exited };
}

/** As somebody who has this token. */
export const commandLineOf = ({ url }: { url: string }, token: string): CommandLine =>
  commandLine({ SLIPWAY_URL: url, SLIPWAY_TOKEN: token });

class Written {
  readonly stream = new PassThrough();
  text = '';

  constructor() {
    this.stream.setEncoding('utf8').on('data', (text: string) => {
      this.text += text;
    });
  }

  holding(text: string): Promise<string> {
    return new Promise((resolve) => {
      const look = () => {
        if (!this.text.includes(text)) return;
        this.stream.off('data', look);
        resolve(this.text);
      };
      this.stream.on('data', look);
      look();
    });
  }
}
