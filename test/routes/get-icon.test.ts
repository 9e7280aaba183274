import { createHash } from 'node:crypto';
import test from 'ava';
import { startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';

const ICON = 'an icon!';
const sha1 = createHash('sha1').update(ICON).digest('hex');

async function withIcon({ ask, image }: TestServer, type = 'image/png'): Promise<string> {
  const { uuid } = await image();
  await ask('PUT', `/images/${uuid}/icon`, { body: ICON, headers: { 'content-type': type } });
  return `/images/${uuid}/icon`;
}

for (const type of ['image/png', 'image/gif', 'image/jpeg']) {
  test(`the bytes of an ${type} and their headers`, async (t) => {
    const server = await startServer(t, { now: () => new Date('2026-01-02T03:04:05.678Z') });
    const path = await withIcon(server, type);
    for (const method of ['GET', 'HEAD']) {
      const { status, headers, bytes } = await server.ask(method, path);
      t.is(status, 200);
      t.is(bytes.toString(), method === 'GET' ? ICON : '');
      t.like(headers, {
        'content-type': type,
        'content-length': '8',
        'content-md5': createHash('md5').update(ICON).digest('base64'),
        etag: `"${sha1}"`,
        'last-modified': 'Fri, 02 Jan 2026 03:04:05 GMT',
      });
    }
  });
}

test('an image without an icon has none to give', async (t) => {
  const { ask, image } = await startServer(t);
  const { uuid } = await image();
  const { status, json } = await ask('GET', `/images/${uuid}/icon`);
  t.is(status, 404);
  t.is(json.code, 'ResourceNotFound');
  t.false('icon' in (await ask('GET', `/images/${uuid}`)).json);
});

test('the manifest tells of an icon', async (t) => {
  const server = await startServer(t);
  const path = await withIcon(server);
  t.is((await server.ask('GET', path.replace('/icon', ''))).json.icon, true);
});

const conditions = table<'header' | 'value' | 'status'>(`
  header               value                          status
  if-none-match        "SHA1"                         304
  if-none-match        SHA1                           304
  if-none-match        "other"                        200
  if-match             "SHA1"                         200
  if-match             "other"                        412
  if-modified-since    Thu, 01 Jan 2099 00:00:00 GMT  304
  if-modified-since    Thu, 01 Jan 1970 00:00:00 GMT  200
  if-unmodified-since  Thu, 01 Jan 1970 00:00:00 GMT  412
  range                bytes=0-1                      206
  range                bytes=8-                       416
  accept               text/html                      200
`);

test('conditional requests', async (t) => {
  const server = await startServer(t);
  const path = await withIcon(server);
  for (const { header, value, status } of conditions) {
    const answer = await server.ask('GET', path, { headers: { [header]: value.replace('SHA1', sha1) } });
    t.is(answer.status, Number(status), `${header}: ${value}`);
  }
});

test('the old icon goes when a new one comes', async (t) => {
  const server = await startServer(t);
  const path = await withIcon(server);
  await server.ask('PUT', path, { body: 'another', headers: { 'content-type': 'image/gif' } });
  const { headers, bytes } = await server.ask('GET', path, { headers: { 'if-none-match': sha1 } });
  t.is(bytes.toString(), 'another');
  t.is(headers['content-type'], 'image/gif');
});
