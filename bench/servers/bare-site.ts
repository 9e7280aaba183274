import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Kept } from './site.js';

// The same answers as somebody else gave, from buffers, and no log.

const kept = JSON.parse(await readFile(process.argv[2]!, 'utf8')) as Kept[];
const answers = new Map(
  kept.map(({ path, headers, body }) => [path, { headers, body: Buffer.from(body, 'base64') }] as const),
);

const server = createServer(({ url = '' }, res) => {
  const answer = answers.get(url);
  res.writeHead(answer ? 200 : 404, { ...answer?.headers, 'Content-Length': answer?.body.length ?? 0 });
  res.end(answer?.body);
});
server.listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
