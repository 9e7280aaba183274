import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ErrorCode, ImgapiError } from '../imgapi/errors.js';

const IDLE = 120_000;
const KEEP_ALIVE = 75_000;
const HEADERS = 60_000;

interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
}

/** Idle connections are cut; a transfer that moves may take as long as it needs, and so may our own work. */
export class HttpServer {
  readonly #server: Server;
  /** Every connection, with the last thing that was asked on it. */
  readonly #connections = new Map<Socket, Exchange | undefined>();

  constructor(listener: RequestListener) {
    this.#server = createServer(
      // Node would refuse a request without a Host in words of its own; ours are in middleware/well-formed.ts.
      { requestTimeout: 0, headersTimeout: HEADERS, keepAliveTimeout: KEEP_ALIVE, requireHostHeader: false },
      (req, res) => {
        this.#connections.set(req.socket, { req, res });
        // While closing, a connection that has done its work would otherwise wait for the next request.
        for (const side of [req, res]) side.once('close', () => setImmediate(() => this.#closeIdleWhenStopping()));
        listener(req, res);
      },
    );
    this.#server.setTimeout(IDLE, (socket) => this.#onIdle(socket));
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
      this.#onMalformed(error, socket as Socket),
    );
    this.#server.on('connect', (_, socket: Socket) => {
      // Node has let go of this socket: nobody else would hear of its errors, or close it when it idles.
      socket.on('error', () => {});
      refuse(socket, 'BadRequestError');
      socket.destroySoon();
    });
    // An expectation that we do not know is no reason to refuse.
    this.#server.on('checkExpectation', (req, res) => this.#server.emit('request', req, res));
    this.#server.on('connection', (socket) => {
      this.#connections.set(socket, undefined);
      // Requests that are sent one behind another wait for the same end.
      socket.setMaxListeners(0);
      socket.once('close', () => this.#connections.delete(socket));
    });
  }

  listen(port: number, address: string): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, address, () => {
        this.#server.off('error', reject);
        const bound = this.#server.address();
        if (bound && typeof bound === 'object') resolve(bound);
        else reject(new Error(`can not tell where the server listens: ${bound}`));
      });
    });
  }

  /** No new connections; those that carry a request may finish it within the grace time. */
  async close(grace: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#closeIdleWhenStopping();
    const timer = setTimeout(() => this.#server.closeAllConnections(), grace);
    await closed;
    clearTimeout(timer);
  }

  #onIdle(socket: Socket): void {
    const exchange = this.#connections.get(socket);
    const weAreWorking = exchange?.req.complete && !exchange.res.headersSent;
    if (weAreWorking) socket.setTimeout(IDLE);
    else socket.destroy();
  }

  /** Behind a request that is still to be answered, a refusal would be taken for its answer, or for the body of it. */
  #onMalformed({ code = '' }: NodeJS.ErrnoException, socket: Socket): void {
    const latest = this.#connections.get(socket);
    const isAnswering = latest !== undefined && !latest.res.closed;
    if (!socket.writable || (isAnswering && latest.res.headersSent)) socket.destroy();
    else if (isAnswering && latest.req.complete) latest.res.once('finish', () => socket.destroySoon());
    else refuse(socket, codeOf[code] ?? 'BadRequestError');
  }

  /** Not Node's own: that takes a connection on which nothing was asked yet for a busy one. */
  #closeIdleWhenStopping(): void {
    if (this.#server.listening) return;
    for (const [socket, exchange] of this.#connections) {
      if (!exchange || (exchange.req.complete && exchange.res.closed)) socket.destroy();
    }
  }
}

const codeOf: Record<string, ErrorCode> = {
  HPE_HEADER_OVERFLOW: 'RequestHeaderFieldsTooLarge',
  ERR_HTTP_REQUEST_TIMEOUT: 'RequestTimeout',
};

/** What is no HTTP never reaches the application. */
function refuse(socket: Duplex, code: ErrorCode): void {
  const refusal = new ImgapiError(code, 'this is no request that can be read');
  const body = JSON.stringify(refusal, null, 2);
  const status = `${refusal.status} ${STATUS_CODES[refusal.status]}`;
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
  socket.end(`${head}\r\nConnection: close\r\n\r\n${body}`);
}
