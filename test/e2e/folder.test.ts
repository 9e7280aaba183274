import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { isMet, mount, unmount } from '../support/needs.js';
import { scratch } from '../support/scratch.js';

const sha1Of = (bytes: Buffer) => createHash('sha1').update(bytes).digest('hex');
const repository = `_${hostname()}`;

async function drop(folder: string, manifest: Record<string, unknown>, file: Buffer, said = sha1Of(file)) {
  const uuid = String(manifest.uuid ?? randomUUID());
  await mkdir(join(folder, uuid), { recursive: true });
  const whole = {
    v: 2,
    uuid,
    name: 'dropped',
    version: '1',
    type: 'other',
    os: 'other',
    state: 'active',
    public: false,
    files: [{ sha1: said, size: file.length, compression: 'none' }],
    ...manifest,
  };
  await writeFile(join(folder, uuid, 'file'), file);
  await writeFile(join(folder, uuid, 'manifest'), JSON.stringify(whole));
  // as it was copied there long ago
  await utimes(join(folder, uuid, 'file'), new Date('2020-01-01'), new Date('2020-01-01'));
  return uuid;
}

const admin = (daemon: Daemon, method: string, path: string, body?: object) =>
  daemon.ask(method, path, { as: 'admin', ...(body && { body }) });

