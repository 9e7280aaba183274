import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import ava from 'ava';
import { hasEnded, type Progress, tasks } from '../../server/model/task.js';
import { type Creations, DC, NODE, NOTHING_LEFT, startCreations } from '../support/creations.js';
import { addMachine, grant, stored } from '../support/datacenters.js';
import { addUser, numbered } from '../support/fixtures.js';
import { endOf } from '../support/imports.js';
import { isMet } from '../support/needs.js';
import { told } from '../support/told.js';
import { needsZfs, startPool } from '../support/zfs.js';

const SSHD = 'sshd, to be talked to';
const lacking = [SSHD, needsZfs].find((need) => !isMet[need as keyof typeof isMet]);
// One pool at a time: there is one daemon of ZFS for all tests of the machine.
const test = lacking === undefined ? ava.serial : ava.serial.skip;
const about = (title: string) => (lacking === undefined ? title : `${title} (${lacking})`);

const create = async ({ server }: Creations, vm: string, name: string, body: object = {}, snapshot = 's1') =>
  server.ask('POST', `/api/vm/${vm}/snapshot/${encodeURIComponent(snapshot)}/image/${name}`, { body, as: 'admin' });

/** Created, and waited for. */
async function created(world: Creations, vm: string, name: string, body: object = {}, snapshot = 's1') {
  const answer = await create(world, vm, name, body, snapshot);
  if (answer.status !== 201) throw new Error(`not created: ${answer.bytes}`);
  const task = await endOf(world.server, answer.json.task_id);
  if (task.status !== 'SUCCESS') throw new Error(`not created: ${JSON.stringify(task.result)}`);
  const { uuid } = task.result as { uuid: string };
  const file = await world.server.ask('GET', `/images/${uuid}/file`, { as: 'admin' });
  return { uuid, task, file: file.bytes, answer };
}

test(about('a snapshot of a dataset becomes an image, whose bytes are received back as they were'), async (t) => {
  const world = await startCreations(t);
  const { node, server } = world;
  const bytes = randomBytes(300_000);
  const web = await world.machine({ alias: 'web', bytes });
  const progress: Progress[] = [];
  server.deps.tasks.watch((_, told) => progress.push(told));
  const { uuid, task, file, answer } = await created(world, 'web', 'web-1', { version: '2.0', tags: ['a'] });
  t.deepEqual(answer.json.result, { uuid, snapshot: 's1', warnings: [] });
  const { pool } = node;
  await pool.receive(gunzipSync(file), `${pool.name}/back`);
  t.deepEqual(await readFile(join(pool.mountpoint, 'back', 'bytes')), bytes);

  const image = await stored(server, uuid);
  const guid = await pool.zfs('get', '-Hp', '-o', 'value', 'guid', `${web.disks[0]}@s1`);
  const [kept] = image.files;
  t.like(kept, { compression: 'gzip', dataset_guid: guid, size: file.length });
  t.is(kept?.sha256, createHash('sha256').update(file).digest('hex'));
  t.like(image, {
    state: 'active',
    activated: true,
    type: 'zone-dataset',
    os: 'smartos',
    version: '2.0',
    public: false,
  });
  t.is(image.origin, undefined);
  const { result } = (await server.ask('GET', '/api/image/web-1', { as: 'admin' })).json;
  t.like(result, { golden: true, dc_bound: true, dcs: [DC], status: 1, tags: ['a'] });
  t.like(Object(result).provenance, {
    machine: { vm: web.uuid, hostname: 'web', disk: 1, snapshot: 's1', dc: DC, node: NODE },
  });
  t.like(task, { datacenter: DC, progress: { unit: 'bytes', done: file.length } });
  t.true(progress[0]?.ceiling, 'what it packs to nobody knows before');
  t.true((progress[0]?.total ?? 0) >= bytes.length);
  t.is(task.progress?.ceiling, undefined);
  t.like(await world.left(), { uses: [], holds: [], held: [], taken: [], partials: [], awaited: 0 });
});

