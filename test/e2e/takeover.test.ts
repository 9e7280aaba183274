import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ava, { type ExecutionContext } from 'ava';
import type { Image } from '../../imgapi/image.js';
import { images } from '../../server/model/image.js';
import type { TakeoverReport } from '../../server/model/takeover.js';
import { type User, users } from '../../server/model/user.js';
import { contents, type Holding } from '../../storage/holdings.js';
import { openCatalog } from '../../storage/open.js';
import type { Wire } from '../support/ask.js';
import { configFile, type Daemon, launch, startDaemon } from '../support/daemon.js';
import { numbered } from '../support/fixtures.js';
import { isMet, mount, unmount } from '../support/needs.js';
import {
  currentRecord,
  danubeDirectory,
  danubeImage,
  danubeManifest,
  md5,
  type OldImage,
  OWNER,
  PUBLISHED,
  png,
  put,
  recordedFile,
  referenceDirectory,
  referenceImage,
  sha1,
  snapshot,
  UPLOADED,
} from '../support/old-directories.js';
import { scratch } from '../support/scratch.js';

// one process after the other
const test = ava.serial;

const trusting = { authType: 'none' };

interface Old {
  old: string;
  data: string;
  args: string[];
  start(config?: object): Promise<Daemon>;
}

async function oldServer(t: ExecutionContext, make: (path: string) => Promise<string>): Promise<Old> {
  const place = await scratch(t);
  const data = join(place, 'data');
  const old = await make(join(place, 'old'));
  const args = ['--takeover', old];
  return { old, data, args, start: (config = trusting) => startDaemon(t, { data, config, args }) };
}

const reference = (t: ExecutionContext, left: OldImage[], others?: Record<string, string>) =>
  oldServer(t, (path) => referenceDirectory(path, left, others));

const danube = (t: ExecutionContext, left: OldImage[]) => oldServer(t, (path) => danubeDirectory(path, left));

const reportOf = async (data: string): Promise<TakeoverReport> =>
  JSON.parse(await readFile(join(data, 'takeover-report.json'), 'utf8'));

/** Outcome and reasons of every image, by uuid. */
const told = ({ images }: TakeoverReport) =>
  Object.fromEntries(images.map(({ uuid, outcome, reasons }) => [uuid, [outcome, ...reasons].join(' | ')]));

const warningsOf = ({ images }: TakeoverReport, uuid: string) =>
  images.find((image) => image.uuid === uuid)?.warnings ?? [];

const byUuid = (a: Wire, b: Wire) => (a.uuid < b.uuid ? -1 : 1);

