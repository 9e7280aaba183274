import { randomBytes, randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import ava, { type ExecutionContext } from 'ava';
import { type ErrorCode, errors, ImgapiError } from '../../imgapi/errors.js';
import { isUuid } from '../../imgapi/image.js';
import { images } from '../../server/model/image.js';
import { docsRoutes } from '../../server/routes/docs.js';
import { routes } from '../../server/routes/table.js';
import { contents } from '../../storage/holdings.js';
import { Random } from '../imgapi/random.js';
import {
  fieldNames,
  type Ground,
  type Hostile,
  hostileRequest,
  jsonObject,
  jsonValues,
  spell,
} from '../support/hostile.js';
import { type ServerOptions, sample, startServer, type TestServer } from '../support/server.js';
import { exchange, type RawAnswer, readAnswers } from '../support/wire.js';

// repeat a run with PROPERTY_SEED=… ; PROPERTY_COUNT=… asks for more than a run has time for
const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 1_000_000);
const COUNT = Number(process.env.PROPERTY_COUNT ?? 2000);
/** Milliseconds for all of them: on a network each takes its time. */
const PATIENCE = 600_000;
const MOST_HEAP_GROWTH = 64 << 20;

// they share what is said to go wrong in the process
const test = ava.serial;

const channels = [
  { name: 'dev', description: '', default: true },
  { name: 'release', description: '' },
];
const limits = { maxFileSize: 200_000, maxIconSize: 10_000 };

const servers: Record<string, ServerOptions> = {
  'in a data center': { mode: 'dc', ...limits },
  'where everybody is trusted': { mode: 'dc', authType: 'none', ...limits },
  'of a repository with channels': { mode: 'public', channels, authType: 'none', ...limits },
};

const crashes: unknown[] = [];
for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
  process.on(event, (error: unknown) => crashes.push(error));
}

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** What is watched while a server is under fire, and what was seen to be wrong. */
interface Watch {
  server: TestServer;
  ground: Ground;
  /** All images that an answer told of, and those that may be gone since. */
  told: Set<string>;
  gone: Set<string>;
  changes: number;
  wrong: string[];
}

async function watched(t: ExecutionContext, options: ServerOptions): Promise<Watch> {
  const server = await startServer(t, options);
  const watch: Watch = {
    server,
    ground: { token: server.token, uuids: [], channels: channels.map(({ name }) => name) },
    told: new Set(),
    gone: new Set(),
    changes: 0,
    wrong: [],
  };
  server.deps.catalog.follow(images, () => {
    watch.changes += 1;
  });
  await plant(watch);
  return watch;
}

/** Images in every state, for requests to find: the first as origin of the others. */
async function plant({ server, ground, told }: Watch): Promise<void> {
  const uuids: string[] = [];
  for (const activate of [true, false, true, false]) {
    uuids.push((await server.image(uuids[0] ? { origin: uuids[0] } : {}, { activate })).uuid);
  }
  await server.ask('PUT', `/images/${uuids[0]}/icon`, { body: 'an icon', headers: { 'content-type': 'image/png' } });
  uuids.push((await server.image({ type: 'docker', os: 'linux' }, { file: null })).uuid);
  ground.uuids.unshift(...uuids);
  for (const uuid of uuids) told.add(uuid);
}

const isCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(errors, code);

/** How the two faces refuse: by which status, and with which members beside those of all refusals. */
const faces = {
  imgapi: { statusOf: (code: ErrorCode) => errors[code][0], members: () => [] },
  management: {
    statusOf: (code: ErrorCode) => new ImgapiError(code, '').managementStatus,
    members: (fields: unknown) => ['detail', ...(fields === undefined ? [] : ['task_id', 'status', 'result'])],
  },
};

interface Answering {
  face: keyof typeof faces;
  /** It was asked for an error. */
  simulated?: boolean;
}

const faceOf = (target: string) => (target.startsWith('/api/') ? 'management' : 'imgapi');

/** What can not be read has no path that would tell which face was meant. */
const isUnread = (code: unknown) => code === 'BadRequestError' || code === 'RequestHeaderFieldsTooLarge';

