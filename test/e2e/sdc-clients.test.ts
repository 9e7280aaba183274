import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import ava, { type ExecutionContext } from 'ava';
import { ADMIN, userUuid } from '../../server/model/user.js';
import type { Wire } from '../support/ask.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { linesOf, startRegistry, testImage } from '../support/registry.js';
import { scratch } from '../support/scratch.js';
import { algorithmOf, cliSigner, methods, type Refusal, type Sdc, sdcClient } from '../support/sdc-imgapi.js';
import { type KeyKind, sshKey } from '../support/ssh-keys.js';

// one process after the other
const test = ava.serial;

const called = new Set<string>();

const owner = ADMIN.uuid;
const manifest = { name: 'sample', version: '1.0.0', os: 'smartos', type: 'zone-dataset', public: true, owner };

const digest = (algorithm: string, bytes: Buffer, form: 'hex' | 'base64') =>
  createHash(algorithm).update(bytes).digest(form);

async function start(t: ExecutionContext, config: object): Promise<{ daemon: Daemon; sdc: Sdc }> {
  const daemon = await startDaemon(t, { config });
  return { daemon, sdc: sdcClient(t, { url: daemon.url }, called) };
}

/** A data center whose callers are all trusted, as the client meets it on an admin network. */
const startDc = (t: ExecutionContext) => start(t, { mode: 'dc', authType: 'none' });

const channels = [
  { name: 'dev', description: 'all builds', default: true },
  { name: 'staging', description: 'to be tested' },
  { name: 'release', description: 'released' },
];

const startRepository = (t: ExecutionContext) => start(t, { mode: 'public', authType: 'none', channels });

async function create(sdc: Sdc, extra: object = {}): Promise<Wire> {
  return (await sdc.call('createImage', { ...manifest, ...extra })).value;
}

async function createActive(sdc: Sdc, bytes = Buffer.from('the bytes'), extra: object = {}): Promise<Wire> {
  const { uuid } = await create(sdc, extra);
  const file = { uuid, compression: 'none', file: Readable.from([bytes]), size: bytes.length };
  await sdc.call('addImageFile', file);
  return (await sdc.call('activateImage', uuid)).value;
}

const answer = ({ status, code, fields }: Refusal) => [status, code, ...fields];

test('ping, state, keys', async (t) => {
  const { daemon, sdc } = await startDc(t);
  const pong = await sdc.call('ping');
  t.like(pong.value, { ping: 'pong', imgapi: true, pid: daemon.child.pid });
  t.is(pong.response.headers['content-type'], 'application/json');
  t.deepEqual(answer(await sdc.refused('ping', 'ImageFilesImmutable')), [422, 'ImageFilesImmutable']);
  t.deepEqual(answer(await sdc.refused('ping', 'NoSuch')), [422, 'InvalidParameter', 'error Missing']);
  t.deepEqual((await sdc.call('adminGetState')).value.storageTypes, ['local']);
  t.is((await sdc.call('adminReloadAuthKeys')).response.statusCode, 200);
});

