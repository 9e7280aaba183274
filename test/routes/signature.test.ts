import { Buffer } from 'node:buffer';
import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { users, userUuid } from '../../server/model/user.js';
import { startServer, type TestServer } from '../support/server.js';
import { type KeyKind, type Signing, signedHeaders, sshKey } from '../support/ssh-keys.js';
import { table } from '../support/table.js';
import { kept } from '../support/told.js';

const NOW = new Date('2026-03-04T05:06:07.890Z');

const kinds = ['rsa', 'rsa-1024', 'dsa', 'ecdsa-256', 'ecdsa-384', 'ecdsa-521', 'ed25519'] as const;
const lines = kinds.map((kind) => sshKey(kind).line);

const start = (t: ExecutionContext) =>
  startServer(t, { now: () => NOW, keys: { authKeys: { ops: lines, single: [sshKey('rsa', 'single').line] } } });

const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1000).toUTCString();

type Wish = Partial<Omit<Signing, 'key'>> & { kind?: KeyKind; name?: string };

/** By the RSA key of the user ops, dated now, unless told otherwise. */
function signed({ kind = 'rsa', name = '', headers = {}, ...rest }: Wish = {}): Record<string, string> {
  const key = sshKey(kind, name);
  return signedHeaders({ key, keyId: 'ops', algorithm: 'rsa-sha256', headers: { date: at(0), ...headers }, ...rest });
}

const ping = ({ ask }: TestServer, headers: Record<string, string>) => ask('GET', '/ping', { headers });

// Algorithms

const algorithms = table<'key' | 'algorithms'>(`
  key        algorithms
  rsa        rsa-sha1 rsa-sha256 rsa-sha512 RSA-SHA256
  rsa-1024   rsa-sha256
  dsa        dsa-sha1 DSA-SHA1
  ecdsa-256  ecdsa-sha256 ecdsa-sha384 ecdsa-sha512
  ecdsa-384  ecdsa-sha256 ecdsa-sha384 ecdsa-sha512
  ecdsa-521  ecdsa-sha256 ecdsa-sha384 ecdsa-sha512
  ed25519    ed25519-sha512
`);

test('every algorithm with the keys of its type, however many others the user has', async (t) => {
  const server = await start(t);
  for (const { key, algorithms: names } of algorithms) {
    for (const algorithm of names.split(' ')) {
      const { status, json } = await ping(server, signed({ kind: key as KeyKind, algorithm }));
      t.is(status, 200, `${key} ${algorithm}`);
      t.like(json, { user: 'ops', pid: process.pid }, `${key} ${algorithm}`);
    }
  }
});

test('what another implementation signs', async (t) => {
  const server = await start(t);
  const httpSignature = createRequire(import.meta.url)('http-signature');
  const wishes: object[] = [
    {},
    { headers: ['date', 'host', '(request-target)', 'x-request-id'] },
    { headers: ['request-line', 'date'] },
  ];
  for (const kind of kinds.filter((known) => known !== 'ecdsa-384')) {
    for (const wish of wishes) {
      const headers: Record<string, string> = {
        date: at(0),
        host: `127.0.0.1:${server.port}`,
        'x-request-id': randomUUID(),
      };
      const request = {
        method: 'GET',
        path: '/ping?error=',
        getHeader: (name: string) => headers[name.toLowerCase()],
        setHeader: (name: string, value: string) => {
          headers[name.toLowerCase()] = value;
        },
      };
      httpSignature.signRequest(request, { keyId: 'ops', key: sshKey(kind).pem, ...wish });
      const { status, json } = await server.ask('GET', '/ping?error=', { headers });
      t.is(status, 500, `${kind}: ${json.message}`);
      t.is(json.code, 'InternalError', 'as was asked for');
    }
  }
});

