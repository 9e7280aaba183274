import { randomBytes, randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ava, { type ExecutionContext } from 'ava';
import { CommandFailed } from '../../server/hypervisors/host.js';
import { connectSmartos, detectSmartos } from '../../server/hypervisors/smartos.js';
import { hypervisorContract } from '../contracts/hypervisor.js';
import { serveImages } from '../support/imgapi-for-nodes.js';
import { isMet } from '../support/needs.js';
import { nodeOf } from '../support/node-record.js';
import { scratch } from '../support/scratch.js';
import { sourcesOf, startSmartosNode, type VmPlan } from '../support/smartos.js';
import { needsZfs } from '../support/zfs.js';
import { zfsLab } from '../support/zfs-lab.js';

const sshdIsThere = 'sshd, to be talked to';

hypervisorContract('smartos', [sshdIsThere, needsZfs], async (t) => {
  const node = await startSmartosNode(t);
  const { pool, sshd, tools } = node;
  return {
    hypervisor: connectSmartos(sshd.host(t), nodeOf(sshd)),
    tools,
    sender: { tool: 'zfs', word: 'send' },
    pool: pool.name,
    async addVm(bytes, { hostname, image } = {}) {
      const vm = await node.addVm({
        ...(hostname !== undefined && { alias: hostname }),
        ...(image !== undefined && { image }),
      });
      await vm.write('bytes', bytes);
      return { uuid: vm.uuid, write: (others) => vm.write('bytes', others) };
    },
    ...zfsLab(pool, sshd, pool.name),
    can: { increments: true, holds: true },
  };
});

const test = isMet[sshdIsThere] && isMet[needsZfs] ? ava : ava.skip;
const soon = () => AbortSignal.timeout(60_000);

async function open(t: ExecutionContext) {
  const node = await startSmartosNode(t);
  return { node, hypervisor: connectSmartos(node.sshd.host(t), nodeOf(node.sshd)) };
}

test(`smartos: it is found out, and tells its platform (${needsZfs})`, async (t) => {
  const { node, hypervisor } = await open(t);
  const host = node.sshd.host(t);
  t.true(await detectSmartos(host, soon()));
  await node.set({ version: '20130308T102805Z', hostname: 'headnode', sysinfo: { 'Bhyve Capable': false } });
  const described = await hypervisor.describe(soon());
  t.like(described, { hostname: 'headnode', version: '20130308T102805Z', firmware: ['bios'] });
  t.deepEqual(described.brands, ['joyent', 'joyent-minimal', 'lx', 'kvm']);
  t.is(described.tools.imgadm, '3.11.0');
  await node.tools.restore('uname');
  await node.tools.put('uname', 'exec /bin/uname "$@"');
  t.false(await detectSmartos(host, soon()));
});

test(`smartos: what came half goes as soon as its receiver has let go of it (${needsZfs})`, async (t) => {
  const { node, hypervisor } = await open(t);
  const { pool, tools } = node;
  const source = await serveImages(t);
  const image = source.add(randomBytes(1000), { type: 'other' }); // no stream
  const half = `${pool.name}/${image.uuid}-partial`;
  await pool.zfs('create', '-o', 'mountpoint=none', half);
  const asked = join(await scratch(t), 'asked');
  const busy = `printf . >>'${asked}'; echo "cannot destroy '$3': dataset is busy" >&2; exit 1`;
  // imgadm itself tries it at its beginning and at its end
  await tools.put('zfs', `[ "$1" != destroy ] || [ "$(cat '${asked}')" = .... ] || { ${busy}; }; exec "$real" "$@"`);
  await writeFile(asked, '');
  const order = { images: [image], pool: pool.name, source: source.url, job: randomUUID() };
  await t.throwsAsync(hypervisor.pull(order, { signal: soon(), report: () => {} }), { instanceOf: CommandFailed });
  t.is(await readFile(asked, 'utf8'), '....');
  t.false((await pool.zfs('list', '-H', '-r', '-o', 'name', pool.name)).includes(half));
});

test(`smartos: images of all brands ask of hosts what their machine had (${needsZfs})`, async (t) => {
  const { node, hypervisor } = await open(t);
  const image = await node.addImage({ os: 'windows', type: 'zvol' });
  const factsOf = async (plan: VmPlan, disk = 1) => {
    const vm = await node.addVm(plan);
    await vm.snapshot('s', disk);
    return hypervisor.facts({ vm: vm.uuid, disk, snapshot: 's' }, soon());
  };
  const zone = await factsOf({ brand: 'joyent' });
  t.like(zone, { type: 'zone-dataset', os: 'smartos', imageSize: undefined });
  t.deepEqual(zone.manifest, { requirements: { min_platform: { '7.0': '20240111T000000Z' } } });
  const lx = await factsOf({ brand: 'lx' });
  t.like(lx, { type: 'lx-dataset', os: 'linux', manifest: { requirements: { brand: 'lx' } } });
  const bhyve = await factsOf({ brand: 'bhyve', image, disks: 2, fields: { bootrom: 'uefi' } });
  t.like(bhyve, { type: 'zvol', os: 'windows', imageSize: 10_240 });
  t.deepEqual(bhyve.manifest, {
    disk_driver: 'virtio',
    nic_driver: 'virtio',
    cpu_type: 'host',
    requirements: { brand: 'bhyve', bootrom: 'uefi' },
  });
  t.is(bhyve.origin?.image, image);
  t.is(
    bhyve.origin?.guid,
    await node.pool.zfs('get', '-Hp', '-o', 'value', 'guid', `${node.pool.name}/${image}@final`),
  );
  const second = await factsOf({ brand: 'kvm', image, disks: 2 }, 2);
  t.like(second, { type: 'zvol', origin: undefined, manifest: { requirements: { brand: 'kvm' } } });
  t.is(second.disk.disk, 2);
});

test(`smartos: tools that print nonsense, fail or are missing are failures, and say so (${needsZfs})`, async (t) => {
  const { node, hypervisor } = await open(t);
  await node.addVm({ alias: 'web1' });
  for (const [script, message] of [
    ['echo "[{\\"alias\\":\\"web1\\"}]"', /no uuid/],
    ['echo "<script>alert(1)</script>"', /can not be read/],
    ['echo "vminfod is down" >&2; exit 1', /vminfod is down/],
  ] as const) {
    await node.tools.put('vmadm', script);
    await t.throwsAsync(hypervisor.inventory(soon()), { instanceOf: CommandFailed, message }, script);
  }
  await node.restore('vmadm');
  await node.addVm({ alias: 'db1', brand: 'kvm', image: await node.addImage({ os: 'linux' }) });
  const systems = async () => (await hypervisor.inventory(soon())).map((vm) => [vm.hostname, vm.os]);
  t.deepEqual(Object.fromEntries(await systems()), { web1: 'smartos', db1: 'linux' });
  await node.tools.put('imgadm', 'exit 1');
  t.deepEqual(Object.fromEntries(await systems()), { web1: 'smartos', db1: undefined });
  await node.tools.lacks('vmadm');
  const missing = await t.throwsAsync(hypervisor.inventory(soon()), { instanceOf: CommandFailed });
  t.is(missing?.code, 127);
  await node.restore('vmadm');
  t.is((await hypervisor.inventory(soon())).length, 2);
});

test(`smartos: what is asked of Docker stays among the sources (${needsZfs})`, async (t) => {
  const { node, hypervisor } = await open(t);
  const docker = { url: 'https://docker.io', type: 'docker' };
  const ours = { url: 'https://old.test', type: 'imgapi' };
  await writeFile(join(node.state, 'imgadm.conf'), JSON.stringify({ sources: [docker, ours] }));
  await hypervisor.configureSources(['https://new.test'], soon());
  t.deepEqual(await hypervisor.sources(soon()), ['https://new.test']);
  t.deepEqual(await sourcesOf(node), ['https://docker.io', 'https://new.test']);
});