test(about('a chain of three increments is received back whole, elsewhere'), async (t) => {
  const world = await startCreations(t);
  const { pool } = world.node;
  const there = await startPool(t);
  const contents = [randomBytes(200_000), randomBytes(50_000), randomBytes(60_000), randomBytes(70_000)];
  let image: string | undefined;
  for (const [at, content] of contents.entries()) {
    const vm = await world.machine({ alias: `vm${at}`, bytes: content, ...(image !== undefined && { image }) });
    await vm.write(`only-in-${at}`, content);
    await vm.snapshot('s2');
    const { uuid, file } = await created(world, vm.uuid, `image-${at}`, { incremental: at > 0 }, 's2');
    t.is((await stored(world.server, uuid)).origin, image);
    if (at > 0) t.true(file.length < contents[0]!.length, 'an increment has what is new, and nothing else');
    for (const one of [pool, there]) await one.receive(gunzipSync(file), `${one.name}/${uuid}@final`);
    image = uuid;
  }
  for (const [at, content] of contents.entries()) {
    t.deepEqual(await readFile(join(there.mountpoint, image!, `only-in-${at}`)), content);
  }
  t.deepEqual(await readFile(join(there.mountpoint, image!, 'bytes')), contents.at(-1));
  const deep = await create(world, 'vm3', 'again', { incremental: true });
  t.is(deep.status, 201);
  await endOf(world.server, deep.json.task_id);
});

test(about('an increment needs its origin here, active, and as it is on the node'), async (t) => {
  const world = await startCreations(t);
  const { server, node } = world;
  const alone = await world.machine({ alias: 'alone' });
  const none = await create(world, alone.uuid, 'x', { incremental: true });
  t.is(told(none), '400 OriginDoesNotExist');
  t.regex(none.json.message ?? '', /made of no image/);
  const base = await node.addImage();
  const vm = await world.machine({ alias: 'made', image: base });
  const absent = await create(world, vm.uuid, 'x', { incremental: true });
  t.is(told(absent), '400 OriginDoesNotExist');
  t.true(absent.json.message?.includes(base));
  // Of the same uuid, but of another dataset.
  const manifest = { uuid: base, v: 2, name: 'base', version: '1', type: 'zone-dataset', os: 'smartos', public: true };
  await server.ask('POST', `/images/${base}?action=import`, { body: manifest });
  await server.ask('PUT', `/images/${base}/file?compression=none&dataset_guid=1`, { body: 'bytes' });
  t.is(told(await create(world, vm.uuid, 'x', { incremental: true })), '400 OriginIsNotActive');
  await server.ask('POST', `/images/${base}?action=activate`);
  const other = await create(world, vm.uuid, 'x', { incremental: true });
  t.is(told(other), '400 OriginDoesNotExist');
  t.regex(other.json.message ?? '', /dataset 1 here/);
  t.like(await world.left(), { uses: [], holds: [], held: [], taken: [] });
});

const packings = [
  { compression: 'none' },
  { compression: 'gzip', compress_on: 'here', compression_level: 1 },
  { compression: 'gzip', compression_level: 9 },
  { compression: 'xz', compression_level: 1 },
  { compression: 'xz', compress_on: 'here', compression_level: 9 },
  { compression: 'bzip2', compress_on: 'here' },
  { compression: 'zstd' },
  { compression: 'zstd', compress_on: 'here', compression_level: 3 },
];

const unpackers: Record<string, string> = { gzip: 'gzip', xz: 'xz', bzip2: 'bzip2', zstd: 'zstd', none: 'cat' };

test(about('packed on the node or here, it is the same stream'), async (t) => {
  const world = await startCreations(t, { zstdImages: true });
  await world.machine({ alias: 'web', bytes: randomBytes(200_000) });
  const whole = await world.node.pool.send(`${world.node.pool.name}/${(await machineNamed(world, 'web')).uuid}@s1`);
  for (const [at, packing] of packings.entries()) {
    const { uuid, file, task } = await created(world, 'web', `web-${at}`, packing);
    const { compression } = packing;
    t.is((await stored(world.server, uuid)).files[0]?.compression, compression as 'gzip');
    const words = compression === 'none' ? [] : ['-dc'];
    const { stdout } = spawnSync(unpackers[compression]!, words, { input: file, maxBuffer: 1 << 30 });
    t.true(stdout.equals(whole), JSON.stringify(packing));
    const counted = packing.compress_on === 'here' || compression === 'none' ? whole.length : file.length;
    t.like(task.progress, { done: counted, total: counted, unit: 'bytes' });
  }
  t.like(await world.left(), { uses: [], holds: [], held: [], taken: [] });
});

const machineNamed = async ({ server }: Creations, name: string) =>
  server.deps.fleet.sorted.find((vm) => vm.hostname === name)!;

