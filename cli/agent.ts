import { once } from 'node:events';
import { connect } from 'node:net';
import { CliError } from './errors.js';

/** A key that the ssh-agent holds: its public half as the agent writes it. */
export interface AgentKey {
  blob: Buffer;
  comment: string;
}

export interface Agent {
  keys(): Promise<AgentKey[]>;
  /** A signature as ssh writes it: its algorithm's name, then what that algorithm makes. */
  sign(blob: Buffer, data: Buffer): Promise<Buffer>;
}

/** Numbers of messages: draft-miller-ssh-agent. */
const ASK = { keys: 11, sign: 13 } as const;
const ANSWER = { keys: 12, sign: 14 } as const;

/** RSA keys shall sign with SHA-256; agents that are not told use SHA-1. Others do not heed it. */
const RSA_SHA2_256 = 2;

const MAX_ANSWER = 1024 ** 2;

/** The ssh-agent behind this socket. */
export function sshAgent(socket: string | undefined, signal: AbortSignal): Agent {
  return {
    keys: async () => readKeys(await exchange(socket, ASK.keys, [], ANSWER.keys, signal)),
    sign: async (blob, data) => {
      const flags = Buffer.alloc(4);
      flags.writeUInt32BE(RSA_SHA2_256);
      const answer = await exchange(socket, ASK.sign, [string(blob), string(data), flags], ANSWER.sign, signal);
      return new Reader(answer).string();
    },
  };
}

function readKeys(answer: Buffer): AgentKey[] {
  const reader = new Reader(answer);
  return Array.from({ length: Math.min(reader.number(), MAX_ANSWER / 8) }, () => ({
    blob: reader.string(),
    comment: reader.string().toString(),
  }));
}

async function exchange(
  path: string | undefined,
  ask: number,
  parts: Buffer[],
  wanted: number,
  signal: AbortSignal,
): Promise<Buffer> {
  if (!path) throw unavailable('there is no ssh-agent: SSH_AUTH_SOCK is not set');
  const socket = connect({ path });
  // the option of connect would leave a listener behind for each question
  const stop = () => socket.destroy(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    await once(socket, 'connect', { signal });
    socket.write(string(Buffer.concat([Buffer.of(ask), ...parts])));
    const answer = await message(socket);
    if (answer[0] !== wanted) throw new Error('it refuses: is it locked, or was the question of it denied?');
    return answer.subarray(1);
  } catch (cause) {
    signal.throwIfAborted();
    throw unavailable(`the ssh-agent at ${path} failed: ${cause instanceof Error ? cause.message : cause}`, cause);
  } finally {
    signal.removeEventListener('abort', stop);
    socket.destroy();
  }
}

async function message(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  let read = Buffer.alloc(0);
  for await (const chunk of chunks) {
    read = Buffer.concat([read, chunk]);
    if (read.length < 5) continue;
    const length = read.readUInt32BE();
    if (length > MAX_ANSWER) throw new Error(`it answers with ${length} bytes`);
    if (read.length >= 4 + length) return read.subarray(4, 4 + length);
  }
  throw new Error('it hung up');
}

const unavailable = (message: string, cause?: unknown) =>
  new CliError(message, { hint: 'start one and add your key with ssh-add, or name a key file with --key', cause });

function string(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Numbers and strings, one after the other; throws when the bytes end too early. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  number(): number {
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }

  string(): Buffer {
    const length = this.number();
    if (this.#at + length > this.#bytes.length) throw new Error('the answer of the ssh-agent is cut short');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
