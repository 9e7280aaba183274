import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { openMemoryBlobs } from '../../storage/blobs/memory.js';
import { startServer } from '../support/server.js';

const BYTES = 'in the store';

/** A server whose store has addresses at which blobs are read, and that store. */
async function withStore(t: ExecutionContext) {
  const blobs = await openMemoryBlobs();
  const signed: { key: string; filename?: string; seconds: number }[] = [];
  const store = createServer((_req, res) => res.end(BYTES)).listen(0, '127.0.0.1');
  await new Promise((resolve) => store.once('listening', resolve));
  t.teardown(() => store.close());
  const { port } = store.address() as AddressInfo;
  const presign = async (key: string, options: { filename?: string; seconds: number }) => {
    signed.push({ key, ...options });
    return `http://127.0.0.1:${port}/${key}?signature=s`;
  };
  const server = await startServer(t, { blobs: Object.assign(blobs, { presign }) });
  const { uuid } = await server.image({ name: 'base', version: '1.0' }, { file: BYTES });
  return { server, path: `/images/${uuid}/file`, signed, port, uuid };
}

test('who asks for it is sent to the store, for a minute at most', async (t) => {
  const { server, path, signed, port } = await withStore(t);
  const { status, headers, bytes } = await server.ask('GET', `${path}?redirect=1`);
  t.is(status, 302);
  t.true(headers.location?.startsWith(`http://127.0.0.1:${port}/${signed[0]!.key}?`));
  t.is(headers['cache-control'], 'no-store');
  t.is(bytes.length, 0);
  t.deepEqual(signed, [{ key: signed[0]!.key, filename: 'base-1.0', seconds: 60 }]);
});

test('nobody is who did not ask for it', async (t) => {
  const { server, path, signed } = await withStore(t);
  for (const query of ['', '?redirect=0', '?redirect=false']) {
    const { status, bytes } = await server.ask('GET', `${path}${query}`);
    t.deepEqual([status, bytes.toString()], [200, BYTES], query);
  }
  t.is((await server.ask('HEAD', `${path}?redirect=1`)).status, 200);
  t.is((await server.ask('GET', `${path}?redirect=maybe`)).status, 422);
  t.deepEqual(signed, []);
});

test('a store that has no addresses sends nobody away', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({}, { file: BYTES });
  if (server.deps.blobs.presign) {
    t.pass('this one has');
    return;
  }
  const { status, bytes } = await server.ask('GET', `/images/${uuid}/file?redirect=1`);
  t.deepEqual([status, bytes.toString()], [200, BYTES]);
});

test('what somebody may not see he is not sent to, and hears of in the same words', async (t) => {
  const { server, path, signed } = await withStore(t);
  const { uuid } = await server.image({ name: 'secret', version: '1', public: false }, { file: BYTES });
  const hidden = await server.ask('GET', `/images/${uuid}/file?redirect=1`);
  const plain = await server.ask('GET', `/images/${uuid}/file`);
  t.deepEqual([hidden.status, hidden.json], [plain.status, plain.json]);
  t.is(hidden.status, 404);
  t.is(hidden.headers.location, undefined);
  t.deepEqual(signed, []);
  t.is((await server.ask('GET', `${path}?redirect=1`)).status, 302);
});

test('it is a redirect in the audit, without the address', async (t) => {
  const { server, path, uuid } = await withStore(t);
  await server.ask('GET', `${path}?redirect=1`);
  await server.deps.audit.flush();
  const { json } = await server.ask('GET', `/api/audit?object=${uuid}`, {
    headers: { authorization: `Bearer ${server.token}` },
  });
  const text = JSON.stringify(json);
  t.true(text.includes('"redirect"'), text);
  t.false(text.includes('signature'));
});

test('who has the file already is told so', async (t) => {
  const { server, path } = await withStore(t);
  const { headers } = await server.ask('GET', path);
  const again = await server.ask('GET', `${path}?redirect=1`, { headers: { 'if-none-match': headers.etag! } });
  t.is(again.status, 304);
  t.is(again.headers.location, undefined);
});
