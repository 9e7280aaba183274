import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import ava, { type ExecutionContext } from 'ava';
import { makeKey } from '../../server/hypervisors/node-key.js';
import { groups } from '../../server/model/group.js';
import { images } from '../../server/model/image.js';
import { nodes } from '../../server/model/node.js';
import { letGoOfSnapshots } from '../../server/operations/let-go-of-snapshots.js';
import { openBlobs } from '../../storage/open.js';
import { type Creations, DC, NODE, NOTHING_LEFT, startCreations } from '../support/creations.js';
import { grant } from '../support/datacenters.js';
import { addUser } from '../support/fixtures.js';
import { endOf } from '../support/imports.js';
import { isMet, mount, unmount } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { told } from '../support/told.js';
import { needsZfs } from '../support/zfs.js';

const SSHD = 'sshd, to be talked to';
const TMPFS = 'root, to mount a tmpfs';
const lacking = ([SSHD, needsZfs, TMPFS] as const).find((need) => !isMet[need]);
// One pool at a time: there is one daemon of ZFS for all tests of the machine.
const test = lacking === undefined ? ava.serial : ava.serial.skip;
const about = (title: string) => (lacking === undefined ? title : `${title} (${lacking})`);

const create = async ({ server }: Creations, name: string, body: object = {}, vm = 'web') =>
  server.ask('POST', `/api/vm/${vm}/snapshot/s1/image/${name}`, { body, as: 'admin' });

/** How it ended, as people are told. */
async function ended(world: Creations, name: string, body: object = {}, vm = 'web'): Promise<string> {
  const { status, json, bytes } = await create(world, name, body, vm);
  if (status !== 201) throw new Error(`not begun: ${bytes}`);
  const task = await endOf(world.server, json.task_id);
  return `${task.status} ${Object(task.result).code ?? ''} ${Object(task.result).detail ?? ''}`;
}

/** What sends a snapshot does this instead; estimates are none. */
const sending = ({ node }: Creations, script: string) =>
  node.tools.put('zfs', `case "$1 $*" in *" -n"*) ;; send*) ${script} ;; esac; exec "$real" "$@"`);

/** Resolves when the node runs this. */
async function runs({ node }: Creations, what: string): Promise<void> {
  while (!(await node.sshd.processes()).some((line) => line.includes(what))) await setImmediate();
}

async function emptied(world: Creations): Promise<object> {
  let left = await world.left();
  for (let tries = 100; tries > 0 && JSON.stringify(left) !== JSON.stringify(NOTHING_LEFT); tries -= 1) {
    await setImmediate();
    left = await world.left();
  }
  return left;
}

const HALF = '"$real" "$@" | head -c 50000';
const FLOOD = 'yes complaining | head -c 3000000 >&2';

type Failure = [what: string, script: string, told: RegExp];

/** What the sender does, and how the task tells of it. */
const failures: Failure[] = [
  ['dies half-way', `${HALF}; kill -9 $$`, /^FAILURE NodeFailed .*did not come to its end/],
  [
    'ends with a failure after all bytes',
    '"$real" "$@"; echo no luck >&2; exit 3',
    /^FAILURE NodeFailed .*ended with 3: no luck/,
  ],
  ['floods standard error, and fails', `${FLOOD}; exit 1`, /^FAILURE NodeFailed .{1,5000}$/s],
  ['sends nothing, and says that it went well', 'exit 0', /^FAILURE Download no bytes have come/],
  ['is not there any more', 'echo "sh: zfs: not found" >&2; exit 127', /^FAILURE NodeFailed .*127/],
];

/** Those that are given up: however busy this machine is, they have not sent more. */
const silences: Failure[] = [
  ['says nothing at all', 'sleep 1000', /^FAILURE NodeFailed node node1 has sent nothing of the snapshot for 0.3 s/],
  ['falls silent half-way', `${HALF}; sleep 1000`, /^FAILURE NodeFailed node node1 has sent nothing/],
  [
    'talks and sends nothing',
    'while echo wait >&2; do sleep 0.1; done',
    /^FAILURE NodeFailed node node1 has sent nothing/,
  ],
];

/** Side by side: unpacked, packed here, and of a snapshot that is taken for it and packed there. */
const ways: [vm: string, body: object][] = [
  ['web', { compression: 'none' }],
  ['app', { compress_on: 'here' }],
  ['web', { take: true }],
];

async function startFailing(t: ExecutionContext, silence: number): Promise<Creations> {
  const world = await startCreations(t, { snapshots: { silence, pauses: [1, 1] } });
  for (const alias of ['web', 'app']) await world.machine({ alias, bytes: randomBytes(300_000) });
  return world;
}