test('an image from its creation to its deletion, each step by the client', async (t) => {
  const { sdc } = await startDc(t);
  const directory = await scratch(t);
  const bytes = randomBytes(300_000);
  const path = join(directory, 'file');
  await writeFile(path, bytes);

  const created = await create(sdc);
  const { uuid } = created;
  t.like(created, { state: 'unactivated', files: [], owner });

  const sha1 = digest('sha1', bytes, 'hex');
  const added = await sdc.call('addImageFile', { uuid, compression: 'gzip', file: path, sha1, dataset_guid: '17' });
  t.deepEqual(added.value.files, [{ sha1, size: bytes.length, compression: 'gzip', dataset_guid: '17' }]);
  const wrong = { uuid, compression: 'gzip', file: Readable.from([bytes]), size: bytes.length, sha1: '0'.repeat(40) };
  t.deepEqual(answer(await sdc.refused('addImageFile', wrong)), [400, 'Download']);

  const active = await sdc.call('activateImage', uuid);
  t.is(active.value.state, 'active');
  t.deepEqual(answer(await sdc.refused('activateImage', uuid)), [422, 'ImageAlreadyActivated']);
  const late = { uuid, compression: 'none', file: Readable.from(['late']), size: 4 };
  t.deepEqual(answer(await sdc.refused('addImageFile', late)), [422, 'ImageFilesImmutable']);

  // the client compares what arrives with Content-MD5 and fails without it
  const down = join(directory, 'down');
  const got = await sdc.call('getImageFile', uuid, down).catch((error: unknown) => error);
  t.false(got instanceof Error, String(got));
  t.deepEqual(await readFile(down), bytes);

  const { response } = await sdc.call('getImageFileStream', uuid, owner, {});
  t.is(response.headers['content-length'], String(bytes.length));
  t.is(response.headers['content-md5'], digest('md5', bytes, 'base64'));
  t.deepEqual(await read(response), bytes);
  t.deepEqual(answer(await sdc.refused('getImageFile', uuid, down, undefined, { index: 1 })), [
    404,
    'ResourceNotFound',
  ]);

  t.is((await sdc.call('disableImage', uuid)).value.state, 'disabled');
  t.is((await sdc.call('enableImage', uuid)).value.state, 'active');

  const changes = { description: 'described', tags: { role: 'web' }, homepage: 'https://example.org' };
  t.like((await sdc.call('updateImage', uuid, changes)).value, changes);
  t.false('description' in (await sdc.call('updateImage', uuid, { description: null })).value);
  const type = await sdc.refused('updateImage', uuid, { type: 'other' });
  t.deepEqual(answer(type), [422, 'ValidationFailed', 'type NotAllowed']);

  const current = await sdc.call('getImage', uuid);
  const stale = { headers: { 'if-match': 'stale' } };
  t.deepEqual(answer(await sdc.refused('updateImage', uuid, changes, undefined, stale)), [412, 'PreconditionFailed']);
  const fresh = { headers: { 'if-match': current.response.headers.etag } };
  t.like((await sdc.call('updateImage', uuid, changes, undefined, fresh)).value, changes);
  t.is((await sdc.call('getImage', uuid, { inclAdminFields: true })).value.files?.[0]?.stor, 'local');

  const child = await create(sdc, { origin: uuid });
  const held = await sdc.refused('deleteImage', uuid);
  t.deepEqual(answer(held), [422, 'ImageHasDependentImages']);
  t.regex(held.message ?? '', new RegExp(child.uuid));
  t.is((await sdc.call('deleteImage', child.uuid)).response.statusCode, 204);
  t.is((await sdc.call('deleteImage', uuid)).response.statusCode, 204);
  t.deepEqual(answer(await sdc.refused('getImage', uuid)), [404, 'ResourceNotFound']);
  t.deepEqual(answer(await sdc.refused('getImageFileStream', uuid, owner, {})), [404, 'ResourceNotFound']);
});

/** What the client has paused in its own way. */
function read(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    response.once('end', () => resolve(Buffer.concat(chunks)));
    response.resume();
  });
}

test('icons, from files and streams, checked by their Content-MD5', async (t) => {
  const { sdc } = await startDc(t);
  const { uuid } = await createActive(sdc);
  const icon = randomBytes(20_000);
  const directory = await scratch(t);
  const path = join(directory, 'icon.png');
  await writeFile(path, icon);
  const sha1 = digest('sha1', icon, 'hex');

  t.is((await sdc.call('addImageIcon', { uuid, contentType: 'image/png', file: path, sha1 })).value.icon, true);
  const down = join(directory, 'down.png');
  const { response } = await sdc.call('getImageIcon', uuid, down);
  t.is(response.headers['content-type'], 'image/png');
  t.deepEqual(await readFile(down), icon);
  const streamed = await sdc.call('getImageIconStream', uuid, owner, {});
  t.deepEqual(await read(streamed.response), icon);

  const jpeg = { uuid, contentType: 'image/jpeg', file: Readable.from(['a jpeg']), size: 6 };
  await sdc.call('addImageIcon', jpeg);
  await sdc.call('getImageIcon', uuid, down);
  t.is(await readFile(down, 'utf8'), 'a jpeg');

  const tiff = { uuid, contentType: 'image/tiff', file: path };
  t.deepEqual(answer(await sdc.refused('addImageIcon', tiff)), [400, 'Upload']);
  const big = { uuid, contentType: 'image/png', file: Readable.from([Buffer.alloc(129 * 1024)]), size: 129 * 1024 };
  t.deepEqual(answer(await sdc.refused('addImageIcon', big)), [400, 'Upload']);

  t.false('icon' in (await sdc.call('deleteImageIcon', uuid)).value);
  t.deepEqual(answer(await sdc.refused('deleteImageIcon', uuid)), [404, 'ResourceNotFound']);
  t.deepEqual(answer(await sdc.refused('getImageIcon', uuid, down)), [404, 'ResourceNotFound']);
});

