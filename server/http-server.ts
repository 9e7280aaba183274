import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { SecureContextOptions } from 'node:tls';
import type { Logger } from 'pino';
import type { ErrorCode } from '../imgapi/errors.js';
import { ConnectionLimit } from './connection-limit.js';
import { refuseOnSocket } from './refusal-on-socket.js';

const KEEP_ALIVE = 75_000;

/** How long a client that was turned away may take to read why, and how many may do so at the same time. */
const LEAVING = 5000;
const MOST_LEAVING = 100;

const UNREADABLE = 'this is no request that can be read';

/** Times in milliseconds. */
export interface HttpServerOptions {
  /** For which nothing may move on a connection. */
  idleTimeout?: number;
  /** That the headers of a request may take, and before them the handshake of TLS. */
  headerTimeout?: number;
  /** 0 for any number. */
  maxConnections?: number;
  /** Are clients asked, over TLS, for certificates? Nobody needs one, and whose it is others find out. */
  asksForCertificates?: boolean;
  log?: Pick<Logger, 'warn'>;
}

/** Speaks for the server, and may become another one while it is used. */
export interface ServerCertificate {
  readonly context: SecureContextOptions;
  follow(use: (context: SecureContextOptions) => void): void;
}

interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
}

/** Idle connections are cut; a transfer that moves may take as long as it needs, and so may our own work. */
export class HttpServer {
  readonly #listener: RequestListener;
  readonly #idleTimeout: number;
  readonly #headerTimeout: number;
  readonly #asksForCertificates: boolean;
  readonly #limit: ConnectionLimit;
  readonly #servers: Server[] = [];
  /** Every connection as it was accepted, before any TLS, with its two ends. */
  readonly #accepted = new Map<Socket, string>();
  /** Every connection on which HTTP is spoken, with the last thing that was asked on it. */
  readonly #connections = new Map<Socket, Exchange | undefined>();
  #leaving = 0;
  #stopping = false;
  #takingLeave = false;
  readonly #closing = new AbortController();
  readonly #onClosed = () => {
    if (this.#stopping) setImmediate(() => this.#closeIdleWhenStopping());
  };

  constructor(
    listener: RequestListener,
    {
      idleTimeout = 120_000,
      headerTimeout = 60_000,
      maxConnections = 0,
      asksForCertificates = false,
      log,
    }: HttpServerOptions = {},
  ) {
    this.#listener = listener;
    this.#idleTimeout = idleTimeout;
    this.#headerTimeout = headerTimeout;
    this.#asksForCertificates = asksForCertificates;
    this.#limit = new ConnectionLimit(maxConnections, log);
  }

