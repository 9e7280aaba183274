import test from 'ava';
import { errors } from '../../imgapi/errors.js';
import { routes } from '../../server/routes/table.js';
import { startServer } from '../support/server.js';

for (const path of ['/', '/docs']) {
  test(`${path} leads to the pages`, async (t) => {
    const { ask } = await startServer(t);
    for (const method of ['GET', 'HEAD']) {
      const { status, headers } = await ask(method, path);
      t.is(status, 301);
      t.is(headers.location, '/docs/');
    }
  });
}

test('the page is HTML and tells of every route and every error', async (t) => {
  const { ask } = await startServer(t);
  const { status, headers, bytes } = await ask('GET', '/docs/');
  const page = bytes.toString();
  t.is(status, 200);
  t.is(headers['content-type'], 'text/html; charset=utf-8');
  t.is(headers['content-length'], String(bytes.length));
  for (const { method, path } of routes) t.true(page.includes(`<td>${method}</td><td>${path}</td>`), path);
  for (const code of Object.keys(errors)) t.true(page.includes(`<td>${code}</td>`), code);
});

test('the page holds nothing of who asks', async (t) => {
  const { ask } = await startServer(t);
  const plain = await ask('GET', '/docs/');
  const other = await ask('GET', '/docs/?a=<script>', { as: 'admin', headers: { accept: 'x', host: 'evil.example' } });
  t.deepEqual(other.bytes, plain.bytes);
});

test('the icon of the browser, which keeps it', async (t) => {
  const { ask } = await startServer(t);
  const { status, headers, bytes } = await ask('GET', '/favicon.ico');
  t.is(status, 200);
  t.is(headers['content-type'], 'image/x-icon');
  t.is(headers['cache-control'], 'public, max-age=86400');
  t.is(headers['content-length'], String(bytes.length));
  t.deepEqual([...bytes.subarray(0, 4)], [0, 0, 1, 0]);
  const again = await ask('GET', '/favicon.ico', { headers: { 'if-none-match': headers.etag ?? '' } });
  t.is(again.status, 304);
  t.is(again.bytes.length, 0);
  t.is(again.headers.etag, headers.etag);
});
