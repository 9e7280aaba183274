import { PassThrough, Readable } from 'node:stream';
import type { Io } from '../../cli/command.js';
import { run } from '../../cli/run.js';

export interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

export interface CommandLine {
  /** One command, to its end. */
  slipway(args: string[], options?: { input?: string; env?: Record<string, string> }): Promise<Said>;
}

/** The command line within this process: nothing of it but the process itself is left out. */
export function commandLine(env: Record<string, string>): CommandLine {
  return {
    slipway: async (args, { input = '', env: more = {} } = {}) => {
      const written = { stdout: '', stderr: '' };
      const collecting = (name: keyof typeof written) =>
        new PassThrough().setEncoding('utf8').on('data', (text: string) => {
          written[name] += text;
        });
      const io: Io = {
        stdin: Readable.from([Buffer.from(input)]),
        stdout: collecting('stdout'),
        stderr: collecting('stderr'),
      };
      const never = new AbortController();
      const code = await run(args, {
        io,
        env: { HOME: '/nonexistent', ...env, ...more },
        signal: never.signal,
        version: '0.0.0-test',
      });
      return { code, ...written };
    },
  };
}

/** As somebody who has this token. */
export const commandLineOf = ({ url }: { url: string }, token: string): CommandLine =>
  commandLine({ SLIPWAY_URL: url, SLIPWAY_TOKEN: token });