test('accounts: access lists and clones', async (t) => {
  const { sdc } = await startDc(t);
  const [friend, stranger] = [randomUUID(), randomUUID()];
  const { uuid } = await createActive(sdc, Buffer.from('shared'), { public: false });

  t.deepEqual(answer(await sdc.refused('getImage', uuid, friend, {})), [404, 'ResourceNotFound']);
  t.deepEqual((await sdc.call('addImageAcl', uuid, [friend, friend])).value.acl, [friend]);
  t.is((await sdc.call('getImage', uuid, friend, {})).value.uuid, uuid);
  t.deepEqual(answer(await sdc.refused('updateImage', uuid, { name: 'mine' }, friend)), [422, 'NotImageOwner']);
  t.deepEqual(answer(await sdc.refused('cloneImage', uuid, stranger)), [404, 'ResourceNotFound']);

  const clone = (await sdc.call('cloneImage', uuid, friend)).value;
  t.like(clone, { owner: friend, state: 'active' });
  t.not(clone.uuid, uuid);
  const { value: own } = await sdc.call<Wire[]>('listImages', { account: friend, owner: friend });
  t.deepEqual(
    own.map((image) => image.uuid),
    [clone.uuid],
  );

  t.false('acl' in (await sdc.call('removeImageAcl', uuid, [friend])).value);
  t.deepEqual(answer(await sdc.refused('getImage', uuid, friend, {})), [404, 'ResourceNotFound']);
});

test('what a create is refused for, field by field', async (t) => {
  const { sdc } = await startDc(t);
  const cases: [object, unknown[]][] = [
    [{ name: undefined }, [422, 'ValidationFailed', 'name MissingParameter']],
    [{ type: 'vmdk', os: 'beos' }, [422, 'ValidationFailed', 'type Invalid', 'os Invalid']],
    [{ owner: undefined }, [422, 'ValidationFailed', 'owner MissingParameter']],
    [{ owner: randomUUID() }, [422, 'OwnerDoesNotExist']],
    [{ origin: randomUUID() }, [422, 'OriginDoesNotExist']],
    [{ state: 'active' }, [422, 'ValidationFailed', 'state NotAllowed']],
    [{ uuid: randomUUID(), colour: 'red' }, [422, 'InvalidParameter', 'uuid Invalid', 'colour Invalid']],
  ];
  for (const [extra, expected] of cases) {
    t.deepEqual(answer(await sdc.refused('createImage', { ...manifest, ...extra })), expected);
  }
  t.deepEqual((await sdc.call<Wire[]>('listImages', { state: 'all' })).value, []);
});

test('importing a manifest', async (t) => {
  const { sdc } = await startDc(t);
  const uuid = randomUUID();
  const published_at = '2020-02-02T02:02:02.000Z';
  const data = { ...manifest, v: 2, uuid, published_at, state: 'active', disabled: false, files: [] };
  t.like((await sdc.call('adminImportImage', data, { skipOwnerCheck: true })).value, { uuid, state: 'unactivated' });
  t.deepEqual(answer(await sdc.refused('adminImportImage', data)), [409, 'ImageUuidAlreadyExists']);
  const bytes = Buffer.from('imported');
  await sdc.call('addImageFile', { uuid, compression: 'bzip2', file: Readable.from([bytes]), size: bytes.length });
  t.is((await sdc.call('activateImage', uuid)).value.published_at, published_at);
});

test('importing from another server, and waiting for it', async (t) => {
  const source = await startRepository(t);
  const bytes = randomBytes(100_000);
  const base = await createActive(source.sdc, bytes, { name: 'base' });
  const top = await createActive(source.sdc, Buffer.from('the top'), { name: 'top', origin: base.uuid });
  const { daemon, sdc } = await startDc(t);
  const url = `${source.daemon.url}?channel=dev`;
  const { value } = await sdc.call('adminImportRemoteImageAndWait', top.uuid, url, { skipOwnerCheck: true });
  t.like(value, { uuid: top.uuid, state: 'active', origin: base.uuid, published_at: top.published_at });
  t.deepEqual((await daemon.ask('GET', `/images/${base.uuid}/file`)).bytes, bytes);
  t.deepEqual(answer(await sdc.refused('adminImportRemoteImage', top.uuid, url)), [409, 'ImageUuidAlreadyExists']);

  const other = await createActive(source.sdc, Buffer.from('the other'), { name: 'other' });
  const asked = await sdc.call<Record<string, string>>('adminImportRemoteImage', other.uuid, url, {});
  t.is(asked.value.image_uuid, other.uuid);
  t.is(asked.response.headers['workflow-api'], daemon.url);
  const { list: jobs } = await daemon.ask('GET', `/images/${other.uuid}/jobs`);
  t.is(jobs[0]?.uuid, asked.value.job_uuid);

  const third = await createActive(source.sdc, Buffer.from('the third'), { name: 'third' });
  await sdc.call('adminImportImage', { uuid: third.uuid }, { source: url, skipOwnerCheck: true });
  const { value: filled } = await sdc.call('addImageFile', { uuid: third.uuid, source: url });
  t.is(filled.files?.[0]?.size, 'the third'.length);
});

