import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import test from 'ava';
import { openWith, WrongPassphrase } from '../../server/operations/passphrase.js';
import { sweep } from '../../server/operations/sweep.js';
import { restore } from '../../storage/backup.js';
import { contents } from '../../storage/holdings.js';
import { readTar } from '../../storage/tar.js';
import { ownBlobs, ownCatalog } from '../support/engines.js';
import { addUser } from '../support/fixtures.js';
import { startServer } from '../support/server.js';

async function membersOf(bytes: Buffer) {
  const found = new Map<string, Buffer>();
  for await (const { name, body } of readTar(Readable.from([bytes]))) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    found.set(name, Buffer.concat(chunks));
  }
  return found;
}

test('a SuperAdmin has the whole server in one tar, with its length', async (t) => {
  const server = await startServer(t);
  const image = await server.image();
  const { status, headers, bytes } = await server.ask('GET', '/api/backup', { as: 'admin' });
  t.is(status, 200);
  t.is(headers['content-type'], 'application/x-tar');
  t.is(headers['content-length'], String(bytes.length));
  const [catalog, blobs] = [await ownCatalog(), await ownBlobs()];
  const kept = new Map<string, string>();
  const restored = await restore(Readable.from([bytes]), {
    catalog,
    blobs,
    keep: async (name, content) => void kept.set(name, content.toString()),
  });
  t.is(restored.contents, 1);
  t.deepEqual([...kept.keys()].sort(), ['audit-head', 'audit-key']);
  t.is(kept.get('audit-key'), server.deps.audit.privateKey);
  for await (const holding of catalog.list(contents)) t.is(holding.size, image.files![0]!.size);
  t.is(server.deps.catalog.openSnapshots(), 0);
  await catalog.close();
});

test('others are refused, and those whose token may only read', async (t) => {
  const server = await startServer(t);
  const { headers } = await addUser(server, 'alice');
  t.is((await server.ask('GET', '/api/backup', { headers })).status, 403);
  t.is((await server.ask('GET', '/api/backup')).status, 401);
  const made = await server.ask('POST', '/api/token/reader', { body: { scope: 'read' } });
  const { token } = made.json.result as { token: string };
  const asked = await server.ask('GET', '/api/backup', { headers: { authorization: `Bearer ${token}` } });
  t.is(asked.status, 403);
});

test('a pull of it is in the audit', async (t) => {
  const server = await startServer(t);
  const { bytes } = await server.ask('GET', '/api/backup', { as: 'admin' });
  await server.deps.audit.flush();
  const { json } = await server.ask('GET', '/api/audit?what=BackUp', { as: 'admin' });
  t.like((json.result as object[])[0], { who: 'admin', what: 'BackUp', result: 'whole', bytes: bytes.length });
});

test('what is secret is in it under a passphrase only', async (t) => {
  const server = await startServer(t);
  const beside = { open: async () => new Map(), secret: async () => new Map([['admin-token', Buffer.from('hush')]]) };
  Object.assign(server.deps, { beside });
  const plain = await server.ask('GET', '/api/backup', { as: 'admin' });
  t.false((await membersOf(plain.bytes)).has('files/sealed'));
  const passphrase = 'correct horse é';
  const header = { 'backup-passphrase': Buffer.from(passphrase).toString('base64') };
  const { bytes } = await server.ask('GET', '/api/backup', { as: 'admin', headers: header });
  t.false(bytes.includes('hush'));
  t.false(bytes.includes(Buffer.from('hush').toString('base64')));
  const sealed = (await membersOf(bytes)).get('files/sealed')!;
  const opened: Record<string, string> = JSON.parse((await openWith(passphrase, sealed)).toString());
  t.deepEqual(opened, { 'admin-token': Buffer.from('hush').toString('base64') });
  await t.throwsAsync(openWith('another one', sealed), { instanceOf: WrongPassphrase });
  const short = { 'backup-passphrase': Buffer.from('short').toString('base64') };
  const refused = await server.ask('GET', '/api/backup', { as: 'admin', headers: short });
  t.like(refused, { status: 400, json: { code: 'InvalidInput' } });
  t.is(server.deps.catalog.openSnapshots(), 0);
});

test('a client that leaves in the middle leaves nothing open', async (t) => {
  const server = await startServer(t, { blobGrace: 0 });
  const image = await server.image({}, { file: 'x'.repeat(3_000_000) });
  const headers = { authorization: `Bearer ${server.token}` };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${server.url}/api/backup`, { headers }, resolve).on('error', reject);
  });
  await once(response, 'readable');
  response.destroy();
  while (server.deps.catalog.openSnapshots() > 0) await new Promise((resolve) => setImmediate(resolve));
  await server.ask('DELETE', `/images/${image.uuid}`);
  t.is((await sweep({ ...server.deps, now: () => new Date(Date.now() + 1000) })).unheld, 1);
});
