import { createHash } from 'node:crypto';
import test from 'ava';
import { images } from '../../server/model/image.js';
import { startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';

const BYTES = '0123456789';
const UPLOADED = new Date('2026-01-02T03:04:05.678Z');
const SHA1 = createHash('sha1').update(BYTES).digest('hex');
const MD5 = createHash('md5').update(BYTES).digest('base64');

const whole = {
  etag: `"${SHA1}"`,
  'last-modified': 'Fri, 02 Jan 2026 03:04:05 GMT',
  'accept-ranges': 'bytes',
  'content-type': 'application/octet-stream',
  'content-length': '10',
  'content-md5': MD5,
};

async function withFile({ image }: TestServer) {
  const { uuid } = await image({}, { file: BYTES });
  return `/images/${uuid}/file`;
}

const now = () => UPLOADED;

test('the bytes and their headers', async (t) => {
  const server = await startServer(t, { now });
  const { status, headers, bytes } = await server.ask('GET', await withFile(server));
  t.is(status, 200);
  t.is(bytes.toString(), BYTES);
  t.like(headers, whole);
  for (const name of ['content-encoding', 'transfer-encoding', 'content-range', 'vary']) t.is(headers[name], undefined);
});

test('HEAD has the headers of GET, and no body', async (t) => {
  const server = await startServer(t, { now });
  const { status, headers, bytes } = await server.ask('HEAD', await withFile(server));
  t.is(status, 200);
  t.is(bytes.length, 0);
  t.like(headers, whole);
});

test('HEAD ignores a range', async (t) => {
  const server = await startServer(t, { now });
  const path = await withFile(server);
  for (const range of ['bytes=0-1', 'bytes=99-']) {
    const { status, headers } = await server.ask('HEAD', path, { headers: { range } });
    t.is(status, 200, range);
    t.is(headers['content-length'], '10', range);
  }
});

test('a file of many chunks comes as it went', async (t) => {
  const { ask, image } = await startServer(t);
  const file = Buffer.from(Array.from({ length: 300_001 }, (_, index) => index % 251));
  const { uuid } = await image({}, { file: file.toString('latin1') });
  const { bytes } = await ask('GET', `/images/${uuid}/file`);
  t.true(bytes.equals(Buffer.from(file.toString('latin1'))));
  const { bytes: part } = await ask('GET', `/images/${uuid}/file`, { headers: { range: 'bytes=16000-70000' } });
  t.true(part.equals(bytes.subarray(16_000, 70_001)));
});

test('accept headers change nothing', async (t) => {
  const server = await startServer(t);
  const path = await withFile(server);
  for (const accept of ['application/json', 'text/html', 'image/png', 'nonsense']) {
    const headers = { accept, 'accept-encoding': 'gzip, br, identity;q=0' };
    const answer = await server.ask('GET', path, { headers });
    t.is(answer.status, 200, accept);
    t.is(answer.bytes.toString(), BYTES, accept);
    t.is(answer.headers['content-encoding'], undefined, accept);
  }
});

const indexes = table<'query' | 'status'>(`
  query          status
  -              200
  ?index=0       200
  ?index=        200
  ?index=x       200
  ?index=0x1     200
  ?index=00      200
  ?index=0.9     200
  ?index=1       404
  ?index=-1      404
  ?index=1.5     404
  ?index=1e3     404
  ?index=9999999999999999999999  404
`);

test('index', async (t) => {
  const server = await startServer(t);
  const path = await withFile(server);
  for (const { query, status } of indexes) {
    const answer = await server.ask('GET', `${path}${query}`);
    t.is(answer.status, Number(status), query);
    if (status === '404') t.is(answer.json.code, 'ResourceNotFound', query);
  }
});

test('an image can have a second file', async (t) => {
  const { ask, image, stored, deps } = await startServer(t);
  const { uuid } = await image({ type: 'lxd', os: 'linux' }, { file: 'first' });
  const other = await image({}, { file: 'second' });
  const record = (await stored(uuid))!;
  const files = [record.files[0]!, (await stored(other.uuid))!.files[0]!];
  await deps.catalog.write((tx) => tx.replace(images, { ...record, files }));
  const path = `/images/${uuid}/file`;
  t.is((await ask('GET', path)).bytes.toString(), 'first');
  t.is((await ask('GET', `${path}?index=1`)).bytes.toString(), 'second');
  t.is((await ask('GET', `${path}?index=2`)).status, 404);
});

test('an image without a file has none to give', async (t) => {
  const { ask, image } = await startServer(t);
  const { uuid } = await image({}, { file: null });
  const { status, json, headers } = await ask('GET', `/images/${uuid}/file`, { as: 'admin' });
  t.is(status, 404);
  t.is(json.code, 'ResourceNotFound');
  t.is(headers.etag, undefined);
});

test('files come in any state, also before activation', async (t) => {
  const { ask, image } = await startServer(t, { mode: 'public' });
  const { uuid } = await image({}, { activate: false });
  t.is((await ask('GET', `/images/${uuid}/file`)).status, 200);
});

const ranges = table<'range' | 'status' | 'bytes' | 'content-range'>(`
  range                  status  bytes       content-range
  bytes=0-0              206     0           bytes 0-0/10
  bytes=0-3              206     0123        bytes 0-3/10
  bytes=4-               206     456789      bytes 4-9/10
  bytes=9-9              206     9           bytes 9-9/10
  bytes=0-9              206     0123456789  bytes 0-9/10
  bytes=0-10             206     0123456789  bytes 0-9/10
  bytes=8-99999999999999999999  206  89      bytes 8-9/10
  Bytes=9-               206     9           bytes 9-9/10
  bytes=-1               206     9           bytes 9-9/10
  bytes=-4               206     6789        bytes 6-9/10
  bytes=-10              206     0123456789  bytes 0-9/10
  bytes=-11              206     0123456789  bytes 0-9/10
  bytes=-99999           206     0123456789  bytes 0-9/10
  bytes=0-1,2-3          200     0123456789  -
  bytes=0-4,2-6          200     0123456789  -
  bytes=0-1,20-30        200     0123456789  -
  bytes=0-1,4-5          200     0123456789  -
  bytes=0-0,-1           200     0123456789  -
  bytes=-0               416     -           bytes */10
  bytes=10-              416     -           bytes */10
  bytes=10-20            416     -           bytes */10
  bytes=20-30,40-50      200     0123456789  -
  bytes=5-4              200     0123456789  -
  bytes=                 200     0123456789  -
  bytes=-                200     0123456789  -
  bytes=x-y              200     0123456789  -
  bytes=1                200     0123456789  -
  bytes=0-1,x            200     0123456789  -
  bytes=-1-2             200     0123456789  -
  bytes=1.5-3            200     0123456789  -
  bytes 0-3              200     0123456789  -
  items=0-3              200     0123456789  -
  items=20-30            200     0123456789  -
  lines=-99              200     0123456789  -
  0-3                    200     0123456789  -
`);

for (const { range, status, bytes, 'content-range': contentRange } of ranges) {
  test(`Range: ${range} → ${status}`, async (t) => {
    const server = await startServer(t, { now });
    const answer = await server.ask('GET', await withFile(server), { headers: { range } });
    t.is(answer.status, Number(status));
    t.is(answer.headers['content-range'] ?? '', contentRange);
    if (status === '416') {
      t.is(answer.json.code, 'RequestedRangeNotSatisfiable');
      t.is(answer.headers['content-md5'], undefined);
      return;
    }
    t.is(answer.bytes.toString(), bytes);
    t.is(answer.headers['content-length'], String(bytes.length));
    t.is(answer.headers.etag, `"${SHA1}"`);
    t.is(answer.headers['content-type'], 'application/octet-stream');
    // of the whole: under a part it would be wrong
    t.is(answer.headers['content-md5'], status === '206' ? undefined : MD5);
  });
}

const ifRange = table<'if-range' | 'status'>(`
  if-range                       status
  "SHA1"                         206
  SHA1                           206
  Fri, 02 Jan 2026 03:04:05 GMT  206
  "other"                        200
  W/"SHA1"                       200
  Fri, 02 Jan 2026 03:04:04 GMT  200
  Fri, 02 Jan 2026 03:04:06 GMT  200
  nonsense                       200
`);

test('If-Range', async (t) => {
  const server = await startServer(t, { now });
  const path = await withFile(server);
  for (const { 'if-range': value, status } of ifRange) {
    const headers = { range: 'bytes=2-3', 'if-range': value.replace('SHA1', SHA1) };
    const answer = await server.ask('GET', path, { headers });
    t.is(answer.status, Number(status), value);
    t.is(answer.bytes.toString(), status === '206' ? '23' : BYTES, value);
  }
});

test('a range that does not fit is no mistake when If-Range says that the file is another', async (t) => {
  const server = await startServer(t);
  const headers = { range: 'bytes=50-', 'if-range': '"other"' };
  const { status, bytes } = await server.ask('GET', await withFile(server), { headers });
  t.is(status, 200);
  t.is(bytes.toString(), BYTES);
});

const conditions = table<'headers' | 'status'>(`
  headers                                                                                    status
  {"if-none-match": "\\"SHA1\\""}                                                            304
  {"if-none-match": "SHA1"}                                                                  304
  {"if-none-match": "W/\\"SHA1\\""}                                                          304
  {"if-none-match": "*"}                                                                     304
  {"if-none-match": "\\"a\\", \\"SHA1\\""}                                                   304
  {"if-none-match": "\\"other\\""}                                                           200
  {"if-modified-since": "Fri, 02 Jan 2026 03:04:05 GMT"}                                     304
  {"if-modified-since": "Sat, 03 Jan 2026 00:00:00 GMT"}                                     304
  {"if-modified-since": "Fri, 02 Jan 2026 03:04:04 GMT"}                                     200
  {"if-modified-since": "nonsense"}                                                          200
  {"if-none-match": "\\"other\\"", "if-modified-since": "Sat, 03 Jan 2026 00:00:00 GMT"}     200
  {"if-match": "\\"SHA1\\""}                                                                 200
  {"if-match": "SHA1"}                                                                       200
  {"if-match": "*"}                                                                          200
  {"if-match": "\\"other\\""}                                                                412
  {"if-unmodified-since": "Fri, 02 Jan 2026 03:04:05 GMT"}                                   200
  {"if-unmodified-since": "Fri, 02 Jan 2026 03:04:04 GMT"}                                   412
  {"if-unmodified-since": "nonsense"}                                                        200
  {"if-match": "\\"SHA1\\"", "if-unmodified-since": "Fri, 02 Jan 2026 03:04:04 GMT"}         200
  {"if-match": "\\"other\\"", "if-none-match": "\\"SHA1\\""}                                 412
  {"if-none-match": "\\"SHA1\\"", "range": "bytes=50-"}                                      304
  {"if-match": "\\"other\\"", "range": "bytes=50-"}                                          412
`);

test('conditional requests', async (t) => {
  const server = await startServer(t, { now });
  const path = await withFile(server);
  for (const { headers, status } of conditions) {
    const asked: Record<string, string> = JSON.parse(headers.replaceAll('SHA1', SHA1));
    for (const method of ['GET', 'HEAD']) {
      const answer = await server.ask(method, path, { headers: asked });
      const why = `${method} ${headers}`;
      t.is(answer.status, Number(status), why);
      if (status === '304') {
        t.is(answer.bytes.length, 0, why);
        t.is(answer.headers.etag, `"${SHA1}"`, why);
        t.is(answer.headers['last-modified'], whole['last-modified'], why);
        t.is(answer.headers['content-type'], undefined, why);
      }
      if (status === '412' && method === 'GET') {
        t.is(answer.json.code, 'PreconditionFailed', why);
        t.is(answer.headers.etag, undefined, why);
      }
    }
  }
});

test('the tag of the manifest is not that of the file', async (t) => {
  const server = await startServer(t);
  const path = await withFile(server);
  const { etag = '' } = (await server.ask('GET', path.replace('/file', ''))).headers;
  t.is((await server.ask('GET', path, { headers: { 'if-none-match': etag } })).status, 200);
});

test('many at a time', async (t) => {
  const server = await startServer(t);
  const path = await withFile(server);
  const answers = await Promise.all(Array.from({ length: 20 }, () => server.ask('GET', path)));
  t.true(answers.every(({ bytes }) => bytes.toString() === BYTES));
});