test(about('a snapshot is taken for the purpose, and gone afterwards; one that was there stays'), async (t) => {
  const world = await startCreations(t);
  const web = await world.machine({ alias: 'web' });
  await web.write('later', 'later');
  const { uuid, file, answer } = await created(world, 'web', 'web-1', { take: true });
  const { snapshot } = answer.json.result as { snapshot: string };
  t.regex(snapshot, /^s1-[0-9a-f]{8}$/);
  t.like(await world.left(), { uses: [], holds: [], held: [], taken: [] });
  const { pool } = world.node;
  await pool.receive(gunzipSync(file), `${pool.name}/back`);
  t.is(await readFile(join(pool.mountpoint, 'back', 'later'), 'utf8'), 'later');
  t.is((await stored(world.server, uuid)).registration?.provenance?.machine?.snapshot, snapshot);
  t.is(await pool.zfs('list', '-H', '-r', '-t', 'snapshot', '-o', 'name', web.disks[0]!), `${web.disks[0]}@s1`);
});

test(about('what is refused, and what is left then: nothing'), async (t) => {
  const world = await startCreations(t);
  const { server } = world;
  const web = await world.machine({ alias: 'web' });
  await world.machine({ alias: 'dead', state: 'provisioning' });
  await world.machine({ alias: 'nowhere', datacenter: null });
  await addMachine(server, { hostname: 'lost', datacenter: DC });
  await addMachine(server, { hostname: 'gone', datacenter: DC, node: NODE });
  await addMachine(server, { hostname: 'twice', datacenter: DC, node: NODE });
  await addMachine(server, { hostname: 'twice', datacenter: DC, node: NODE });
  const taken = await server.image({ name: 'taken' });
  t.is((await server.ask('PUT', '/api/image/taken', { body: { alias: 'one', version: '1' } })).status, 200);
  const before = await world.left();
  const refused: [vm: string, snapshot: string, name: string, body: object, told: string][] = [
    ['nothing', 's1', 'x', {}, '404 ResourceNotFound'],
    [numbered(9), 's1', 'x', {}, '404 ResourceNotFound'],
    ['gone', 's1', 'x', {}, '404 ResourceNotFound'],
    ['web', 's9', 'x', {}, '404 ResourceNotFound'],
    ['web', '$(reboot)', 'x', {}, '404 ResourceNotFound'],
    ['web', 'a b', 'x', {}, '404 ResourceNotFound'],
    ['web', '-rf', 'x', {}, '404 ResourceNotFound'],
    ['web', 'ä/ö@ü', 'x', {}, '404 ResourceNotFound'],
    ['web', 's'.repeat(200), 'x', {}, '404 ResourceNotFound'],
    ['web', 's'.repeat(501), 'x', {}, '400 InvalidInput snap:Invalid'],
    ['web', 'a\u0000b', 'x', {}, '400 InvalidInput snap:Invalid'],
    ['web', 'a/b', 'x', { take: true }, '400 InvalidInput snap:Invalid'],
    ['web', 's1', 'x', { disk_id: 2 }, '412 InvalidDisk'],
    ['web', 's1', 'x', { disk_id: 2, take: true }, '412 InvalidDisk'],
    ['web', 's1', 'x', { disk_id: 0 }, '412 InvalidDisk'],
    ['web', 's1', 'x', { disk_id: '-1' }, '412 InvalidDisk'],
    ['web', 's1', 'x', { disk_id: 1.5 }, '412 InvalidDisk'],
    ['web', 's1', 'x', { disk_id: 'first' }, '412 InvalidDisk'],
    ['web', 's1', 'x', { disk_id: true }, '400 InvalidInput disk_id:Invalid'],
    ['web', 's1', 'x', { format: 'qcow2' }, '400 InvalidInput format:Invalid'],
    ['web', 's1', 'x', { format: 'raw' }, '400 InvalidInput format:Invalid'],
    ['web', 's1', 'x', { format: 'vmdk' }, '400 InvalidInput format:Invalid'],
    ['web', 's1', 'taken', {}, '406 ObjectAlreadyExists'],
    ['web', 's1', 'taken', { take: true }, '406 ObjectAlreadyExists'],
    ['web', 's1', 'x', { alias: 'ONE', version: '1' }, '400 InvalidInput alias:Invalid'],
    ['web', 's1', 'x', { alias: 'one', version: '1', take: true }, '400 InvalidInput alias:Invalid'],
    ['web', 's1', '-bad', {}, '400 InvalidInput name:Invalid'],
    ['web', 's1', 'x', { owner: 'nobody' }, '400 InvalidInput owner:Invalid'],
    ['web', 's1', 'x', { compression: 'lz4' }, '400 InvalidInput compression:Invalid'],
    ['web', 's1', 'x', { compression: 'zstd' }, '400 InvalidInput compression:Invalid'],
    ['web', 's1', 'x', { compression_level: 10 }, '400 InvalidInput compression_level:Invalid'],
    ['web', 's1', 'x', { compression: 'none', compression_level: 1 }, '400 InvalidInput compression_level:Invalid'],
    ['dead', 's1', 'x', {}, '423 MachineState'],
    ['dead', 's1', 'x', { take: true }, '423 MachineState'],
    ['nowhere', 's1', 'x', {}, '400 InvalidInput vm:Invalid'],
    ['lost', 's1', 'x', {}, '428 NodeNotManaged'],
    ['twice', 's1', 'x', {}, '400 InvalidInput vm:Invalid'],
    ['web', 's1', 'x', { node: 'other' }, '404 ResourceNotFound'],
  ];
  for (const [vm, snapshot, name, body, expected] of refused) {
    t.is(told(await create(world, vm, name, body, snapshot)), expected, JSON.stringify([vm, snapshot, name, body]));
  }
  t.deepEqual(await world.left(), before);
  t.truthy(taken);

  const set = (settings: object, dc = DC) => server.ask('PUT', `/api/dc/${dc}/settings`, { body: settings });
  await set({ VMS_IMAGE_LIMIT: 0 });
  t.is(told(await create(world, 'web', 'x')), '400 QuotaExceeded');
  await set({ VMS_IMAGE_LIMIT: null, VMS_VM_SNAPSHOT_ENABLED: false });
  t.is(told(await create(world, 'web', 'x')), '403 NotPermitted');
  await set({ VMS_VM_SNAPSHOT_ENABLED: true });
  await set({ VMS_IMAGE_VM: '' }, 'main');
  t.is(told(await create(world, 'web', 'x')), '428 NoImageServer');
  await set({ VMS_IMAGE_VM: null }, 'main');
  await world.node.sshd.stop();
  await world.node.sshd.cut();
  t.is(told(await create(world, 'web', 'x')), '423 NodeDown');
  t.truthy(web);
});

