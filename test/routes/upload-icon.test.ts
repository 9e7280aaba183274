import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import test from 'ava';
import type { Mode } from '../../imgapi/image.js';
import { addUser, numbered } from '../support/fixtures.js';
import { type Ask, startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';
import { holders, kept, told } from '../support/told.js';
import { watchedBlobs } from '../support/watched-blobs.js';

const ICON = 'the bytes of the icon';
const sha1 = (bytes: string) => createHash('sha1').update(bytes).digest('hex');
const png = { 'content-type': 'image/png' };

const put = ({ ask }: TestServer, uuid: string, query = '', options: Ask = { body: ICON, headers: png }) =>
  ask('PUT', `/images/${uuid}/icon?${query}`, options);
const iconOf = ({ ask }: TestServer, uuid: string) => ask('GET', `/images/${uuid}/icon`, { as: 'admin' });

for (const mode of ['dc', 'public', 'private'] as const satisfies Mode[]) {
  for (const type of ['image/png', 'image/gif', 'image/jpeg']) {
    test(`${mode}: an icon of type ${type} is kept with its type, and shown in the manifest`, async (t) => {
      const server = await startServer(t, { mode });
      const before = await server.image();
      const { status, json, headers } = await put(server, before.uuid, '', {
        body: ICON,
        headers: { 'content-type': type },
      });
      t.is(status, 200);
      t.deepEqual(json, { ...before, icon: true });
      const got = await server.ask('GET', `/images/${before.uuid}`, { as: 'admin' });
      t.deepEqual(got.json, json);
      t.is(got.headers.etag, headers.etag);
      const icon = await iconOf(server, before.uuid);
      t.is(icon.bytes.toString(), ICON);
      t.is(icon.headers['content-type'], type);
      t.is(icon.headers.etag, `"${sha1(ICON)}"`);
    });
  }
}

const states = table<'file' | 'activate' | 'disabled'>(`
  file   activate  disabled
  -      false     false
  bytes  false     false
  bytes  false     true
  bytes  true      false
  bytes  true      true
`);

test('an image takes an icon, and another, in whatever state', async (t) => {
  for (const { file, activate, disabled } of states) {
    const server = await startServer(t);
    const image = await server.image(
      { disabled: disabled === 'true' },
      { file: file || null, activate: activate === 'true' },
    );
    for (const [body, type] of [
      ['first', 'image/png'],
      ['second', 'image/gif'],
      ['second', 'image/jpeg'],
    ] as const) {
      const { json } = await put(server, image.uuid, '', { body, headers: { 'content-type': type } });
      t.deepEqual(json, { ...image, icon: true });
      const icon = await iconOf(server, image.uuid);
      t.is(icon.bytes.toString(), body);
      t.is(icon.headers['content-type'], type);
    }
    const held = (await holders(server)).flat().sort();
    t.deepEqual(held, [...(file ? [`${image.uuid}/file0`] : []), `${image.uuid}/icon`]);
  }
});

const answers = table<'query' | 'type' | 'body' | 'told'>(`
  query                 type                      body     told
  -                     image/png                 limit    200
  sha1=SHA1             image/png                 ICON     200
  sha1=                 image/png                 ICON     200
  storage=local         image/png                 ICON     200
  storage=manta         image/png                 ICON     200
  -                     -                         ICON     400 Upload
  -                     image/svg+xml             ICON     400 Upload
  -                     image/png; charset=x      ICON     400 Upload
  -                     image/png;                ICON     400 Upload
  -                     IMAGE/PNG                 ICON     400 Upload
  -                     image/*                   ICON     400 Upload
  -                     image/png, image/gif      ICON     400 Upload
  -                     application/json          ICON     400 Upload
  -                     application/octet-stream  ICON     400 Upload
  -                     image/png                 -        400 Upload
  sha1=SHA1             image/png                 -        400 Upload
  -                     image/png                 too big  400 Upload
  sha1=OTHER            image/png                 ICON     400 Upload
  sha1=UPPER            image/png                 ICON     400 Upload
  storage=s3            image/png                 ICON     422 InvalidParameter storage:Invalid
  storage=s3            text/plain                ICON     400 Upload
  storage=s3&sha1=x     image/png                 too big  422 InvalidParameter storage:Invalid
`);

test('what is refused leaves the earlier icon, or none', async (t) => {
  const bodies: Record<string, string> = {
    ICON,
    '': '',
    limit: 'x'.repeat(128 * 1024),
    'too big': 'x'.repeat(128 * 1024 + 1),
  };
  for (const earlier of [undefined, 'the earlier icon']) {
    const server = await startServer(t);
    for (const row of answers) {
      const { uuid } = await server.image({}, { file: null });
      if (earlier) await put(server, uuid, '', { body: earlier, headers: png });
      const before = await kept(server);
      const query = row.query
        .replace('OTHER', sha1('other'))
        .replace('UPPER', sha1(ICON).toUpperCase())
        .replace('SHA1', sha1(ICON));
      const body = bodies[row.body] ?? '';
      for (const sent of [body, Readable.from([body], { objectMode: false })]) {
        const answer = await put(server, uuid, query, {
          body: sent,
          headers: { ...(row.type && { 'content-type': row.type }) },
        });
        const why = `${row.query} ${row.type} ${row.body}`;
        t.is(told(answer), row.told, why);
        if (answer.status === 200) continue;
        const icon = await iconOf(server, uuid);
        t.is(icon.status === 200 ? icon.bytes.toString() : undefined, earlier, why);
        t.deepEqual(await kept(server), before, why);
      }
    }
  }
});

test('an icon that is too large is refused by its header, before it has come', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image();
  const answer = await server.raw(
    `PUT /images/${uuid}/icon HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${server.token}\r\n` +
      'Content-Type: image/png\r\nConnection: close\r\nContent-Length: 131073\r\n\r\n',
  );
  t.true(answer.startsWith('HTTP/1.1 400 '));
  t.true(answer.includes('"code": "Upload"'));
});

