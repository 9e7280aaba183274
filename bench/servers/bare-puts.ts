import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { Level } from 'level';

// Keeps what is posted as one would with Node and LevelDB alone: each in a put of its own, on the disk before the next.

const [directory = '.'] = process.argv.slice(2);
const level = new Level<string, string>(directory);
await level.open();
let last: Promise<void> = Promise.resolve();

const server = createServer(async (req, res) => {
  const record = { uuid: randomUUID(), ...((await json(req)) as object) };
  last = last.then(() => level.put(record.uuid, JSON.stringify(record), { sync: true }));
  await last;
  const body = Buffer.from(JSON.stringify(record, null, 2));
  res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
  res.end(body);
});
server.listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