test('what can not be had is refused as the contract says', async (t) => {
  const { sdc } = await startDc(t);
  const active = await createActive(sdc);
  const { uuid } = await create(sdc);
  const other = randomUUID();
  const source = 'https://127.0.0.1:1';
  const vm = { vm_uuid: randomUUID() };
  const elsewhere = { datacenter: 'us-east-1' };
  const url = { uuid, file_url: 'https://127.0.0.1:1/image.zfs.gz' };
  const stor = { uuid: active.uuid, stor: 'manta' };

  const notFetched = [503, 'RemoteSourceError'];
  t.deepEqual(answer(await sdc.refused('adminImportRemoteImage', other, source)), notFetched);
  t.deepEqual(answer(await sdc.refused('adminImportRemoteImageAndWait', other, source, { retries: 1 })), notFetched);
  t.deepEqual(answer(await sdc.refused('adminImportImage', { uuid: other }, { source })), notFetched);
  t.deepEqual(answer(await sdc.refused('addImageFile', { uuid, source })), notFetched);
  t.deepEqual(answer(await sdc.refused('addImageFileFromUrl', url)), [400, 'Download']);
  const fromVm = { name: 'of-a-vm', version: '1' };
  const noSuchVm = [422, 'InvalidParameter', 'vm_uuid Invalid'];
  t.deepEqual(answer(await sdc.refused('createImageFromVm', fromVm, vm)), noSuchVm);
  t.deepEqual(answer(await sdc.refused('createImageFromVmAndWait', fromVm, vm)), noSuchVm);
  const unknown = [422, 'ValidationFailed', 'datacenter Invalid'];
  t.deepEqual(answer(await sdc.refused('importImageFromDatacenter', other, owner, elsewhere)), unknown);
  t.deepEqual(answer(await sdc.refused('importImageFromDatacenterAndWait', other, owner, elsewhere)), unknown);
  const manta = await sdc.refused('exportImage', active.uuid, { manta_path: '/admin/stor/exported' });
  t.deepEqual(answer(manta), [503, 'StorageUnsupported']);
  t.deepEqual(answer(await sdc.refused('adminChangeStor', stor)), [422, 'ValidationFailed', 'stor Invalid']);
  t.is((await sdc.call('adminChangeStor', { ...stor, stor: 'local' })).value.files?.[0]?.stor, 'local');
  t.deepEqual(answer(await sdc.refused('listChannels', {})), [404, 'ResourceNotFound']);

  const { value: all } = await sdc.call<Wire[]>('listImages', { state: 'all' });
  t.is(all.length, 2, 'nothing was made on the way');
});

test('docker images are pulled from a registry and pushed back, as streams of JSON lines', async (t) => {
  const { sdc } = await startDc(t);
  const registry = await startRegistry(t);
  const busybox = testImage(['base', 'top']);
  registry.put('busybox', 'latest', busybox);
  const streamed = async ({ response }: { response: IncomingMessage }) => {
    t.is(response.statusCode, 200);
    return linesOf(await buffer(response));
  };
  const repo = `${registry.host}/busybox`;
  const pulled = await streamed(await sdc.call('adminImportDockerImage', { repo, tag: 'latest' }));
  const image = pulled.find(({ type }) => type === 'create-docker-image');
  t.like(image, { config_digest: busybox.manifest.config.digest, head: true });
  const pushed = await streamed(await sdc.call('adminPushDockerImage', { image, repoAndTag: `${repo}-2:1` }));
  t.false(pushed.some(({ type }) => type === 'error'));
  t.is(registry.manifests.get('busybox-2:1')?.text, busybox.text);
  const [absent] = await streamed(await sdc.call('adminImportDockerImage', { repo: `${repo}-3`, tag: 'latest' }));
  t.like(absent, { type: 'error' });
  const { uuid: zone } = await create(sdc);
  const wrong = await sdc.refused('adminPushDockerImage', { image: { image_uuid: zone }, repoAndTag: 'busybox' });
  t.deepEqual([wrong.status, wrong.code], [422, 'ValidationFailed']);
});