  listen(port: number, address: string): Promise<AddressInfo> {
    const server = createServer(this.#options(), (req, res) => this.#onRequest(req, res));
    server.on('connection', (socket) => {
      this.#accept(socket);
      if (this.#limit.admit(socket)) this.#begin(socket);
      else this.#turnAway(socket);
    });
    return this.#open(server, port, address);
  }

  listenTls(port: number, address: string, certificate: ServerCertificate): Promise<AddressInfo> {
    const options = {
      ...this.#options(),
      ...certificate.context,
      handshakeTimeout: this.#headerTimeout,
      requestCert: this.#asksForCertificates,
      rejectUnauthorized: false,
    };
    const server = createTlsServer(options, (req, res) => this.#onRequest(req, res));
    certificate.follow((context) => server.setSecureContext(context));
    server.on('connection', (socket: Socket) => {
      this.#accept(socket);
      // To say why would cost a handshake.
      if (!this.#limit.admit(socket)) socket.destroy();
    });
    server.on('secureConnection', (socket) => this.#begin(socket));
    server.on('tlsClientError', ({ code }: NodeJS.ErrnoException, socket) => {
      if (code === 'ERR_SSL_HTTP_REQUEST') this.#refuseWithoutTls(endsOf(socket));
    });
    return this.#open(server, port, address);
  }

  /**
   * Whoever is still answered is told that it is the last time on this connection: so a proxy that asks whether the server
   * is ready has gone elsewhere before connections are refused. In milliseconds.
   */
  async takeLeave(duration: number): Promise<void> {
    this.#takingLeave = true;
    for (const exchange of this.#connections.values()) if (exchange) endWith(exchange.res);
    await pause(duration, undefined, { signal: this.#closing.signal }).catch(() => {}); // it is closed sooner
  }

  /** No new connections; those that carry a request may finish it within the grace time. */
  async close(grace: number): Promise<void> {
    this.#stopping = true;
    this.#closing.abort();
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    this.#closeIdleWhenStopping();
    this.#closeHandshakes();
    const timer = setTimeout(() => {
      for (const socket of this.#accepted.keys()) socket.destroy();
    }, grace);
    await Promise.all(closed);
    clearTimeout(timer);
  }

  #options() {
    return {
      requestTimeout: 0,
      headersTimeout: this.#headerTimeout,
      connectionsCheckingInterval: Math.min(30_000, this.#headerTimeout),
      keepAliveTimeout: Math.min(KEEP_ALIVE, this.#idleTimeout),
      // Node would refuse a request without a Host in words of its own; ours are in middleware/well-formed.ts.
      requireHostHeader: false,
    };
  }

  #open(server: Server, port: number, address: string): Promise<AddressInfo> {
    server.setTimeout(this.#idleTimeout, (socket) => this.#onIdle(socket));
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#onMalformed(error, socket as Socket));
    server.on('connect', (_, socket: Socket) => {
      // Node has let go of this socket: nobody else would hear of its errors, or close it when it idles.
      socket.on('error', () => {});
      refuseOnSocket(socket, 'BadRequestError', UNREADABLE);
      socket.destroySoon();
    });
    // An expectation that we do not know is no reason to refuse.
    server.on('checkExpectation', (req, res) => server.emit('request', req, res));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, address, () => {
        server.off('error', reject);
        this.#servers.push(server);
        const bound = server.address();
        if (bound && typeof bound === 'object') resolve(bound);
        else reject(new Error(`can not tell where the server listens: ${bound}`));
      });
    });
  }

  #accept(socket: Socket): void {
    this.#accepted.set(socket, endsOf(socket));
    socket.once('close', () => this.#accepted.delete(socket));
  }

  #begin(socket: Socket): void {
    this.#connections.set(socket, undefined);
    // Requests that are sent one behind another wait for the same end.
    socket.setMaxListeners(0);
    socket.once('close', () => this.#connections.delete(socket));
  }

  /** Answered before it asks. What it sends is still read for a while, or the answer might be lost on its way. */
  #turnAway(socket: Socket): void {
    if (this.#leaving === MOST_LEAVING) {
      socket.destroy();
      return;
    }
    refuseOnSocket(socket, 'ServiceUnavailableError', 'there are too many connections', ['Retry-After: 5']);
    const timer = setTimeout(() => socket.destroy(), LEAVING).unref();
    this.#leaving += 1;
    socket.once('close', () => {
      clearTimeout(timer);
      this.#leaving -= 1;
    });
  }

  #onRequest(req: IncomingMessage, res: ServerResponse): void {
    if (!this.#connections.has(req.socket)) {
      req.resume();
      return;
    }
    this.#connections.set(req.socket, { req, res });
    if (this.#takingLeave) endWith(res);
    // While closing, a connection that has done its work would otherwise wait for the next request.
    req.on('close', this.#onClosed);
    res.on('close', this.#onClosed);
    this.#listener(req, res);
  }

  #onIdle(socket: Socket): void {
    const exchange = this.#connections.get(socket);
    const weAreWorking = exchange?.req.complete && !exchange.res.headersSent;
    if (weAreWorking) socket.setTimeout(this.#idleTimeout);
    else socket.destroy();
  }

  /** Behind a request that is still to be answered, a refusal would be taken for its answer, or for the body of it. */
  #onMalformed({ code = '' }: NodeJS.ErrnoException, socket: Socket): void {
    const latest = this.#connections.get(socket);
    const speaksHttp = this.#connections.has(socket) && socket.writable;
    const isAnswering = latest !== undefined && !latest.res.closed;
    if (!speaksHttp || (isAnswering && latest.res.headersSent)) socket.destroy();
    else if (isAnswering && latest.req.complete) latest.res.once('finish', () => socket.destroySoon());
    else refuseOnSocket(socket, codeOf[code] ?? 'BadRequestError', UNREADABLE);
  }

  /** Whoever speaks HTTP where a handshake is expected understands an answer below TLS only. */
  #refuseWithoutTls(ends: string): void {
    for (const [socket, between] of this.#accepted) {
      if (between === ends) refuseOnSocket(socket, 'BadRequestError', 'this port speaks TLS: use https');
    }
  }

  #closeHandshakes(): void {
    const speaking = new Set([...this.#connections.keys()].map(endsOf));
    for (const [socket, ends] of this.#accepted) if (!speaking.has(ends)) socket.destroy();
  }

  /** Not Node's own: that takes a connection on which nothing was asked yet for a busy one. */
  #closeIdleWhenStopping(): void {
    if (!this.#stopping) return;
    for (const [socket, exchange] of this.#connections) {
      if (!exchange || (exchange.req.complete && exchange.res.closed)) socket.destroy();
    }
  }
}

/** As soon as this is answered the connection ends. */
function endWith(res: ServerResponse): void {
  if (!res.headersSent) res.setHeader('Connection', 'close');
}

/** Tells which accepted socket is below one that speaks TLS: Node does not. */
const endsOf = ({ localAddress, localPort, remoteAddress, remotePort }: Socket) =>
  `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;

const codeOf: Record<string, ErrorCode> = {
  HPE_HEADER_OVERFLOW: 'RequestHeaderFieldsTooLarge',
  ERR_HTTP_REQUEST_TIMEOUT: 'RequestTimeout',
};
