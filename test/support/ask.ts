import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';
import { Readable } from 'node:stream';

export interface Ask {
  /** An object is sent as JSON, anything else as it is. */
  body?: object | string | Buffer | Readable;
  headers?: Record<string, string>;
  /** Without credentials unless the caller is the administrator, which is the default for everything but GET. */
  as?: 'admin' | 'anonymous';
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
  /** The body parsed as a JSON object; empty where it is none. */
  json: Wire;
  /** The body parsed as a JSON array; empty where it is none. */
  list: Wire[];
}

/** A manifest or a refusal, as it comes over the wire. */
export interface Wire {
  [field: string]: unknown;
  uuid: string;
  state?: string;
  code?: string;
  message?: string;
  errors?: { field: string; code: string; message?: string }[];
  files?: { sha1: string; size: number; compression: string; dataset_guid?: string; stor?: string }[];
}

export interface Asker {
  /** Path as it goes over the wire, without any normalization. */
  ask(method: string, path: string, options?: Ask): Promise<Answer>;
  close(): void;
}

/** Asks a server on loopback, over connections that are kept; over TLS where there is a certificate to trust. */
export function asker(port: number, token: string, ca?: string): Asker {
  const agent = ca === undefined ? new Agent({ keepAlive: true }) : new TlsAgent({ keepAlive: true, ca });
  const send = ca === undefined ? httpRequest : httpsRequest;
  return {
    close: () => agent.destroy(),
    ask: (method, path, { body, headers = {}, as } = {}) =>
      new Promise((resolve, reject) => {
        const isAdmin = (as ?? (method === 'GET' || method === 'HEAD' ? 'anonymous' : 'admin')) === 'admin';
        const plain = typeof body === 'string' || Buffer.isBuffer(body) || body instanceof Readable;
        const payload = body === undefined || plain ? body : JSON.stringify(body);
        const request = send(
          {
            host: '127.0.0.1',
            port,
            method,
            path,
            agent,
            headers: {
              ...(isAdmin && { authorization: `Bearer ${token}` }),
              ...(body !== undefined && !plain && { 'content-type': 'application/json' }),
              ...(typeof payload === 'string' && { 'content-length': String(Buffer.byteLength(payload)) }),
              ...(Buffer.isBuffer(payload) && { 'content-length': String(payload.length) }),
              ...headers,
            },
          },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.once('error', reject);
            // A stream of events has no end: who only asks leaves it at once.
            if (response.headers['content-type'] === 'text/event-stream') {
              request.once('error', () => {});
              resolve({
                status: response.statusCode ?? 0,
                headers: response.headers,
                bytes: Buffer.alloc(0),
                ...parsed(Buffer.alloc(0)),
              });
              response.destroy();
            }
            response.once('end', () => {
              const bytes = Buffer.concat(chunks);
              resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, ...parsed(bytes) });
            });
          },
        );
        request.once('error', reject);
        if (payload instanceof Readable) payload.once('error', () => request.destroy()).pipe(request);
        else request.end(payload);
      }),
  };
}

function parsed(bytes: Buffer): { json: Wire; list: Wire[] } {
  const none = { json: {} as Wire, list: [] };
  try {
    const value = JSON.parse(bytes.toString());
    return Array.isArray(value) ? { ...none, list: value } : { ...none, json: Object(value) };
  } catch {
    // Not JSON: the test looks at the bytes.
    return none;
  }
}
