import { createServer, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import type { ExecutionContext } from 'ava';
import { signatureOf } from '../../server/model/delivery.js';
import { listening } from './listening.js';

export interface Received {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever was sent
  json: any;
}

export interface Receiver {
  url: string;
  received: Received[];
  /** Resolves when so many have come. */
  count(number: number): Promise<Received[]>;
}

/** Among statuses: nothing is answered. */
export const NEVER = 0;

/** Somebody who is told, and answers with these, one after the other, and then always with 204. */
export async function receiver(t: Pick<ExecutionContext, 'teardown'>, statuses: number[] = []): Promise<Receiver> {
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const body = await text(request);
    const status = statuses.shift() ?? 204;
    if (status !== NEVER) response.writeHead(status).end();
    received.push({ method, url, headers, body, json: body === '' ? undefined : JSON.parse(body) });
    for (const look of [...waiting]) look();
  });
  const count = (number: number) =>
    new Promise<Received[]>((resolve) => {
      const look = () => {
        if (received.length < number) return;
        waiting.delete(look);
        resolve(received);
      };
      waiting.add(look);
      look();
    });
  return { url: `http://127.0.0.1:${await listening(t, server)}`, received, count };
}

/** Whether whoever has the key signed this. */
export function isSigned({ method, url, headers, body }: Received, key: string): boolean {
  const signed = method === 'GET' ? new URL(url, 'http://x').search.slice(1) : body;
  const timestamp = String(headers['slipway-timestamp']);
  return /^\d{10}$/.test(timestamp) && headers['slipway-signature'] === signatureOf(key, timestamp, signed);
}
