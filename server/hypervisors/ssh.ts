import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client, ClientChannel } from 'ssh2';
import { giveBack } from '../../storage/give-back.js';
import { type Command, CommandFailed, type Host, HostUnreachable, type Running, type RunningToEnd } from './host.js';
import { Places } from './places.js';
import { lineFor, nameOf } from './quote.js';

type Ssh2 = typeof import('ssh2');

let loaded: Ssh2 | undefined;

/** Loaded when a node is first talked to: servers that have none need not keep it in memory. */
function ssh2(): Ssh2 {
  loaded ??= createRequire(import.meta.url)('ssh2') as Ssh2;
  return loaded;
}

/** How a machine is reached. */
export interface Way {
  /** For people. */
  name: string;
  address: string;
  port: number;
  user: string;
  /** As in `known_hosts`, without the name; the first that is met where there are none. */
  hostKeys: readonly string[];
  /** Private keys, in the order in which they are shown; asked for at each contact. */
  keys: () => readonly string[];
  /** The socket of an agent whose keys count as well. */
  agent?: string | undefined;
  /** Another machine, from which it is reached. */
  through?: SshHost | undefined;
}

export interface SshLimits {
  /** Milliseconds until a connection stands. */
  connect: number;
  /** Milliseconds between signs of life; three that are not answered end a connection. */
  alive: number;
  /** Milliseconds for which a connection is kept that nobody uses. */
  idle: number;
  /** Milliseconds for which the end of a command is waited for that was killed. */
  killed: number;
  /** Commands at once, of those that run to their end and of those that stream: sshd takes ten together. */
  runs: number;
  streams: number;
}

const LIMITS: SshLimits = { connect: 15_000, alive: 10_000, idle: 60_000, killed: 3_000, runs: 3, streams: 5 };

/** Bytes that the other side may send ahead, all its commands together: over 50 ms of round trip, 2 MiB would make 40 MiB/s. */
const WINDOW = 8 * 1024 ** 2;
/** Of each command: what ssh2 itself keeps open, whatever it is told. */
const LEAST_WINDOW = 2 * 1024 ** 2;
/** The part of a window that is told of at once. */
const STEP = 1 / 8;
/** What has come and is not taken yet; the rest of the window is on its way. */
const MOST_WAITING = 1024 ** 2;
/** sshd sends 32 KiB at a time, and what follows costs by the chunk. */
const MOST_OF_A_CHUNK = 256 * 1024;
const MOST_PRINTED = 16 * 1024 ** 2;
const MOST_SAID = 2048;

const CIPHERS = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'chacha20-poly1305@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
] as const;

const MACS = [
  'hmac-sha2-256-etm@openssh.com',
  'hmac-sha2-512-etm@openssh.com',
  'hmac-sha2-256',
  'hmac-sha2-512',
] as const;

const HOST_KEYS = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
] as const;

/** What ssh2 keeps for itself, as version 1.17.0 has it: a test over a slow line tells when it does no longer. */
interface Inside {
  _client: { _protocol: { channelWindowAdjust(id: number, bytes: number): void } };
  incoming: { id: number; window: number; state: string };
  outgoing: { id: number; state: string };
}

type SshError = Error & { level?: string; code?: unknown };

interface Connection {
  client: Client;
  hostKey: string;
  /** Why it is no more. */
  lost?: HostUnreachable;
}