async function allFail(t: ExecutionContext, world: Creations, all: readonly Failure[]): Promise<void> {
  for (const [what, script, expected] of all) {
    await sending(world, script);
    const told = await Promise.all(ways.map(([vm, body], at) => ended(world, `image-${at}`, body, vm)));
    for (const how of told) t.regex(how, expected, what);
    await world.node.restore('zfs');
    t.deepEqual(await world.left(), NOTHING_LEFT, what);
  }
}

test(about('whatever becomes of the sender, its words are told and nothing is left, here or there'), async (t) => {
  const world = await startFailing(t, 60_000);
  await allFail(t, world, failures);
  await sending(world, FLOOD);
  t.is(await ended(world, 'web-1'), 'SUCCESS  ');
});

test(about('a sender that says nothing is given up, and nothing is left'), async (t) => {
  await allFail(t, await startFailing(t, 300), silences);
});

test(about('one that sends without an end is cut off where files are not larger'), async (t) => {
  const world = await startCreations(t, { maxFileSize: 1_000_000 });
  await world.machine({ alias: 'web', bytes: randomBytes(1000) });
  await sending(world, 'exec yes');
  for (const body of [{ compression: 'none' }, { take: true, compression: 'none' }]) {
    t.regex(await ended(world, 'x', body), /^FAILURE \w+ .*1000000/);
    t.deepEqual(await emptied(world), NOTHING_LEFT);
  }
});

test(about('tools that are missing, and a pool without room'), async (t) => {
  const world = await startCreations(t);
  await world.machine({ alias: 'web' });
  await world.node.tools.lacks('xz');
  t.regex(await ended(world, 'x', { compression: 'xz' }), /^FAILURE NodeFailed .*xz/);
  await world.node.tools.restore('xz');
  await world.node.tools.put(
    'zfs',
    'case "$1" in snapshot) echo "cannot create snapshot: out of space" >&2; exit 1;; esac; exec "$real" "$@"',
  );
  const full = await create(world, 'x', { take: true });
  t.is(told(full), '424 NodeFailed');
  t.regex(full.json.message ?? '', /out of space/);
  await world.node.tools.lacks('zfs');
  t.is(told(await create(world, 'x')), '424 NodeFailed');
  await world.node.tools.restore('zfs');
  t.deepEqual(await world.left(), NOTHING_LEFT);
});

test(about('a node that does not let us in, or is another one, or asks for a password'), async (t) => {
  const stranger = await startCreations(t, { nodeKey: makeKey('stranger') });
  await stranger.machine({ alias: 'web' });
  t.is(told(await create(stranger, 'x')), '423 NodeDown');
  t.is(told(await create(stranger, 'x', { take: true })), '423 NodeDown');
  // Whether the snapshot was taken nobody knows: it is looked for when the node is there again.
  t.like(await stranger.left(), { images: [], uses: [], held: [], taken: [] });

  const world = await startCreations(t);
  await world.machine({ alias: 'web' });
  await world.node.sshd.cut();
  await world.node.sshd.replaceHostKey();
  const other = await create(world, 'x');
  t.is(told(other), '423 NodeDown');
  t.regex(other.json.message ?? '', /host key/);
  t.deepEqual(await world.left(), NOTHING_LEFT);
});

test(about('a node that takes passwords only is not given one, and is left alone'), async (t) => {
  const sshd = ['PubkeyAuthentication no', 'PasswordAuthentication yes'];
  const world = await startCreations(t, { smartos: { sshd } });
  await world.machine({ alias: 'web' });
  const asked = await create(world, 'x');
  t.is(told(asked), '423 NodeDown');
  t.regex(asked.json.message ?? '', /asks for a password/);
  t.deepEqual(await world.left(), NOTHING_LEFT);
});

test(about('a pool that is full: told, and nothing is left'), async (t) => {
  const world = await startCreations(t);
  const { pool } = world.node;
  const web = await world.machine({ alias: 'web' });
  // Of a disk that has its size reserved, a snapshot reserves once more what was written since the last one.
  const free = Number(await pool.zfs('get', '-Hp', '-o', 'value', 'available', pool.name));
  await pool.zfs('set', `refreservation=${free - (3 << 20)}`, web.disks[0]!);
  await web.write('more', randomBytes(8 << 20));
  await pool.zfs('snapshot', `${pool.name}@s2`); // what was written is counted now
  const full = await create(world, 'x', { take: true });
  t.is(told(full), '424 NodeFailed');
  t.regex(full.json.message ?? '', /out of space/);
  t.deepEqual(await world.left(), NOTHING_LEFT);
  await pool.zfs('set', 'refreservation=none', web.disks[0]!);

  await t.throwsAsync(web.write('filler', randomBytes(200 << 20)), { code: 'ENOSPC' });
  // What is there already can be had still, and be removed: that is what makes room.
  t.is(await ended(world, 'x'), 'SUCCESS  ');
  t.like(await world.left(), { uses: [], holds: [], held: [], taken: [] });
  const removed = await world.server.ask('DELETE', '/api/vm/web/snapshot/s1', { body: {}, as: 'admin' });
  t.is(told(removed), '200');
});

