import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench } from '../part.js';
import { type Server, startServer } from './server.js';

const programs = {
  'Koa, router and pino': new URL('./constant-koa.js', import.meta.url),
  'bare http': new URL('./constant-http.js', import.meta.url),
};

/** A server that answers every request with this body. */
export async function startConstant(bench: Bench, name: keyof typeof programs, body: Buffer): Promise<Server> {
  const path = join(bench.directory, `${name}.body`);
  await writeFile(path, body);
  return startServer(bench, { name, command: process.execPath, args: [fileURLToPath(programs[name]), path] });
}
