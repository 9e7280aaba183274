import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** What the kernel can do with a socket, and Node has no way to ask for. */
export interface Kernel {
  /** Undefined where bytes do not travel as they are written, and where there is no descriptor to be had. */
  hold(socket: Socket): HeldSocket | undefined;
}

/** A descriptor of our own: it means this connection, and no later one, also when Node has closed the socket. */
export interface HeldSocket {
  /**
   * Moves as many bytes of an open file as the socket has room for: none where it has no room, and none where something
   * is wrong. Whoever sends them the usual way then finds out which.
   */
  sendFile(file: number, position: number, length: number): Promise<number>;
  release(): void;
}

/** They run on Node's pool of four threads, which others need too. */
const AT_ONCE = 3;

/** Of fcntl, on Linux. */
const DUPFD_CLOEXEC = 1030;

/** Undefined where the system is not Linux, or the package that calls it has no build for the machine. */
export async function openKernel(): Promise<Kernel | undefined> {
  if (process.platform !== 'linux') return undefined;
  const koffi = await import('koffi').catch(() => undefined);
  if (koffi?.sizeof('long') !== 8) return undefined;
  const library = koffi.load(null);
  const fcntl = library.func('int fcntl(int fd, int command, ...)');
  const close = library.func('int close(int fd)');
  const sendfile = library.func('long sendfile(int socket, int file, _Inout_ int64_t *position, size_t length)');
  const queue = new Queue(AT_ONCE);
  return {
    hold: (socket) => {
      const descriptor: number = fcntl(descriptorOf(socket), DUPFD_CLOEXEC, 'int', 0);
      if (descriptor < 0) return undefined;
      return {
        sendFile: (file, position, length) =>
          queue.run(
            () =>
              new Promise((resolve, reject) => {
                sendfile.async(descriptor, file, [position], length, (error: Error | null, moved: number) =>
                  error ? reject(error) : resolve(Math.max(0, moved)),
                );
              }),
          ),
        release: () => close(descriptor),
      };
    },
  };
}

/** -1 where there is none that is good for plain bytes. */
function descriptorOf(socket: Socket): number {
  if (socket instanceof TLSSocket) return -1;
  return (socket as { _handle?: { fd?: number } | null })._handle?.fd ?? -1;
}

/** Work that waits its turn. */
class Queue {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(private readonly atOnce: number) {}

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running === this.atOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await work();
    } finally {
      // whoever is next takes the place over
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}
