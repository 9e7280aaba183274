import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import { listening } from './listening.js';

/** A request on its way through. */
export interface Passing {
  method: string;
  /** With its query. */
  path: string;
  headers: IncomingHttpHeaders;
  /** How many have come before it. */
  before: number;
}

/** What becomes of a request, instead of what the server behind makes of it. */
export type Fault =
  | { status: number; code?: string; headers?: Record<string, string>; body?: Uint8Array }
  /** Nobody ever answers. */
  | 'silence'
  /** The connection is cut at once, or when so much of the answer has been sent, or behind a request that was done. */
  | 'reset'
  | { cutAfter: number }
  | 'done, and cut';

export interface FailingStore {
  url: string;
  requests: Passing[];
  /** Those that come, from now on; nothing for what is to go well. */
  fault: (passing: Passing) => Fault | undefined;
}

/** An HTTP server in front of another, which fails as it is told. The host that was signed for reaches the one behind. */
export async function startFailingStore(
  t: Pick<ExecutionContext, 'teardown'>,
  behind: string,
  fault: FailingStore['fault'] = () => undefined,
): Promise<FailingStore> {
  const { hostname, port } = new URL(behind);
  const proxy: FailingStore = { url: '', requests: [], fault };
  const server = createServer((req, res) => {
    const { method = 'GET', url: path = '/', headers } = req;
    const passing = { method, path, headers, before: proxy.requests.length };
    proxy.requests.push(passing);
    const found = proxy.fault(passing);
    if (found === 'silence') return void req.resume();
    if (found === 'reset') return void cut(req.socket);
    if (typeof found === 'object' && 'status' in found) {
      const { status, code = 'Failed', headers: told, body = bodyOf(status, code) } = found;
      req.resume();
      req.on('end', () => {
        res.writeHead(status, { 'content-length': Buffer.byteLength(body), ...told }).end(body);
      });
      return;
    }
    const onward = request({ hostname, port, method, path, headers }, (answer) => {
      if (found === 'done, and cut') {
        answer.resume();
        answer.on('end', () => cut(req.socket));
        return;
      }
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      let left = typeof found === 'object' ? found.cutAfter : Number.POSITIVE_INFINITY;
      answer.on('data', (chunk: Buffer) => {
        if (left <= 0) return;
        const sent = chunk.subarray(0, left);
        left -= sent.length;
        const goesOn = res.write(sent, () => left <= 0 && cut(req.socket));
        if (goesOn) return;
        answer.pause();
        res.once('drain', () => answer.resume());
      });
      answer.on('end', () => left > 0 && res.end());
      answer.on('error', () => cut(req.socket));
    });
    onward.on('error', () => cut(req.socket));
    res.on('close', () => onward.destroy());
    req.pipe(onward);
  });
  server.on('connection', (socket) => socket.on('error', () => {}));
  proxy.url = `http://127.0.0.1:${await listening(t, server)}`;
  return proxy;
}

function bodyOf(status: number, code: string): Uint8Array {
  if (status < 300) return Buffer.alloc(0);
  return Buffer.from(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>as told</Message></Error>`);
}

/** One that is ending already would keep the process for ever. */
function cut(socket: Socket): void {
  if (socket.writableEnded || socket.destroyed) socket.destroy();
  else socket.resetAndDestroy();
}
