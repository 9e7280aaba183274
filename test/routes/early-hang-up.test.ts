import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import type { BlobStore, StagedBlob } from '../../storage/blobs.js';
import { StorageDown } from '../../storage/errors.js';
import { ownBlobs } from '../support/engines.js';
import { gate } from '../support/gate.js';
import { startServer } from '../support/server.js';

/** A store that is asked for a place, and gives one only when the test lets it. */
async function hesitant(answer: (blobs: BlobStore) => Promise<StagedBlob>) {
  const real = await ownBlobs();
  const asked = gate();
  const ready = gate();
  const answered = gate();
  /** What was given a place has left it again; nothing was where none was given. */
  const gone = gate();
  const blobs: BlobStore = {
    stage: async () => {
      asked.open();
      await ready.opened;
      const blob = await answer(real)
        .catch((error: unknown) => {
          gone.open();
          throw error;
        })
        .finally(answered.open);
      return {
        key: blob.key,
        writable: blob.writable,
        commit: () => blob.commit(),
        discard: () => blob.discard().then(gone.open),
        suspend: () => blob.suspend().then(gone.open),
      };
    },
    resume: (key) => real.resume(key),
    stat: (key) => real.stat(key),
    read: (key, range) => real.read(key, range),
    delete: (key) => real.delete(key),
    list: () => real.list(),
    close: () => real.close(),
  };
  return { blobs, asked, ready, answered, gone };
}

const answers = {
  'and then there is room': (blobs: BlobStore) => blobs.stage(),
  'and then the disk is full': () => Promise.reject(new StorageDown('staging', new Error('no space left'))),
};

for (const [what, answer] of Object.entries(answers)) {
  test(`a client hangs up before the store is ready, ${what}`, async (t) => {
    const { blobs, asked, ready, answered, gone } = await hesitant(answer);
    const server = await startServer(t, { blobs });
    const { uuid } = await server.image({}, { file: null });
    const socket = connect(server.port, '127.0.0.1');
    const head = `PUT /images/${uuid}/file?compression=none HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${server.token}`;
    socket.write(`${head}\r\nContent-Length: 100\r\n\r\nthe first half of it`);
    await asked.opened;
    socket.destroy();
    await once(socket, 'close');
    for (let i = 0; i < 10; i += 1) t.is((await server.ask('GET', '/ping')).status, 200);
    ready.open();
    await answered.opened;

    t.is((await server.ask('GET', '/ping')).status, 200);
    t.deepEqual((await server.ask('GET', `/images/${uuid}`, { as: 'admin' })).json.files, []);
    await gone.opened;
    for await (const { key } of blobs.list()) t.fail(`left behind: ${key}`);
  });
}

test('a store that is full when it is asked for a place leaves the connection to the next request', async (t) => {
  const { blobs, ready } = await hesitant(answers['and then the disk is full']);
  const server = await startServer(t, { blobs });
  ready.open();
  const { uuid } = await server.image({}, { file: null });
  const file = { body: 'x'.repeat(1_000_000) };
  for (let i = 0; i < 3; i += 1) {
    const { status, json } = await server.ask('PUT', `/images/${uuid}/file?compression=none`, file);
    t.is(status, 503);
    t.is(json.code, 'StorageIsDown');
  }
});