const refusedAlgorithms = table<'key' | 'claimed' | 'made'>(`
  key        claimed         made
  rsa        hmac-sha256     rsa-sha256
  rsa        hmac-sha1       rsa-sha1
  rsa        hs2019          rsa-sha256
  rsa        rsa-md5         rsa-md5
  rsa        rsa-sha384      rsa-sha384
  rsa        rsa             rsa-sha256
  rsa        sha256          rsa-sha256
  rsa        none            rsa-sha256
  rsa        rsa-sha256-v2   rsa-sha256
  rsa        __proto__       rsa-sha256
  rsa        constructor     rsa-sha256
  rsa        rsa-sha512      rsa-sha256
  rsa        dsa-sha1        rsa-sha1
  rsa        ecdsa-sha256    rsa-sha256
  rsa        ed25519-sha512  rsa-sha512
  dsa        rsa-sha1        dsa-sha1
  dsa        dsa-sha256      dsa-sha256
  ecdsa-256  rsa-sha256      ecdsa-sha256
  ecdsa-256  ed25519-sha512  ecdsa-sha512
  ecdsa-384  ecdsa-sha256    ecdsa-sha384
  ed25519    rsa-sha512      ed25519-sha512
  ed25519    ecdsa-sha512    ed25519-sha512
  ed25519    ed25519-sha256  ed25519-sha256
`);

test('another algorithm than that of the signature, or of another type of keys', async (t) => {
  const server = await start(t);
  for (const { key, claimed, made } of refusedAlgorithms) {
    const headers = signed({ kind: key as KeyKind, algorithm: made });
    headers.authorization = headers.authorization!.replace(`"${made}"`, `"${claimed}"`);
    const { status, json } = await ping(server, headers);
    t.is(status, 401, `${key}: ${made} as ${claimed}`);
    t.is(json.code, 'UnauthorizedError');
  }
});

test('HMAC with what everybody knows', async (t) => {
  const server = await start(t);
  const line = sshKey('rsa').line;
  for (const secret of [line, line.split(' ')[1]!, Buffer.from(line.split(' ')[1]!, 'base64')]) {
    const signature = createHmac('sha256', secret)
      .update(`date: ${at(0)}`)
      .digest('base64');
    const authorization = `Signature keyId="ops",algorithm="hmac-sha256",signature="${signature}"`;
    t.is((await ping(server, { date: at(0), authorization })).status, 401);
  }
});

// Keys and users

test('a key that is not this user’s, and users that nobody knows, are refused in the same words', async (t) => {
  const server = await start(t);
  const words = new Set<string>();
  for (const wish of [
    { name: 'stranger' },
    { keyId: 'single' },
    { keyId: 'nobody' },
    { keyId: 'admin' },
    { keyId: 'OPS' },
    { keyId: '__proto__' },
    { keyId: 'constructor' },
    { keyId: `/ops/keys/${sshKey('dsa').md5}` },
    { keyId: '/nobody/keys/x' },
  ]) {
    const { status, json, headers } = await ping(server, signed(wish));
    t.is(status, 401, JSON.stringify(wish));
    t.is(headers['www-authenticate'], undefined);
    words.add(json.message ?? '');
  }
  t.is(words.size, 1);
});

test('keyId as tools write it', async (t) => {
  const server = await start(t);
  const { md5, sha256 } = sshKey('rsa');
  for (const keyId of ['ops', `/ops/keys/${md5}`, `/ops/keys/MD5:${md5}`, `/ops/keys/${sha256}`]) {
    t.is((await ping(server, signed({ keyId }))).json.user, 'ops', keyId);
  }
  for (const keyId of [
    '/ops',
    'ops/',
    '/ops/keys/',
    `/ops/users/sub/keys/${md5}`,
    '/',
    '//keys/x',
    `ops/keys/${md5}`,
  ]) {
    t.is((await ping(server, signed({ keyId }))).status, 401, keyId);
  }
});

test('a user who is inactive, and one who is no operator', async (t) => {
  const server = await start(t);
  const { catalog } = server.deps;
  const become = (change: object) =>
    catalog.write(async (tx) => {
      const user = await tx.get(users, userUuid('ops'));
      await tx.replace(users, { ...user!, ...change });
    });
  const state = async () => (await server.ask('GET', '/state', { headers: signed() })).status;
  t.is(await state(), 200);
  await become({ superAdmin: false });
  t.is(await state(), 403);
  await become({ superAdmin: true, inactive: true });
  t.is(await state(), 403);
  await become({ inactive: undefined, withoutApi: true });
  t.is(await state(), 403);
  await catalog.write((tx) => tx.delete(users, userUuid('ops')));
  t.is(await state(), 401);
});

test('whoever signs is the owner where none is named', async (t) => {
  const server = await start(t);
  const body = { name: 'a', version: '1', os: 'smartos', type: 'zone-dataset', public: true };
  const { status, json } = await server.ask('POST', '/images', { body, headers: signed() });
  t.is(status, 200);
  t.is(json.owner, userUuid('ops'));
});

