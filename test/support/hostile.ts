import { createHash, randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { fields } from '../../imgapi/fields.js';
import type { Random } from '../imgapi/random.js';

/** A request whose sender knows the contract well and keeps to none of it. */
export interface Hostile {
  method: string;
  target: string;
  headers: [string, string][];
  body: Buffer;
}

export interface Ground {
  token: string;
  /** Images that are there, for requests to find. */
  uuids: string[];
  channels: string[];
}

const long = (length: number) => 'x'.repeat(length);

/** JSON as text, since some of it no value in memory would give. */
// biome-ignore format: a heap of things, not a list to read
export const jsonValues = [
  ...['null', 'true', 'false', '0', '-0', '-1', '1.5', '1e308', '1e999', '-1e999', '9007199254740993'],
  ...['""', '" "', '"true"', '"null"', '"0x10"', '"1e3"', '"-1"', '"NaN"', '"__proto__"', '"constructor"'],
  ...['"\\ud800"', '"\\udfff\\ud800"', '"\\u0000"', '"\\u202e\\ufeff"', '"😀"', '"../../../etc/passwd"', '"%2e%2e%00"'],
  ...['"<script>alert(1)</script>"', '"a\\r\\nX-Injected: 1"', '"javascript:alert(1)"', '"https://"', '"http://[::1"'],
  ...['"2024-02-31T25:61:61.000Z"', '"-000001-01-01T00:00:00.000Z"', '"00000000-0000-0000-0000-000000000000"'],
  ...['[]', '{}', '[null]', '[[]]', '[{}]', '["", "", ""]', '{"": ""}', '[1, "a", null]', '{"length": 3}'],
  ...['{"__proto__": {"polluted": true}}', '{"constructor": {"prototype": {"polluted": true}}}', '{"toString": 1}'],
  ...['{"name": "root"}', '[{"name": "root"}]', '[{"name": 1}]', '{"min_ram": "1", "max_ram": -1, "brand": {}}'],
  ...['{"min_platform": {"7.0": "20130917T001310Z", "__proto__": 1}}', '{"bootrom": "uefi"}', '{"networks": [null]}'],
  ...[`"${long(2000)}"`, `"${long(200_000)}"`, `${'['.repeat(64)}${']'.repeat(64)}`],
  ...[`${'{"a":'.repeat(90)}1${'}'.repeat(90)}`],
  ...[`[${'"x",'.repeat(5000)}"x"]`, `{${Array.from({ length: 3000 }, (_, n) => `"k${n}":${n}`).join()}}`],
];

// biome-ignore format: a heap of things, not a list to read
export const fieldNames = [
  ...Object.keys(fields),
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'toJSON', '', 'colour', '$gt'],
  ...['expires_at'],
  ...['creator_uuid', 'restricted_to_uuid', 'stor', 'job_uuid'],
];

/** An object whose members may come twice. */
export const jsonObject = (members: [string, string][]) =>
  `{${members.map(([name, value]) => `${JSON.stringify(name)}: ${value}`).join(', ')}}`;

const soundManifest = (uuid: string): [string, string][] => [
  ['v', '2'],
  ['uuid', JSON.stringify(uuid)],
  ['owner', '"00000000-0000-0000-0000-000000000000"'],
  ['name', '"sample"'],
  ['version', '"1.0.0"'],
  ['os', '"smartos"'],
  ['type', '"zone-dataset"'],
  ['public', 'true'],
];

function manifest(random: Random, uuid: string): string {
  const unwanted = random.chance(70) ? ['v', 'uuid', 'owner'] : [];
  const members = soundManifest(uuid).filter(([name]) => !unwanted.includes(name));
  for (let n = random.below(4); n > 0; n -= 1) {
    const member: [string, string] = [random.pick(fieldNames), random.pick(jsonValues)];
    members.splice(random.below(members.length + 1), random.below(2), member);
  }
  return jsonObject(members);
}

function jsonText(random: Random, { uuids, channels }: Ground, uuid: string): string {
  const forms: (() => string)[] = [
    () => manifest(random, uuid),
    () => manifest(random, uuid),
    () => manifest(random, uuid),
    () => jsonObject([[random.pick(fieldNames), random.pick(jsonValues)]]),
    () => random.pick(jsonValues),
    () => JSON.stringify([randomUUID(), random.pick([...uuids, 'x'])]),
    () => `[${random.pick(jsonValues)}, ${random.pick(jsonValues)}]`,
    () => jsonObject([['channel', random.pick([...channels.map((name) => `"${name}"`), ...jsonValues])]]),
    () => jsonObject([['file_url', random.pick(['"https://h/f.gz"', '"http://h/"', ...jsonValues])]]),
    () => jsonObject([['files', `[{"digest": ${random.pick(jsonValues)}, "sha1": ${random.pick(jsonValues)}}]`]]),
  ];
  return random.pick(forms)();
}

