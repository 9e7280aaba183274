import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';

/** Has it listen on loopback until the test ends; resolves to its port. */
export async function listening(t: Pick<ExecutionContext, 'teardown'>, server: Server): Promise<number> {
  // whoever keeps a connection is not to find it closed because a machine is slow
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}