// Dates

const dates = table<'off' | 'status' | 'said'>(`
  off     status  said
  0       200     -
  300     200     -
  -299    200     -
  302     401     the date header is 301 s ahead of the clock of the server; 300 s are allowed
  -300    401     the date header is 301 s behind the clock of the server; 300 s are allowed
  -1200   401     the date header is 1201 s behind the clock of the server; 300 s are allowed
  864000  401     the date header is 863999 s ahead of the clock of the server; 300 s are allowed
`);

test('a clock that is off is told by how much', async (t) => {
  const server = await start(t);
  for (const { off, status, said } of dates) {
    const answer = await ping(server, signed({ headers: { date: at(Number(off)) } }));
    t.is(answer.status, Number(status), off);
    if (said) t.is(answer.json.message, said);
  }
});

test('x-date stands in for a date that a client can not set', async (t) => {
  const server = await start(t);
  const both = { date: at(-5000), 'x-date': at(0) };
  t.is((await ping(server, signed({ signed: ['x-date'], headers: both }))).status, 200);
  const headers = signed({ signed: ['x-date'], headers: both });
  headers.authorization = headers.authorization!.replace(/,headers="[^"]*"/, '');
  t.is((await ping(server, headers)).status, 200, 'it is what is signed unless said');
  t.is((await ping(server, signed({ signed: ['x-date', 'date'], headers: both }))).status, 401, 'both have to fit');
  t.is(
    (await ping(server, { ...signed({ headers: { date: at(-5000) } }), 'x-date': at(0) })).status,
    401,
    'added later',
  );
});

const noDates = [
  '',
  'yesterday',
  '0',
  '99999999999999999999',
  `${at(0)}, ${at(0)}`,
  'Invalid Date',
  '2026-13-45T99:99:99Z',
];

test('what is no date', async (t) => {
  const server = await start(t);
  for (const date of noDates) {
    t.is((await ping(server, signed({ headers: { date } }))).status, 401, date);
  }
});

test('nothing that is dated among what is signed', async (t) => {
  const server = await start(t);
  for (const names of [['host'], ['(request-target)'], ['x-request-id', 'host']]) {
    const headers = { host: `127.0.0.1:${server.port}`, 'x-request-id': 'once' };
    const { status, json } = await ping(server, signed({ signed: names, headers }));
    t.is(status, 401, names.join(' '));
    t.is(json.message, 'date or x-date has to be among what is signed');
  }
  const { date: _, ...undated } = signed();
  t.is((await ping(server, undated)).status, 401);
});

// What is signed

const everything = ['date', 'x-request-id', '(request-target)', 'host'];

test('the path, the host and all else that is signed have to be those of the request', async (t) => {
  const server = await start(t);
  const host = `127.0.0.1:${server.port}`;
  const fresh = () =>
    signed({ signed: everything, path: '/images?state=all', headers: { host, 'x-request-id': randomUUID() } });
  const status = async (path: string, headers: Record<string, string>, method = 'GET') =>
    (await server.ask(method, path, { headers })).status;
  t.is(await status('/images?state=all', fresh()), 200);
  t.is(await status('/images', fresh()), 401, 'another query');
  t.is(await status('/ping', fresh()), 401, 'another path');
  t.is(await status('/images?state=all', fresh(), 'POST'), 401, 'another method');
  t.is(await status('/images?state=all', { ...fresh(), host: 'localhost' }), 401, 'another host');
  t.is(await status('/images?state=all', { ...fresh(), 'x-request-id': 'another' }), 401);
  t.is(await status('/images?state=all', { ...fresh(), date: at(1) }), 401, 'another date');
  t.is(await status('/images?state=all', fresh()), 200, 'what was refused has spoilt nothing');
});

test('names of headers may be written large; a header that was not sent can not be signed', async (t) => {
  const server = await start(t);
  const headers = signed({ signed: ['date', 'host'], headers: { host: `127.0.0.1:${server.port}` } });
  headers.authorization = headers.authorization!.replace('headers="date host"', 'headers="Date Host"');
  t.is((await ping(server, headers)).status, 200);
  for (const name of ['x-absent', '__proto__', 'constructor', '(created)', '(unknown)', '']) {
    t.is((await ping(server, signed({ signed: ['date', name] }))).status, 401, name);
  }
});

