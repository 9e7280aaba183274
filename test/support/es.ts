import { connect } from 'node:net';
import type { TestServer } from './server.js';
import { splitHeader } from './wire.js';

export interface Reply {
  status: number;
  headers: Map<string, string>;
  /** The whole body, with the signs of life before a streamed answer. */
  text: string;
  json: { task_id?: string | null; status?: string; result?: unknown; detail?: string; token?: string };
}

export type Parameters = Record<string, unknown>;

export type Es = (action: Action, resource: string, parameters?: Parameters) => Promise<Reply>;

const methods = {
  login: 'POST',
  logout: 'GET',
  get: 'GET',
  create: 'POST',
  set: 'PUT',
  delete: 'DELETE',
  help: 'OPTIONS',
} as const;

type Action = keyof typeof methods;

const PATIENCE = 60_000;

/** Somebody at Danube Cloud's command line; credentials are whole header lines. */
export function es({ port }: Pick<TestServer, 'port'>, ...credentials: string[]): Es {
  return async (action, resource, parameters = {}) => {
    const answer = await sent(port, requestOf(port, action, resource, { parameters, credentials }));
    const end = answer.indexOf('\r\n\r\n');
    const [first = '', ...lines] = answer.slice(0, end).split('\r\n');
    const headers = new Map(lines.map((line) => splitHeader(line)));
    const rest = answer.slice(end + 4);
    const text = headers.get('transfer-encoding') === 'chunked' ? withoutChunks(rest) : rest;
    // a streamed answer begins with blanks and the status that it came to
    const [, streamed, body = text] = /^\s+(\d{3})\n(.*)$/s.exec(text) ?? [];
    return { status: Number(streamed ?? first.split(' ')[1]), headers, text, json: parsed(body) };
  };
}

/** Letter by letter what that command line sends, in its order. */
export function requestOf(
  port: number,
  action: Action,
  resource: string,
  { parameters = {}, credentials = [] }: { parameters?: Parameters; credentials?: string[] } = {},
): string {
  const method = methods[action];
  const query = new URLSearchParams(
    known(parameters).map(([name, value]): [string, string] => [name, inPython(value)]),
  );
  const body = method === 'GET' ? '' : dumped(parameters);
  const path = `/api${resource}${resource.endsWith('/') ? '' : '/'}`;
  return [
    `${method} ${path}${method === 'GET' && query.size > 0 ? `?${query}` : ''} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'User-Agent: es/1.3.2',
    'Accept-Encoding: gzip, deflate',
    'Accept: application/json; indent=4',
    'Connection: keep-alive',
    'Content-Type: application/json; indent=4',
    'ES-STREAM: es',
    ...credentials,
    ...(method === 'GET' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
    '',
    body,
  ].join('\r\n');
}

/** Its query leaves out what is None. */
const known = (parameters: Parameters) => Object.entries(parameters).filter(([, value]) => value !== null);

const inPython = (value: unknown) => (typeof value === 'boolean' ? ['False', 'True'][Number(value)]! : String(value));

/** JSON with a blank behind each comma and colon. */
function dumped(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(dumped).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}: ${dumped(member)}`);
  return `{${members.join(', ')}}`;
}

function sent(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request)).setEncoding('latin1');
    let back = '';
    socket.setTimeout(PATIENCE, () => socket.destroy(new Error(`silent for ${PATIENCE} ms after ${back}`)));
    socket.on('data', (text: string) => {
      back += text;
      if (isWhole(back)) socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(Buffer.from(back, 'latin1').toString()));
  });
}

function isWhole(answer: string): boolean {
  const end = answer.indexOf('\r\n\r\n');
  if (end === -1) return false;
  const [, length] = /\r\ncontent-length: (\d+)/i.exec(answer.slice(0, end)) ?? [];
  return length === undefined ? answer.endsWith('\r\n0\r\n\r\n') : answer.length >= end + 4 + Number(length);
}

function withoutChunks(body: string): string {
  const [, size = '0'] = /^([0-9a-f]+)\r\n/i.exec(body) ?? [];
  const from = body.indexOf('\r\n') + 2;
  const to = from + Number.parseInt(size, 16);
  return to === from ? '' : body.slice(from, to) + withoutChunks(body.slice(to + 2));
}

function parsed(body: string): Reply['json'] {
  try {
    return JSON.parse(body);
  } catch {
    return {};
  }
}
