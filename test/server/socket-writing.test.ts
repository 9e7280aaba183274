import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import test from 'ava';
import { ClientLeft } from '../../server/context.js';
import { write } from '../../server/socket-writing.js';

test('a client that breaks the connection has left, whatever the socket calls it', async (t) => {
  const server = createServer();
  t.teardown(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.end('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
  const [req, res] = await once(server, 'request');
  const bytes = Buffer.alloc(64 << 20);
  res.setHeader('Content-Length', 2 * bytes.length);
  const writing = write(res, bytes);
  // one that still reads hears of the end there, not from what it writes
  if (!req.socket.readableEnded) await once(req.socket, 'end');
  client.resetAndDestroy();
  const { cause } = await t.throwsAsync(writing, { instanceOf: ClientLeft });
  t.regex(String(cause), /ECONNRESET|EPIPE/);
});