test(about('of the snapshots that a node tells of, only those are shown that could be asked for'), async (t) => {
  const world = await startCreations(t);
  const web = await world.machine({ alias: 'web' });
  const row = (name: string) => `printf '%s@%b\\tguid\\t1\\n' '${web.disks[0]}' '${name}'`;
  const rows = [row('\\033[2J'), row('s'.repeat(600)), `seq -f '${web.disks[0]}@n%.0f\tguid\t1' 20000`].join('; ');
  await world.node.tools.put('zfs', `case "$1 $*" in "get "*" -r "*) ${rows};; esac; exec "$real" "$@"`);
  const { status, json } = await world.server.ask('GET', '/api/vm/web/snapshot', { as: 'admin' });
  t.is(status, 200);
  const names = (json.result as unknown as { name: string }[]).map(({ name }) => name);
  t.is(names.length, 10_000);
  t.true(names.every((name) => /^(n\d+|s1)$/.test(name)));
});

test(about('a connection that is lost is made again, and the stream sent from its beginning'), async (t) => {
  const world = await startCreations(t, { snapshots: { silence: 30_000, pauses: [1, 1] } });
  await world.machine({ alias: 'web', bytes: randomBytes(200_000) });
  const mark = join(await scratch(t), 'mark');
  await sending(world, `if mkdir ${mark} 2>/dev/null; then ${HALF}; sleep 1000; fi`);
  const { json } = await create(world, 'x', { compression: 'none' });
  await runs(world, 'sleep 1000');
  await world.node.sshd.cut();
  t.is((await endOf(world.server, json.task_id)).status, 'SUCCESS');
  t.like(await world.left(), { uses: [], holds: [], held: [], partials: [], staged: 0, awaited: 0 });
});

test(about('a node that stays away fails the task, and is let go of when it is back'), async (t) => {
  const world = await startCreations(t, { snapshots: { silence: 30_000, pauses: [1, 1] } });
  const { server, node } = world;
  await world.machine({ alias: 'web' });
  await sending(world, `${HALF}; sleep 1000`);
  for (const body of [{}, { take: true }]) {
    const { json } = await create(world, 'x', body);
    await runs(world, 'sleep 1000');
    await node.sshd.stop();
    await node.sshd.cut();
    const { status, result } = await endOf(server, json.task_id);
    t.is(status, 'FAILURE');
    t.regex(Object(result).detail, /\(3 attempts\)$/);
    t.like(await world.left(), { images: [], uses: [], staged: 0 });
    t.is(((await world.left()) as { holds: string[] }).holds.length, 1);
    await letGoOfSnapshots(server.deps);
    t.is(((await world.left()) as { holds: string[] }).holds.length, 1, 'it is still away');
    await node.sshd.start();
    await server.deps.catalog.write(async (tx) => {
      const record = await tx.get(nodes, NODE);
      await tx.replace(nodes, { ...record!, connection: { ...node.sshd.connection, platform: 'smartos' } });
    });
    await letGoOfSnapshots(server.deps);
    t.deepEqual(await world.left(), NOTHING_LEFT);
  }
});

test(about('one that is cancelled ends what runs on the node, and frees the snapshot'), async (t) => {
  const world = await startCreations(t);
  const { server } = world;
  await world.machine({ alias: 'web' });
  for (const body of [{ compression: 'none' }, { compression: 'xz', compress_on: 'here' }, { take: true }]) {
    await sending(world, `${HALF}; sleep 1000`);
    const { json } = await create(world, 'x', body);
    await runs(world, 'sleep 1000');
    t.is((await server.ask('PUT', `/api/task/${json.task_id}/cancel`, {})).json.status, 'REVOKED');
    t.deepEqual(await emptied(world), NOTHING_LEFT);
  }
});

