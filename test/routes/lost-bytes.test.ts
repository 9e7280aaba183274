import { get } from 'node:http';
import test from 'ava';
import type { BlobStore } from '../../storage/blobs.js';
import { StorageDown } from '../../storage/errors.js';
import { ownBlobs } from '../support/engines.js';
import { startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';

const FILE = 'x'.repeat(100_000);

/** Sound bytes until `faults` says otherwise. */
async function faulty(): Promise<{ blobs: BlobStore; faults: Partial<BlobStore> }> {
  const blobs = await ownBlobs();
  const faults: Partial<BlobStore> = {};
  return {
    faults,
    blobs: {
      stage: () => blobs.stage(),
      resume: (key) => blobs.resume(key),
      stat: (key) => (faults.stat ?? blobs.stat.bind(blobs))(key),
      read: (key, range) => (faults.read ?? blobs.read.bind(blobs))(key, range),
      delete: (key) => blobs.delete(key),
      list: () => blobs.list(),
      close: () => blobs.close(),
    },
  };
}

async function imageWithBoth({ ask, image }: TestServer): Promise<string> {
  const { uuid } = await image({}, { file: FILE });
  await ask('PUT', `/images/${uuid}/icon`, { body: FILE, headers: { 'content-type': 'image/png' } });
  return `/images/${uuid}`;
}

const down = () => Promise.reject(new StorageDown('reading', new Error('EIO')));
const touched = new Date(0);

async function* endingWith(error: Error | undefined, chunks: number): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < chunks; sent += 1) yield Buffer.alloc(1000);
  if (error) throw error;
}

const before: Record<string, Partial<BlobStore>> = {
  'the blob is missing': { stat: async () => undefined },
  'the blob is short': { stat: async () => ({ size: FILE.length - 1, touched }) },
  'the blob is empty': { stat: async () => ({ size: 0, touched }) },
  'the blob is too long': { stat: async () => ({ size: FILE.length + 1, touched }) },
  'the store fails to look': { stat: down },
  'the store fails to open': { read: down },
  'the blob goes away meanwhile': { read: async () => undefined },
  'the first read fails': { read: async () => endingWith(new StorageDown('reading', new Error('EIO')), 0) },
};

const paths = table<'path' | 'range'>(`
  path   range
  /file  -
  /file  bytes=5-9
  /icon  -
`);

for (const [what, fault] of Object.entries(before)) {
  test(`${what}: 503 before anything else is said`, async (t) => {
    const { blobs, faults } = await faulty();
    const server = await startServer(t, { blobs });
    const image = await imageWithBoth(server);
    Object.assign(faults, fault);
    for (const { path, range } of paths) {
      const { status, headers, json } = await server.ask('GET', `${image}${path}`, { headers: range ? { range } : {} });
      t.is(status, 503, path);
      t.is(json.code, 'StorageIsDown', path);
      t.is(headers['content-type'], 'application/json', path);
      for (const name of ['content-md5', 'etag', 'last-modified', 'accept-ranges', 'content-range', 'cache-control']) {
        t.is(headers[name], undefined, `${path} ${range} ${name}`);
      }
      t.false(JSON.stringify(json).includes('EIO'), 'the cause is for the log');
    }
    t.is((await server.ask('GET', image)).status, 200, 'the manifest is still there');
    for (const name of ['stat', 'read'] as const) delete faults[name];
    t.is(
      (await server.ask('GET', `${image}/file`)).bytes.length,
      FILE.length,
      'as are the bytes when all is well again',
    );
  });
}

test('HEAD tells of bytes that are missing', async (t) => {
  const { blobs, faults } = await faulty();
  const server = await startServer(t, { blobs });
  const image = await imageWithBoth(server);
  faults.stat = async () => undefined;
  const { status, headers } = await server.ask('HEAD', `${image}/file`);
  t.is(status, 503);
  t.is(headers['content-md5'], undefined);
});

test('what is decided without the bytes does not need them', async (t) => {
  const { blobs, faults } = await faulty();
  const server = await startServer(t, { blobs });
  const image = await imageWithBoth(server);
  faults.stat = down;
  for (const [headers, status] of [
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-match': 'other' }, 412],
    [{ range: `bytes=${FILE.length}-` }, 416],
  ] as const) {
    t.is((await server.ask('GET', `${image}/file`, { headers })).status, status);
  }
});

const middle: Record<string, Partial<BlobStore>> = {
  'the storage fails': { read: async () => endingWith(new StorageDown('reading', new Error('EIO')), 5) },
  'the driver has a bug': { read: async () => endingWith(new TypeError('oops'), 5) },
};

for (const [what, fault] of Object.entries(middle)) {
  test(`in the middle of a file ${what}: the connection breaks, the server goes on`, async (t) => {
    const { blobs, faults } = await faulty();
    const server = await startServer(t, { blobs });
    const image = await imageWithBoth(server);
    Object.assign(faults, fault);
    const { status, received, broken } = await download(`${server.url}${image}/file`);
    t.is(status, 200);
    t.true(broken);
    t.true(received < FILE.length);
    t.is((await server.ask('GET', '/ping')).status, 200);
  });
}

test('a store that gives fewer bytes than it promised breaks the connection, though it could be kept alive', async (t) => {
  const { blobs, faults } = await faulty();
  const server = await startServer(t, { blobs });
  const image = await imageWithBoth(server);
  faults.read = async () => endingWith(undefined, 5);
  await t.throwsAsync(server.ask('GET', `${image}/file`), { code: 'ECONNRESET' });
});

test('of a store that gives more bytes than it promised nothing is sent that the next answer begins with', async (t) => {
  const { blobs, faults } = await faulty();
  const server = await startServer(t, { blobs });
  const image = await imageWithBoth(server);
  faults.read = async () => endingWith(undefined, 2 * (FILE.length / 1000));
  const received = await server.raw(`GET ${image}/file HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  t.true(received.startsWith('HTTP/1.1 200 OK'));
  t.is(received.length - (received.indexOf('\r\n\r\n') + 4), FILE.length);
});

test('a client that leaves in the middle harms nobody, and the blob is closed', async (t) => {
  const { blobs, faults } = await faulty();
  const server = await startServer(t, { blobs });
  const image = await imageWithBoth(server);
  const closed = new Promise<void>((resolve) => {
    faults.read = async () => endless(resolve);
  });
  const request = get(`${server.url}${image}/file`, (response) => response.once('data', () => request.destroy()));
  request.on('error', () => {});
  await closed;
  t.is((await server.ask('GET', '/ping')).status, 200);
});

async function* endless(onClose: () => void): AsyncGenerator<Uint8Array> {
  try {
    for (;;) yield Buffer.alloc(64 * 1024);
  } finally {
    onClose();
  }
}

function download(url: string): Promise<{ status: number; received: number; broken: boolean }> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      let received = 0;
      response.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      response.on('error', () => {});
      response.once('close', () => resolve({ status: response.statusCode ?? 0, received, broken: !response.complete }));
    }).once('error', reject);
  });
}
