import test from 'ava';
import { startServer } from '../support/server.js';

test('a file of the console goes out in the smallest form that the browser takes', async (t) => {
  const [plain, br, gzip] = ['plain', 'br', 'gzip'].map((form) => Buffer.from(form));
  const type = 'text/javascript; charset=utf-8';
  const assets = new Map([
    ['all.js', { type, plain: plain!, br: br!, gzip: gzip! }],
    ['old.js', { type, plain: plain!, gzip: gzip! }],
    ['small.js', { type, plain: plain! }],
  ]);
  const { ask } = await startServer(t, { console: { page: () => '', assets } });
  const rows = [
    ['all.js', 'gzip, deflate, br, zstd', 'br'],
    ['all.js', 'gzip, deflate', 'gzip'],
    ['all.js', 'gzip, br;q=0', 'gzip'],
    ['all.js', 'zstd', 'plain'],
    ['all.js', '', 'plain'],
    ['all.js', '*', 'br'],
    ['old.js', 'gzip, deflate, br, zstd', 'gzip'],
    ['small.js', 'gzip, deflate, br, zstd', 'plain'],
  ] as const;
  for (const [name, accepted, form] of rows) {
    const { status, headers, bytes } = await ask('GET', `/console/assets/${name}`, {
      headers: { 'accept-encoding': accepted },
    });
    t.is(`${status} ${bytes}`, `200 ${form}`, `${name} ${accepted}`);
    t.is(headers['content-encoding'], form === 'plain' ? undefined : form);
    t.is(headers.vary, 'Accept-Encoding');
  }
});
