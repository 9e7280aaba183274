import type { Readable, Writable } from 'node:stream';
import type { Command } from 'commander';
import type { ImgapiClient } from '../imgapi/client.js';
import type { Servers } from './servers.js';

/** The terminal, or what stands in its place. */
export interface Io {
  stdin: Readable & { isTTY?: boolean };
  stdout: Writable & { isTTY?: boolean; columns?: number; hasColors?(): boolean };
  stderr: Writable & { isTTY?: boolean; columns?: number; hasColors?(): boolean };
}

/** What every command may use. */
export interface Context {
  io: Io;
  /** Aborted by Ctrl-C and SIGTERM, and when nobody reads what is printed any more. */
  signal: AbortSignal;
  /** The environment's variables: main.ts alone reads them from the process. */
  env: Readonly<Record<string, string | undefined>>;
  version: string;
  /** The servers that are known by name, with what proves the user to them. */
  servers: Servers;
  /** The server that the options, the environment or the login name, with its credentials. */
  connect(command: Command): Promise<ImgapiClient>;
}

/**
 * Each file in `commands/` exports one of these: it adds its command to the program, and is a row of the table in
 * program.ts, which adds the options that say which server is meant. An action may throw whatever refuses it;
 * errors.ts knows how to tell it, and what to do next.
 */
export type Register = (program: Command, context: Context) => void;