test('a body that is not the one whose Content-MD5 was signed', async (t) => {
  const server = await start(t);
  const body = JSON.stringify({ name: 'a', version: '1', os: 'smartos', type: 'zone-dataset', public: true });
  const md5 = createHash('md5').update(body).digest('base64');
  const headers = () => ({
    ...signed({ method: 'POST', path: '/images', signed: ['date', 'content-md5'], headers: { 'content-md5': md5 } }),
    'content-type': 'application/json',
  });
  const other = await server.ask('POST', '/images', { body: body.replace('"a"', '"b"'), headers: headers() });
  t.is(other.json.code, 'BadDigest');
  t.deepEqual((await kept(server)).images, []);
  t.is((await server.ask('POST', '/images', { body, headers: headers() })).status, 200);
});

test('behind a proxy that takes the path of the public URL away, that path may be signed', async (t) => {
  const server = await startServer(t, {
    now: () => NOW,
    publicUrl: 'https://images.example.com/base',
    keys: { authKeys: { ops: lines } },
  });
  const status = async (path: string) =>
    (await ping(server, signed({ signed: ['date', '(request-target)'], path }))).status;
  t.is(await status('/ping'), 200);
  t.is(await status('/base/ping'), 200);
  for (const path of ['/other/ping', '/base/base/ping', '/base', '/baseping']) t.is(await status(path), 401, path);
  const once = signed({
    signed: [...everything],
    path: '/base/ping',
    headers: { 'x-request-id': 'a', host: `127.0.0.1:${server.port}` },
  });
  t.is((await ping(server, once)).status, 200);
  t.is((await ping(server, once)).status, 401);
});

// Once

test('a request that is marked as one of its kind is good once', async (t) => {
  const server = await start(t);
  for (const mark of ['x-request-id', 'request-id']) {
    for (const { key, algorithms: names } of algorithms) {
      const algorithm = names.split(' ')[0]!;
      const headers = signed({
        kind: key as KeyKind,
        algorithm,
        signed: ['date', mark],
        headers: { [mark]: randomUUID() },
      });
      t.is((await ping(server, headers)).status, 200, algorithm);
      const again = await ping(server, headers);
      t.is(again.status, 401, algorithm);
      t.is(again.json.message, 'the signature was used already: sign every request, with an x-request-id of its own');
    }
  }
});

