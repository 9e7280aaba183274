import { writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Bench } from '../part.js';
import type { Daemon } from './daemon.js';
import { type Server, startServer } from './server.js';

/** An answer, as it went over the wire. */
export interface Kept {
  path: string;
  headers: Record<string, string>;
  /** In base64. */
  body: string;
}

/** What a browser is sent for a path. */
export async function keep({ port, token }: Daemon, path: string): Promise<Kept> {
  const headers = { 'Accept-Encoding': 'gzip, br', Authorization: `Bearer ${token}` };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ port, path, headers, agent: false }, resolve).once('error', reject);
  });
  if (response.statusCode !== 200) throw new Error(`${path}: ${response.statusCode}`);
  const { 'content-type': type = '', 'content-encoding': encoding } = response.headers;
  return {
    path,
    headers: { 'Content-Type': type, ...(encoding && { 'Content-Encoding': encoding }) },
    body: (await buffer(response)).toString('base64'),
  };
}

/** The path of the page of such a site. */
export const PAGE = '/page';

const COLUMNS = ['label', 'alias', 'name', 'status', 'os', 'size', 'access', 'owner', 'dcs'];

/**
 * A page that fetches the same at once, and shows as many rows of the list as text: what any page costs that has these bytes.
 */
function pageOf(kept: readonly Kept[], list: string, rows: number): Kept {
  const style = kept.find(({ path }) => path.endsWith('.css'))?.path;
  const others = kept.filter(({ path }) => path !== style && path !== list).map(({ path }) => path);
  const script = `
const [text] = await Promise.all(${JSON.stringify([list, ...others])}.map(async (path) => (await fetch(path)).text()));
const table = document.createElement('table');
table.tabIndex = 0;
let at = 0;
const rows = JSON.parse(text).result.slice(0, ${rows}).map((row) => {
  const line = table.insertRow();
  for (const name of ${JSON.stringify(COLUMNS)}) line.insertCell().textContent = String(row[name]);
  return line;
});
table.setAttribute('role', 'grid');
table.addEventListener('keydown', () => {
  rows[at].classList.remove('focused');
  rows[(at += 1)].classList.add('focused');
});
rows[0].classList.add('focused');
document.body.append(table);`;
  const html = `<!doctype html><title>bare</title><link rel="stylesheet" href="${style}"><body><script type="module">${script}</script>`;
  return { path: PAGE, headers: { 'Content-Type': 'text/html' }, body: Buffer.from(html).toString('base64') };
}

/** A server that has these answers, and a page that needs them all. */
export async function startSite(bench: Bench, kept: readonly Kept[], list: string, rows: number): Promise<Server> {
  const path = join(bench.directory, 'site.json');
  await writeFile(path, JSON.stringify([pageOf(kept, list, rows), ...kept]));
  const program = fileURLToPath(new URL('./bare-site.js', import.meta.url));
  return startServer(bench, { name: 'a bare page', command: process.execPath, args: [program, path] });
}
