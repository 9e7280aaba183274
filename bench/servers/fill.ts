import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { request } from 'node:http';
import type { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { Daemon } from './daemon.js';

export const manifest = (name: string) => ({
  name,
  version: '1.0.0',
  type: 'zone-dataset',
  os: 'smartos',
  public: true,
});

/** An active image whose file is this one. */
export async function addImage(daemon: Daemon, path: string): Promise<string> {
  const { uuid } = (await ask(daemon, 'POST', '/images', manifest('bench'))) as { uuid: string };
  await putFile(daemon, `/images/${uuid}/file?compression=none`, path);
  await ask(daemon, 'POST', `/images/${uuid}?action=activate`);
  return uuid;
}

async function putFile(daemon: Daemon, path: string, file: string): Promise<unknown> {
  const { size } = await stat(file);
  return send(daemon, 'PUT', path, { 'Content-Length': size }, createReadStream(file, { highWaterMark: 1 << 20 }));
}

export function ask(daemon: Daemon, method: string, path: string, body?: unknown): Promise<unknown> {
  return send(daemon, method, path, { 'Content-Type': 'application/json' }, JSON.stringify(body ?? {}));
}

async function send(
  { port, token }: Daemon,
  method: string,
  path: string,
  headers: Record<string, string | number>,
  body: Readable | string,
): Promise<unknown> {
  const sent = request({
    port,
    method,
    path,
    agent: false,
    headers: { Authorization: `Bearer ${token}`, 'x-request-id': randomUUID(), ...headers },
  });
  const answered = new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve).once('error', reject);
  });
  await Promise.all([typeof body === 'string' ? sent.end(body) : pipeline(body, sent), answered]);
  const response = await answered;
  const answer = response.statusCode === 204 ? response.resume() : await json(response);
  if (response.statusCode! >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
  return answer;
}