test('more than a thousand images, page by page', async (t) => {
  const { daemon, sdc } = await startDc(t);
  const count = 1050;
  // half of them at the same moment, so that a page ends among equals
  const published = (n: number) => new Date(Date.UTC(2020, 0, 1) + Math.min(n, count / 2) * 1000).toISOString();
  const uuids = Array.from({ length: count }, () => randomUUID()).sort();
  const make = async (uuid: string, n: number) => {
    const body = { ...manifest, v: 2, uuid, published_at: published(n), disabled: false, files: [] };
    await daemon.ask('POST', `/images/${uuid}?action=import`, { body });
    await daemon.ask('PUT', `/images/${uuid}/file?compression=none`, { body: 'the same bytes' });
    await daemon.ask('POST', `/images/${uuid}?action=activate`);
  };
  for (let n = 0; n < count; n += 50) await Promise.all(uuids.slice(n, n + 50).map((uuid, at) => make(uuid, n + at)));

  const { value: all } = await sdc.call<Wire[]>('listImages', {});
  t.deepEqual(
    all.map(({ uuid }) => uuid),
    uuids,
    'each once, in order',
  );
  const { value: three } = await sdc.call<Wire[]>('listImages', { limit: 3, marker: uuids[1000] });
  t.deepEqual(
    three.map(({ uuid }) => uuid),
    uuids.slice(1000, 1003),
  );
  t.deepEqual(answer(await sdc.refused('listImages', { limit: 'many' })), [422, 'InvalidParameter', 'limit Invalid']);
});

test('a repository with channels', async (t) => {
  const { daemon, sdc } = await startRepository(t);
  const { value: listed } = await sdc.call('listChannels', {});
  t.deepEqual(listed as unknown, channels);
  const { uuid, ...made } = await createActive(sdc);
  t.deepEqual(made.channels, ['dev']);

  const staging = sdcClient(t, { url: `${daemon.url}?channel=staging` }, called);
  const release = sdcClient(t, { url: daemon.url, channel: 'release' }, called);
  t.deepEqual(answer(await staging.refused('getImage', uuid)), [404, 'ResourceNotFound']);
  t.deepEqual((await staging.call<Wire[]>('listImages', {})).value, []);
  const added = await sdc.call('channelAddImage', { uuid, channel: 'staging' });
  t.deepEqual(added.value.channels, ['dev', 'staging']);
  const unknown = await sdc.refused('channelAddImage', { uuid, channel: 'gold' });
  t.deepEqual(answer(unknown), [422, 'ValidationFailed', 'channel Invalid']);
  t.is((await staging.call('getImage', uuid)).value.uuid, uuid);
  t.is((await buffer((await staging.call('getImageFileStream', uuid, owner, {})).response)).toString(), 'the bytes');
  t.deepEqual(answer(await release.refused('getImage', uuid)), [404, 'ResourceNotFound']);
  t.is((await release.call('getImage', uuid, { channel: '*' })).value.uuid, uuid);

  await sdc.call('deleteImage', uuid);
  t.deepEqual(answer(await sdc.refused('getImage', uuid)), [404, 'ResourceNotFound']);
  t.deepEqual((await staging.call('getImage', uuid)).value.channels, ['staging']);
  await staging.call('channelAddImage', { uuid, channel: 'release' });
  await release.call('deleteImage', uuid, { forceAllChannels: true });
  t.deepEqual(answer(await staging.refused('getImage', uuid)), [404, 'ResourceNotFound']);

  const hidden = await sdc.refused('createImage', { ...manifest, public: false });
  t.deepEqual(answer(hidden), [422, 'ValidationFailed', 'public Invalid']);
  t.deepEqual(answer(await sdc.refused('cloneImage', uuid, owner)), [404, 'ResourceNotFound']);
});

