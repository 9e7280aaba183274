import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { ExecutionContext } from 'ava';
import { listening } from './listening.js';

export type Reply = (request: IncomingMessage, response: ServerResponse) => unknown;

export interface Remote {
  url: string;
  /** What it was asked, in order. */
  asked: string[];
}

/** Somebody else's image server, which does as told: replies by method and path, without the query. */
export async function remote(
  t: Pick<ExecutionContext, 'teardown'>,
  replies: Record<string, object | Reply>,
): Promise<Remote> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const [path = ''] = request.url?.split('?', 1) ?? [];
    asked.push(`${request.method} ${request.url}`);
    const reply = replies[`${request.method} ${path}`] ?? { code: 'ResourceNotFound', message: `no ${path}` };
    if (typeof reply === 'function') return void reply(request, response);
    request.resume();
    response.writeHead('code' in reply ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(reply));
  });
  return { url: `http://127.0.0.1:${await listening(t, server)}`, asked };
}
