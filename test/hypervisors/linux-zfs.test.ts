import { randomBytes, randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ava, { type ExecutionContext } from 'ava';
import { CommandFailed } from '../../server/hypervisors/host.js';
import { NotOnPlatform } from '../../server/hypervisors/hypervisor.js';
import { connectLinuxZfs, detectLinuxZfs } from '../../server/hypervisors/linux-zfs.js';
import { hypervisorContract } from '../contracts/hypervisor.js';
import { serveImages } from '../support/imgapi-for-nodes.js';
import { isMet } from '../support/needs.js';
import { nodeOf } from '../support/node-record.js';
import { scratch } from '../support/scratch.js';
import { startSshd } from '../support/sshd.js';
import { toolbox } from '../support/toolbox.js';
import { needsZfs, startPool } from '../support/zfs.js';
import { writeDisk, zfsLab } from '../support/zfs-lab.js';

const sshdIsThere = 'sshd, to be talked to';

async function openNode(t: ExecutionContext) {
  const pool = await startPool(t);
  const tools = await toolbox(t, pool.tools);
  const directory = await scratch(t);
  const env = { PATH: tools.path, SLIPWAY_ETC: directory, TMPDIR: directory };
  const sshd = await startSshd(t, { env });
  const place = `${pool.name}/vms`;
  await pool.zfs('create', place);
  const hypervisor = connectLinuxZfs(sshd.host(t), nodeOf(sshd, [place]));
  return { pool, tools, sshd, place, hypervisor };
}

hypervisorContract('linux-zfs', [sshdIsThere, needsZfs], async (t) => {
  const { pool, tools, sshd, place, hypervisor } = await openNode(t);
  return {
    hypervisor,
    tools,
    sender: { tool: 'zfs', word: 'send' },
    pool: pool.name,
    async addVm(bytes, { hostname = `vm${randomBytes(4).toString('hex')}`, image } = {}) {
      const dataset = `${place}/${hostname}`;
      if (image === undefined) await pool.zfs('create', dataset);
      else await pool.zfs('clone', `${pool.name}/slipway-images/${image}@final`, dataset);
      const write = async (others: Uint8Array) => {
        await writeDisk(pool, dataset, others);
      };
      await write(bytes);
      const found = await hypervisor.inventory(AbortSignal.timeout(60_000));
      return { uuid: found.find((vm) => vm.hostname === hostname)!.uuid, write };
    },
    ...zfsLab(pool, sshd, pool.name),
    can: { increments: true, holds: true },
  };
});

const test = isMet[sshdIsThere] && isMet[needsZfs] ? ava : ava.skip;
const soon = () => AbortSignal.timeout(60_000);

test(`linux-zfs: machines are found however their disks are named (${needsZfs})`, async (t) => {
  const { pool, place, hypervisor, sshd } = await openNode(t);
  const uuid = randomUUID();
  const image = randomUUID();
  for (const name of ['one', 'two', 'two/disk2', 'two/disk10', 'two/home', 'vm-100-disk-0', 'vm-100-disk-1', 'a b']) {
    await pool.zfs('create', `${place}/${name}`);
  }
  await pool.zfs('set', `slipway:uuid=${uuid}`, `${place}/two`);
  await pool.zfs('set', `slipway:image=${image}`, `${place}/two`);
  await pool.zfs('set', 'slipway:tags=web,prod', `${place}/two`);
  await pool.zfs('set', 'slipway:os=linux', `${place}/two`);
  const found = await hypervisor.inventory(soon());
  const volumes = found.map(({ hostname, disks }) => [
    hostname,
    disks.map(({ volume }) => volume.slice(place.length + 1)),
  ]);
  t.deepEqual(Object.fromEntries(volumes), {
    one: ['one'],
    two: ['two/disk2', 'two/disk10'],
    'vm-100': ['vm-100-disk-0', 'vm-100-disk-1'],
    'a b': ['a b'],
  });
  const two = found.find(({ hostname }) => hostname === 'two');
  t.like(two, { uuid, os: 'linux', tags: ['web', 'prod'] });
  t.deepEqual(
    two?.disks.map((disk) => disk.image),
    [image, undefined],
  );
  t.is(new Set(found.map((vm) => vm.uuid)).size, 4);
  t.deepEqual(await hypervisor.inventory(soon()), found, 'the same each time');
  t.true(await detectLinuxZfs(sshd.host(t), soon()));
  for (const odd of ['/tank/vms', '-rf', 'tank/$(reboot)', 'tank/../x@y']) {
    const elsewhere = connectLinuxZfs(sshd.host(t), nodeOf(sshd, [odd]));
    await t.throwsAsync(elsewhere.inventory(soon()), { instanceOf: NotOnPlatform }, odd);
  }
});

test(`linux-zfs: a sweep takes away what came half, of jobs that are no more (${needsZfs})`, async (t) => {
  const { pool, hypervisor } = await openNode(t);
  const [gone, underWay, image] = [randomUUID(), randomUUID(), randomUUID()];
  const root = `${pool.name}/slipway-images`;
  for (const name of ['', `/receiving-${gone}`, `/receiving-${underWay}`, `/${image}`]) {
    await pool.zfs('create', '-o', 'mountpoint=none', `${root}${name}`);
  }
  await hypervisor.sweep(async (job) => job !== underWay, soon());
  const left = (await pool.zfs('list', '-H', '-r', '-o', 'name', root)).split('\n');
  t.deepEqual(left.sort(), [root, `${root}/${image}`, `${root}/receiving-${underWay}`].sort());
  t.deepEqual(
    (await hypervisor.images(soon())).map(({ uuid }) => uuid),
    [image],
  );
});

test(`linux-zfs: what came half goes as soon as its receiver has let go of it (${needsZfs})`, async (t) => {
  const { pool, tools, hypervisor } = await openNode(t);
  const source = await serveImages(t);
  const image = source.add(randomBytes(1000), { type: 'other' }); // no stream
  const job = randomUUID();
  const half = `${pool.name}/slipway-images/receiving-${job}`;
  await pool.zfs('create', '-p', '-o', 'mountpoint=none', half);
  const asked = join(await scratch(t), 'asked');
  const busy = `printf . >>'${asked}'; echo "cannot destroy '$3': dataset is busy" >&2; exit 1`;
  await tools.put('zfs', `[ "$1" != destroy ] || [ "$(cat '${asked}')" = .. ] || { ${busy}; }; exec "$real" "$@"`);
  await writeFile(asked, '');
  const order = { images: [image], pool: pool.name, source: source.url, job };
  await t.throwsAsync(hypervisor.pull(order, { signal: soon(), report: () => {} }), { instanceOf: CommandFailed });
  t.is(await readFile(asked, 'utf8'), '..');
  t.false((await pool.zfs('list', '-H', '-r', '-o', 'name', pool.name)).includes(half));
});

test(`linux-zfs: what a stream says of where it is mounted and shared is not believed (${needsZfs})`, async (t) => {
  const { pool, hypervisor } = await openNode(t);
  const source = await serveImages(t);
  const evil = `${pool.name}/evil`;
  await pool.zfs('create', evil);
  await pool.zfs('create', `${evil}/below`);
  await pool.zfs('snapshot', '-r', `${evil}@one`);
  const nested = source.add(await pool.send('-R', `${evil}@one`), { type: 'other' });
  await pool.destroy(`${evil}/below`);
  await pool.zfs('unmount', evil);
  await pool.zfs('set', 'canmount=noauto', evil);
  await pool.zfs('set', 'mountpoint=/etc', evil);
  await pool.zfs('set', 'sharenfs=rw', evil);
  const mounted = source.add(await pool.send('-p', `${evil}@one`), { type: 'other' });
  await pool.destroy(evil);
  const pull = (image: typeof nested) => {
    const order = { images: [image], pool: pool.name, source: source.url, job: randomUUID() };
    return hypervisor.pull(order, { signal: soon(), report: () => {} });
  };
  await t.throwsAsync(pull(nested), { instanceOf: NotOnPlatform, message: /2 datasets/ });
  t.deepEqual(await hypervisor.images(soon()), []);
  await pull(mounted);
  const image = `${pool.name}/slipway-images/${mounted.uuid}`;
  const values = await pool.zfs('get', '-H', '-o', 'value', 'mountpoint,canmount,sharenfs', image);
  t.deepEqual(values.split('\n'), ['none', 'off', 'off']);
  const listed = await pool.zfs('list', '-H', '-r', '-o', 'name', `${pool.name}/slipway-images`);
  t.deepEqual(listed.split('\n'), [`${pool.name}/slipway-images`, image]);
});

test(`linux-zfs: what a property says behind a line break is said of nobody (${needsZfs})`, async (t) => {
  const { pool, place, hypervisor } = await openNode(t);
  const [victim, forged] = [randomUUID(), randomUUID()];
  for (const name of ['evil', 'victim']) await pool.zfs('create', `${place}/${name}`);
  await pool.zfs('create', `${pool.name}/secret`);
  await pool.zfs('set', `slipway:uuid=${victim}`, `${place}/victim`);
  for (const dataset of [`${place}/victim`, `${place}/other`, `${pool.name}/secret`]) {
    const row = [dataset, 'filesystem', '-', forged, '-', '-', '-', '-', 'tag'].join('\t');
    await pool.zfs('set', `slipway:tags=x\n${row}`, `${place}/evil`);
    const found = await hypervisor.inventory(soon());
    t.deepEqual(found.map(({ hostname }) => hostname).sort(), ['evil', 'victim'], dataset);
    t.is(found.find(({ hostname }) => hostname === 'victim')?.uuid, victim);
    t.false(JSON.stringify(found).includes(forged));
    t.deepEqual(found.find(({ hostname }) => hostname === 'evil')?.tags, []);
  }
});
