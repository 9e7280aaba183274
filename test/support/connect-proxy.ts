import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';

export interface ConnectProxy {
  url: string;
  /** What it was asked: `CONNECT host:port`, or the method and the whole URL. */
  asked: string[];
  /** What it was told about who asks. */
  told: (string | undefined)[];
}

/** A proxy as RFC 9110 describes it: whole URLs in plain, CONNECT for all else. Every name leads it to loopback. */
export async function connectProxy(
  t: Pick<ExecutionContext, 'teardown'>,
  { refuse }: { refuse?: number } = {},
): Promise<ConnectProxy> {
  const asked: string[] = [];
  const told: (string | undefined)[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((incoming, outgoing) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    told.push(incoming.headers['proxy-authorization']);
    if (refuse !== undefined) return void outgoing.writeHead(refuse).end();
    const { port, pathname, search } = new URL(incoming.url ?? '');
    const options = { host: '127.0.0.1', port, path: pathname + search, method: incoming.method ?? 'GET' };
    const onward = request({ ...options, headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
    onward.once('error', () => outgoing.destroy());
  });
  server.on('connect', (incoming, socket: Socket) => {
    asked.push(`CONNECT ${incoming.url}`);
    told.push(incoming.headers['proxy-authorization']);
    if (refuse !== undefined) return void socket.end(`HTTP/1.1 ${refuse} No\r\n\r\n`);
    const onward = connect(Number(incoming.url?.split(':').pop()), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    for (const one of [socket, onward]) {
      sockets.add(one);
      one.on('error', () => {});
      one.once('close', () => sockets.delete(one));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
    for (const socket of sockets) socket.destroy();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, told };
}