test('a client that hangs up leaves nothing', async (t) => {
  const { blobs, nextStaged, nextDiscarded } = await watchedBlobs();
  const server = await startServer(t, { blobs });
  const { uuid } = await server.image({}, { file: null });
  const [staged, discarded] = [nextStaged(), nextDiscarded()];
  const socket = connect(server.port, '127.0.0.1');
  socket.write(
    `PUT /images/${uuid}/icon HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${server.token}\r\n` +
      'Content-Type: image/png\r\nContent-Length: 1000\r\n\r\nhello',
  );
  await staged;
  socket.destroy();
  await discarded;
  t.deepEqual(await kept(server), { images: [uuid], whole: 0, staged: 0 });
  t.is((await iconOf(server, uuid)).status, 404);
});

// Who may, and in which order

const order = table<'image' | 'account' | 'query' | 'put' | 'delete'>(`
  image      account  query                   put                                          delete
  malformed  bad      channel=x               404 ResourceNotFound                         404 ResourceNotFound
  absent     bad      channel=x               422 ValidationFailed channel:Invalid         422 ValidationFailed channel:Invalid
  absent     bad      -                       422 InvalidParameter account:Invalid         422 InvalidParameter account:Invalid
  absent     user     -                       404 ResourceNotFound                         404 ResourceNotFound
  hidden     user     -                       404 ResourceNotFound                         404 ResourceNotFound
  others     user     -                       422 NotImageOwner                            422 NotImageOwner
  others     -        channel=*               422 ValidationFailed channel:Invalid         422 ValidationFailed channel:Invalid
  others     -        channel=release         404 ResourceNotFound                         404 ResourceNotFound
  own        user     storage=local           400 Upload                                   404 ResourceNotFound
  own        -        storage=s3              400 Upload                                   404 ResourceNotFound
`);

test('the order of checks, for putting and for deleting', async (t) => {
  const channels = [
    { name: 'dev', description: '', default: true },
    { name: 'release', description: '' },
  ];
  const server = await startServer(t, { channels });
  const user = await addUser(server, 'someone');
  const uuids: Record<string, string> = {
    malformed: 'nonsense',
    absent: numbered(7),
    hidden: (await server.image({}, { file: null })).uuid,
    others: (await server.image()).uuid,
    own: (await server.image({ owner: user.uuid })).uuid,
  };
  const before = await kept(server);
  for (const { image, account, query, ...expected } of order) {
    const named: Record<string, string> = { user: user.uuid, bad: 'nonsense' };
    const path = `/images/${uuids[image]}/icon?${account && `account=${named[account]}&`}${query}`;
    const why = `${image} ${account} ${query}`;
    const body = { body: ICON, headers: { 'content-type': 'text/plain' } };
    t.is(told(await server.ask('PUT', path, body)), expected.put, why);
    t.is(told(await server.ask('DELETE', path)), expected.delete, why);
  }
  t.deepEqual(await kept(server), before);
  const own = `account=${user.uuid}`;
  t.is(told(await put(server, uuids.own!, `${own}&storage=local`)), '422 InvalidParameter storage:NotAllowed');
  t.is((await put(server, uuids.own!, own)).status, 200);
});