/** What happens to a body on its way. */
const spoilt: ((bytes: Buffer, random: Random) => Buffer)[] = [
  (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  (bytes, random) => Buffer.concat([bytes, Buffer.from(random.pick(['}', ']', ',', '\0', ' x', '\ufeff']))]),
  (bytes) => Buffer.concat([Buffer.from('\ufeff'), bytes]),
  (bytes, random) => {
    const copy = Buffer.from(bytes);
    if (copy.length > 0) copy[random.below(copy.length)] = random.below(256);
    return copy;
  },
  (bytes) => Buffer.concat([bytes.subarray(0, 10), Buffer.from([0xff, 0xfe, 0xc3, 0x28]), bytes.subarray(10)]),
  (bytes) => Buffer.from(bytes.toString(), 'utf16le'),
  () => Buffer.from('['.repeat(100_000)),
  () => Buffer.from('{"a":'.repeat(50_000)),
  () => Buffer.from('name=a&version=1&__proto__=x&public=true&public=false&=%zz&os[]=a'),
  () => Buffer.alloc(0),
];

const OVERSIZED = Buffer.alloc(4 * 1024 ** 2 + 100, ' ');

function jsonBody(random: Random, ground: Ground, uuid: string): Buffer {
  if (random.below(300) === 0) return OVERSIZED;
  const bytes = Buffer.from(jsonText(random, ground, uuid));
  return random.chance(20) ? random.pick(spoilt)(bytes, random) : bytes;
}

/** What goes into a url where a uuid, a date, a number or a word is expected. */
// biome-ignore format: a heap of things, not a list to read
const words = [
  ...['', 'a', '*', '~', '!', '~%', '!zvol', 'true', 'false', 'TRUE', '1', '0', '-1', '1e3', '1e999', '0x10'],
  ...['NaN', 'null'],
  ...['18446744073709551616', '1.5', ' 1', 'undefined', '__proto__', 'constructor', 'toString', 'all', 'active'],
  ...['failed'],
  ...['2024-01-01', '275761-01-01', '-1', 'Thu, 01 Jan 1970 00:00:00 GMT', 'published_at.desc', 'published_at.'],
  ...['name.asc'],
  ...['%00', '%2e%2e%2f', '%0d%0aX-Injected:%201', '%E0%A4%A', '%ff%fe', '%ED%A0%80', '%', '%zz', '😀', 'é'],
  ...[long(3000)],
  ...['local', 'manta', 'gzip', 'none', 'xz', 'dropcaches', 'latest', 'docker.io/library/busybox'],
  ...['images:ubuntu/24.04'],
  ...['https://images.example', 'file:///etc/passwd', 'http://169.254.169.254/', '/admin/stor/x', 'us-east-1'],
  ...['ImageFilesImmutable'],
];

// biome-ignore format: a heap of things, not a list to read
const parameters = [
  ...['action', 'account', 'channel', 'inclAdminFields', 'limit', 'marker', 'sort', 'state', 'name', 'version'],
  ...['owner', 'os'],
  ...['type', 'public', 'billing_tag', 'tag.role', 'tag.', 'tag.__proto__', 'index', 'sha1', 'compression'],
  ...['dataset_guid'],
  ...['storage', 'source', 'skip_owner_check', 'force_all_channels', 'stor', 'manta_path', 'datacenter'],
  ...['vm_uuid', 'repo'],
  ...['tag', 'digest', 'alias', 'repoAndTag', 'task', 'execution', 'error', '__proto__', 'constructor', ''],
  ...['a[b]', '%00', 'x'],
];

// biome-ignore format: a heap of things, not a list to read
const actions = [
  ...['activate', 'disable', 'enable', 'update', 'update', 'import', 'import', 'import-remote', 'channel-add'],
  ...['change-stor'],
  ...['export', 'import-from-datacenter', 'create-from-vm', 'import-docker-image', 'import-lxd-image', 'add', 'remove'],
];

function query(random: Random, { uuids, channels }: Ground): string {
  const pairs = Array.from({ length: random.below(4) }, () => {
    const value = random.pick([random.pick(words), random.pick(words), random.pick([...uuids, ...channels, 'x'])]);
    return `${random.pick(parameters)}=${value}`;
  });
  if (random.chance(50)) pairs.push(`action=${random.pick(actions)}`);
  if (random.chance(30)) pairs.push(`compression=${random.pick(['none', 'gzip'])}`);
  if (random.chance(10) && pairs[0]) pairs.push(pairs[0]);
  return pairs.length > 0 ? `?${pairs.join('&')}` : random.pick(['', '', '?', '?&&=&', '??']);
}

const tricks: ((path: string, random: Random) => string)[] = [
  (path) => `/${path}`,
  (path) => `${path}/`,
  (path) => path.toUpperCase(),
  (path) => path.replace('/', '/./'),
  (path) => `${path}/../../etc/passwd`,
  (path) => `/docs/..%2f..%2fpackage.json${path}`,
  (path) => path.replaceAll('/', '%2f'),
  (path) => `${path}%00`,
  (path) => `${path}%2e%2e`,
  (path) => path.replace('images', '%69mages'),
  (path) => `${path};a=b`,
  (path) => `${path}%E0%A4%A`,
  (path) => `http://elsewhere.example${path}`,
  (path) => `http://[${path}`,
  (path) => `http://user:pass@h:99999${path}`,
  (path) => `${path}#fragment`,
  (path) => `${path}\\..\\x`,
  (path) => `${path}/${long(4000)}`,
  (path, random) => path.slice(0, random.below(path.length + 1)) || '*',
];

// biome-ignore format: a heap of things, not a list to read
const methods = [
  ...['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND', 'SEARCH', 'PURGE'],
  ...['MKCOL', 'LINK'],
];

// biome-ignore format: a heap of things, not a list to read
const headerValues: Record<string, string[]> = {
  'Accept-Version': [
    '',
    '~99',
    'foo',
    '*',
    '~2',
    '>=1',
    '1.0.0 || 2',
    '||',
    long(5000),
    '1.0.0 || '.repeat(500),
    '~1\xff',
  ],
  'If-Match': ['*', '"', 'W/"x"', ',,,', '', long(5000), '"a", "b"', '\xe9'],
  'If-None-Match': ['*', '"', 'W/', ',', '"x"'],
  'If-Modified-Since': ['yesterday', 'Thu, 01 Jan 1970 00:00:00 GMT', '9999-99-99', 'Infinity', ''],
  'If-Unmodified-Since': ['never', 'Thu, 01 Jan 1970 00:00:00 GMT', '+275761'],
  'If-Range': ['*', '"x"', 'W/"x"', 'Thu, 01 Jan 1970 00:00:00 GMT', 'x'],
  Range: [
    ...['bytes=0-', 'bytes=-0', 'bytes=-1', 'bytes=5-1', 'bytes=0-0', 'bytes=1-2,4-5', 'bytes=99999999999999999999-'],
    ...['items=0-1', 'bytes', '=', 'bytes=a-b', `bytes=${'0-0,'.repeat(2000)}1-1`, 'bytes=1-9007199254740993'],
  ],
  'Content-MD5': ['', 'x', '1B2M2Y8AsgTpgAmY7PhCfg==', long(2000)],
  'Content-Encoding': ['gzip', 'GZIP', 'deflate', 'identity', 'gzip, gzip', 'x'],
  'Content-Type': [
    '__proto__',
    'constructor',
    ...['application/json', 'application/json; charset=utf-16', 'APPLICATION/JSON', 'application/json;', 'text/plain'],
    ...['application/x-www-form-urlencoded', 'multipart/form-data; boundary=', '/', ';;;', '', 'image/png'],
    ...['image/png; a=b'],
    ...['image/jpeg', 'application/ json', 'application/json, text/plain', '\xff', 'application/octet-stream'],
  ],
  Authorization: [
    '',
    'Bearer',
    'Bearer ',
    'Bearer x',
    'Basic Og==',
    'Signature keyId="a"',
    `Bearer ${long(600)}`,
    'Bearer \xe9',
  ],
  Accept: ['text/html', '*/*;q=', 'image/png', ''],
  'Accept-Encoding': ['gzip, br', '*'],
  Expect: ['100-continue', '200-ok', ''],
  'User-Agent': ['imgadm/3.7.3 (node/0.10; x)', 'imgadm/', `imgadm/${'9'.repeat(400)}.1.1 `, ''],
  'x-request-id': ['\xff\xfe', long(300), 'a b', '', '\x80'],
  'X-Forwarded-For': ['127.0.0.1', 'x'],
  'X-HTTP-Method-Override': ['DELETE'],
  Upgrade: ['websocket', 'h2c'],
  Connection: ['upgrade', 'keep-alive, upgrade', 'x'],
  Cookie: [long(3000)],
  Origin: ['http://evil.example', 'null'],
  'x-registry-auth': ['!!!', 'e30='],
};

function headersOf(random: Random, { token }: Ground, isJson: boolean): [string, string][] {
  const headers: [string, string][] = [
    ['Host', random.chance(95) ? 'here' : random.pick(['', 'a b', '[', '127.0.0.1:0'])],
  ];
  if (random.chance(85)) headers.push(['Authorization', `Bearer ${token}`]);
  if (isJson && random.chance(90)) headers.push(['Content-Type', 'application/json']);
  for (let n = random.below(4); n > 0; n -= 1) {
    const name = random.pick(Object.keys(headerValues));
    headers.push([name, random.pick(headerValues[name]!)]);
  }
  return headers;
}

type Framed = Pick<Hostile, 'headers' | 'body'>;

const length = (value: number | string): [string, string][] => [['Content-Length', String(value)]];
const inChunks: [string, string][] = [['Transfer-Encoding', 'chunked']];

const chunk = (bytes: Buffer) =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)};x=y\r\n`), bytes, Buffer.from('\r\n')]);

function chunks(body: Buffer): Buffer[] {
  const half = body.length >> 1;
  return [body.subarray(0, half), body.subarray(half)].filter((piece) => piece.length > 0).map(chunk);
}

/** All that is announced comes. */
function whole(random: Random, body: Buffer): Framed {
  if (random.chance(85)) return { headers: body.length > 0 ? length(body.length) : [], body };
  return { headers: inChunks, body: Buffer.concat([...chunks(body), Buffer.from('0\r\n\r\n')]) };
}

/** More or less comes than was announced, or nobody can tell. */
const broken: ((body: Buffer) => Framed)[] = [
  (body) => ({ headers: inChunks, body: Buffer.concat(chunks(body)) }),
  (body) => ({ headers: inChunks, body }),
  (body) => ({ headers: [...inChunks, ...length(body.length)], body }),
  (body) => ({ headers: length(body.length + 10), body }),
  (body) => ({ headers: length(Math.max(body.length - 1, 0)), body }),
  (body) => ({ headers: length('-1'), body }),
  (body) => ({ headers: length('1e3'), body }),
  (body) => ({ headers: length('18446744073709551616'), body }),
  (body) => ({ headers: length(21 * 1024 ** 3), body }),
  (body) => ({ headers: [...length(body.length), ...length(body.length + 1)], body }),
  (body) => ({ headers: [], body }),
];

interface Options {
  /** Whether its body is what was announced, so that there must be an answer. */
  whole: boolean;
}

export function hostileRequest(
  random: Random,
  route: { method: string; path: string; body: boolean },
  ground: Ground,
  options: Options = { whole: true },
): Hostile {
  const known = random.pick([ground.uuids.slice(0, 5), ground.uuids.slice(-5), ground.uuids]);
  const uuid = random.chance(90) ? random.pick(known) : randomUUID();
  const name = random.chance(90)
    ? uuid
    : random.pick([...words.filter((word) => !/[^!-~]/.test(word)), uuid.toUpperCase()]);
  const plain = route.path.replace(/:\w+/, name);
  const path = random.chance(12) ? random.pick(tricks)(plain, random) : plain;
  const method = random.chance(90) ? route.method : random.pick(methods);
  const isUpload = route.method === 'PUT';
  const content = isUpload
    ? Buffer.alloc(random.pick([0, 1, 100, 5000, 70_000, 210_000]), random.below(256))
    : jsonBody(random, ground, uuid);
  const headers = headersOf(random, ground, !isUpload);
  if (isUpload && random.chance(50)) headers.push(['Content-Type', 'image/png']);
  const zipped = !isUpload && random.chance(5);
  if (zipped) headers.push(['Content-Encoding', 'gzip']);
  const sent = zipped && random.chance(60) ? gzipSync(content) : content;
  if (random.chance(5)) headers.push(['Content-MD5', createHash('md5').update(sent).digest('base64')]);
  const hasBody = method !== 'GET' && method !== 'HEAD' ? random.chance(92) : random.chance(4);
  const none = { headers: [], body: Buffer.alloc(0) };
  const complete = hasBody ? whole(random, sent) : none;
  const framed = options.whole ? complete : random.pick(broken)(sent);
  return { method, target: path + query(random, ground), headers: [...headers, ...framed.headers], body: framed.body };
}

export function spell({ method, target, headers, body }: Hostile): Buffer {
  const lines = [['Connection', 'close'] as const, ...headers].map(([name, value]) => `${name}: ${value}\r\n`);
  // header values are latin1 on the wire, targets utf-8
  const head = [Buffer.from(`${method} ${target} HTTP/1.1\r\n`), Buffer.from(`${lines.join('')}\r\n`, 'latin1')];
  return Buffer.concat([...head, body]);
}