test('the same again in other letters is still the same', async (t) => {
  const server = await start(t);
  const kind = 'ecdsa-256';
  const wish = {
    kind,
    algorithm: 'ecdsa-sha256',
    signed: ['date', 'x-request-id'],
    headers: { 'x-request-id': randomUUID() },
  } as const;
  const headers = signed({ ...wish, signed: [...wish.signed] });
  t.is((await ping(server, headers)).status, 200);
  const padded = headers.authorization!.replace(/=*",headers/, '",headers');
  t.is((await ping(server, { ...headers, authorization: padded })).status, 401);
  const large = headers.authorization!.replace('ecdsa-sha256', 'ECDSA-SHA256');
  t.is((await ping(server, { ...headers, authorization: large })).status, 401);
  const anew = signed({ ...wish, signed: [...wish.signed] });
  t.not(anew.authorization, headers.authorization, 'another signature for the same');
  t.is((await ping(server, anew)).status, 401);
});

test('of two at the same moment one passes', async (t) => {
  const server = await start(t);
  const headers = signed({ signed: ['date', 'x-request-id'], headers: { 'x-request-id': randomUUID() } });
  const answers = await Promise.all(Array.from({ length: 8 }, () => ping(server, headers)));
  t.is(answers.filter(({ status }) => status === 200).length, 1);
});

test('a change that is played back is refused before it does anything', async (t) => {
  const server = await start(t);
  const body = { name: 'a', version: '1', os: 'smartos', type: 'zone-dataset', public: true };
  const headers = signed({
    method: 'POST',
    path: '/images',
    signed: ['date', 'x-request-id'],
    headers: { 'x-request-id': 'r' },
  });
  t.is((await server.ask('POST', '/images', { body, headers })).status, 200);
  t.is((await server.ask('POST', '/images', { body, headers })).status, 401);
  t.is((await kept(server)).images.length, 1);
});

test('signatures over a date alone are good while the date is: two requests of a second are equal', async (t) => {
  const server = await start(t);
  const headers = signed();
  for (let n = 0; n < 3; n += 1) t.is((await ping(server, headers)).status, 200);
});

test('what was refused may be sent again: only what passed counts', async (t) => {
  const server = await start(t);
  const id = { 'x-request-id': randomUUID() };
  const wish = { signed: ['date', 'x-request-id'], headers: id };
  t.is((await ping(server, signed({ ...wish, name: 'stranger' }))).status, 401);
  t.is((await ping(server, signed(wish))).status, 200);
});

test('on routes that need no credentials a used signature counts as none', async (t) => {
  const server = await start(t);
  const { uuid } = await server.image({ public: false });
  const path = `/images/${uuid}/file`;
  const headers = signed({ path, signed: ['date', 'x-request-id'], headers: { 'x-request-id': randomUUID() } });
  t.is((await server.ask('GET', path, { headers })).status, 200);
  t.is((await server.ask('GET', path, { headers })).status, 404);
});

// What can not be read

const good = 'keyId="ops",algorithm="rsa-sha256",signature="AAAA"';

const malformed = table<'header'>(`
  header
  Signature
  Signature ,
  Signature keyId
  Signature keyId=
  Signature keyId="
  Signature keyId="ops
  Signature keyId="ops"
  Signature keyId=ops,algorithm="rsa-sha256",signature="AAAA"
  Signature keyId="",algorithm="rsa-sha256",signature="AAAA"
  Signature keyId=5,algorithm="rsa-sha256",signature="AAAA"
  Signature keyId="ops",algorithm=5,signature="AAAA"
  Signature keyId="ops",algorithm="",signature="AAAA"
  Signature keyId="ops",signature="AAAA"
  Signature keyId="ops",algorithm="rsa-sha256"
  Signature keyId="ops",algorithm="rsa-sha256",signature=""
  Signature keyId="ops",algorithm="rsa-sha256",signature=5
  Signature keyId="ops",algorithm="rsa-sha256",signature="!!!!"
  Signature keyId="ops",algorithm="rsa-sha256",signature="AA AA"
  Signature keyId="ops",algorithm="rsa-sha256",signature="===="
  Signature GOOD,
  Signature ,GOOD
  Signature GOOD,keyId="ops"
  Signature GOOD,headers=5
  Signature GOOD,headers="date
  Signature GOOD headers="date"
  Signature GOOD;headers="date"
  Signature "GOOD"
  Signature GOOD,headers="date",headers="date"
  Signature GOOD,head-ers="date"
  Signature GOOD,__proto__="x"
  Signature GOOD,created="x",expires="y"
  Signature GOOD,headers="__proto__ date"
  signature GOOD
  SIGNATURE GOOD
  Signature: GOOD
  Signatures GOOD
  GOOD
`);

test('a header that can not be read', async (t) => {
  const server = await start(t);
  for (const { header } of malformed) {
    const authorization = header.replace('GOOD', good);
    for (const [method, path] of [
      ['GET', '/ping'],
      ['GET', '/images'],
      ['POST', '/images'],
      ['GET', '/state'],
    ] as const) {
      const { status, json } = await server.ask(method, path, { headers: { date: at(0), authorization } });
      t.is(status, 401, `${method} ${path}: ${authorization}`);
      t.is(json.code, 'UnauthorizedError');
    }
    t.is(
      (await server.ask('GET', '/datasets', { headers: { date: at(0), authorization } })).status,
      301,
      authorization,
    );
  }
});

test('a header may be a little untidy, and say more than is asked', async (t) => {
  const server = await start(t);
  const { authorization = '', ...rest } = signed({ signed: ['date'] });
  const status = async (given: string) => (await ping(server, { ...rest, authorization: given })).status;
  t.is(await status(authorization.replaceAll('",', '", ')), 200);
  t.is(await status(authorization.replace('Signature ', 'Signature   ')), 200);
  t.is(await status(`${authorization},version="1",created=17,opaque="what, ever"`), 200);
  t.is(await status(authorization.replace('headers="date"', 'headers=""')), 200);
});

test('too long, too many', async (t) => {
  const server = await start(t);
  const { authorization, ...rest } = signed({ signed: ['date'] });
  const long = { ...rest, authorization: `${authorization},opaque="${'x'.repeat(8192)}"` };
  t.is((await ping(server, long)).status, 401);
  t.is((await ping(server, signed({ signed: Array.from({ length: 32 }, () => 'date') }))).status, 200);
  t.is((await ping(server, signed({ signed: Array.from({ length: 33 }, () => 'date') }))).status, 401);
  for (const bytes of [1, 64, 255, 256, 257, 4000]) {
    for (const { key, algorithms: names } of algorithms) {
      const algorithm = names.split(' ')[0]!;
      const forged = randomBytes(bytes).toString('base64');
      const header = `Signature keyId="ops",algorithm="${algorithm}",signature="${forged}"`;
      t.is((await ping(server, { date: at(0), authorization: header })).status, 401, `${key}, ${bytes} bytes`);
    }
  }
});

test('whatever a header says, it is refused and never harms', async (t) => {
  const server = await start(t);
  const word = fc.oneof(
    fc.constantFrom(
      'ops',
      'rsa-sha256',
      'ed25519-sha512',
      'date',
      '(request-target)',
      'AAAA',
      '',
      '/ops/keys/x',
      '__proto__',
    ),
    fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 40 }),
    fc.base64String({ maxLength: 800 }),
  );
  const name = fc.constantFrom('keyId', 'algorithm', 'signature', 'headers', 'created', 'x', '');
  const parameter = fc.oneof(
    fc.tuple(name, word).map(([key, value]) => `${key}="${value}"`),
    fc.tuple(name, fc.nat()).map(([key, value]) => `${key}=${value}`),
    word,
  );
  const header = fc
    .tuple(
      fc.constantFrom('Signature ', 'Signature', 'signature '),
      fc.array(parameter, { maxLength: 7 }),
      fc.constantFrom(',', ', ', ' ', ''),
    )
    .map(([scheme, parameters, between]) => `${scheme}${parameters.join(between)}`.trim())
    .filter((text) => text !== '');
  await fc.assert(
    fc.asyncProperty(
      header,
      fc.option(fc.constantFrom(...noDates, at(0)), { nil: undefined }),
      async (authorization, date) => {
        const headers = { authorization, ...(date !== undefined && { date }) };
        const { status, json } = await server.ask('GET', '/state', { headers });
        t.is(status, 401, authorization);
        t.is(json.code, 'UnauthorizedError', authorization);
      },
    ),
    { numRuns: 500 },
  );
});