async function imported(daemon: Daemon, uuid: string): Promise<{ status: string; result: unknown }> {
  const begun = await admin(daemon, 'POST', `/api/imagestore/${repository}/image/${uuid}`, {});
  if (begun.status !== 201) return { status: String(begun.status), result: begun.json };
  for (;;) {
    const { json } = await admin(daemon, 'GET', `/api/task/${begun.json.task_id}/status`);
    if (json.status !== 'PENDING' && json.status !== 'STARTED')
      return { status: String(json.status), result: json.result };
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function blobsIn(data: string): Promise<string[]> {
  const names = await readdir(join(data, 'files'), { recursive: true, withFileTypes: true });
  return names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

test('images in the folder are listed, verified, and registered without copying, what they build on first', async (t) => {
  const data = join(await scratch(t), 'data');
  const folder = join(data, 'drop');
  const daemon = await startDaemon(t, { data, config: { mode: 'dc', blobGrace: 0 } });
  const bytes = randomBytes(400_000);
  const base = await drop(folder, { name: 'base' }, bytes);
  const top = await drop(folder, { name: 'top', origin: base }, Buffer.from('the top'));
  const half = randomUUID();
  await mkdir(join(folder, half));
  await writeFile(join(folder, half, 'file'), 'no manifest yet');

  await admin(daemon, 'PUT', `/api/imagestore/${repository}`);
  for (;;) {
    const { json } = await admin(daemon, 'GET', `/api/imagestore/${repository}/image`);
    const found = (json.result ?? []) as unknown as (string | { uuid: string })[];
    if (found.length === 2) break;
    await new Promise((resolve) => setImmediate(resolve));
  }

  t.like(await imported(daemon, top), { status: 'SUCCESS' });
  for (const [uuid, content] of [[base, bytes] as const, [top, Buffer.from('the top')] as const]) {
    t.deepEqual((await admin(daemon, 'GET', `/images/${uuid}/file`)).bytes, content);
    const lying = await stat(join(folder, uuid, 'file'));
    t.is(lying.nlink, 2, 'the same bytes, under two names');
    t.is(lying.mode & 0o777, 0o400);
  }
  const files = await Promise.all((await blobsIn(data)).map(async (path) => (await stat(path)).ino));
  t.true(files.includes((await stat(join(folder, base, 'file'))).ino));

  t.is((await admin(daemon, 'DELETE', `/images/${top}`)).status, 204);
  t.deepEqual(
    await readFile(join(folder, top, 'file')),
    Buffer.from('the top'),
    'deleting the image leaves the folder',
  );
  t.like(await imported(daemon, top), { status: 'SUCCESS' });
});

test('what is damaged, or no file of its own, is refused and left as it was', async (t) => {
  const data = join(await scratch(t), 'data');
  const folder = join(data, 'drop');
  const daemon = await startDaemon(t, { data, config: { mode: 'dc', blobGrace: 0 } });
  const damaged = await drop(folder, {}, Buffer.from('something else'), 'a'.repeat(40));
  const unproven = await drop(folder, { files: [{ size: 3, compression: 'none' }] }, Buffer.from('abc'));
  const linked = await drop(folder, {}, Buffer.from('x'));
  const secret = join(data, 'admin-token');
  const away = join(folder, randomUUID());
  await mkdir(away);
  await symlink(secret, join(away, 'file'));
  const manifest = await readFile(join(folder, linked, 'manifest'), 'utf8');
  await writeFile(join(away, 'manifest'), manifest.replaceAll(linked, away.split('/').at(-1)!));

  for (const uuid of [damaged, unproven, away.split('/').at(-1)!, randomUUID()]) {
    const { status, result } = await imported(daemon, uuid);
    t.not(status, 'SUCCESS', JSON.stringify(result));
    t.is((await admin(daemon, 'GET', `/images/${uuid}`)).status, 404);
  }
  t.is((await stat(join(folder, damaged, 'file'))).mode & 0o777, 0o644);
  t.is((await stat(join(folder, damaged, 'file'))).nlink, 1);
  t.deepEqual(await blobsIn(data), []);
});

const disk = 'root, to mount a tmpfs';
(isMet[disk] ? test : test.skip)(`what lies on another disk is copied, and stays as it is (${disk})`, async (t) => {
  const dir = await scratch(t);
  const folder = join(dir, 'elsewhere');
  await mkdir(folder);
  t.true(mount(folder, '4m'));
  t.teardown(() => unmount(folder));
  const daemon = await startDaemon(t, { data: join(dir, 'data'), config: { mode: 'dc', dropFolder: folder } });
  const bytes = randomBytes(300_000);
  const uuid = await drop(folder, {}, bytes);
  t.like(await imported(daemon, uuid), { status: 'SUCCESS' });
  t.deepEqual((await admin(daemon, 'GET', `/images/${uuid}/file`)).bytes, bytes);
  t.like(await stat(join(folder, uuid, 'file')), { nlink: 1, mode: 0o100644 });
});

test('files that have other names already are taken just the same', async (t) => {
  const dir = await scratch(t);
  const folder = join(dir, 'elsewhere');
  const daemon = await startDaemon(t, { data: join(dir, 'data'), config: { mode: 'dc', dropFolder: folder } });
  const uuid = await drop(folder, {}, Buffer.from('linked twice'));
  await link(join(folder, uuid, 'file'), join(dir, 'third name'));
  t.like(await imported(daemon, uuid), { status: 'SUCCESS' });
  t.is((await stat(join(dir, 'third name'))).nlink, 3);
});

test('others than SuperAdmins do not know of it', async (t) => {
  const daemon = await startDaemon(t, { config: { mode: 'dc' } });
  const uuid = await drop(join(daemon.data, 'drop'), {}, Buffer.from('hidden'));
  await admin(daemon, 'POST', '/api/dc/east', {});
  await admin(daemon, 'POST', '/api/user/eve', {});
  const permissions = ['admin', 'image_admin', 'image_import_admin'];
  await admin(daemon, 'POST', '/api/group/importers', { users: ['eve'], permissions });
  await admin(daemon, 'POST', '/api/dc/east/group/importers', {});
  const made = await admin(daemon, 'POST', '/api/token', { name: 'eve', user: 'eve' });
  const { token } = made.json.result as { token: string };
  const asEve = (method: string, path: string) =>
    daemon.ask(method, path, { headers: { authorization: `Bearer ${token}` }, ...(method === 'POST' && { body: {} }) });
  for (const name of [repository, '_nowhere']) {
    const there = await asEve('POST', `/api/imagestore/${name}/image/${uuid}`);
    t.is(there.status, 404, `${there.bytes}`);
    t.is((await asEve('GET', `/api/imagestore/${name}/image`)).status, 404);
  }
});
