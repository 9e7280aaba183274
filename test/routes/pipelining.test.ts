import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import type { BlobStore } from '../../storage/blobs.js';
import { ownBlobs } from '../support/engines.js';
import { gate } from '../support/gate.js';
import { startServer } from '../support/server.js';

/** A store that counts who reads it, and tells when nobody does any more. */
async function countedBlobs() {
  const real = await ownBlobs();
  const all = gate();
  const none = gate();
  const counts = { begun: 0, open: 0 };
  const blobs: BlobStore = {
    stage: () => real.stage(),
    resume: (key) => real.resume(key),
    stat: (key) => real.stat(key),
    read: async (key, range) => {
      const chunks = await real.read(key, range);
      if (!chunks) return undefined;
      counts.begun += 1;
      counts.open += 1;
      if (counts.begun === REQUESTS) all.open();
      return counted(chunks, () => {
        counts.open -= 1;
        if (counts.open === 0 && counts.begun === REQUESTS) none.open();
      });
    },
    delete: (key) => real.delete(key),
    list: () => real.list(),
    close: () => real.close(),
  };
  return { blobs, all, none };
}

async function* counted(chunks: AsyncIterable<Uint8Array>, onEnd: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } finally {
    onEnd();
  }
}

const REQUESTS = 8;

test('files that were asked for one behind another are let go when the connection dies', async (t) => {
  const { blobs, all, none } = await countedBlobs();
  const server = await startServer(t, { blobs });
  const { uuid } = await server.image({}, { file: 'x'.repeat(20_000_000) });
  const socket = connect(server.port, '127.0.0.1').on('error', () => {});
  socket.write(`GET /images/${uuid}/file HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(REQUESTS));
  await once(socket, 'readable');
  await all.opened;
  socket.destroy();
  await none.opened;
  t.is((await server.ask('GET', '/ping')).status, 200);
});

test('garbage behind a request is not taken for its answer', async (t) => {
  const server = await startServer(t);
  const body = JSON.stringify({ name: 'a', version: '1', os: 'other', type: 'other' });
  const head = `POST /images HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${server.token}`;
  const request = `${head}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const answer = await server.raw(`${request}nonsense\r\n\r\n`, { waits: true });
  t.regex(answer, /^HTTP\/1\.1 200 OK\r\n/);
  t.is(answer.match(/^HTTP/gm)?.length, 1);
  t.is(server.deps.listing.size, 1);
});
