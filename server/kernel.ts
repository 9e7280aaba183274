import { readSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setImmediate as othersAreServed } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { Queue } from './model/queue.js';

/** What the kernel can do with a socket, and Node has no way to ask for. */
export interface Kernel {
  /** Undefined where bytes do not travel as they are written, and where there is no descriptor to be had. */
  hold(socket: Socket): HeldSocket | undefined;
}

/** A descriptor of our own: it means this connection, and no later one, also when Node has closed the socket. */
export interface HeldSocket {
  /**
   * Moves bytes of an open file to the socket. Without room nothing is moved, and neither where something is wrong:
   * whoever sends them the usual way then finds out what.
   */
  sendFile(file: number, position: number, length: number): Promise<Moved>;
  /** Undefined where there is none to be had. */
  openRelay(): Relay | undefined;
  release(): void;
}

/** Through which bytes go from another socket to this one without being looked at. */
export interface Relay {
  /** Takes what there is, and no more than this: some of it may be left in between. Nothing where Node has to look. */
  move(from: number, length: number): { taken: number; sent: number };
  /** What was taken and not sent. */
  left(length: number): Uint8Array;
  close(): void;
}

export interface Moved {
  bytes: number;
  /** Whether the socket may have room for more. */
  hasRoom: boolean;
}

/** Little at a time, while the receiver still has the last in its cache: twice as fast as a MiB and more. */
const FROM_MEMORY = 256 << 10;

/** A turn on the pool costs more, and so takes more. */
const FROM_DISK = 1 << 20;

/** What is on its way from one socket to another at a time. */
const RELAYED = 256 << 10;

/** Turns on Node's pool of four threads, which others need too. */
const ON_POOL = 3;

/** Of fcntl and preadv2, on Linux. */
const DUPFD_CLOEXEC = 1030;
const NOWAIT = 8;

/** Of pipe2, fcntl and splice. */
const [NONBLOCK, CLOEXEC] = [0x800, 0x80000];
const SETPIPE_SZ = 1031;
const [SPLICE_MOVE, SPLICE_NONBLOCK] = [1, 2];

/** Undefined where the system is not Linux, where the package that calls it has no build, or its library no such functions. */
export async function openKernel(): Promise<Kernel | undefined> {
  if (process.platform !== 'linux') return undefined;
  const koffi = await import('koffi').catch(() => undefined);
  if (koffi?.sizeof('long') !== 8) return undefined;
  try {
    return kernelOf(koffi);
  } catch {
    return undefined;
  }
}

function kernelOf(koffi: typeof import('koffi')): Kernel {
  const library = koffi.load(null);
  const fcntl = library.func('int fcntl(int fd, int command, ...)');
  const close = library.func('int close(int fd)');
  const sendfile = library.func('long sendfile(int socket, int file, _Inout_ int64_t *position, size_t length)');
  const preadv2 = library.func('long preadv2(int file, void *vector, int count, int64_t position, int flags)');

  const pipe2 = library.func('int pipe2(_Out_ int *descriptors, int flags)');
  const splice = library.func('long splice(int from, void *, int to, void *, size_t length, unsigned int flags)');

  const openRelay = (socket: number): Relay | undefined => {
    const ends = [-1, -1];
    if (pipe2(ends, NONBLOCK | CLOEXEC) !== 0) return undefined;
    const [out = -1, into = -1] = ends;
    fcntl(into, SETPIPE_SZ, 'int', RELAYED);
    const moving = (from: number, to: number, length: number): number =>
      splice(from, null, to, null, length, SPLICE_MOVE | SPLICE_NONBLOCK);
    return {
      move: (from, length) => {
        const taken = Math.max(0, moving(from, into, Math.min(length, RELAYED)));
        let sent = 0;
        while (sent < taken) {
          const moved = moving(out, socket, taken - sent);
          if (moved <= 0) break;
          sent += moved;
        }
        return { taken, sent };
      },
      left: (length) => {
        const bytes = Buffer.allocUnsafe(length);
        let read = 0;
        while (read < length) read += readSync(out, bytes, read, length - read, null);
        return bytes;
      },
      close: () => {
        close(out);
        close(into);
      },
    };
  };

  const vector = koffi.alloc('uint64_t', 2);
  koffi.encode(vector, 'uint64_t', [koffi.address(koffi.alloc('uint8_t', 1)), 1n], 2);
  const isInMemory = (file: number, position: number) => preadv2(file, vector, 1, position, NOWAIT) === 1;

  const pool = new Queue(ON_POOL);
  const onPool = (socket: number, file: number, position: number, length: number) =>
    pool.run(
      () =>
        new Promise<number>((resolve, reject) => {
          sendfile.async(socket, file, [position], length, (error: Error | null, sent: number) =>
            error ? reject(error) : resolve(sent),
          );
        }),
    );

  const hold = (socket: Socket): HeldSocket | undefined => {
    const descriptor: number = fcntl(descriptorOf(socket), DUPFD_CLOEXEC, 'int', 0);
    if (descriptor < 0) return undefined;
    return {
      sendFile: async (file, position, length) => {
        const little = Math.min(length, FROM_MEMORY);
        if (isInMemory(file, position + little - 1)) {
          await othersAreServed();
          return moved(sendfile(descriptor, file, [position], little), little);
        }
        const much = Math.min(length, FROM_DISK);
        return moved(await onPool(descriptor, file, position, much), much);
      },
      openRelay: () => openRelay(descriptor),
      release: () => close(descriptor),
    };
  };
  return { hold };
}

const moved = (sent: number, wanted: number): Moved => ({ bytes: Math.max(0, sent), hasRoom: sent === wanted });

/** -1 where there is none that is good for plain bytes. */
function descriptorOf(socket: Socket): number {
  if (socket instanceof TLSSocket) return -1;
  return (socket as { _handle?: { fd?: number } | null })._handle?.fd ?? -1;
}
