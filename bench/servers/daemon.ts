import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench } from '../part.js';
import { type Server, startServer } from './server.js';

export interface Daemon extends Server {
  data: string;
  token: string;
}

const main = fileURLToPath(new URL('../../server/main.js', import.meta.url));

/** Slipway as it is installed, with its log and its metrics. */
export const startDaemon = (bench: Bench, data = join(bench.directory, 'data'), ...args: string[]) =>
  start(bench, data, [main, '--port', '0', '--data', data, ...args]);

/** What it would be if it took no note of what it serves. */
export const startDaemonWithoutAudit = (bench: Bench, data: string) =>
  start(bench, data, ['--import', fileURLToPath(withoutAudit), main, '--port', '0', '--data', data]);

const withoutAudit = new URL('./without-audit.js', import.meta.url);

async function start(bench: Bench, data: string, args: string[]) {
  const server = await startServer(bench, { name: 'slipway', command: process.execPath, args });
  const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
  return { ...server, data, token } satisfies Daemon;
}