test('one letter of a good header that is another', async (t) => {
  const server = await start(t);
  const headers = signed();
  const text = headers.authorization!;
  // the last letters of base64 have bits that count for nothing
  const padding = text.length - 5;
  await fc.assert(
    fc.asyncProperty(fc.nat(padding - 1), fc.integer({ min: 0x21, max: 0x7e }), async (position, code) => {
      const authorization = text.slice(0, position) + String.fromCharCode(code) + text.slice(position + 1);
      const isSame = authorization.replace(/rsa-sha256/i, 'rsa-sha256') === text;
      t.is((await ping(server, { ...headers, authorization })).status, isSame ? 200 : 401, authorization);
    }),
    { numRuns: 500 },
  );
});

test('no answer to a stranger holds what he has sent', async (t) => {
  const server = await start(t);
  for (const wish of [{ keyId: 'a-secret' }, { headers: { date: 'a-secret' } }, { signed: ['date', 'a-secret'] }]) {
    const { status, bytes } = await ping(server, signed(wish));
    t.is(status, 401);
    t.false(bytes.toString().includes('a-secret'));
  }
});

// Servers on which nobody has to

test('where nobody needs credentials, good ones say who it is and bad ones count as none', async (t) => {
  const server = await startServer(t, { authType: 'none', now: () => NOW, keys: { authKeys: { ops: lines } } });
  t.is((await ping(server, signed())).json.user, 'ops');
  const stranger = await ping(server, signed({ name: 'stranger' }));
  t.is(stranger.status, 200);
  t.is(stranger.json.user, undefined);
  t.is((await server.ask('GET', '/state', { headers: signed({ name: 'stranger' }) })).status, 200);
});

test('a token is good beside signatures', async (t) => {
  const server = await start(t);
  t.is((await server.ask('GET', '/state', { as: 'admin' })).status, 200);
  t.is((await server.ask('GET', '/state', { headers: signed() })).status, 200);
});
