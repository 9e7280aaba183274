import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import type { Mode } from '../../imgapi/image.js';
import { sweep } from '../../server/operations/sweep.js';
import { contents } from '../../storage/holdings.js';
import { grant, place } from '../support/datacenters.js';
import { addUser, importImage, numbered } from '../support/fixtures.js';
import { gate } from '../support/gate.js';
import { type Ask, startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';
import { holders, kept, told } from '../support/told.js';
import { watchedBlobs } from '../support/watched-blobs.js';

const sha1 = (bytes: string | Buffer) => createHash('sha1').update(bytes).digest('hex');
const FILE = 'the bytes of the file';

const created = async ({ image }: TestServer, manifest = {}) => (await image(manifest, { file: null })).uuid;
const put = ({ ask }: TestServer, uuid: string, query: string, options: Ask = { body: FILE }) =>
  ask('PUT', `/images/${uuid}/file?${query}`, options);
const fileOf = async ({ ask }: TestServer, uuid: string) =>
  (await ask('GET', `/images/${uuid}/file`, { as: 'admin' })).bytes.toString();

// What is taken

for (const mode of ['dc', 'public', 'private'] as const satisfies Mode[]) {
  for (const compression of ['gzip', 'bzip2', 'xz', 'none']) {
    test(`${mode}: a file with compression ${compression} is taken as it is`, async (t) => {
      const server = await startServer(t, { mode });
      const before = await server.image({}, { file: null });
      const { status, headers, json } = await put(server, before.uuid, `compression=${compression}`);
      t.is(status, 200);
      t.deepEqual(json, { ...before, files: [{ sha1: sha1(FILE), size: FILE.length, compression }] });
      const got = await server.ask('GET', `/images/${before.uuid}`, { as: 'admin' });
      t.deepEqual(got.json, json);
      t.is(got.headers.etag, headers.etag);
      t.is(await fileOf(server, before.uuid), FILE);
      t.deepEqual(await kept(server), { images: [before.uuid], whole: 1, staged: 0 });
    });
  }
}

test('what the server keeps of a file, and shows to nobody', async (t) => {
  const server = await startServer(t, { now: () => new Date('2030-01-02T03:04:05.678Z') });
  const uuid = await created(server);
  await put(server, uuid, 'compression=gzip&dataset_guid=123');
  t.deepEqual((await server.stored(uuid))?.files, [
    {
      sha1: sha1(FILE),
      sha256: createHash('sha256').update(FILE).digest('hex'),
      contentMD5: createHash('md5').update(FILE).digest('base64'),
      size: FILE.length,
      mtime: '2030-01-02T03:04:05.678Z',
      stor: 'local',
      compression: 'gzip',
      dataset_guid: '123',
    },
  ]);
});

const digest = sha1(FILE);

const taken = table<'query' | 'shown'>(`
  query                                   shown
  -                                       {}
  &sha1=SHA1                              {}
  &sha1=                                  {}
  &dataset_guid=12345678901234567890      {"dataset_guid": "12345678901234567890"}
  &dataset_guid=any%20text                {"dataset_guid": "any text"}
  &dataset_guid=                          {}
  &storage=local                          {}
  &storage=manta                          {}
  &storage=                               {}
  &unknown=1                              {}
  &index=1                                {}
`);

test('parameters that are taken', async (t) => {
  const server = await startServer(t);
  for (const { query, shown } of taken) {
    const uuid = await created(server);
    const { status, json } = await put(server, uuid, `compression=none${query.replace('SHA1', digest)}`);
    t.is(status, 200, query);
    t.deepEqual(json.files as object, [{ sha1: digest, size: FILE.length, compression: 'none', ...JSON.parse(shown) }]);
    const admin = await server.ask('GET', `/images/${uuid}?inclAdminFields=true`, { as: 'admin' });
    t.is(admin.json.files?.[0]?.stor, 'local', query);
  }
});

const zipped = gzipSync(FILE);

/** Nothing of what a request says of its body is believed; it is stored as it comes. */
const forms: [string, Ask][] = [
  ['JSON', { body: FILE, headers: { 'content-type': 'application/json' } }],
  ['JSON that is none', { body: '{nonsense', headers: { 'content-type': 'application/json' } }],
  ['a form', { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
  ['no type', { body: FILE }],
  ['gzip', { body: zipped, headers: { 'content-encoding': 'gzip' } }],
  ['gzip that is none', { body: FILE, headers: { 'content-encoding': 'gzip' } }],
  ['JSON in gzip', { body: zipped, headers: { 'content-encoding': 'gzip', 'content-type': 'application/json' } }],
  ['a wrong digest', { body: FILE, headers: { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' } }],
  ['all bytes there are', { body: Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)) }],
  ['one byte', { body: Buffer.from([0]) }],
  ['megabytes', { body: Buffer.alloc(3_000_001, 'x') }],
];

for (const [what, options] of forms) {
  test(`stored as it comes: ${what}`, async (t) => {
    const server = await startServer(t);
    const uuid = await created(server);
    const body = Buffer.from(options.body as string | Buffer);
    const { status, json } = await put(server, uuid, 'compression=gzip', options);
    t.is(status, 200);
    t.like(json.files?.[0], { sha1: sha1(body), size: body.length });
    const { bytes, headers } = await server.ask('GET', `/images/${uuid}/file`, { as: 'admin' });
    t.deepEqual(bytes, body);
    t.is(headers['content-encoding'], undefined);
  });
}

test('a body in chunks', async (t) => {
  const server = await startServer(t);
  const uuid = await created(server);
  const body = Readable.from([FILE.slice(0, 3), FILE.slice(3)]);
  const { status, json } = await put(server, uuid, `compression=none&sha1=${digest}`, { body });
  t.is(status, 200);
  t.like(json.files?.[0], { sha1: digest, size: FILE.length });
});

test('curl waits to be told to go on', async (t) => {
  const server = await startServer(t);
  const uuid = await created(server);
  const socket = connect(server.port, '127.0.0.1');
  socket.setEncoding('utf8');
  socket.write(
    `PUT /images/${uuid}/file?compression=none HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${server.token}\r\n` +
      `Expect: 100-continue\r\nConnection: close\r\nContent-Length: ${FILE.length}\r\n\r\n`,
  );
  const answers = socket.iterator();
  t.true(String((await answers.next()).value).startsWith('HTTP/1.1 100 Continue'));
  socket.write(FILE);
  t.true(String((await answers.next()).value).startsWith('HTTP/1.1 200 OK'));
  t.is(await fileOf(server, uuid), FILE);
});

// What is refused

const refused = table<'query' | 'file' | 'told'>(`
  query                                  file     told
  -                                      FILE     422 InvalidParameter compression:Missing
  compression=                           FILE     422 InvalidParameter compression:Missing
  compression=zip                        FILE     422 InvalidParameter compression:Invalid
  compression=GZIP                       FILE     422 InvalidParameter compression:Invalid
  compression=gzip&compression=gzip      FILE     422 InvalidParameter compression:Invalid
  compression=toString                   FILE     422 InvalidParameter compression:Invalid
  compression=gzip&storage=s3            FILE     422 InvalidParameter storage:Invalid
  compression=gzip&storage=local&storage=local  FILE  422 InvalidParameter storage:Invalid
  compression=gzip&sha1=OTHER            FILE     400 Download
  compression=gzip&sha1=UPPER            FILE     400 Download
  compression=gzip&sha1=nonsense         FILE     400 Download
  compression=gzip                       -        400 Download
  compression=gzip&sha1=SHA1             -        400 Download
  compression=gzip                       too big  400 Upload
  compression=gzip                       limit    200
`);

test('what is refused leaves nothing behind', async (t) => {
  const server = await startServer(t, { maxFileSize: 1000 });
  const files: Record<string, string> = { FILE, '': '', 'too big': 'x'.repeat(1001), limit: 'x'.repeat(1000) };
  for (const { query, file, told: expected } of refused) {
    const uuid = await created(server);
    const filled = query.replace('OTHER', sha1('other')).replace('UPPER', digest.toUpperCase()).replace('SHA1', digest);
    const body = files[file] ?? '';
    for (const options of [{ body }, { body: Readable.from([body], { objectMode: false }) }]) {
      const answer = await put(server, uuid, filled, options);
      t.is(told(answer), expected, `${query} ${file}`);
      if (answer.status === 200) continue;
      t.is(answer.headers.etag, undefined);
      t.deepEqual((await server.stored(uuid))?.files, [], query);
      const { whole, staged } = await kept(server);
      t.deepEqual({ whole, staged }, { whole: 0, staged: 0 }, query);
    }
  }
});

test('a file that is too large is refused by its header, before it has come', async (t) => {
  const server = await startServer(t, { maxFileSize: 1000 });
  const uuid = await created(server);
  const answer = await server.raw(
    `PUT /images/${uuid}/file?compression=none HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${server.token}\r\n` +
      'Connection: close\r\nContent-Length: 21474836481\r\n\r\n',
  );
  t.true(answer.startsWith('HTTP/1.1 400 '));
  t.true(answer.includes('"code": "Upload"'));
});

test('by default files may have 20 GiB', async (t) => {
  const server = await startServer(t);
  const uuid = await created(server);
  const answer = await server.raw(
    `PUT /images/${uuid}/file?compression=none HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${server.token}\r\n` +
      'Connection: close\r\nContent-Length: 21474836481\r\n\r\n',
  );
  t.true(answer.includes('"code": "Upload"'));
  t.true(answer.includes('21474836480'));
});

test('a stream that goes on too long is answered before it ends', async (t) => {
  const server = await startServer(t, { maxFileSize: 1000 });
  const uuid = await created(server);
  const body = new Readable({ read: () => {} });
  body.push(Buffer.alloc(1001));
  const answer = await put(server, uuid, 'compression=none', { body });
  t.is(told(answer), '400 Upload');
  t.deepEqual(await kept(server), { images: [uuid], whole: 0, staged: 0 });
  body.push(null);
});

test('a refused file keeps the earlier one', async (t) => {
  const server = await startServer(t, { maxFileSize: 1000 });
  const before = await server.image({}, { activate: false });
  const { uuid } = before;
  for (const [query, body] of [
    ['compression=none&sha1=nonsense', FILE],
    ['compression=none', ''],
    ['compression=none', 'x'.repeat(1001)],
    ['compression=zip', FILE],
  ] as const) {
    t.not((await put(server, uuid, query, { body })).status, 200);
    t.deepEqual((await server.ask('GET', `/images/${uuid}`, { as: 'admin' })).json, before);
    t.is(await fileOf(server, uuid), 'the bytes');
    t.deepEqual(await kept(server), { images: [uuid], whole: 1, staged: 0 });
  }
});

const order = table<'image' | 'account' | 'query' | 'told'>(`
  image      account  query                                         told
  malformed  bad      channel=x                                     404 ResourceNotFound
  absent     bad      channel=x                                     422 ValidationFailed channel:Invalid
  absent     bad      -                                             422 InvalidParameter account:Invalid
  absent     user     storage=s3                                    404 ResourceNotFound
  hidden     user     storage=s3                                    404 ResourceNotFound
  others     user     storage=s3                                    422 NotImageOwner
  activated  user     storage=s3                                    422 ImageFilesImmutable
  activated  -        storage=s3&compression=zip                    422 ImageFilesImmutable
  activated  -        source=http://x                               422 ImageFilesImmutable
  own        user     storage=local                                 422 InvalidParameter compression:Missing
  own        user     storage=local&compression=zip                 422 InvalidParameter compression:Invalid
  own        user     storage=local&compression=none                422 InvalidParameter storage:NotAllowed
  own        user     storage=s3&compression=none                   422 InvalidParameter storage:NotAllowed
  own        -        storage=s3&compression=none                   422 InvalidParameter storage:Invalid
  own        user     compression=none                              400 Upload
  own        -        source=http://x                               503 RemoteSourceError
`);

test('the order of checks', async (t) => {
  const channels = [{ name: 'dev', description: '', default: true }];
  const server = await startServer(t, { channels });
  const user = await addUser(server, 'someone');
  server.deps.policy.maxFileSize = 10;
  const uuids: Record<string, string> = {
    malformed: 'nonsense',
    absent: numbered(7),
    hidden: await created(server),
    others: (await server.image()).uuid,
    activated: (await server.image({ owner: user.uuid })).uuid,
    own: await created(server, { owner: user.uuid }),
  };
  const before = await kept(server);
  for (const { image, account, query, told: expected } of order) {
    const named: Record<string, string> = { user: user.uuid, bad: 'nonsense' };
    const acting = account && `account=${named[account]}&`;
    const answer = await put(server, uuids[image]!, acting + query);
    t.is(told(answer), expected, [image, account, query].join(' '));
  }
  t.deepEqual(await kept(server), before);
});

test('an account uploads to its own image', async (t) => {
  const server = await startServer(t);
  const user = await addUser(server, 'someone');
  const uuid = await created(server, { owner: user.uuid });
  t.is((await put(server, uuid, `compression=none&account=${user.uuid}`)).status, 200);
  await grant(server, user, 'main', 'admin', 'image_admin');
  await place(server, uuid, { boundTo: 'main' });
  t.is(
    (await put(server, uuid, `compression=none&account=${user.uuid}`, { body: FILE, headers: user.headers })).status,
    200,
  );
});

// Again, and at the same time

test('a file is replaced until the image is activated', async (t) => {
  const server = await startServer(t);
  const uuid = await created(server);
  for (const body of ['first', 'second', 'second', 'first']) {
    const { json } = await put(server, uuid, 'compression=xz', { body });
    t.deepEqual(json.files as object, [{ sha1: sha1(body), size: body.length, compression: 'xz' }]);
    t.is(await fileOf(server, uuid), body);
  }
  t.is((await put(server, uuid, 'compression=none', { body: 'first' })).json.files?.[0]?.compression, 'none');
  await server.ask('POST', `/images/${uuid}?action=activate`);
  t.is(told(await put(server, uuid, 'compression=none', { body: 'third' })), '422 ImageFilesImmutable');
  t.is(await fileOf(server, uuid), 'first');
  t.deepEqual(
    (await holders(server)).sort(),
    [[], [`${uuid}/file0`]],
    'the second is held by nobody, and was stored once',
  );
});

/** An upload that waits in its middle until the test lets it go on. */
async function halfway(server: TestServer, uuid: string, nextStaged: () => Promise<void>) {
  const rest = gate();
  const staged = nextStaged();
  async function* body() {
    yield FILE.slice(0, 5);
    await rest.opened;
    yield FILE.slice(5);
  }
  const answer = put(server, uuid, 'compression=none', { body: Readable.from(body(), { objectMode: false }) });
  await staged;
  return () => {
    rest.open();
    return answer;
  };
}

const meanwhile: Record<
  string,
  [change: (server: TestServer, path: string) => Promise<{ status: number }>, told: string]
> = {
  'is activated': [({ ask }, path) => ask('POST', `${path}?action=activate`), '422 ImageAlreadyActivated'],
  'is deleted': [({ ask }, path) => ask('DELETE', path), '404 ResourceNotFound'],
  'is renamed': [({ ask }, path) => ask('POST', `${path}?action=update`, { body: { name: 'renamed' } }), '200'],
  'gets another file': [({ ask }, path) => ask('PUT', `${path}/file?compression=none`, { body: 'other' }), '200'],
};

for (const [what, [change, expected]] of Object.entries(meanwhile)) {
  test(`while a file arrives its image ${what}`, async (t) => {
    const { blobs, nextStaged } = await watchedBlobs();
    const server = await startServer(t, { blobs });
    const { uuid } = await server.image({}, { activate: false });
    const goOn = await halfway(server, uuid, nextStaged);
    t.true([200, 204].includes((await change(server, `/images/${uuid}`)).status));
    const answer = await goOn();
    t.is(told(answer), expected);

    const { staged } = await kept(server);
    t.is(staged, 0);
    const stored = await server.stored(uuid);
    if (answer.status === 200) {
      t.is(await fileOf(server, uuid), FILE);
      t.is(stored?.name, what === 'is renamed' ? 'renamed' : 'sample');
    } else {
      t.deepEqual(
        stored?.files.map((file) => file.sha1),
        stored && [sha1('the bytes')],
      );
      t.is((await server.ask('GET', `/images/${uuid}/file`, { as: 'admin' })).status, stored ? 200 : 404);
      for await (const { sha256 } of server.deps.catalog.list(contents)) {
        t.not(sha256, createHash('sha256').update(FILE).digest('hex'), 'what was refused is not recorded');
      }
    }
  });
}

test('an image that is gone is not made again by its file', async (t) => {
  const { blobs, nextStaged } = await watchedBlobs();
  const server = await startServer(t, { blobs });
  const uuid = await created(server);
  const goOn = await halfway(server, uuid, nextStaged);
  await server.ask('DELETE', `/images/${uuid}`);
  t.is(told(await goOn()), '404 ResourceNotFound');
  t.deepEqual(await kept(server), { images: [], whole: 0, staged: 0 });
});

test('of several uploads at once the last one stays, and the bytes of one', async (t) => {
  const server = await startServer(t);
  const uuid = await created(server);
  const bodies = Array.from({ length: 8 }, (_, n) => `file ${n}`);
  const answers = await Promise.all(bodies.map((body) => put(server, uuid, 'compression=none', { body })));
  t.true(answers.every(({ status }) => status === 200));
  const left = await fileOf(server, uuid);
  t.true(bodies.includes(left));
  t.is((await server.stored(uuid))?.files[0]?.sha1, sha1(left));
  t.is((await holders(server)).filter((names) => names.length > 0).length, 1);
});

for (const [what, earlier] of [
  ['the first upload', null],
  ['a later upload', 'the bytes'],
] as const) {
  test(`a client that hangs up in the middle of ${what} leaves nothing of it`, async (t) => {
    const { blobs, nextStaged, nextDiscarded } = await watchedBlobs();
    const server = await startServer(t, { blobs });
    const { uuid } = await server.image({}, { file: earlier, activate: false });
    const before = { ...(await kept(server)), stored: await server.stored(uuid) };
    for (const length of ['Content-Length: 1000', 'Transfer-Encoding: chunked']) {
      const [staged, discarded] = [nextStaged(), nextDiscarded()];
      const socket = connect(server.port, '127.0.0.1');
      socket.write(
        `PUT /images/${uuid}/file?compression=none HTTP/1.1\r\nHost: localhost\r\n` +
          `Authorization: Bearer ${server.token}\r\n${length}\r\n\r\n5\r\nhello\r\n`,
      );
      await staged;
      t.is((await kept(server)).staged, 1);
      socket.destroy();
      await discarded;
      t.deepEqual({ ...(await kept(server)), stored: await server.stored(uuid) }, before, length);
    }
    if (earlier) t.is(await fileOf(server, uuid), earlier);
    t.is((await put(server, uuid, 'compression=none')).status, 200, 'and the image can still be completed');
  });
}

// Bytes that images share

test('the same file in several images is stored once, and stays as long as one of them does', async (t) => {
  let time = Date.now();
  const server = await startServer(t, { now: () => new Date(time), blobGrace: 60 });
  const [a, b, c] = [await created(server), await created(server), await created(server)];
  for (const uuid of [a, b, c]) await put(server, uuid, 'compression=none');
  await server.ask('PUT', `/images/${c}/icon`, { body: FILE, headers: { 'content-type': 'image/png' } });
  t.deepEqual(await holders(server), [[`${a}/file0`, `${b}/file0`, `${c}/file0`, `${c}/icon`]]);
  t.is((await kept(server)).whole, 1);

  for (const [gone, left] of [
    [a, [b, c]],
    [b, [c]],
  ] as const) {
    t.is((await server.ask('DELETE', `/images/${gone}`)).status, 204);
    time += 61_000;
    await sweep(server.deps);
    for (const uuid of left) t.is(await fileOf(server, uuid), FILE);
  }
  t.is((await server.ask('GET', `/images/${c}/icon`, { as: 'admin' })).bytes.toString(), FILE);
  await put(server, c, 'compression=none', { body: 'other' });
  time += 61_000;
  await sweep(server.deps);
  t.is((await server.ask('GET', `/images/${c}/icon`, { as: 'admin' })).bytes.toString(), FILE, 'the icon holds it');
  await server.ask('DELETE', `/images/${c}`);
  time += 61_000;
  await sweep(server.deps);
  t.deepEqual(await kept(server), { images: [], whole: 0, staged: 0 });
});

test('bytes whose last holder has gone are taken up again by the next', async (t) => {
  let time = Date.now();
  const server = await startServer(t, { now: () => new Date(time), blobGrace: 60 });
  const [a, b] = [await created(server), await created(server)];
  await put(server, a, 'compression=none');
  await server.ask('DELETE', `/images/${a}`);
  await put(server, b, 'compression=none');
  time += 3_600_000;
  await sweep(server.deps);
  t.is(await fileOf(server, b), FILE);
  t.deepEqual(await holders(server), [[`${b}/file0`]]);
});

// By address

const fromUrl = table<'image' | 'account' | 'query' | 'body' | 'told'>(`
  image      account  query              body                              told
  absent     -        compression=none   {"file_url": "https://x/y"}       404 ResourceNotFound
  activated  -        -                  {}                                422 ImageFilesImmutable
  own        -        storage=s3         {}                                422 InvalidParameter compression:Missing
  own        -        compression=zip&storage=s3  {}                       422 InvalidParameter compression:Invalid
  own        -        compression=none&storage=s3  -                       422 InvalidParameter file_url:Missing
  own        -        compression=none&storage=s3  {}                      422 InvalidParameter file_url:Missing
  own        -        compression=none&storage=s3  []                      422 InvalidParameter file_url:Missing
  own        -        compression=none&storage=s3  {"file_url": "http://x/y"}   422 InvalidParameter file_url:Invalid
  own        -        compression=none&storage=s3  {"file_url": "ftp://x/y"}    422 InvalidParameter file_url:Invalid
  own        -        compression=none&storage=s3  {"file_url": "nonsense"}     422 InvalidParameter file_url:Invalid
  own        -        compression=none&storage=s3  {"file_url": "file:///etc/passwd"}  422 InvalidParameter file_url:Invalid
  own        -        compression=none&storage=s3  {"file_url": ""}        422 InvalidParameter file_url:Invalid
  own        -        compression=none&storage=s3  {"file_url": 5}         422 InvalidParameter file_url:Invalid
  own        -        compression=none&storage=s3  {"file_url": "https://x/y"}  422 InvalidParameter storage:Invalid
  own        user     compression=none&storage=local  {"file_url": "https://x/y"}  422 InvalidParameter storage:NotAllowed
  others     user     compression=none   {"file_url": "https://x/y"}       422 NotImageOwner
  own        -        compression=none   {"file_url": "https://x/y"}       400 Download
`);

test('files by url: all is checked, nothing is fetched yet', async (t) => {
  const server = await startServer(t);
  const user = await addUser(server, 'someone');
  const uuids: Record<string, string> = {
    absent: numbered(7),
    others: (await server.image()).uuid,
    activated: (await server.image({ owner: user.uuid })).uuid,
    own: await created(server, { owner: user.uuid }),
  };
  const before = await kept(server);
  for (const { image, account, query, body, told: expected } of fromUrl) {
    const acting = account && `account=${user.uuid}&`;
    const answer = await server.ask('POST', `/images/${uuids[image]}/file/from-url?${acting}${query}`, {
      ...(body && { body: JSON.parse(body) }),
    });
    t.is(told(answer), expected, [image, account, query, body].join(' '));
    if (uuids[image] === uuids.own) t.deepEqual((await server.stored(uuids.own!))?.files, []);
  }
  t.deepEqual(await kept(server), before);
});

// Channels

test('the file of an image in another channel', async (t) => {
  const channels = [
    { name: 'dev', description: '', default: true },
    { name: 'release', description: '' },
  ];
  const server = await startServer(t, { channels });
  const uuid = numbered(1);
  await importImage(server, { uuid }, { query: '&channel=release', activate: false });
  for (const [query, expected] of [
    ['', '404 ResourceNotFound'],
    ['&channel=dev', '404 ResourceNotFound'],
    ['&channel=*', '422 ValidationFailed channel:Invalid'],
    ['&channel=release', '200'],
  ] as const) {
    t.is(told(await put(server, uuid, `compression=none${query}`)), expected, query);
  }
});