test('without credentials, with wrong ones, and with a token', async (t) => {
  const { daemon, sdc } = await start(t, {});
  t.deepEqual(answer(await sdc.refused('createImage', manifest)), [401, 'UnauthorizedError']);
  t.deepEqual(answer(await sdc.refused('adminGetState')), [401, 'UnauthorizedError']);

  const withToken = { headers: { authorization: `Bearer ${daemon.token}` } };
  const { uuid } = (await sdc.call('createImage', manifest, undefined, withToken)).value;
  t.deepEqual(answer(await sdc.refused('getImage', uuid)), [404, 'ResourceNotFound']);
  t.is((await sdc.call('getImage', uuid, undefined, withToken)).value.uuid, uuid);

  const sign = (_: string, done: (error: null, signature: object) => void) =>
    done(null, { algorithm: 'rsa-sha256', signature: 'Zm9yZ2Vk' });
  const signing = sdcClient(t, { url: daemon.url, user: 'admin', sign }, called);
  t.deepEqual(answer(await signing.refused('listImages')), [401, 'UnauthorizedError']);
});

/** Every step that needs credentials, and those that need none. */
async function wholeRound(t: ExecutionContext, sdc: Sdc, owner?: string): Promise<Wire> {
  const bytes = randomBytes(100_000);
  const created = (await sdc.call('createImage', { ...manifest, owner, public: false })).value;
  const { uuid } = created;
  const file = { uuid, compression: 'none', file: Readable.from([bytes]), size: bytes.length };
  t.is((await sdc.call('addImageFile', file)).value.files?.[0]?.sha1, digest('sha1', bytes, 'hex'));
  t.is((await sdc.call('activateImage', uuid)).value.state, 'active');
  t.true((await sdc.call<Wire[]>('listImages', {})).value.some((image) => image.uuid === uuid));
  t.is((await sdc.call('updateImage', uuid, { description: 'signed' })).value.description, 'signed');
  const { response } = await sdc.call('getImageFileStream', uuid, undefined, {});
  t.deepEqual(await read(response), bytes);
  t.is((await sdc.call('deleteImage', uuid)).response.statusCode, 204);
  t.deepEqual(answer(await sdc.refused('getImage', uuid)), [404, 'ResourceNotFound']);
  return created;
}

const signers: [kind: KeyKind, algorithm: string][] = [
  ['rsa', 'rsa-sha256'],
  ['dsa', 'dsa-sha1'],
  ['ecdsa-256', 'ecdsa-sha256'],
  ['ecdsa-384', 'ecdsa-sha384'],
  ['ecdsa-521', 'ecdsa-sha512'],
  ['ed25519', 'ed25519-sha512'],
];

test('signed by the client itself, with keys of every type: the whole round', async (t) => {
  const authKeys = { ops: signers.map(([kind]) => sshKey(kind).line) };
  const daemon = await startDaemon(t, { config: { authKeys } });
  for (const [kind, algorithm] of signers) {
    const file = join(await scratch(t), 'id');
    await writeFile(file, sshKey(kind).pem, { mode: 0o600 });
    const sign = cliSigner({ keyId: file, user: 'ops' });
    t.is(await algorithmOf(sign), algorithm);
    const sdc = sdcClient(t, { url: daemon.url, user: 'ops', sign }, called);
    t.is((await sdc.call('ping')).value.user, 'ops');
    t.is((await wholeRound(t, sdc)).owner, userUuid('ops'));
    t.is((await sdc.call('adminReloadAuthKeys')).response.statusCode, 200);
  }
});

test('signed with a key that the server does not know, or as somebody else', async (t) => {
  const daemon = await startDaemon(t, { config: { authKeys: { ops: [sshKey('rsa').line] } } });
  const file = join(await scratch(t), 'id');
  for (const [name, user] of [
    ['stranger', 'ops'],
    ['', 'admin'],
    ['', 'nobody'],
  ] as const) {
    await writeFile(file, sshKey('rsa', name).pem, { mode: 0o600 });
    const sdc = sdcClient(t, { url: daemon.url, user, sign: cliSigner({ keyId: file, user }) }, called);
    for (const method of ['ping', 'listImages', 'adminGetState', 'adminReloadAuthKeys']) {
      t.deepEqual(answer(await sdc.refused(method)), [401, 'UnauthorizedError'], `${name} as ${user}: ${method}`);
    }
    t.deepEqual(answer(await sdc.refused('createImage', manifest)), [401, 'UnauthorizedError']);
  }
});

test('unsigned, from a network that is trusted: the whole round', async (t) => {
  const { sdc } = await start(t, { trustedNetworks: ['127.0.0.0/8'] });
  t.is((await sdc.call('ping')).value.user, undefined);
  t.is((await wholeRound(t, sdc, owner)).owner, owner);
});

ava.after('every method of the client was called', (t) => {
  t.deepEqual(
    methods.filter((name) => !called.has(name)),
    [],
  );
});
