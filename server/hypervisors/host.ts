/** A command with its arguments, as they are: they are quoted where they are sent, and nowhere else. */
export type Words = readonly [command: string, ...args: string[]];

/** One command, or several of which each reads what the one before it writes. */
export type Command = Words | { readonly pipe: readonly Words[] };

export interface Running {
  signal: AbortSignal;
  /** What it reads, of some 100 KiB at most; nothing where it is absent. */
  input?: string | Uint8Array;
  /** Milliseconds after which a command that says nothing has failed. */
  silence?: number;
}

export interface RunningToEnd extends Running {
  /** Most bytes that it may print. */
  most?: number;
}

/**
 * A machine on which commands are run. A command that does not end with 0, in a pipe any of them, has failed. One whose
 * reader stops, or whose signal is aborted, is killed there with all that it has started.
 */
export interface Host {
  /** For people: the name of its node. */
  readonly name: string;
  /** What it has printed when it has ended. Throws CommandFailed. */
  run(command: Command, options: RunningToEnd): Promise<string>;
  /**
   * What it prints while it runs, in chunks that are given away, with their memory. The iteration ends after the command
   * has ended with 0, and throws CommandFailed else.
   */
  stream(command: Command, options: Running): AsyncIterable<Uint8Array>;
}

/** A command has run on a machine, and failed. */
export class CommandFailed extends Error {
  override name = 'CommandFailed';

  constructor(
    /** The command without its arguments. */
    readonly command: string,
    readonly host: string,
    /** 127 where there is no such command; absent where it was killed, or the machine has gone. */
    readonly code: number | undefined,
    /** The end of what it said on standard error. */
    readonly said: string,
    options?: ErrorOptions,
  ) {
    const how = code === undefined ? 'did not come to its end' : `ended with ${code}`;
    super(`${command} on ${host} ${how}${said === '' ? '' : `: ${said}`}`, options);
  }
}

export type Unreached =
  | 'unreachable'
  | 'timeout'
  | 'authentication'
  /** Another host key than the pinned one. */
  | 'host-key'
  | 'lost';

/** The machine could not be talked to, or not to the end. */
export class HostUnreachable extends Error {
  override name = 'HostUnreachable';

  constructor(
    readonly host: string,
    readonly reason: Unreached,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
