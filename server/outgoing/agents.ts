import { Agent, type ClientRequest, type ClientRequestArgs } from 'node:http';
import { type RequestOptions, Agent as TlsAgent } from 'node:https';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext, rootCertificates } from 'node:tls';
import { STALE_CONNECTION } from '../../imgapi/exchange-errors.js';
import type { ProxyServer } from './proxies.js';
import { tunnelThrough } from './tunnel.js';

/** What all connections of an agent have in common: none is ever handed to somebody for whom it was not made. */
export interface Line {
  lookup: LookupFunction;
  /** Throws where an address that stands in the URL itself may not be asked. */
  checkAddress(address: string): void;
  /** Milliseconds until there is a connection, TLS included. */
  patience: number;
  /** Certificates that are trusted beside the usual ones, as PEM. */
  ca?: string | undefined;
  /** Whoever answers is believed. */
  insecure?: boolean | undefined;
  proxy?: ProxyServer | undefined;
}

/** Connections that nobody uses are closed after so many milliseconds: well before the other side does, in mid-request. */
const IDLE = 2000;

type Opened = (error: Error | null, stream: Duplex) => void;

export const plainAgent = (line: Line): Agent =>
  tellingStale(line.proxy ? new ProxyAgent(line, line.proxy) : new DirectAgent(line));

export const tlsAgent = (line: Line): Agent =>
  tellingStale(line.proxy ? new TunnelAgent(line, line.proxy) : new DirectTlsAgent(line));

const cuts: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE']);

/** The other side may close an idle connection in the moment in which it is used again: a failure then says so. */
function tellingStale(agent: Agent): Agent {
  const reuse = agent.reuseSocket.bind(agent);
  agent.reuseSocket = (socket, request) => {
    reuse(socket, request);
    const tell = (error: NodeJS.ErrnoException) => {
      if (cuts.has(error.code)) error.code = STALE_CONNECTION;
    };
    request.once('error', tell).once('response', () => request.off('error', tell));
  };
  return agent;
}

class DirectAgent extends Agent {
  constructor(private readonly line: Line) {
    super({ keepAlive: true, timeout: IDLE });
  }

  override createConnection(options: ClientRequestArgs, opened?: Opened): Duplex | null | undefined {
    return direct(this.line, options.host, opened, () =>
      inTime(super.createConnection({ ...options, lookup: this.line.lookup }), 'connect', this.line.patience),
    );
  }
}

class DirectTlsAgent extends TlsAgent {
  constructor(private readonly line: Line) {
    super({ keepAlive: true, timeout: IDLE, ...trustOf(line) });
  }

  override createConnection(options: RequestOptions, opened?: Opened): Duplex | null | undefined {
    return direct(this.line, options.host, opened, () =>
      inTime(super.createConnection({ ...options, lookup: this.line.lookup }), 'secureConnect', this.line.patience),
    );
  }
}

/** Over TLS, through a connection that the proxy opens. */
class TunnelAgent extends TlsAgent {
  constructor(
    private readonly line: Line,
    private readonly proxy: ProxyServer,
  ) {
    super({ keepAlive: true, timeout: IDLE, ...trustOf(line) });
  }

  override createConnection(options: RequestOptions, opened?: Opened): undefined {
    const { patience } = this.line;
    const target = { host: options.host ?? '', port: Number(options.port) };
    tunnelThrough(this.proxy, target, patience).then(
      (socket) => {
        const through = { ...options, socket } as RequestOptions;
        const stream = inTime(super.createConnection(through), 'secureConnect', patience);
        if (stream) opened?.(null, stream);
      },
      (error: Error) => failed(opened, error),
    );
  }
}

/** What Node's agents do with each request, though their types do not tell. */
interface Adding {
  addRequest(request: ClientRequest, options: ClientRequestArgs): void;
}

/** In plain, the proxy is sent the whole URL. */
class ProxyAgent extends Agent implements Adding {
  constructor(
    private readonly line: Line,
    private readonly proxy: ProxyServer,
  ) {
    super({ keepAlive: true, timeout: IDLE });
  }

  addRequest(request: ClientRequest, options: ClientRequestArgs): void {
    const { url, authorization } = this.proxy;
    request.path = `http://${request.getHeader('host')}${request.path}`;
    if (authorization !== undefined) request.setHeader('proxy-authorization', authorization);
    const { addRequest } = Agent.prototype as unknown as Adding;
    const host = url.hostname.replace(/^\[|\]$/g, '');
    addRequest.call(this, request, { ...options, host, port: url.port || 80 });
  }

  override createConnection(options: ClientRequestArgs): Duplex | null | undefined {
    return inTime(super.createConnection(options), 'connect', this.line.patience);
  }
}

/** An address in a URL is looked up by nobody, so it is checked before. */
function direct(
  { checkAddress }: Line,
  host: string | null | undefined,
  opened: Opened | undefined,
  open: () => Duplex | null | undefined,
): Duplex | null | undefined {
  try {
    if (host && isIP(host) !== 0) checkAddress(host);
    return open();
  } catch (error) {
    failed(opened, error instanceof Error ? error : new Error(String(error)));
    return undefined;
  }
}

/** Node takes no stream with an error, whatever the types say. */
const failed = (opened: Opened | undefined, error: Error) => (opened as ((error: Error) => void) | undefined)?.(error);

function inTime(
  stream: Duplex | null | undefined,
  event: 'connect' | 'secureConnect',
  patience: number,
): Duplex | null | undefined {
  const socket = stream as Socket | null | undefined;
  if (!socket) return stream;
  const late = Object.assign(new Error(`no connection within ${patience / 1000} s`), { code: 'ETIMEDOUT' });
  const timer = setTimeout(() => socket.destroy(late), patience);
  const stop = () => clearTimeout(timer);
  socket.once(event, stop).once('close', stop);
  return socket;
}

/** Made once: to read some hundred certificates for each connection would take longer than the connection. */
function trustOf({ ca, insecure }: Line) {
  return {
    ...(insecure && { rejectUnauthorized: false }),
    ...(ca !== undefined && { secureContext: createSecureContext({ ca: [...rootCertificates, ca] }) }),
  };
}
