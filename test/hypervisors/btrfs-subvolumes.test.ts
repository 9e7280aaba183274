import { execFile, spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ava from 'ava';
import { usageIn } from '../../server/hypervisors/btrfs.js';
import { subvolumesIn } from '../../server/hypervisors/btrfs-subvolumes.js';
import { NotOnPlatform, type SnapshotName } from '../../server/hypervisors/hypervisor.js';
import { type BtrfsLab, btrfsLab, mountBtrfs } from '../support/btrfs.js';
import { btrfsStream } from '../support/btrfs-stream.js';
import { serveImages } from '../support/imgapi-for-nodes.js';
import { isMet } from '../support/needs.js';
import { scratch } from '../support/scratch.js';

const run = promisify(execFile);
const lacking = (['sshd, to be talked to', 'btrfs, on a file'] as const).find((need) => !isMet[need]);
const test = lacking === undefined ? ava : ava.skip;
const named = (title: string) => (lacking === undefined ? title : `${title} (${lacking})`);

const soon = () => AbortSignal.timeout(60_000);

async function bytesOf({ hypervisor }: BtrfsLab, meant: SnapshotName): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of hypervisor.openSnapshot(meant, { job: randomUUID(), signal: soon() })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test(named('what is received is what was sent, file by file'), async (t) => {
  const lab = await btrfsLab(t);
  const { uuid } = await lab.addVm(randomBytes(100_000), { hostname: 'web' });
  const root = join(lab.place, 'web');
  await mkdir(join(root, 'etc', 'a b'), { recursive: true });
  await writeFile(join(root, 'etc', 'a b', '$(x)'), randomBytes(3_000_000));
  await run('ln', ['-s', '/etc/shadow', join(root, 'etc', 'link')]);
  await run('chmod', ['4711', join(root, 'content')]);
  const meant = { vm: uuid, disk: 1, snapshot: 'before' };
  await lab.hypervisor.takeSnapshot(meant, soon());
  t.like(await lab.hypervisor.facts(meant, soon()), { type: 'other', manifest: { tags: { format: 'btrfs' } } });
  const elsewhere = await mountBtrfs(t);
  const { status, stderr } = spawnSync('btrfs', ['receive', '-q', elsewhere], { input: await bytesOf(lab, meant) });
  t.is(status, 0, `${stderr}`);
  const sent = join(lab.place, '.snapshots', 'web', 'before');
  await run('diff', ['-r', '--no-dereference', sent, join(elsewhere, 'before')]);
  const listed = async (directory: string) =>
    (await run('find', [directory, '-mindepth', '1', '-printf', '%P %m %U %s %l\n'])).stdout.split('\n').sort();
  t.deepEqual(await listed(join(elsewhere, 'before')), await listed(sent));
});

test(named('snapshots that others have taken are seen, and machines are told from them'), async (t) => {
  const lab = await btrfsLab(t);
  const { uuid } = await lab.addVm(randomBytes(1000), { hostname: 'web' });
  const snapshot = (...args: string[]) => run('btrfs', ['subvolume', 'snapshot', ...args]);
  await mkdir(join(lab.place, 'backups', 'web'), { recursive: true });
  await snapshot('-r', join(lab.place, 'web'), join(lab.place, 'backups', 'web', 'nightly'));
  await snapshot('-r', join(lab.place, 'web'), join(lab.place, 'web-before'));
  await snapshot(join(lab.place, 'web'), join(lab.place, 'copy'));
  t.deepEqual((await lab.hypervisor.inventory(soon())).map(({ hostname }) => hostname).sort(), ['copy', 'web']);
  const found = await lab.hypervisor.snapshots(uuid, soon());
  t.deepEqual(found.map(({ name }) => name).sort(), ['nightly', 'web-before']);
});

test(named('a machine is running where a process has it as its root'), async (t) => {
  const lab = await btrfsLab(t);
  await lab.addVm(randomBytes(1000), { hostname: 'web' });
  await lab.addVm(randomBytes(1000), { hostname: 'other' });
  for (const directory of ['bin', 'lib', 'lib64', 'usr']) await mkdir(join(lab.place, 'web', directory));
  const { stdout } = await run('sh', ['-c', 'ldd /bin/sleep | grep -o "/[^ ]*"; echo /bin/sleep']);
  await run('cp', ['-L', '--parents', ...stdout.trim().split('\n'), join(lab.place, 'web')]);
  const abort = new AbortController();
  t.teardown(() => abort.abort());
  const sleeping = run('chroot', [join(lab.place, 'web'), '/bin/sleep', '600'], { signal: abort.signal }).catch(
    () => {},
  );
  const states = async () =>
    Object.fromEntries((await lab.hypervisor.inventory(soon())).map((vm) => [vm.hostname, vm.state]));
  let now = await states();
  for (const end = Date.now() + 60_000; now.web !== 'running' && Date.now() < end; ) now = await states();
  t.deepEqual(now, { web: 'running', other: 'stopped' });
  abort.abort();
  await sleeping;
});

test(named('a stream of something else, or of two subvolumes, is no image'), async (t) => {
  const lab = await btrfsLab(t);
  const source = await serveImages(t);
  const [one, two] = [await lab.makeImage(randomBytes(1000)), await lab.makeImage(randomBytes(1000))];
  const [image] = [source.add(one.file, { type: 'zvol' })];
  const order = (uuids: ReturnType<typeof source.add>[]) => ({
    images: uuids,
    pool: lab.pool,
    source: source.url,
    job: randomUUID(),
  });
  const options = () => ({ signal: soon(), report: () => {} });
  await t.throwsAsync(lab.hypervisor.pull(order([image]), options()), { instanceOf: NotOnPlatform });
  const both = source.add(Buffer.concat([one.file, two.file]), { type: 'other' });
  const tar = source.add(randomBytes(10_000), { type: 'other' });
  for (const odd of [both, tar]) await t.throwsAsync(lab.hypervisor.pull(order([odd]), options()));
  t.deepEqual(await lab.hypervisor.images(soon()), []);
  t.deepEqual(await lab.leftovers(), []);
});

test(named('a stream writes nowhere but into its own subvolume'), async (t) => {
  const lab = await btrfsLab(t);
  const source = await serveImages(t);
  const victim = await scratch(t);
  const stream = (file: string) =>
    btrfsStream([
      { make: 'subvolume', path: 'disk' },
      { make: 'link', path: 'way', to: victim },
      { make: 'file', path: file },
      { write: 'root::0:0::/root:/bin/sh', into: file },
    ]);
  const pull = (file: string) => {
    const image = source.add(stream(file), { type: 'other' });
    const order = { images: [image], pool: lab.pool, source: source.url, job: randomUUID() };
    return lab.hypervisor.pull(order, { signal: soon(), report: () => {} });
  };
  await t.throwsAsync(pull('way/passwd'));
  t.deepEqual(await readdir(victim), []);
  t.deepEqual(await lab.hypervisor.images(soon()), []);
  t.deepEqual(await lab.leftovers(), []);
  await pull('own');
  t.is((await lab.hypervisor.images(soon())).length, 1, 'as such streams are read');
});

test(named('a sweep looks into no machine'), async (t) => {
  const lab = await btrfsLab(t);
  await lab.addVm(randomBytes(1000), { hostname: 'web' });
  const inside = join(lab.place, 'web', `.slipway-${randomUUID()}`);
  const ours = join(lab.place, `.slipway-${randomUUID()}`);
  for (const directory of [inside, ours]) await mkdir(directory);
  await lab.hypervisor.sweep(async () => true, soon());
  t.deepEqual([existsSync(inside), existsSync(ours)], [true, false]);
});

test('a name with a line break says nothing of other subvolumes', (t) => {
  const shown =
    'x\n\tName: \t\t\tx\n\tUUID: \t\t\tf07b113f-7b3f-d24e-8f8b-c44e0e55df47\n\tFlags: \t\t\treadonly\n\tSnapshot(s):\n\t\t\t\ty\n\tUUID: \t\t\t00000000-7b3f-d24e-8f8b-c44e0e55df47\n';
  const [found] = subvolumesIn(`0:1\n\0/m/x\x000:2\0${shown}\0`);
  t.like(found, { uuid: 'f07b113f-7b3f-d24e-8f8b-c44e0e55df47', isReadOnly: true, isRoot: false });
  t.deepEqual(subvolumesIn(`\0/m/x\ny\x000:2\0${shown}\0`), []);
  t.deepEqual(subvolumesIn(''), []);
});

test('room is read as btrfs prints it', (t) => {
  const printed =
    'Overall:\n    Device size:\t\t         536870912\n    Device missing:\t\t                 0\n    Free (estimated):\t\t         447741952\t(min: 225443840)\n';
  t.deepEqual(usageIn(printed), { size: 536_870_912, free: 447_741_952, health: 'online' });
  t.is(usageIn(printed.replace('  0\n', '  8\n'))?.health, 'degraded');
  t.is(usageIn(''), undefined);
});