/** A machine behind sshd. One connection carries all that is asked of it, and is made again when it is needed again. */
export class SshHost implements Host {
  readonly name: string;
  readonly #limits: SshLimits;
  readonly #runs: Places;
  readonly #streams: Places;
  readonly #closing = new AbortController();
  #hostKeys: readonly string[];
  #connection: Connection | undefined;
  #connecting: Promise<Connection> | undefined;
  /** How many commands run or are about to, and who waits for the end of one. */
  #running = 0;
  readonly #ends: (() => void)[] = [];
  #users = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(
    private readonly way: Way,
    /** Hears of the host key at the first contact, before anything is asked; what it throws ends the connection. */
    private readonly met: (hostKey: string) => Promise<void>,
    limits: Partial<SshLimits> = {},
  ) {
    this.name = way.name;
    this.#hostKeys = way.hostKeys;
    this.#limits = { ...LIMITS, ...limits };
    this.#runs = new Places(this.#limits.runs);
    this.#streams = new Places(this.#limits.streams);
  }

  /** Those that are believed: the given ones, or the one that was met at the first contact. */
  get hostKeys(): readonly string[] {
    return this.#hostKeys;
  }

  async run(command: Command, { most = MOST_PRINTED, ...running }: RunningToEnd): Promise<string> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.#output(this.#runs, command, running)) {
      size += chunk.length;
      if (size > most) throw this.#failed(command, undefined, `it printed more than ${most} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString();
  }

  stream(command: Command, running: Running): AsyncIterable<Uint8Array> {
    return this.#output(this.#streams, command, running);
  }

  /** A connection that goes out from there. */
  async forward(address: string, port: number, signal: AbortSignal): Promise<Duplex> {
    const connection = await this.#use(signal);
    try {
      return await this.#opened(
        connection,
        signal,
        (done) => connection.client.forwardOut('127.0.0.1', 0, address, port, done),
        { take: (channel) => this.#usedBy(channel), drop: (channel) => channel.destroy() },
      );
    } finally {
      this.#leave();
    }
  }

  #usedBy(channel: ClientChannel): ClientChannel {
    this.#users += 1;
    return channel.once('close', () => this.#leave());
  }

  close(): void {
    this.#closing.abort(new HostUnreachable(this.name, 'lost', `the connection to ${this.name} was closed`));
    clearTimeout(this.#idle);
    this.#connection?.client.end();
  }

  async *#output(places: Places, command: Command, running: Running): AsyncGenerator<Uint8Array> {
    const { input: given = '' } = running;
    const input =
      typeof given === 'string' ? Buffer.from(given) : Buffer.from(given.buffer, given.byteOffset, given.length);
    const line = lineFor(command, input.length > 0 ? { bytes: input.length } : undefined);
    const leave = await places.take(running.signal);
    try {
      const connection = await this.#use(running.signal);
      try {
        yield* this.#perform(connection, command, line, input, running);
      } finally {
        this.#leave();
      }
    } finally {
      leave();
    }
  }

  async *#perform(
    connection: Connection,
    command: Command,
    line: string,
    input: Buffer,
    { signal, silence }: Running,
  ): AsyncGenerator<Uint8Array> {
    const remote = await this.#exec(connection, line, input, signal);
    const abort = () => remote.kill();
    signal.addEventListener('abort', abort);
    try {
      if (signal.aborted) remote.kill();
      for (;;) {
        const chunk = remote.take();
        if (signal.aborted) throw signal.reason;
        if (chunk) yield chunk;
        else if (remote.closed) break;
        else if (!(await remote.stirs(silence))) {
          throw this.#failed(command, undefined, `it said nothing for ${silence! / 1000} s`);
        }
      }
      if (signal.aborted) throw signal.reason;
      if (remote.code === 0) return;
      if (connection.lost && remote.code === undefined && remote.by === undefined) throw connection.lost;
      throw this.#failed(
        command,
        remote.code,
        remote.by ? `${remote.said} (killed by ${remote.by})`.trim() : remote.said,
      );
    } finally {
      signal.removeEventListener('abort', abort);
      await remote.gone(this.#limits.killed);
    }
  }

  /** Where sshd takes fewer commands at once than most do, this one waits for the end of another. */
  async #exec(connection: Connection, line: string, input: Buffer, signal: AbortSignal): Promise<Remote> {
    for (let pauses = 5; ; ) {
      this.#running += 1;
      try {
        const remote = await this.#opened(connection, signal, (done) => connection.client.exec(line, done), {
          take: (channel) => new Remote(channel, input, () => Math.max(LEAST_WINDOW, WINDOW / this.#running)),
          drop: (unwanted) => unwanted.kill(),
        });
        remote.onClose(() => this.#oneEnds());
        return remote;
      } catch (error) {
        const isFull = error instanceof HostUnreachable && isRefusal(error.cause);
        if (isFull && this.#running > 1) await this.#another(signal);
        else {
          this.#oneEnds();
          if (!isFull || pauses === 0) throw error;
          // sshd counts one that has ended for a moment longer than we do.
          pauses -= 1;
          await unlessAborted(pause(50), signal);
        }
      }
    }
  }

  /** Waits for the end of another one, which makes room for this. */
  #another(signal: AbortSignal): Promise<void> {
    this.#running -= 1;
    return unlessAborted(new Promise<void>((resolve) => this.#ends.push(resolve)), signal);
  }

  #oneEnds(): void {
    this.#running -= 1;
    for (const tell of this.#ends.splice(0)) tell();
  }

  #failed(command: Command, code: number | undefined, said: string): CommandFailed {
    return new CommandFailed(nameOf(command), this.name, code, said);
  }

  /** A channel; one that opens when nobody waits for it any more is closed, and so is what runs at its other end. */
  #opened<T>(
    connection: Connection,
    signal: AbortSignal,
    open: (done: (error: Error | undefined, channel: ClientChannel) => void) => void,
    { take, drop }: { take: (channel: ClientChannel) => T; drop: (taken: T) => void },
  ): Promise<T> {
    const { client } = connection;
    return new Promise((resolve, reject) => {
      const settle = () => {
        signal.removeEventListener('abort', abort);
        client.removeListener('close', lost);
      };
      const abort = () => {
        settle();
        reject(signal.reason);
      };
      const lost = (cause?: unknown) => {
        settle();
        reject(connection.lost ?? this.#lost(cause));
      };
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort);
      client.once('close', lost);
      try {
        open((error, channel) => {
          settle();
          if (error) return reject(connection.lost ?? this.#refused(error));
          // At once: what a command says, and its end, may stand in what was read already.
          const taken = take(channel);
          if (signal.aborted) drop(taken);
          else resolve(taken);
        });
      } catch (error) {
        lost(error);
      }
    });
  }

  #lost(cause?: unknown): HostUnreachable {
    const why = cause instanceof Error ? `: ${cause.message}` : '';
    return new HostUnreachable(this.name, 'lost', `the connection to ${this.name} was lost${why}`, { cause });
  }

  #refused(cause: Error): HostUnreachable {
    return new HostUnreachable(this.name, 'unreachable', `${this.name} refuses: ${cause.message}`, { cause });
  }

  async #use(signal: AbortSignal): Promise<Connection> {
    signal.throwIfAborted();
    this.#closing.signal.throwIfAborted();
    this.#users += 1;
    clearTimeout(this.#idle);
    try {
      if (this.#connection && !this.#connection.lost) return this.#connection;
      this.#connecting ??= this.#connect().finally(() => {
        this.#connecting = undefined;
      });
      return await unlessAborted(this.#connecting, signal);
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  #leave(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      this.#connection?.client.end();
      this.#connection = undefined;
    }, this.#limits.idle).unref();
  }

  /** Shared by all who wait for it: it goes on without those who do no longer, for as long as it may take. */
  async #connect(): Promise<Connection> {
    const limit = AbortSignal.timeout(this.#limits.connect);
    const signal = AbortSignal.any([limit, this.#closing.signal]);
    const socket = await this.#socket(signal).catch((error: unknown) => {
      throw limit.aborted ? this.#timedOut() : error;
    });
    const connection = await this.#shakeHands(socket, signal, limit);
    if (this.#hostKeys.length === 0) await this.#meet(connection);
    this.#connection = connection;
    return connection;
  }

  async #meet({ client, hostKey }: Connection): Promise<void> {
    this.#hostKeys = [hostKey];
    try {
      await this.met(hostKey);
    } catch (error) {
      this.#hostKeys = [];
      client.end();
      throw error;
    }
  }

  #socket(signal: AbortSignal): Promise<Duplex> | Promise<undefined> {
    const { through, address, port } = this.way;
    return through ? through.forward(address, port, signal) : Promise.resolve(undefined);
  }

  #shakeHands(sock: Duplex | undefined, signal: AbortSignal, limit: AbortSignal): Promise<Connection> {
    const { way } = this;
    const client = new (ssh2().Client)();
    const connection: Connection = { client, hostKey: '' };
    const keys = [...way.keys()];
    let refusal: HostUnreachable | undefined;
    let offered: string[] | undefined;
    let agentFault = way.agent === '' ? ' (and no agent runs beside the server)' : '';
    let isReady = false;
    return new Promise<Connection>((resolve, reject) => {
      const fail = (error: HostUnreachable) => {
        connection.lost ??= error;
        signal.removeEventListener('abort', abort);
        client.destroy();
        sock?.destroy();
        reject(error);
      };
      const abort = () => fail(limit.aborted ? this.#timedOut() : signal.reason);
      // For as long as it lives: it may fail once more after its end.
      client.on('error', (error: SshError) => {
        if (error.level === 'agent') agentFault = ` (the agent: ${error.message})`;
        else if (isReady) fail(this.#lost(error));
        else fail(refusal ?? this.#whyNot(error, offered, agentFault));
      });
      client.once('close', () =>
        fail(isReady ? this.#lost() : this.#whyNot(new Error('it hung up'), offered, agentFault)),
      );
      client.once('ready', () => {
        isReady = true;
        signal.removeEventListener('abort', abort);
        resolve(connection);
      });
      signal.addEventListener('abort', abort);
      if (signal.aborted) return abort();
      let isAgentAsked = !way.agent;
      client
        .connect({
          ...(sock ? { sock } : { host: way.address, port: way.port }),
          username: way.user,
          readyTimeout: 0,
          keepaliveInterval: this.#limits.alive,
          keepaliveCountMax: 3,
          algorithms: {
            cipher: [...CIPHERS],
            hmac: [...MACS],
            serverHostKey: inOrder(this.#hostKeys),
            compress: ['none'],
          },
          hostVerifier: (blob: Buffer) => {
            connection.hostKey = spelledKey(blob);
            refusal = this.#doubt(connection.hostKey);
            return refusal === undefined;
          },
          authHandler: (left: string[] | null, _partial: boolean, next) => {
            // The first try tells what there is, and counts for nothing.
            if (left === null) return next({ type: 'none', username: way.user });
            offered = left as string[];
            const key = offered.includes('publickey') ? keys.shift() : undefined;
            if (key !== undefined) return next({ type: 'publickey', username: way.user, key });
            if (isAgentAsked || !offered.includes('publickey')) return next(false as never);
            isAgentAsked = true;
            next({ type: 'agent', username: way.user, agent: way.agent! });
          },
        } as Parameters<Client['connect']>[0])
        .setNoDelay(true);
      sock?.on('data', () => widen(sock as ClientChannel));
    });
  }

  /** Whether the key is none of those that are known. */
  #doubt(hostKey: string): HostUnreachable | undefined {
    const { name, address, port } = this.way;
    const hostKeys = this.#hostKeys;
    if (hostKeys.length === 0 || hostKeys.includes(hostKey)) return undefined;
    const known = hostKeys.map(fingerprint).join(', ');
    const message =
      `${name} (${address}:${port}) shows another host key: ${fingerprint(hostKey)} instead of ${known}. Nothing was sent to it. ` +
      `If that is meant, as after an installation, let the new one in: slipway node set ${name} --host-keys "${hostKey}"`;
    return new HostUnreachable(name, 'host-key', message);
  }

  #timedOut(): HostUnreachable {
    const { name, address, port } = this.way;
    const message = `${name} (${address}:${port}) did not answer within ${this.#limits.connect / 1000} s`;
    return new HostUnreachable(name, 'timeout', message);
  }

  #whyNot(error: SshError, offered: string[] | undefined, agentFault: string): HostUnreachable {
    const { name, address, port, user } = this.way;
    const at = `${name} (${address}:${port})`;
    const isShownOut = offered !== undefined && typeof error.code === 'number';
    if (error.level !== 'client-authentication' && !isShownOut) {
      return new HostUnreachable(name, 'unreachable', `${at} can not be reached: ${error.message}`, { cause: error });
    }
    const asks =
      offered?.includes('publickey') === false ? `asks for a ${offered.join(' or a ')}` : 'takes none of the keys';
    const message = `${at} ${asks} of user "${user}"${agentFault}: add what "slipway node key" prints to its authorized_keys`;
    return new HostUnreachable(name, 'authentication', message, { cause: error });
  }
}