/** All images, as those see them who may see everything. */
async function shown({ ask }: Daemon, query = ''): Promise<Wire[]> {
  const headers = { 'accept-version': '~2' };
  return (await ask('GET', `/images?state=all${query}`, { headers })).list.sort(byUuid);
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** All that a stopped daemon keeps. */
async function kept(data: string): Promise<{ images: Image[]; contents: Holding[]; users: User[]; blobs: string[] }> {
  const catalog = await openCatalog({ kind: 'leveldb', directory: join(data, 'catalog') });
  try {
    const files = await readdir(join(data, 'files'), { recursive: true, withFileTypes: true });
    return {
      images: await all(catalog.list(images)),
      contents: await all(catalog.list(contents)),
      users: await all(catalog.list(users)),
      blobs: files
        .filter((entry) => entry.isFile())
        .map(({ name }) => name)
        .sort(),
    };
  } finally {
    await catalog.close();
  }
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** What the wire shows of `currentRecord`. */
const wire = (uuid: string, bytes: string | Buffer = `file of ${uuid}`, more: object = {}) => ({
  v: 2,
  uuid,
  owner: OWNER,
  name: 'base-64',
  version: '14.1.0',
  state: 'active',
  disabled: false,
  public: true,
  published_at: PUBLISHED,
  type: 'zone-dataset',
  os: 'smartos',
  files: [{ sha1: sha1(bytes), size: bytes.length, compression: 'gzip' }],
  ...more,
});

interface Aged {
  what: string;
  more?: Record<string, unknown>;
  bytes?: string;
  files?: Record<string, string | Buffer>;
  becomes?: Record<string, unknown>;
}

const rich = {
  description: 'An image\nwith lines',
  homepage: 'https://example.com/',
  eula: 'https://example.com/eula',
  urn: 'sdc:sdc:base:14.1.0',
  requirements: { min_platform: { '7.0': '20130308T102805Z' }, networks: [{ name: 'net0', description: 'public' }] },
  users: [{ name: 'root' }, { name: 'admin' }],
  billing_tags: ['gold', 'silver'],
  traits: { ssd: true, rack: ['a'] },
  generate_passwords: false,
  inherited_directories: ['/opt'],
};
const guest = 'a6cf222d-73f4-414c-a427-5c238ef8e1b7';
const recordedIcon = {
  sha1: sha1(png),
  size: png.length,
  contentMD5: md5(png),
  contentType: 'image/png',
  mtime: UPLOADED,
};
const zvol = { type: 'zvol', os: 'linux', nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host' };

/** Records as the reference server has written them over the years. */
const ages: Aged[] = [
  { what: 'today' },
  {
    what: 'with everything',
    more: { ...rich, tags: ['role=db', 'n=1', 'deep='], tagsObj: { role: 'db', n: 1, deep: { er: [] } }, acl: [guest] },
    becomes: { ...rich, tags: { role: 'db', n: 1, deep: { er: [] } }, acl: [guest] },
  },
  {
    what: 'bare strings and words for flags',
    more: { acl: guest, billing_tags: 'gold', public: 'false', activated: 'true', disabled: 'false', v: '2' },
    becomes: { acl: [guest], billing_tags: ['gold'], public: false },
  },
  { what: 'tags as a list only', more: { tags: ['role=db', 'a=b=c'] }, becomes: { tags: { role: 'db', a: 'b=c' } } },
  {
    what: 'files without MD5 and date',
    more: { files: [{ sha1: sha1('old'), size: '3', compression: 'none' }] },
    bytes: 'old',
    becomes: { files: [{ sha1: sha1('old'), size: 3, compression: 'none' }] },
  },
  { what: 'an icon as a flag', more: { icon: true }, files: { icon: png }, becomes: { icon: true } },
  {
    what: 'an icon of today',
    more: { icon: { ...recordedIcon, stor: 'local' } },
    files: { icon: png },
    becomes: { icon: true },
  },
  {
    what: 'DSAPI',
    more: {
      v: undefined,
      owner: undefined,
      state: undefined,
      activated: undefined,
      public: undefined,
      disabled: undefined,
      creator_uuid: guest,
      vendor_uuid: guest,
      cloud_name: 'sdc',
      platform_type: 'smartos',
      created_at: '2012-05-06T07:08Z',
      published_at: '2012-05-06T07:08Z',
      restricted_to_uuid: OWNER,
      files: [{ path: 'base.zfs.bz2', sha1: sha1('dsapi'), size: 5 }],
    },
    bytes: 'dsapi',
    becomes: {
      owner: guest,
      public: false,
      acl: [OWNER],
      published_at: '2012-05-06T07:08:00Z',
      files: [{ sha1: sha1('dsapi'), size: 5, compression: 'bzip2' }],
    },
  },
  { what: 'no version, no state', more: { v: undefined, state: undefined, disabled: undefined } },
  { what: 'disabled', more: { state: 'disabled', disabled: true }, becomes: { state: 'disabled', disabled: true } },
  {
    what: 'unactivated, with a file',
    more: { state: 'unactivated', activated: false, published_at: undefined },
    becomes: { state: 'unactivated', published_at: undefined },
  },
  {
    what: 'unactivated, without',
    more: { state: 'unactivated', activated: false, published_at: undefined, files: undefined },
    files: {},
    becomes: { state: 'unactivated', published_at: undefined, files: [] },
  },
  {
    what: 'on its way',
    more: {
      state: 'creating',
      activated: false,
      type: 'null',
      os: 'null',
      published_at: undefined,
      files: [],
      expires_at: '2999-01-01T00:00:00.000Z',
    },
    files: {},
    becomes: { state: 'creating', type: undefined, os: undefined, published_at: undefined, files: [] },
  },
  {
    what: 'failed',
    more: {
      state: 'failed',
      activated: false,
      published_at: undefined,
      files: [],
      error: { message: 'no', code: 'X' },
    },
    files: {},
    becomes: { state: 'failed', published_at: undefined, files: [], error: { message: 'no', code: 'X' } },
  },
  {
    what: 'two files',
    more: {
      type: 'lxd',
      os: 'linux',
      files: [recordedFile('metadata', { digest: 'sha256:a', dataset_guid: '17' }), recordedFile('rootfs')],
    },
    files: { file0: 'metadata', file1: 'rootfs' },
    becomes: {
      type: 'lxd',
      os: 'linux',
      files: [
        { sha1: sha1('metadata'), size: 8, compression: 'gzip', dataset_guid: '17' },
        { sha1: sha1('rootfs'), size: 6, compression: 'gzip' },
      ],
    },
  },
  { what: 'a zvol', more: { ...zvol, image_size: '10240' }, becomes: { ...zvol, image_size: 10_240 } },
  // each is built on the one behind it
  { what: 'third', more: { origin: numbered(18) }, becomes: { origin: numbered(18) } },
  { what: 'second', more: { origin: numbered(19) }, becomes: { origin: numbered(19) } },
  { what: 'first', more: { state: 'disabled', disabled: true }, becomes: { state: 'disabled', disabled: true } },
  { what: 'the same bytes', bytes: 'shared' },
  { what: 'the same bytes again', bytes: 'shared' },
];

const aged = ages.map(({ what, more, bytes, files, becomes }, at) => {
  const uuid = numbered(at + 1);
  const image = referenceImage(uuid, more, bytes);
  return {
    what,
    image: {
      ...image,
      files: files && (Object.keys(files).length === 0 || files.file0) ? files : { ...image.files, ...files },
    },
    becomes: JSON.parse(JSON.stringify(wire(uuid, bytes, becomes))),
  };
});

test('a reference server of any age is taken over whole', async (t) => {
  const { start, data, old } = await reference(
    t,
    aged.map(({ image }) => image),
  );
  const before = await snapshot(old);
  const daemon = await start();
  t.deepEqual(await shown(daemon), aged.map(({ becomes }) => becomes).sort(byUuid));

  for (const { what, image, becomes } of aged) {
    const answer = await daemon.ask('GET', `/images/${image.uuid}`, { headers: { 'accept-version': '~2' } });
    t.deepEqual(answer.json, becomes, what);
    for (const index of [0, 1]) {
      const bytes = becomes.files[index] && image.files?.[`file${index}`];
      const file = await daemon.ask('GET', `/images/${image.uuid}/file?index=${index}`);
      t.is(file.status, bytes === undefined ? 404 : 200, what);
      if (bytes === undefined) continue;
      t.deepEqual(file.bytes, Buffer.from(bytes), what);
      t.is(file.headers['content-md5'], md5(bytes), what);
    }
    const icon = await daemon.ask('GET', `/images/${image.uuid}/icon`);
    t.is(icon.status, becomes.icon ? 200 : 404, what);
    if (becomes.icon) t.deepEqual([icon.bytes, icon.headers['content-type']], [png, 'image/png'], what);
  }
  const dated = await daemon.ask('GET', `/images/${numbered(1)}/file`);
  t.is(dated.headers['last-modified'], new Date(UPLOADED).toUTCString());

  const { stdout } = await daemon.kill('SIGTERM');
  t.regex(stdout, new RegExp(`${aged.length} images taken`));
  t.notRegex(stdout, /could not be taken/);
  const report = await reportOf(data);
  t.deepEqual(report.counts, { taken: aged.length, 'already here': 0, 'deleted here': 0, 'not taken': 0 });
  t.deepEqual(
    report.images.flatMap(({ warnings }) => warnings),
    [],
  );
  t.deepEqual(await snapshot(old), before);

  const first = await kept(data);
  t.like(
    first.images.find(({ uuid }) => uuid === numbered(13)),
    { expires_at: '2999-01-01T00:00:00.000Z', type: 'null', activated: false },
  );
  t.like(first.images.find(({ uuid }) => uuid === numbered(15))?.files[0], { digest: 'sha256:a', mtime: UPLOADED });
  t.is(first.contents.length, first.blobs.length);
  const shared = first.contents.find(({ sha256: is }) => is === sha256(Buffer.from('shared')));
  t.is(shared?.holders.length, 2);

  const again = await start();
  t.deepEqual((await reportOf(data)).counts, {
    taken: 0,
    'already here': aged.length,
    'deleted here': 0,
    'not taken': 0,
  });
  await again.kill('SIGTERM');
  t.deepEqual(await kept(data), first);
});

test('owners whom nobody knows become users who can not do anything', async (t) => {
  const { start, data } = await reference(t, [
    referenceImage(numbered(1), { owner: guest }),
    referenceImage(numbered(2), { owner: '00000000-0000-0000-0000-000000000000' }),
  ]);
  await (await start()).kill('SIGTERM');
  const stand = (await kept(data)).users.filter(({ inactive }) => inactive);
  t.like(stand, [{ uuid: guest, name: guest, superAdmin: false }]);
  t.is(stand.length, 1);
});

test('a Danube Cloud server is taken over whole', async (t) => {
  const owner = '00000000-0000-0000-0000-000000000000';
  const [whole, hidden, v1, wrongMd5, sparse] = [1, 2, 3, 4, 5].map(numbered) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const old1 = {
    uuid: v1,
    name: 'base64',
    version: '1.9.1',
    type: 'zone-dataset',
    os: 'smartos',
    creator_uuid: guest,
    creator_name: 'sdc',
    published_at: '2013-01-02T03:04:05.000Z',
    files: [{ path: 'base64.zfs.gz', sha1: sha1('v1'), size: 2, url: 'https://example.com/base64.zfs.gz' }],
  };
  const { start, data, old } = await danube(t, [
    { ...danubeImage(whole), files: { ...danubeImage(whole).files, 'file.md5': `b'${md5(`file of ${whole}`)}'` } },
    danubeImage(hidden, { public: false, disabled: true, tags: { erigones: [] } }),
    { uuid: v1, record: old1, files: { file: 'v1' } },
    { ...danubeImage(wrongMd5), files: { file: `file of ${wrongMd5}`, 'file.md5': md5('half of it') } },
    danubeImage(sparse, { nic_driver: undefined, disk_driver: undefined, state: undefined, v: undefined }),
    { uuid: numbered(6), files: { file: 'half' } },
  ]);
  const before = await snapshot(old);
  const daemon = await start();
  const { list } = { list: await shown(daemon) };
  t.deepEqual(
    list.map(({ uuid }) => uuid),
    [whole, hidden, v1, wrongMd5, sparse],
  );
  t.deepEqual(list[0], danubeManifest(whole) as unknown as Wire);
  t.like(list[1], { state: 'disabled', disabled: true, public: false, owner });
  t.like(list[2], { v: 2, owner: guest, state: 'active', published_at: '2013-01-02T03:04:05.000Z' });
  t.like(list[4], { v: 2, state: 'active', image_size: 10_240 });
  for (const uuid of [whole, hidden, wrongMd5, sparse]) {
    const file = await daemon.ask('GET', `/images/${uuid}/file`);
    t.is(file.bytes.toString(), `file of ${uuid}`);
    t.is(file.headers['content-md5'], md5(`file of ${uuid}`));
  }
  const report = await reportOf(data);
  t.is(report.counts.taken, 5);
  t.deepEqual(report.strays, [`${numbered(6)}: has no manifest, so its import never ended`]);
  t.deepEqual(warningsOf(report, whole), []);
  t.regex(warningsOf(report, wrongMd5).join(), /is wrong; its size and sha1 are right/);
  t.deepEqual(warningsOf(report, sparse), [
    'nic_driver: is missing; the next update has to bring it',
    'disk_driver: is missing; the next update has to bring it',
  ]);
  t.deepEqual(await snapshot(old), before);
});

test('what is damaged is named, and the rest is taken', async (t) => {
  const n = (number: number) => numbered(number);
  const truncated = JSON.stringify(currentRecord(n(1))).slice(0, 100);
  const short = (uuid: string, more: object) => ({ ...recordedFile(`file of ${uuid}`), ...more });
  const { start, data, old } = await reference(
    t,
    [
      { uuid: n(1), record: truncated, files: { file0: 'x' } },
      { uuid: n(2), record: currentRecord(n(99)), files: { file0: 'x' } },
      { uuid: n(3), record: '[]' },
      { uuid: n(4), record: Buffer.from([0xff, 0, 0x80, 0x7b]) },
      { uuid: n(5), record: '' },
      { ...referenceImage(n(6)), files: {} },
      referenceImage(n(7), { files: [short(n(7), { size: 5 })] }),
      referenceImage(n(8), { files: [short(n(8), { size: 500 })] }),
      referenceImage(n(9), { files: [short(n(9), { sha1: sha1('other') })] }),
      referenceImage(n(10), { files: [short(n(10), { contentMD5: md5('other') })] }),
      referenceImage(n(11), { files: [short(n(11), { stor: 'manta' })] }),
      referenceImage(n(12), { os: undefined, name: 'a(b)' }),
      referenceImage(n(13), { type: 'lxd', files: [recordedFile(`file of ${n(13)}`), recordedFile('gone')] }),
      referenceImage(n(14), { origin: n(15) }),
      referenceImage(n(15), { origin: n(14) }),
      { ...referenceImage(n(16)), files: {} },
      { uuid: n(17), record: `{"uuid":${'['.repeat(100_000)}${']'.repeat(100_000)}}` },
      { uuid: n(18), record: `{"uuid":"${n(18)}","tags":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}` },
      // taken, each in spite of something
      { ...referenceImage(n(20)), record: truncated, archive: wire(n(20)) },
      { ...referenceImage(n(21)), record: undefined, archive: wire(n(21)) },
      referenceImage(n(22), { origin: n(98) }),
      referenceImage(n(23), { icon: true }),
      { ...referenceImage(n(24), { icon: recordedIcon }), files: { file0: `file of ${n(24)}`, icon: 'no icon' } },
      { ...referenceImage(n(25), { icon: true }), files: { file0: `file of ${n(25)}`, icon: 'no icon' } },
      referenceImage(n(26), { state: 'unactivated', activated: false, files: [] }),
      referenceImage(n(27), { origin: n(14) }),
    ],
    { 'manifests/base.raw': '{}' },
  );
  await mkdir(join(old, 'images', '000', n(16), 'file0'), { recursive: true });
  const before = await snapshot(old);
  const daemon = await start();
  const report = await reportOf(data);
  const raw = (number: number) => `${old}/manifests/${n(number)}.raw`;
  t.deepEqual(told(report), {
    [n(1)]: `not taken | ${raw(1)}: is no JSON`,
    [n(2)]: `not taken | ${raw(2)}: its uuid is "${n(99)}", not ${n(2)}`,
    [n(3)]: `not taken | ${raw(3)}: is no JSON object`,
    [n(4)]: `not taken | ${raw(4)}: is no JSON`,
    [n(5)]: `not taken | ${raw(5)}: is no JSON`,
    [n(6)]: 'not taken | file0: there is no such file',
    [n(7)]: 'not taken | file0: size is 44 where 5 was expected',
    [n(8)]: 'not taken | file0: size is 44 where 500 was expected',
    [n(9)]: `not taken | file0: sha1 is ${sha1(`file of ${n(9)}`)} where ${sha1('other')} was expected`,
    [n(10)]: `not taken | file0: md5 is ${hex(md5(`file of ${n(10)}`))} where ${hex(md5('other'))} was expected`,
    [n(11)]: 'not taken | files: is kept in manta, not in this directory',
    [n(12)]: 'not taken | name: may hold letters, digits, . _ / - and spaces, not "a(b)" | os: is missing',
    [n(13)]: 'not taken | file1: there is no such file',
    [n(14)]: 'not taken | origin: comes from itself, by way of others',
    [n(15)]: 'not taken | origin: comes from itself, by way of others',
    [n(16)]: 'not taken | file0: there is no such file',
    [n(17)]: `not taken | ${raw(17)}: its uuid is an array, not ${n(17)}`,
    [n(18)]: [
      'not taken',
      'tags: is nested too deeply',
      ...['name', 'version', 'type', 'os'].map((field) => `${field}: is missing`),
    ].join(' | '),
    [n(20)]: 'taken',
    [n(21)]: 'taken',
    [n(22)]: 'taken',
    [n(23)]: 'taken',
    [n(24)]: 'taken',
    [n(25)]: 'taken',
    [n(26)]: 'taken',
    [n(27)]: 'taken',
  });
  const warned = [20, 22, 23, 24, 25, 26, 27].map((number) => warningsOf(report, n(number)).join());
  t.deepEqual(warned, [
    `${raw(20)}: is no JSON; read from ${old}/archive/000/${n(20)}.json instead`,
    `origin: ${n(98)} is not here`,
    'icon: there is no such file; the image was taken without it',
    `icon: size is 7 where ${png.length} was expected; the image was taken without it`,
    'icon: is neither PNG, JPEG nor GIF; the image was taken without it',
    `${old}/images/000/${n(26)}/file0: not in the record, left`,
    `origin: ${n(14)} is not here`,
  ]);
  t.is(report.images.find(({ uuid }) => uuid === n(12))?.name, 'a(b)');
  t.deepEqual(report.strays, ['manifests/base.raw: its name is not that of a record, which is UUID.raw']);
  t.deepEqual(
    (await shown(daemon)).map(({ uuid }) => uuid),
    [20, 21, 22, 23, 24, 25, 26, 27].map(n),
  );
  t.deepEqual(await snapshot(old), before);

  const { stdout } = await daemon.kill('SIGTERM');
  t.regex(stdout, /8 images taken/);
  t.regex(stdout, /18 images could not be taken:/);
  t.regex(stdout, /and 8 more/);
  const { contents, blobs } = await kept(data);
  t.deepEqual(blobs, contents.map(({ key }) => key).sort());
  t.is(blobs.length, 7);
});

const hex = (base64: string) => Buffer.from(base64, 'base64').toString('hex');

(process.platform === 'linux' ? test : test.skip)('a file that can not be read costs its image only', async (t) => {
  const { start, data, old } = await reference(t, [
    { ...referenceImage(numbered(1)), files: {} },
    referenceImage(numbered(2)),
  ]);
  await mkdir(join(old, 'images', '000', numbered(1)), { recursive: true });
  // nobody can read the first byte of a process, not even root
  await symlink('/proc/self/mem', join(old, 'images', '000', numbered(1), 'file0'));
  const daemon = await start();
  const { images } = await reportOf(data);
  t.deepEqual(
    images.map(({ outcome }) => outcome),
    ['not taken', 'taken'],
  );
  t.regex(images[0]?.reasons.join() ?? '', /^file0: EIO/);
  t.is((await shown(daemon)).length, 1);
});

test('a takeover that is killed goes on when it is started again', async (t) => {
  const small = Array.from({ length: 12 }, (_, at) => referenceImage(numbered(at + 1)));
  const huge = numbered(13);
  const { start, data, args, old } = await reference(t, [
    ...small,
    // built on another, so that it comes last
    referenceImage(huge, { origin: numbered(1), files: [{ ...recordedFile('x'), size: 64 * 1024 ** 3 }] }),
  ]);
  const file = join(old, 'images', '000', huge, 'file0');
  await truncate(file, 64 * 1024 ** 3);
  const first = launch(t, ['--port', '0', '--data', data, '--config', await configFile(t, trusting), ...args]);
  await Promise.all(small.map(({ uuid }) => first.logged((line) => line.msg === 'image taken' && line.uuid === uuid)));
  const { stdout, signal } = await first.kill('SIGKILL');
  t.is(signal, 'SIGKILL');
  t.notRegex(stdout, /listening|Taken over/);
  await t.throwsAsync(reportOf(data), { code: 'ENOENT' });

  await writeFile(file, 'the whole of it');
  await put(join(old, 'manifests', `${huge}.raw`), currentRecord(huge, 'the whole of it', { origin: numbered(1) }));
  const daemon = await start();
  t.deepEqual((await reportOf(data)).counts, { taken: 1, 'already here': 12, 'deleted here': 0, 'not taken': 0 });
  t.is((await shown(daemon)).length, 13);
  t.is((await daemon.ask('GET', `/images/${huge}/file`)).bytes.toString(), 'the whole of it');
  await daemon.kill('SIGTERM');
  const { contents, blobs } = await kept(data);
  t.deepEqual(blobs, contents.map(({ key }) => key).sort());
});

for (const name of ['SIGTERM', 'SIGINT'] as const) {
  test(`${name} ends a takeover, and nothing half is left`, async (t) => {
    const huge = numbered(2);
    const { data, args, old } = await reference(t, [
      referenceImage(numbered(1)),
      referenceImage(huge, { origin: numbered(1), files: [{ ...recordedFile('x'), size: 64 * 1024 ** 3 }] }),
    ]);
    await truncate(join(old, 'images', '000', huge, 'file0'), 64 * 1024 ** 3);
    const running = launch(t, ['--port', '0', '--data', data, ...args]);
    await running.logged('image taken');
    const { code, stdout, stderr } = await running.kill(name);
    t.is(code, 0);
    t.regex(stdout, /The takeover was interrupted: .* Start again, and it goes on/);
    t.notRegex(stdout + stderr, /listening|at .*\.js/);
    const { images, contents, blobs } = await kept(data);
    t.deepEqual(
      images.map(({ uuid }) => uuid),
      [numbered(1)],
    );
    t.deepEqual(
      blobs,
      contents.map(({ key }) => key),
    );
    t.false((await readdir(data)).some((entry) => entry.endsWith('.lock')));
  });
}

test('what has changed here since stays as it is', async (t) => {
  const [edited, deleted, other, iconless, lost] = [1, 2, 3, 4, 5].map(numbered) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const withIcon = { ...referenceImage(iconless, { icon: true }), files: { file0: 'x4', icon: png } };
  const { start, data, old } = await reference(t, [
    referenceImage(edited),
    referenceImage(deleted),
    referenceImage(other),
    { ...withIcon, record: currentRecord(iconless, 'x4', { icon: true }) },
    referenceImage(lost),
  ]);
  const first = await start();
  await first.ask('POST', `/images/${edited}?action=update`, { body: { description: 'ours now' } });
  await first.ask('POST', `/images/${edited}?action=disable`);
  t.is((await first.ask('DELETE', `/images/${deleted}`)).status, 204);
  t.is((await first.ask('DELETE', `/images/${iconless}/icon`)).status, 200);
  const before = await shown(first);
  await first.kill('SIGTERM');
  const { contents } = await kept(data);
  const { key } = contents.find(({ holders }) => holders.includes(`images/${lost}/file0`))!;
  await rm(join(data, 'files', 'blobs', key.slice(0, 2), key));
  await referenceDirectory(old, [referenceImage(other, {}, 'other bytes')]);

  const second = await start();
  t.deepEqual(await shown(second), before);
  t.deepEqual(told(await reportOf(data)), {
    [edited]: 'already here',
    [deleted]: 'deleted here',
    [other]: `not taken | an image with this uuid is here and has another file (${sha1(`file of ${other}`)}): it was left alone`,
    [iconless]: 'already here',
    [lost]: 'taken',
  });
  t.is((await second.ask('GET', `/images/${lost}/file`)).bytes.toString(), `file of ${lost}`);
  t.is((await second.ask('GET', `/images/${other}/file`)).bytes.toString(), `file of ${other}`);
  await second.kill('SIGTERM');

  const third = await start();
  t.deepEqual(await shown(third), before);
  t.is(told(await reportOf(data))[deleted], 'deleted here');
});

const channels = [
  { name: 'dev', description: 'all builds', default: true },
  { name: 'release', description: 'released' },
];

test('channels come with their images, on a server that has them', async (t) => {
  const config = { mode: 'public', authType: 'none', port: 0, channels };
  const { start, data, old, args } = await reference(
    t,
    [
      referenceImage(numbered(1), { channels: ['dev', 'release'] }),
      referenceImage(numbered(2), { channels: 'release' }),
      referenceImage(numbered(3)),
      referenceImage(numbered(4), { channels: ['gone'] }),
      referenceImage(numbered(5), { channels: ['dev'], public: false }),
    ],
    { 'etc/imgapi.config.json': JSON.stringify(config) },
  );
  const refused = await launch(t, ['--port', '0', '--data', data, ...args]).exited;
  t.is(refused.code, 1);
  t.regex(
    refused.stderr,
    /channels that this server does not have \(dev, release, gone\): start with --config .*old\/etc/,
  );
  t.deepEqual((await kept(data)).images, []);
  t.false((await readdir(data)).includes('takeover-report.json'));

  const isOurs = { mode: 'public', authType: 'none', channels };
  const other = await launch(t, [
    '--port',
    '0',
    '--data',
    data,
    '--config',
    await configFile(t, { ...isOurs, mode: 'private' }),
    ...args,
  ]).exited;
  t.is(other.code, 1);
  t.regex(
    other.stderr,
    /4 images in .* would be hidden in mode private: start with --config .*, or with --mode public/,
  );

  const theirs = join(old, 'etc', 'imgapi.config.json');
  const daemon = await startDaemon(t, { data, args: ['--config', theirs, ...args] });
  const uuids = async (query: string) => (await shown(daemon, query)).map(({ uuid }) => uuid);
  t.deepEqual(await uuids(''), [numbered(1)]);
  t.deepEqual(await uuids('&channel=release'), [numbered(1), numbered(2)]);
  t.deepEqual(await uuids('&channel=*'), [numbered(1), numbered(2), numbered(4)]);
  t.deepEqual((await shown(daemon))[0]?.channels, ['dev', 'release']);
  const report = await reportOf(data);
  t.is(report.counts.taken, 5);
  t.deepEqual(
    [3, 4, 5].map((number) => warningsOf(report, numbered(number)).join()),
    [
      'channels: is missing, so the image is hidden on this server, which has channels: --fill-channel NAME puts it into one',
      'channels: are gone, of which this server has none: only channel=* finds it',
      'public: is false, so the image is hidden in mode public',
    ],
  );
  await daemon.kill('SIGTERM');
  await start(isOurs);
  const again = await reportOf(data);
  t.is(again.counts['already here'], 5);
  t.deepEqual(
    again.images.map(({ warnings }) => warnings),
    report.images.map(({ warnings }) => warnings),
  );
});

const refusals: [what: string, make: (place: string) => Promise<string>, says: RegExp][] = [
  ['no directory', async (place) => join(place, 'absent'), /no such directory/],
  ['a file', (place) => put(join(place, 'file'), 'x'), /no such directory/],
  ['an empty directory', async (place) => place, /nothing to take over: the base directory .* manifests\//],
  ['something else', async (place) => join(await put(join(place, 'a', 'b'), 'x'), '..'), /UUID\/manifest/],
];

for (const [what, make, says] of refusals) {
  test(`refused, and nothing is made: ${what}`, async (t) => {
    const place = await scratch(t);
    const data = join(await scratch(t), 'data');
    const { code, stderr } = await launch(t, ['--data', data, '--takeover', await make(place)]).exited;
    t.is(code, 1);
    t.regex(stderr, says);
    t.notRegex(stderr, /at .*\.js/);
    await t.throwsAsync(readdir(data), { code: 'ENOENT' });
  });
}

test('refused, and nothing is made: a directory in, around or at the data directory', async (t) => {
  const place = await scratch(t);
  const old = await referenceDirectory(join(place, 'old'), [referenceImage(numbered(1))]);
  await symlink(old, join(place, 'link'));
  const before = await snapshot(place);
  for (const [from, data] of [
    [old, old],
    [old, join(old, 'new', 'data')],
    [old, place],
    [join(place, 'link'), join(old, 'data')],
    [old, join(place, 'link', 'data')],
  ] as const) {
    const { code, stderr } = await launch(t, ['--data', data, '--takeover', from]).exited;
    t.is(code, 1);
    t.regex(stderr, /lie in one another/, `${from} ${data}`);
  }
  t.deepEqual(await snapshot(place), before);
});

test('a server without images is taken over too, and says so', async (t) => {
  const { start } = await reference(t, []);
  const { stdout } = await (await start()).kill('SIGTERM');
  t.regex(stdout, /there are no images/);
});

const key = (name: string) => `ssh-ed25519 AAAA${Buffer.from(`the key ${name}`).toString('base64')} ${name}`;

test('keys are added to those that are here, and those that were removed here stay away', async (t) => {
  const { start, data, old } = await reference(t, [], {
    'etc/authkeys/local/alice.keys': `# laptop\n${key('one')}\n\n${key('two')}`,
    'etc/authkeys/manta/bob.keys': `${key('three')}\n`,
  });
  const alice = join(data, 'authkeys', 'local', 'alice.keys');
  await put(alice, `${key('own')}\n${key('one')} of old`);
  const lines = async () => (await readFile(alice, 'utf8')).trim().split('\n');
  const first = await (await start()).kill('SIGTERM');
  t.regex(first.stdout, /2 keys added/);
  t.deepEqual(await lines(), [key('own'), `${key('one')} of old`, key('two')]);
  t.is(await readFile(join(data, 'authkeys', 'manta', 'bob.keys'), 'utf8'), `${key('three')}\n`);
  t.deepEqual(
    (await reportOf(data)).keys.map(({ file, outcome, added }) => [file, outcome, added]),
    [
      ['local/alice.keys', 'taken', 1],
      ['manta/bob.keys', 'taken', 1],
    ],
  );

  await writeFile(alice, `${key('own')}\n`);
  await rm(join(data, 'authkeys', 'manta', 'bob.keys'));
  await put(join(old, 'etc', 'authkeys', 'local', 'alice.keys'), [key('one'), key('two'), key('new')].join('\n'));
  await (await start()).kill('SIGTERM');
  t.deepEqual(await lines(), [key('own'), key('new')]);
  t.deepEqual(await readdir(join(data, 'authkeys', 'manta')), []);
});

const needs = 'root, to mount a tmpfs';

(isMet[needs] ? test : test.skip)('a full disk ends it in a line, and with room it goes on', async (t) => {
  const disk = join(await scratch(t), 'disk');
  await mkdir(disk);
  t.true(mount(disk, '24m'));
  t.teardown(() => unmount(disk));
  const bytes = Buffer.alloc(4 << 20);
  const large = Array.from({ length: 10 }, (_, at) => {
    bytes.writeUInt32LE(at);
    return referenceImage(numbered(at + 1), {}, Buffer.from(bytes));
  });
  const { args } = await reference(t, large);
  const data = join(disk, 'data');
  const { code, stderr } = await launch(t, ['--port', '0', '--data', data, ...args]).exited;
  t.is(code, 1);
  // The disk may be full under a blob (named by Node) or under the log of LevelDB (named by the system).
  t.regex(
    stderr,
    /slipway: the takeover stopped: the disk is full: .*(ENOSPC|No space left on device).*; what was taken is here whole: .* it goes on/,
  );
  t.notRegex(stderr, /at .*\.js/);
  const some = await kept(data);
  t.true(some.images.length > 0 && some.images.length < 10);
  t.is(some.images.length, some.contents.length);

  execFileSync('mount', ['-o', 'remount,size=96m', disk]);
  const daemon = await startDaemon(t, { data, config: trusting, args });
  const { counts } = await reportOf(data);
  t.deepEqual([counts['already here'], counts.taken], [some.images.length, 10 - some.images.length]);
  t.is((await shown(daemon)).length, 10);
  const { headers } = await daemon.ask('GET', `/images/${numbered(10)}/file`);
  t.is(headers['content-length'], String(4 << 20));
  await daemon.kill('SIGTERM');
  t.is((await kept(data)).blobs.length, 10);
});
