import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { sample, startServer } from '../support/server.js';
import { exchange, readAnswers } from '../support/wire.js';

const PIECE = `10000\r\n${'x'.repeat(0x10000)}\r\n`;

const refusals: { what: string; path: string; pieces: number[]; code: string }[] = [
  { what: 'a file that grows too large', path: 'file?compression=none', pieces: [5, 7, 20, 100], code: 'Upload' },
  { what: 'an icon that grows too large', path: 'icon', pieces: [2, 3, 20, 100], code: 'Upload' },
  { what: 'before a byte is read', path: 'file?compression=zip', pieces: [1, 20, 100], code: 'InvalidParameter' },
  {
    what: 'a file that is not what was promised',
    path: `file?compression=none&sha1=${'0'.repeat(40)}`,
    pieces: [1, 4],
    code: 'Download',
  },
];

for (const { what, path, pieces, code } of refusals) {
  test(`a refused upload leaves its connection to the next request: ${what}`, async (t) => {
    const { ask, port, token } = await startServer(t, { maxFileSize: 300_000, maxIconSize: 100_000 });
    const { json: image } = await ask('POST', '/images', { body: sample('dc') });
    const head = [
      `PUT /images/${image.uuid}/${path} HTTP/1.1`,
      'Host: here',
      `Authorization: Bearer ${token}`,
      'Content-Type: image/png',
      'Transfer-Encoding: chunked',
    ];
    for (const count of pieces) {
      const upload = `${head.join('\r\n')}\r\n\r\n${PIECE.repeat(count)}0\r\n\r\n`;
      const next = 'GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n';
      const [refused, answered] = readAnswers(await exchange(port, { bytes: Buffer.from(upload + next), answers: 2 }));
      t.is(JSON.parse(String(refused?.body)).code, code, `${count} pieces`);
      t.is(answered?.status, 200, `after ${count} pieces`);
    }
    t.deepEqual((await ask('GET', `/images/${image.uuid}`, { as: 'admin' })).json.files, []);
  });
}

test('who closes after the answer is refused too before it is cut off', async (t) => {
  const { port, token } = await startServer(t);
  const head = [
    'PUT /images/11111111-1111-4111-8111-111111111111/file HTTP/1.1',
    'Host: here',
    `Authorization: Bearer ${token}`,
    'Content-Length: 1000000',
    'Connection: close',
  ];
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  const [answer] = await once(socket, 'data');
  t.regex(String(answer), /^HTTP\/1\.1 404 /);
  for (let sent = 0; sent < 1_000_000; sent += 100_000) {
    await new Promise<void>((resolve, reject) => {
      socket.write('x'.repeat(100_000), (error) => (error ? reject(error) : resolve()));
    });
  }
  await once(socket, 'end');
  t.pass();
});
