import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';

const IDLE = 120_000;
const KEEP_ALIVE = 75_000;
const HEADERS = 60_000;

/** Idle connections are cut; a transfer that moves may take as long as it needs, and so may our own work. */
export function createHttpServer(listener: RequestListener): Server {
  const server = createServer({ requestTimeout: 0, headersTimeout: HEADERS, keepAliveTimeout: KEEP_ALIVE }, listener);
  const connections = new Map<Socket, { req: IncomingMessage; res: ServerResponse } | undefined>();
  server.on('connection', (socket) => {
    connections.set(socket, undefined);
    socket.once('close', () => connections.delete(socket));
  });
  // Node takes a connection on which nothing was asked yet for a busy one; it would hold up a stop.
  server.closeIdleConnections = () => {
    for (const [socket, exchange] of connections) {
      if (!exchange || (exchange.req.complete && exchange.res.closed)) socket.destroy();
    }
  };
  server.setTimeout(IDLE, (socket) => {
    const exchange = connections.get(socket);
    const weAreWorking = exchange?.req.complete && !exchange.res.headersSent;
    if (weAreWorking) socket.setTimeout(IDLE);
    else socket.destroy();
  });
  server.on('request', (req, res) => {
    connections.set(req.socket, { req, res });
    // When the server is closing, a connection that has done its work would otherwise stay open for the next request.
    for (const side of [req, res]) {
      side.once('close', () => setImmediate(() => server.listening || server.closeIdleConnections()));
    }
  });
  server.on('clientError', refuseMalformed);
  return server;
}

const statusOf: Record<string, string> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** What is no HTTP never reaches the application. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const status = statusOf[error.code ?? ''] ?? '400 Bad Request';
  const body = JSON.stringify({ code: 'BadRequestError', message: 'the request is malformed' }, null, 2);
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
  socket.end(`${head}\r\nConnection: close\r\n\r\n${body}`);
}

export function listen(server: Server, port: number, address: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      const bound = server.address();
      if (bound && typeof bound === 'object') resolve(bound);
      else reject(new Error(`can not tell where the server listens: ${bound}`));
    });
  });
}

/** No new connections; those that carry a request may finish it within the grace time. */
export async function closeGracefully(server: Server, grace: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), grace);
  await closed;
  clearTimeout(timer);
}