test(about('the disk has to have room for it: told with what is needed before a byte flows'), async (t) => {
  const world = await startCreations(t, { space: async () => ({ free: 1000, size: 2000 }) });
  const web = await world.machine({ alias: 'web' });
  const whole = (await world.node.pool.send(`${web.disks[0]}@s1`)).length;
  for (const compression of ['none', 'gzip']) {
    const { status, json } = await create(world, 'web', 'x', { compression });
    t.is(status, 400);
    t.is(json.code, 'InsufficientSpace');
    const [, needed] = /^(\d+) bytes are needed on the disk, 1000 are available$/.exec(json.message ?? '') ?? [];
    // A node that can not tell the length of a stream tells what the disk refers to, which may be more.
    const share = compression === 'none' ? whole : whole * 0.8;
    t.true(Number(needed) >= share * 0.95 && Number(needed) < whole * 3, `${needed} of ${whole}`);
  }
  t.deepEqual(await world.left(), NOTHING_LEFT);
});

test(about('who may: whoever is ImageAdmin in the data center of the machine, and sees it'), async (t) => {
  const world = await startCreations(t);
  const { server } = world;
  await world.machine({ alias: 'web' });
  const people = {
    maker: ['admin', 'image_admin'],
    viewer: ['admin'],
    member: [],
  } as const;
  const headers: Record<string, Record<string, string>> = {};
  for (const [name, permissions] of Object.entries(people)) {
    const user = await addUser(server, name);
    await grant(server, user, DC, ...permissions);
    headers[name] = user.headers;
  }
  const elsewhere = await addUser(server, 'elsewhere');
  await grant(server, elsewhere, 'main', 'admin', 'image_admin');
  headers.elsewhere = elsewhere.headers;
  const asked = (who: string, method: string, path: string) =>
    server.ask(method, `/api/vm/web/snapshot${path}`, {
      ...(method !== 'GET' && { body: {} }),
      headers: headers[who]!,
    });
  t.deepEqual(
    await Promise.all(['maker', 'viewer', 'member', 'elsewhere'].map(async (who) => told(await asked(who, 'GET', '')))),
    ['200', '200', '403 NotPermitted', '404 ResourceNotFound'],
  );
  for (const [method, path] of [
    ['POST', '/s9'],
    ['DELETE', '/s9'],
    ['POST', '/s1/image/new'],
  ] as const) {
    t.is(told(await asked('viewer', method, path)), '403 NotPermitted');
    t.is(told(await asked('member', method, path)), '403 NotPermitted');
    t.is(told(await asked('elsewhere', method, path)), '404 ResourceNotFound');
    const { status, json } = await asked('maker', method, path);
    t.true(status < 300, JSON.stringify(json));
    if (path.includes('image')) t.is((await endOf(server, json.task_id)).status, 'SUCCESS');
  }
  const made = await server.ask('GET', '/api/image/new', { headers: headers.maker! });
  t.like(made.json.result, { dc_bound: true, owner: 'maker' });
});

