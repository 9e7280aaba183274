import { CommanderError } from 'commander';
import { ImgapiClient } from '../imgapi/client.js';
import type { Io } from './command.js';
import { asApiCall } from './commands/api.js';
import { type Exit, exits, tell, traced } from './errors.js';
import { note, print } from './output.js';
import { createProgram } from './program.js';
import { Servers, serversPath } from './servers.js';
import { openSession } from './session.js';
import { visible } from './visible.js';

export interface Surroundings {
  io: Io;
  env: Readonly<Record<string, string | undefined>>;
  /** Aborted when the user wants to stop, with the reason. */
  signal: AbortSignal;
  version: string;
}

/** One command, from its words to its exit code; nothing that goes wrong leaves it. */
export async function run(args: readonly string[], { io, env, signal, version }: Surroundings): Promise<Exit> {
  const output = new AbortController();
  const lost = (error: Error) => output.abort(Object.assign(error, { path: 'standard output' }));
  io.stdout.on('error', lost);
  io.stderr.on('error', ignore);
  const context = {
    io,
    env,
    version,
    signal: AbortSignal.any([signal, output.signal]),
    servers: new Servers(serversPath(env), (text) => note(io, text)),
  };
  const program = createProgram({
    ...context,
    connect: async (command) => new ImgapiClient(await openSession(command, context)),
  });
  try {
    await program.parseAsync(asApiCall(args), { from: 'user' }).catch(unlessHelp);
    // help is written without a wait for it
    await print(io, '').finally(() => output.signal.throwIfAborted());
    return exits.done;
  } catch (error) {
    // wrong usage: commander has told it
    if (error instanceof CommanderError) return exits.refused;
    // whoever read our output has enough of it
    if (Object(error).code === 'EPIPE') return exits.done;
    report(io, error, args.includes('--debug'));
    return tell(error).exit;
  } finally {
    io.stdout.off('error', lost).on('error', ignore);
  }
}

function unlessHelp(error: unknown): void {
  if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error;
}

function report({ stderr }: Io, error: unknown, debug: boolean): void {
  const { message, hint } = tell(error);
  const name = stderr.hasColors?.() ? '\x1b[31mslipway:\x1b[39m' : 'slipway:';
  stderr.write(`${name} ${lines(message)}\n`);
  if (hint !== undefined) stderr.write(`hint: ${lines(hint)}\n`);
  if (debug) stderr.write(`${lines(traced(error))}\n`);
}

const lines = (text: string) => text.split('\n').map(visible).join('\n');

/** Streams report once more, after the end, what is known by then. */
function ignore(): void {}