/** What the contract has against an answer; nothing if all is well. */
function complaints({ status, headers, body }: RawAnswer, { face, simulated = false }: Answering): string[] {
  const isJson = headers.get('content-type') === 'application/json';
  if (status < 400) return isJson && !parses(body) ? ['what is said to be JSON is none'] : [];
  if (!isJson) return [`a refusal of type ${headers.get('content-type')}`];
  if (!parses(body)) return ['a refusal that is no JSON'];
  const { code, message, errors: given, ...rest } = JSON.parse(body.toString());
  const fields = given ?? [];
  const { statusOf, members } = faces[isUnread(code) && rest.detail === undefined ? 'imgapi' : face];
  const found: string[] = [];
  if (!isCode(code)) found.push(`the code ${code}`);
  else if (statusOf(code) !== status) found.push(`${code} with status ${status}`);
  if (status === 500 && !simulated) found.push('an internal error');
  if (typeof message !== 'string' || message === '') found.push('no message');
  if (Object.keys(rest).join() !== members(given).join()) found.push(`members ${Object.keys(rest)}`);
  if (
    !Array.isArray(fields) ||
    !fields.every(({ field, code }) => typeof field === 'string' && typeof code === 'string')
  ) {
    found.push('errors that name no fields');
  }
  return found;
}

