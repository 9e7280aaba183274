import { connect, createServer, type Socket } from 'node:net';

/**
 * A way to a port of this machine that is as long as one around half of the world, and as wide as this machine.
 *
 *   node slow-line.js PORT MILLISECONDS
 */
const [, , port = '0', delay = '0'] = process.argv;

/** What has set out and not arrived: a line of 50 ms and 2.5 Gbit/s holds 16 MiB. */
const MOST_UNDER_WAY = 32 * 2 ** 20;

function carry(from: Socket, to: Socket): void {
  let underWay = 0;
  const arrive = (chunk: Buffer) => {
    underWay -= chunk.length;
    if (!to.destroyed) to.write(chunk);
    if (underWay + to.writableLength < MOST_UNDER_WAY) from.resume();
  };
  from.on('data', (chunk: Buffer) => {
    underWay += chunk.length;
    if (underWay + to.writableLength >= MOST_UNDER_WAY) from.pause();
    setTimeout(arrive, Number(delay), chunk);
  });
  to.on('drain', () => from.resume());
  from.on('end', () => setTimeout(() => to.end(), Number(delay)));
  from.on('close', () => setTimeout(() => to.destroy(), Number(delay)));
}

const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
  const far = connect({ port: Number(port), host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  for (const socket of [near, far]) socket.on('error', () => socket.destroy());
  carry(near, far);
  carry(far, near);
});
server.listen(0, '127.0.0.1', () => {
  const { port: own } = server.address() as { port: number };
  console.log(`listening on http://127.0.0.1:${own}`);
});
process.once('SIGTERM', () => process.exit());
