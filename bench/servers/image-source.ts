import { createReadStream } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { manifest } from './fill.js';

/**
 * Another image server: any uuid is that of an image with the same file, and the list has as many as wanted.
 *
 *   node image-source.js FILE SIZE SHA1 IMAGES
 */
const [, , file = '', size = '0', sha1 = '', images = '0'] = process.argv;
const PAGE = 1000;

const uuidOf = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

const imageOf = (uuid: string) => ({
  v: 2,
  uuid,
  ...manifest(`image-${uuid.slice(-6)}`),
  owner: '00000000-0000-0000-0000-000000000000',
  state: 'active',
  disabled: false,
  published_at: '2026-01-01T00:00:00.000Z',
  description: 'x'.repeat(1500),
  files: [{ sha1, size: Number(size), compression: 'none' }],
});

const list = Array.from({ length: Number(images) }, (_, n) => JSON.stringify(imageOf(uuidOf(n))));

function listed(search: URLSearchParams): string {
  const marker = search.get('marker');
  const from = marker === null ? 0 : Number(marker.slice(-12));
  const limit = Number(search.get('limit') ?? 0) || (marker === null ? list.length : PAGE);
  return `[${list.slice(from, from + limit).join(',')}]`;
}

function sendFile(range: string | undefined, response: ServerResponse): void {
  const from = Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
  response.writeHead(from > 0 ? 206 : 200, {
    'content-length': Number(size) - from,
    etag: `"${sha1}"`,
    ...(from > 0 && { 'content-range': `bytes ${from}-${Number(size) - 1}/${size}` }),
  });
  createReadStream(file, { start: from, highWaterMark: 1 << 20 }).pipe(response);
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const [, uuid, part] = /^\/images\/([^/]+)(\/file)?$/.exec(pathname) ?? [];
  if (part) return sendFile(request.headers.range, response);
  const body = pathname === '/images' ? listed(searchParams) : JSON.stringify(uuid ? imageOf(uuid) : { imgapi: true });
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`listening on http://127.0.0.1:${port}`);
});
process.once('SIGTERM', () => process.exit());
