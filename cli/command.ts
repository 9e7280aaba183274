import type { Readable, Writable } from 'node:stream';
import type { Command } from 'commander';
import type { ImgapiClient } from '../imgapi/client.js';

/** The terminal, or what stands in its place. */
export interface Io {
  stdin: Readable & { isTTY?: boolean };
  stdout: Writable & { isTTY?: boolean; columns?: number };
  stderr: Writable & { isTTY?: boolean; columns?: number };
}

/** What every command may use. */
export interface Context {
  io: Io;
  /** Aborted by Ctrl-C and SIGTERM. */
  signal: AbortSignal;
  /** The server that the options, the environment or the login name, with its credentials. */
  connect(command: Command): Promise<ImgapiClient>;
}

/** Each file in `commands/` exports one of these: it adds its command to the program. */
export type Register = (program: Command, context: Context) => void;