test(about('snapshots are listed by disk, taken and removed; one in use is not'), async (t) => {
  const world = await startCreations(t);
  const { server, node } = world;
  const web = await world.machine({ alias: 'web', brand: 'bhyve', disks: 2, fields: {} });
  const ask = (method: string, path: string, body?: object) =>
    server.ask(method, `/api/vm/web/snapshot${path}`, { as: 'admin', ...(body && { body }) });
  t.is(told(await ask('POST', '/s2', { disk_id: 2 })), '201');
  t.is(told(await ask('POST', '/s2', { disk_id: 2 })), '406 ObjectAlreadyExists');
  t.is(told(await ask('POST', '/s2', { disk_id: 3 })), '412 InvalidDisk');
  t.is(told(await ask('POST', '/a%2Fb', {})), '400 InvalidInput snap:Invalid');
  const { result } = (await ask('GET', '')).json;
  const listed = (result as { disk: number; name: string }[]).map(({ disk, name }) => `${disk} ${name}`);
  t.deepEqual(listed, ['1 s1', '2 s1', '2 s2']);
  t.like((result as object[])[0], { status: 1, task: null });
  const { answer, uuid } = await created(world, 'web', 'disk-2', { disk_id: 2 });
  const warnings = ['the image has disk 2 only: disk 1 of the machine did not come along'];
  t.deepEqual(Object(answer.json.result).warnings, warnings);
  t.like(await stored(server, uuid), { type: 'zvol' });
  t.is(told(await ask('DELETE', '/s2', { disk_id: 2 })), '200');
  t.is(told(await ask('DELETE', '/s2', { disk_id: 2 })), '404 ResourceNotFound');
  const audit = await server.ask('GET', `/api/audit?object=web@s2`, { as: 'admin' });
  const entries = audit.json.result as { what: string; objects: { action: string; datacenters: string[] }[] }[];
  t.deepEqual(
    entries.map(({ what, objects: [object] }) => `${what} ${object?.action} ${object?.datacenters}`),
    ['RemoveSnapshot deleted north', 'TakeSnapshot created north'],
  );

  // Held by a stream that does not end.
  await node.tools.put(
    'zfs',
    'case "$1" in send) case "$*" in *-n*) exec "$real" "$@";; esac; sleep 1000;; esac; exec "$real" "$@"',
  );
  const begun = await create(world, 'web', 'slow', { disk_id: 2 });
  t.is(begun.status, 201);
  const use = (await ask('GET', '?disk_id=2')).json.result as object[];
  t.like(use[0], { name: 's1', status: 2, task: begun.json.task_id });
  t.is(told(await ask('DELETE', '/s1', { disk_id: 2 })), '417 SnapshotPending');
  t.is(told(await create(world, 'web', 'other', { disk_id: 2 })), '417 SnapshotPending');
  t.is(told(await create(world, 'web', 'other', { disk_id: 2, take: true }, 'new')), '201');
  for (const { id } of await running(world)) t.is((await server.ask('PUT', `/api/task/${id}/cancel`, {})).status, 410);
  await node.tools.restore('zfs');
  await t.notThrowsAsync(async () => {
    while (((await world.left()) as { holds: string[] }).holds.length > 0) await setImmediate();
  });
  t.is(told(await ask('DELETE', '/s1', { disk_id: 2 })), '200');
  t.truthy(web);
});

async function running({ server }: Creations) {
  const found: { id: string }[] = [];
  for await (const task of server.deps.catalog.list(tasks)) if (!hasEnded(task)) found.push(task);
  return found;
}

test(
  about('what a task that has ended left on a node goes with the next look at it, what others left stays'),
  async (t) => {
    const world = await startCreations(t);
    const { pool } = world.node;
    const web = await world.machine({ alias: 'web' });
    const { task } = await created(world, 'web', 'web-1');
    const snapshot = `${web.disks[0]}@s1`;
    const [ended, foreign] = [task.id, numbered(99)];
    for (const job of [ended, foreign]) {
      await pool.zfs('set', `slipway:job-${job}=on`, snapshot);
      await pool.zfs('hold', `slipway-${job}`, snapshot);
    }
    t.is((await world.server.ask('PUT', `/api/node/${NODE}/inventory`, { as: 'admin', body: {} })).status, 200);
    const marks = await pool.zfs('get', '-H', '-s', 'local', '-o', 'property', 'all', snapshot);
    t.deepEqual(marks.trim().split('\n'), [`slipway:job-${foreign}`]);
    t.is((await pool.zfs('get', '-Hp', '-o', 'value', 'userrefs', snapshot)).trim(), '1');
  },
);