test(about('what waits for its turn may find its machine gone, or another snapshot of the same name'), async (t) => {
  const world = await startCreations(t, { snapshotsAtOnce: 1 });
  const { server, node } = world;
  await world.machine({ alias: 'web' });
  const gone = await world.machine({ alias: 'gone' });
  const other = await world.machine({ alias: 'other' });
  await sending(world, 'sleep 1000');
  const first = await create(world, 'a');
  await runs(world, 'sleep 1000');
  const waiting = [await create(world, 'b', {}, 'gone'), await create(world, 'c', {}, 'other')];
  await node.restore('zfs');
  await gone.remove();
  await node.pool.zfs('destroy', `${other.disks[0]}@s1`);
  await other.write('another', 'another');
  await other.snapshot('s1');
  await server.ask('PUT', `/api/task/${first.json.task_id}/cancel`, {});
  const [vanished, replaced] = await Promise.all(waiting.map(({ json }) => endOf(server, json.task_id)));
  t.like(vanished?.result as object, { code: 'ResourceNotFound' });
  t.like(replaced?.result as object, { code: 'ResourceNotFound' });
  t.regex(Object(replaced?.result).detail, /another one by now/);
  t.deepEqual(await emptied(world), NOTHING_LEFT);
});

test(about('whose right is taken away while the bytes come has no image of them'), async (t) => {
  const world = await startCreations(t);
  const { server } = world;
  await world.machine({ alias: 'web' });
  const maker = await addUser(server, 'maker');
  const group = await grant(server, maker, DC, 'admin', 'image_admin');
  const mark = join(await scratch(t), 'mark');
  await sending(world, `until [ -e ${mark} ]; do sleep 0.2; done`);
  const { json } = await server.ask('POST', '/api/vm/web/snapshot/s1/image/x', { body: {}, headers: maker.headers });
  await runs(world, 'sleep 0.2');
  await server.deps.catalog.write((tx) => tx.delete(groups, group));
  await writeFile(mark, '');
  const { status, result } = await endOf(server, json.task_id);
  t.is(status, 'FAILURE');
  t.like(result as object, { code: 'NotPermitted' });
  t.deepEqual(await world.left(), NOTHING_LEFT);
});

test(about('what a disk is said to be made of tells nothing of images elsewhere'), async (t) => {
  const world = await startCreations(t);
  const { server, node } = world;
  const base = await node.addImage();
  await world.machine({ alias: 'web', image: base });
  const hidden = { uuid: base, v: 2, name: 'hidden', version: '1', type: 'zone-dataset', os: 'smartos', public: false };
  const body = { ...hidden, requirements: { min_ram: 77 } };
  t.is((await server.ask('POST', `/images/${base}?action=import`, { body })).status, 200);
  const maker = await addUser(server, 'maker');
  await grant(server, maker, DC, 'admin', 'image_admin');
  const ramOf = async (name: string, headers: Record<string, string>) => {
    const { json } = await server.ask('POST', `/api/vm/web/snapshot/s1/image/${name}`, { body: {}, headers });
    const { status, result } = await endOf(server, json.task_id);
    t.is(status, 'SUCCESS', JSON.stringify(result));
    return (await server.deps.catalog.get(images, Object(result).uuid))?.requirements?.min_ram;
  };
  t.is(await ramOf('one', maker.headers), undefined);
  t.is(await ramOf('other', (await addUser(server, 'boss', { superAdmin: true })).headers), 77);
});

test(about('of two creations of one snapshot at once, one wins and the other is refused'), async (t) => {
  const world = await startCreations(t);
  await world.machine({ alias: 'web' });
  const mark = join(await scratch(t), 'mark');
  // One that ended before another begins would leave the snapshot to it.
  await sending(world, `until [ -e ${mark} ]; do sleep 0.2; done`);
  const answers = await Promise.all(['a', 'b', 'c'].map((name) => create(world, name)));
  await writeFile(mark, '');
  t.deepEqual(answers.map(told).sort(), ['201', '417 SnapshotPending', '417 SnapshotPending']);
  const won = answers.find(({ status }) => status === 201);
  t.is((await endOf(world.server, won?.json.task_id)).status, 'SUCCESS');
  t.is(world.server.deps.listing.size, 1);
});

test(about('the disk here fills up: told, and nothing stays'), async (t) => {
  const directory = await scratch(t);
  if (!mount(directory, '2m')) throw new Error('could not mount a tmpfs');
  t.teardown(() => unmount(directory));
  const blobs = await openBlobs({ kind: 'filesystem', directory });
  const world = await startCreations(t, { blobs });
  await world.machine({ alias: 'web', bytes: randomBytes(6_000_000) });
  for (const body of [{ compression: 'none' }, { compress_on: 'here' }, { take: true }]) {
    t.regex(await ended(world, 'x', body), /^FAILURE StorageIsDown .*(full|space)/i);
    t.deepEqual(await world.left(), NOTHING_LEFT);
  }
});
