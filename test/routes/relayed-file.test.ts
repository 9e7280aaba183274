import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { openKernel } from '../../server/kernel.js';
import { openS3Blobs } from '../../storage/blobs/s3.js';
import type { BlobStore } from '../../storage/blobs.js';
import { needsCeph, startCeph } from '../support/ceph.js';
import { startFailingStore } from '../support/failing-store.js';
import { isMet } from '../support/needs.js';
import { choiceIn } from '../support/s3-account.js';
import { startServer } from '../support/server.js';

const MIB = 1 << 20;
const kernel = await openKernel();
const bytes = randomBytes(20 * MIB + 3);

function about(title: string, proof: (t: ExecutionContext, relayed: Relayed) => Promise<void>): void {
  const full = `from a store past us: ${title}`;
  if (!isMet[needsCeph]) test.skip(`${full} (needs ${needsCeph})`, () => {});
  else if (!kernel) test.skip(`${full} (needs a kernel that can be asked)`, () => {});
  else test(full, async (t) => proof(t, await relayed(t)));
}

type Relayed = Awaited<ReturnType<typeof relayed>>;

about('a file comes as it went, whole and in parts, for one and for many', async (t, { server, path, bodies }) => {
  const ask = (range?: string) => server.ask('GET', path, { headers: range ? { range } : {} });
  t.true((await ask()).bytes.equals(bytes));
  const part = await ask('bytes=1000000-15999999');
  t.is(part.status, 206);
  t.true(part.bytes.equals(bytes.subarray(1_000_000, 16_000_000)));
  t.true((await ask('bytes=-700000')).bytes.equals(bytes.subarray(-700_000)));
  const many = await Promise.all(Array.from({ length: 8 }, () => ask()));
  t.true(many.every((answer) => answer.bytes.equals(bytes)));
  t.is(bodies.opened, 11);
  t.true(bodies.taken > 10 * MIB, 'most of it by the kernel');
  await bodies.allClosed();
});

about('a store that cuts, answers 500 and is reset is not noticed', async (t, { server, path, store, bodies }) => {
  for (const fault of [{ cutAfter: 5_000_000 }, { status: 500 }, 'reset'] as const) {
    let left = 2;
    store.fault = ({ method, headers }) => {
      const isMeant = method === 'GET' && headers.range !== undefined && left > 0;
      if (isMeant) left -= 1;
      return isMeant ? fault : undefined;
    };
    t.true((await server.ask('GET', path)).bytes.equals(bytes), JSON.stringify(fault));
    t.is(left, 0);
  }
  await bodies.allClosed();
});

about('a client that leaves, and one that does not read, leave nothing open', async (t, { server, path, bodies }) => {
  const socket = connect(server.port, '127.0.0.1');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await new Promise((resolve) => socket.once('data', resolve));
  socket.pause();
  t.is(bodies.open, 1);
  socket.destroy();
  await bodies.allClosed();
  t.true((await server.ask('GET', path)).bytes.equals(bytes));
});

async function relayed(t: ExecutionContext) {
  const ceph = await startCeph();
  const choice = choiceIn(ceph, await ceph.newBucket());
  const store = await startFailingStore(t, ceph.endpoint);
  const patience = { pauses: [20, 50, 100], answer: 20_000, idle: 20_000 };
  const blobs = await openS3Blobs({ ...choice, endpoint: store.url, patience });
  t.teardown(() => blobs.close());
  const bodies = watchBodies(blobs);
  const server = await startServer(t, { blobs, kernel });
  const { uuid } = await server.image({}, { file: null, activate: false });
  const query = 'compression=none';
  await server.ask('PUT', `/images/${uuid}/file?${query}`, { body: bytes });
  await server.ask('POST', `/images/${uuid}?action=activate`);
  return { server, path: `/images/${uuid}/file`, store, bodies };
}

function watchBodies(blobs: BlobStore) {
  const told: (() => void)[] = [];
  const bodies = {
    opened: 0,
    open: 0,
    taken: 0,
    /** What the client has whole is closed a moment later. */
    allClosed: () => new Promise<void>((resolve) => (bodies.open === 0 ? resolve() : told.push(resolve))),
  };
  const openBody = blobs.openBody!.bind(blobs);
  blobs.openBody = async (key, range) => {
    const body = await openBody(key, range);
    if (!body) return undefined;
    bodies.opened += 1;
    bodies.open += 1;
    return {
      get descriptor() {
        return body.descriptor;
      },
      size: body.size,
      read: () => body.read(),
      took: (count) => {
        bodies.taken += count;
        body.took(count);
      },
      close: async () => {
        await body.close();
        bodies.open -= 1;
        if (bodies.open === 0) for (const tell of told) tell();
      },
    };
  };
  return bodies;
}