function parses(bytes: Buffer): boolean {
  try {
    // docker and lxd imports answer in lines
    for (const line of bytes.toString().split('\r\n')) if (line !== '') JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

/** Keeps the books on which images there should be. */
async function learn({ server, ground, told, gone }: Watch, method: string, target: string, answer: RawAnswer) {
  // an update may have given the image another uuid, and management answers a deletion with 200
  const mayEnd = answer.status === 204 || (answer.status === 200 && (target.includes('update') || method === 'DELETE'));
  if (mayEnd) {
    for (const uuid of ground.uuids.filter((named) => target.includes(named))) {
      if (await server.stored(uuid)) continue;
      gone.add(uuid);
      ground.uuids.splice(ground.uuids.indexOf(uuid), 1);
    }
  }
  if (method !== 'POST' || answer.status !== 200 || !parses(answer.body)) return;
  let next: unknown = JSON.parse(answer.body.toString() || '{}').uuid;
  while (isUuid(next) && !told.has(next)) {
    told.add(next);
    ground.uuids.push(next);
    next = (await server.stored(next))?.origin;
  }
}

async function fire(watch: Watch, request: Hostile, { whole }: { whole: boolean }): Promise<number | undefined> {
  const { method, target } = request;
  const isHead = method === 'HEAD';
  const before = watch.changes;
  const bytes = spell(request);
  const complain = (what: string) => watch.wrong.push(`${what}\n  ${bytes.subarray(0, 600).toString('latin1')}`);
  let answers: RawAnswer[];
  try {
    answers = readAnswers(await exchange(watch.server.port, { bytes, ends: !whole, isHead }), isHead);
  } catch (error) {
    complain(String(error));
    return undefined;
  }
  const simulated = /ping\?.*error=/.test(target);
  for (const answer of answers) {
    if (!isHead)
      for (const what of complaints(answer, { face: faceOf(target), simulated }))
        complain(`${what}: ${answer.body.subarray(0, 300)}`);
    if (answer.headers.has('x-injected')) complain('a header was injected');
    await learn(watch, method, target, answer);
  }
  const status = answers[0]?.status;
  if (!whole) return status;
  if (status === undefined) complain('no answer');
  else if (status >= 400 && watch.changes !== before) complain(`refused with ${status}, but done`);
  return status;
}

/** Alive, with nothing left over. */
async function settled(t: ExecutionContext, { server, wrong }: Watch): Promise<void> {
  t.deepEqual(wrong.slice(0, 5), [], `${wrong.length} answers are wrong`);
  t.is((await server.ask('GET', '/ping')).json.ping, 'pong');

  const { catalog, blobs } = server.deps;
  const leftovers = async () => {
    const found = { staged: 0, unknown: 0 };
    for await (const { key, staged } of blobs.list()) {
      if (staged) found.staged += 1;
      else if (!(await catalog.find(contents, `key:${key}`))) found.unknown += 1;
    }
    return found;
  };
  // a refusal is sent before the bytes that came with it are thrown away
  for (let turn = 0; turn < 10_000 && (await leftovers()).staged > 0; turn += 1) await setImmediate();
  t.deepEqual(await leftovers(), { staged: 0, unknown: 0 });
  t.false('polluted' in {}, 'a prototype was polluted');
  t.deepEqual(crashes, []);
}

/** Holding what was acknowledged and nothing else. */
async function accounted(t: ExecutionContext, { server, told, gone }: Watch): Promise<void> {
  const there = new Set<string>();
  for await (const { uuid } of server.deps.catalog.list(images)) there.add(uuid);
  const untold = [...there].filter((uuid) => !told.has(uuid));
  const lost = [...told].filter((uuid) => !there.has(uuid) && !gone.has(uuid));
  t.deepEqual({ untold, lost }, { untold: [], lost: [] });
  t.is(server.deps.listing.size, there.size);
}

for (const [title, options] of Object.entries(servers)) {
  test(`hostile requests at every route of a server ${title}`, async (t) => {
    t.timeout(PATIENCE);
    t.log(`PROPERTY_SEED=${SEED}`);
    const random = new Random(SEED);
    const watch = await watched(t, options);
    // A stream of events has no end to wait for.
    const table = [...routes, ...docsRoutes(routes)].filter(({ name }) => name !== 'FollowEvents');
    const statuses = new Map<string, number>();
    collectGarbage();
    const heap = process.memoryUsage().heapUsed;

    const fireAt = async (n: number, options: { whole: boolean }) => {
      if (n % 100 === 99 || watch.ground.uuids.length < 5) await plant(watch);
      const route = table[n] ?? random.pick(table);
      const status = await fire(watch, hostileRequest(random, route, watch.ground, options), options);
      statuses.set(String(status), (statuses.get(String(status)) ?? 0) + 1);
    };

    for (let n = 0; n < COUNT && watch.wrong.length < 20; n += 1) await fireAt(n, { whole: true });
    await settled(t, watch);
    await accounted(t, watch);
    // whoever breaks off may never learn what became of it
    for (let n = 0; n < COUNT / 5 && watch.wrong.length < 20; n += 1) await fireAt(n, { whole: false });
    await settled(t, watch);
    t.log(
      [...statuses]
        .sort()
        .map(([status, count]) => `${status}: ${count}`)
        .join(', '),
    );
    collectGarbage();
    const growth = process.memoryUsage().heapUsed - heap;
    t.true(growth < MOST_HEAP_GROWTH, `the heap has grown by ${growth} bytes`);
    t.true((statuses.get('200') ?? 0) > COUNT / 50, 'some get through');
  });
}

test('every wrong value in every field of a create, an import and an update', async (t) => {
  t.timeout(PATIENCE);
  const watch = await watched(t, { mode: 'dc', ...limits });
  const { server, ground } = watch;
  const [active = '', unactivated = ''] = ground.uuids;
  const small = jsonValues.filter((value) => value.length < 10_000);
  for (const field of fieldNames) {
    for (const value of small) {
      const uuid = randomUUID();
      const members = Object.entries(sample('dc')).map(([name, sound]): [string, string] => [
        name,
        JSON.stringify(sound),
      ]);
      const with_ = (...more: [string, string][]) => jsonObject([...members, ...more, [field, value]]);
      const requests = [
        ['/images', with_()],
        [`/images/${uuid}?action=import`, with_(['v', '2'], ['uuid', `"${uuid}"`])],
        [`/images/${random(field, value) ? active : unactivated}?action=update`, jsonObject([[field, value]])],
      ];
      for (const [path = '', body = ''] of requests) {
        const before = watch.changes;
        const headers = { 'content-type': 'application/json' };
        const { status, headers: answered, bytes } = await server.ask('POST', path, { body, headers });
        const answer = {
          status,
          headers: new Map(Object.entries(answered).map(([k, v]) => [k, String(v)])),
          body: bytes,
        };
        for (const what of complaints(answer, { face: 'imgapi' }))
          watch.wrong.push(`${what}: ${path} ${body.slice(0, 300)} ${bytes}`);
        if (status >= 400 && watch.changes !== before)
          watch.wrong.push(`refused, but done: ${path} ${body.slice(0, 300)}`);
        await learn(watch, 'POST', path, answer);
        if (path.includes('update') && status === 200) await readable(watch, path.slice(0, path.indexOf('?')));
      }
    }
  }
  await settled(t, watch);
  await accounted(t, watch);
});

/** Either of two, always the same for the same field and value. */
const random = (field: string, value: string) => (field.length + value.length) % 2 === 0;

/** What was let in can be shown, alone and in a list. */
async function readable({ server, wrong }: Watch, path: string): Promise<void> {
  for (const shown of [path, '/images?state=all']) {
    const { status, bytes } = await server.ask('GET', shown, { as: 'admin' });
    if (status !== 200 && status !== 404) wrong.push(`${shown} can not be shown: ${bytes}`);
  }
}

const garbage: Record<string, Buffer> = {
  'nothing at all': Buffer.alloc(0),
  zeros: Buffer.alloc(10_000),
  'a TLS hello': Buffer.from('16030100c8010000c40303', 'hex'),
  'the preface of HTTP/2': Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  'random bytes': randomBytes(5000),
  'empty lines': Buffer.from('\r\n'.repeat(5000)),
  'half a request line': Buffer.from('GET /pi'),
  'HTTP/0.9': Buffer.from('GET /ping\r\n'),
  'HTTP/1.1 without Host': Buffer.from('GET /ping HTTP/1.1\r\n\r\n'),
  'two Hosts': Buffer.from('GET /ping HTTP/1.1\r\nHost: localhost\r\nHost: b\r\n\r\n'),
  'HTTP/3.0': Buffer.from('GET /ping HTTP/3.0\r\nHost: localhost\r\n\r\n'),
  'a method of no kind': Buffer.from('BREW /ping HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  'a method in lower case': Buffer.from('get /ping HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  CONNECT: Buffer.from('CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  'a target with a space': Buffer.from('GET /pi ng HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  'a target with a zero': Buffer.from('GET /ping\0 HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  'a target of bytes': Buffer.from('GET /\xff\xfe\x80 HTTP/1.1\r\nHost: localhost\r\n\r\n', 'latin1'),
  'a target without a slash': Buffer.from('GET ping HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  'an endless target': Buffer.from(`GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`),
  'an endless header': Buffer.from(`GET /ping HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`),
  'endless headers': Buffer.from(`GET /ping HTTP/1.1\r\nHost: localhost\r\n${'X: y\r\n'.repeat(20_000)}\r\n`),
  'a header without a colon': Buffer.from('GET /ping HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n'),
  'a header with a space in its name': Buffer.from(
    'GET /ping HTTP/1.1\r\nHost: localhost\r\nContent Length: 3\r\n\r\n',
  ),
  'a header on two lines': Buffer.from('GET /ping HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n'),
  'a zero in a header': Buffer.from('GET /ping HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n'),
  'lines without returns': Buffer.from('GET /ping HTTP/1.1\nHost: localhost\n\n'),
  'an expectation of no kind': Buffer.from(
    'GET /ping HTTP/1.1\r\nHost: localhost\r\nExpect: miracles\r\nConnection: close\r\n\r\n',
  ),
  'two lengths': Buffer.from(
    'POST /images HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
  ),
  'a length and chunks': Buffer.from(
    'POST /images HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ),
  'chunks of no size': Buffer.from(
    'POST /images HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n',
  ),
  'an encoding of no kind': Buffer.from(
    'POST /images HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, x\r\n\r\nabc',
  ),
  'a request behind one that closes': Buffer.from(
    'GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\nDELETE /images HTTP/1.1\r\nHost: localhost\r\n\r\n',
  ),
  'garbage behind a request': Buffer.from('GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n\x01\x02\x03\r\n\r\n'),
};

test('garbage on the socket is refused in JSON where there is anything to refuse', async (t) => {
  const watch = await watched(t, { mode: 'dc' });
  const { server } = watch;
  for (const [what, bytes] of Object.entries(garbage)) {
    const back = await exchange(server.port, { bytes, ends: true });
    t.notThrows(() => readAnswers(back), `${what}: ${back}`);
    const answers = readAnswers(back);
    for (const answer of answers) t.deepEqual(complaints(answer, { face: 'imgapi' }), [], `${what}: ${back}`);
    const isSilent = ['nothing at all', 'empty lines'].includes(what);
    t.is(answers.length > 0, !isSilent, `${what}: ${back}`);
  }
  await settled(t, watch);
});

test('what follows a request can not get into the answer to it', async (t) => {
  const server = await startServer(t, { mode: 'dc' });
  const file = randomBytes(8 << 20);
  const { json } = await server.ask('POST', '/images', { body: sample('dc') });
  await server.ask('PUT', `/images/${json.uuid}/file?compression=none`, { body: file });
  await server.ask('POST', `/images/${json.uuid}?action=activate`);
  const asked = `GET /images/${json.uuid}/file HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  for (const behind of ['\x01\x02\x03\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', `${'X'.repeat(50_000)}\r\n`]) {
    const back = await exchange(server.port, { bytes: Buffer.from(asked + behind), ends: true });
    const start = back.indexOf('\r\n\r\n') + 4;
    const got = start < 4 ? Buffer.alloc(0) : back.subarray(start, start + file.length);
    // all of it, a part of it, or a refusal in its place: never other bytes
    const isRefusal = back.toString('latin1', 0, 12) === 'HTTP/1.1 400';
    t.true(isRefusal || got.equals(file.subarray(0, got.length)), `${behind.slice(0, 20)}: ${got.length} bytes`);
  }
});