/** A command that runs there. */
class Remote {
  readonly #waiting: Buffer[] = [];
  #size = 0;
  #tail = Buffer.alloc(0);
  #stirred: (() => void) | undefined;
  #killed = false;
  closed = false;
  /** What it has ended with. */
  code: number | undefined;
  /** The signal that it was killed by. */
  by: string | undefined;

  constructor(
    private readonly channel: ClientChannel,
    input: Buffer,
    /** Of what the other side may send ahead, this one's part. */
    private readonly window: () => number,
  ) {
    channel.on('data', (chunk: Buffer) => {
      this.#waiting.push(chunk);
      this.#size += chunk.length;
      if (this.#killed) this.#drop();
      if (this.#size >= MOST_WAITING) channel.pause();
      this.#stir();
    });
    channel.stderr.on('data', (chunk: Buffer) => {
      this.#tail = Buffer.concat([this.#tail, chunk.subarray(-MOST_SAID)]).subarray(-MOST_SAID);
      this.#widen();
      this.#stir();
    });
    channel.on('exit', (code: number | null, by?: string) => {
      if (code === null) this.by = by ?? 'a signal';
      // How sh tells of a signal.
      else if (code > 128 && code <= 192) this.by = `signal ${code - 128}`;
      else this.code = code;
    });
    channel.on('close', () => {
      this.closed = true;
      this.#stir();
    });
    channel.on('error', () => {});
    channel.stderr.on('error', () => {});
    if (input.length > 0) channel.write(input);
    this.#widen();
  }

  /** The end of what it has said on standard error. */
  get said(): string {
    return this.#tail.toString().replace(/^�+/, '').trim();
  }

  onClose(hear: () => void): void {
    if (this.closed) hear();
    else this.channel.once('close', hear);
  }

  /** What has come, in memory of its own: whoever has it may give that back. */
  take(): Uint8Array | undefined {
    if (this.#waiting.length === 0) return undefined;
    let [size, count] = [0, 0];
    for (const { length } of this.#waiting) {
      if (count > 0 && size + length > MOST_OF_A_CHUNK) break;
      size += length;
      count += 1;
    }
    const chunk = Buffer.allocUnsafeSlow(size);
    let at = 0;
    for (const packet of this.#waiting.splice(0, count)) {
      chunk.set(packet, at);
      at += packet.length;
      forget(packet);
    }
    this.#size -= size;
    if (this.#size < MOST_WAITING / 2 && this.channel.isPaused()) this.channel.resume();
    this.#widen();
    return chunk;
  }

  /** Waits until there is something to be seen; not so within the time where it is silent. */
  stirs(silence: number | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = silence === undefined ? undefined : setTimeout(() => resolve(false), silence);
      this.#stirred = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  /** Its guard at the other end sees that there is nobody any more, whatever it has been sent before. */
  kill(): void {
    if (this.#killed || this.closed) return;
    this.#killed = true;
    this.#drop();
    this.channel.eof();
    this.channel.resume();
    this.#stir();
  }

  /** Killed where it still runs, and waited for; not for ever. */
  async gone(most: number): Promise<void> {
    this.kill();
    if (this.closed) return;
    const isGone = new Promise<void>((resolve) => this.channel.once('close', resolve));
    let timer: NodeJS.Timeout | undefined;
    const isLate = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, most);
    });
    await Promise.race([isGone, isLate]);
    clearTimeout(timer);
    if (!this.closed) this.channel.close();
  }

  #drop(): void {
    this.#waiting.length = 0;
    this.#size = 0;
    this.#widen();
  }

  #widen(): void {
    widen(this.channel, this.window(), this.#size);
  }

  #stir(): void {
    this.#stirred?.();
    this.#stirred = undefined;
  }
}

/** Did the other side say no, and not just vanish? */
const isRefusal = (error: unknown) => error instanceof Error && 'reason' in error && typeof error.reason === 'number';

/** Lets the other side send as much as the window holds besides what waits here. */
function widen(channel: ClientChannel, window = WINDOW, waiting = 0): void {
  const { _client, incoming, outgoing } = channel as unknown as Inside;
  if (outgoing.state === 'closing' || outgoing.state === 'closed' || incoming.state !== 'open') return;
  const room = window - incoming.window - waiting - channel.readableLength;
  if (room < window * STEP) return;
  incoming.window += room;
  _client._protocol.channelWindowAdjust(outgoing.id, room);
}

/** Less than the smallest packet takes. */
const AROUND_A_PACKET = 64;

/** Gives back the memory of what was taken, where that is a packet's own: there is none beside it that is still needed. */
function forget({ buffer, length }: Buffer): void {
  if (length >= 8192 && buffer.byteLength - length < AROUND_A_PACKET) giveBack(new Uint8Array(buffer));
}

/** Those of the kinds that are known first: a machine has keys of several kinds, and shows one. */
function inOrder(hostKeys: readonly string[]): string[] {
  const known = new Set(hostKeys.map((key) => key.split(' ')[0]));
  const isKnown = (name: string) => known.has(name) || (name.startsWith('rsa-') && known.has('ssh-rsa'));
  return [...HOST_KEYS.filter(isKnown), ...HOST_KEYS.filter((name) => !isKnown(name))];
}

/** As it stands in `known_hosts`. */
function spelledKey(blob: Buffer): string {
  const type = blob.subarray(4, 4 + blob.readUInt32BE(0)).toString('latin1');
  return `${type} ${blob.toString('base64')}`;
}

/** As ssh-keygen shows it. */
export function fingerprint(hostKey: string): string {
  const [type = '', blob = ''] = hostKey.split(' ');
  const digest = createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64').replace(/=+$/, '');
  return `${type} SHA256:${digest}`;
}

/** The line of `authorized_keys` without options; nothing where it is no private key, or one with a passphrase. */
export function publicLineOf(privateKey: string): string | undefined {
  const parsed = ssh2().utils.parseKey(privateKey);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (!key || key instanceof Error || !key.isPrivateKey()) return undefined;
  return `${key.type} ${key.getPublicSSH().toString('base64')}`;
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
