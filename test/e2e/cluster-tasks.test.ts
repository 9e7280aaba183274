import { randomBytes } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import anyTest, { type ExecutionContext } from 'ava';
import { makeKey } from '../../server/hypervisors/node-key.js';
import { ADMIN } from '../../server/model/user.js';
import { taskKinds } from '../../server/tasks/kinds.js';
import { type DiskNode, disk, POOL, startDiskNode } from '../support/campaigns.js';
import { type Cluster, startCluster } from '../support/cluster.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { type GatedProxy, gatedProxy } from '../support/gated-proxy.js';
import { isMet } from '../support/needs.js';
import { digestOf, startRegistry, type TestRegistry, testImage } from '../support/registry.js';
import { remote } from '../support/remote.js';
import { scratch } from '../support/scratch.js';
import { type SmartosNode, startSmartosNode } from '../support/smartos.js';
import type { Sshd } from '../support/sshd.js';

const needs = [
  'postgresql, to keep records',
  'ceph, to keep bytes',
  'sshd, to be talked to',
  'qemu-img',
  'zfs, to make a pool on a file',
] as const;
const lacking = needs.find((each) => !isMet[each]);
const test = lacking === undefined ? anyTest.serial : (anyTest.serial.skip as unknown as typeof anyTest.serial);
const why = lacking === undefined ? '' : ` (${lacking})`;

const MIB = 1 << 20;
const SIZE = 3 * MIB;

/** A task is looked for, and waited for, no longer than this. */
const LONGEST = 180_000;

/** What can be made to wait. */
type Door = Pick<GatedProxy, 'shutAfter' | 'open'>;

/** Two daemons, and whatever they talk to, each behind a door that can be shut. */
interface Lab {
  cluster: Cluster;
  /** Another image server, whose images are brought from there, and to it. */
  other: Daemon;
  toOther: GatedProxy;
  registry: TestRegistry;
  toRegistry: GatedProxy;
  lxd: Buffer;
  toLxd: GatedProxy;
  node: DiskNode;
  /** Of its images. */
  removing: Door;
  smartos: SmartosNode;
  toSmartos: GatedProxy;
  /** By which nodes find the daemons. */
  fromNodes: GatedProxy;
}

/** A task that has come as far as it comes for now. */
interface Begun {
  id: string;
  /** Resolves when it stands in the middle. */
  half: Promise<void>;
  /** Lets it go on, whoever does. */
  open(): void;
  /** What is there when it has ended, once. */
  check(t: ExecutionContext, survivor: Daemon, result: Record<string, unknown>): Promise<void>;
}

const teardowns: (() => unknown)[] = [];
const all = { teardown: (end: () => unknown) => void teardowns.push(end) };
let lab: Lab;

test.before(async (t) => {
  if (lacking !== undefined) return;
  t.timeout(300_000);
  lab = await startLab();
});

test.after.always(async () => {
  for (const end of teardowns.reverse()) await end();
});

async function startLab(): Promise<Lab> {
  const t = all as ExecutionContext;
  const other = await startDaemon(t, { config: { mode: 'public', authType: 'none' } });
  const registry = await startRegistry(t);
  const lxd = randomBytes(SIZE);
  const sha256 = digestOf(lxd).slice('sha256:'.length);
  const item = { ftype: 'lxd_combined.tar.gz', path: 'a.tar.gz', sha256, size: lxd.length };
  const versions = { '20240101': { items: { item } } };
  const streams = await remote(t, {
    'GET /streams/v1/index.json': {
      index: { images: { datatype: 'image-downloads', path: 'streams/v1/images.json' } },
    },
    'GET /streams/v1/images.json': { products: { 'alpine:3': { arch: 'amd64', aliases: 'alpine/3', versions } } },
    'GET /a.tar.gz': (_, response) => response.writeHead(200, { 'content-length': lxd.length }).end(lxd),
  });
  const fromNodes = await gatedProxy(t);
  const tools = await scratch(t);
  const removing = await slowRemoval(tools);
  const node = await startDiskNode(t, { port: 80, key: makeKey('nobody') }, { tools });
  await writeFile(join(node.home, '.curlrc'), `connect-to = "images.test:80:127.0.0.1:${fromNodes.port}"\n`);
  const smartos = await startSmartosNode(t);
  const ports = [other.port, portOf(registry.host), portOf(streams.url), smartos.sshd.port];
  const doors = await Promise.all(ports.map((port) => gatedProxy(t, port)));
  const [toOther, toRegistry, toLxd, toSmartos] = doors as [GatedProxy, GatedProxy, GatedProxy, GatedProxy];
  const cluster = await startCluster(t, {
    lease: 6,
    config: {
      authType: 'none',
      inventoryEvery: 0,
      publicUrl: 'http://images.test',
      insecureRegistries: [`127.0.0.1:${toRegistry.port}`],
      lxdRegistries: { images: toLxd.url },
    },
  });
  const [a, b] = cluster.daemons as [Daemon, Daemon];
  fromNodes.to(b.port);
  const { result } = (await a.ask('GET', '/api/nodekey', { as: 'admin' })).json;
  const introduce = async (name: string, sshd: Sshd, port: number, more: object) => {
    await appendFile(join(sshd.directory, 'authorized_keys'), `${Object(result).line}\n`);
    const way = { address: '127.0.0.1', port, user: sshd.connection.user, host_keys: [sshd.hostKey] };
    await ask(a, 'POST', `/api/node/${name}`, { dcs: ['main'], ...way, ...more }, 201);
  };
  await introduce('disks', node.sshd, node.sshd.port, { platform: 'qemu', places: [node.place] });
  await introduce('zones', smartos.sshd, toSmartos.port, { platform: 'smartos' });
  await ask(a, 'POST', '/api/repository/other', { url: toOther.url }, 201);
  return {
    cluster,
    other,
    toOther,
    registry,
    toRegistry,
    lxd,
    toLxd,
    node,
    removing,
    smartos,
    toSmartos,
    fromNodes,
  };
}

/** `rm` on a node, which can be made to wait. */
async function slowRemoval(tools: string): Promise<Door> {
  const [shut, held] = ['shut', 'held'].map((name) => join(tools, name)) as [string, string];
  const lines = ['#!/bin/sh', `while [ -e ${shut} ]; do : > ${held}; sleep 0.05; done`, 'exec /bin/rm "$@"', ''];
  await writeFile(join(tools, 'rm'), lines.join('\n'), { mode: 0o755 });
  return {
    shutAfter: () => {
      writeFileSync(shut, '');
      const isHeld = async () => {
        while (!existsSync(held)) await pause(20);
      };
      return { held: isHeld() };
    },
    open: () => {
      rmSync(shut, { force: true });
      rmSync(held, { force: true });
    },
  };
}

const portOf = (address: string) => Number(/:(\d+)$/.exec(address)?.[1]);

async function ask(daemon: Daemon, method: string, path: string, body: object | undefined, status: number) {
  const answer = await daemon.ask(method, path, { as: 'admin', ...(body && { body }) });
  if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${answer.bytes}`);
  return answer.json as { uuid: string; task_id: string; result: Record<string, unknown> };
}

/** An active image of random bytes. */
async function imageAt(daemon: Daemon, name: string, more: object = {}, bytes = randomBytes(SIZE)) {
  const manifest = { ...disk, name, version: '1', owner: ADMIN.uuid, public: true, ...more };
  const { uuid } = await ask(daemon, 'POST', '/images', manifest, 200);
  await daemon.ask('PUT', `/images/${uuid}/file?compression=none`, { as: 'admin', body: bytes });
  await ask(daemon, 'POST', `/images/${uuid}?action=activate`, undefined, 200);
  return { uuid, bytes };
}

async function holds(t: ExecutionContext, daemon: Daemon, uuid: string, bytes: Buffer) {
  t.like((await daemon.ask('GET', `/images/${uuid}`)).json, { state: 'active' });
  t.true((await daemon.ask('GET', `/images/${uuid}/file`)).bytes.equals(bytes), 'its bytes');
}

async function tasksCalled(daemon: Daemon, name: string, object: string): Promise<string[]> {
  const { result } = (await daemon.ask('GET', '/api/task?full=true', { as: 'admin' })).json;
  const found = result as unknown as { name: string; object: string; status: string }[];
  return found.filter((task) => task.name === name && task.object === object).map(({ status }) => status);
}

async function taskAt(daemon: Daemon, id: string) {
  const { result } = (await daemon.ask('GET', `/api/task/${id}`, { as: 'admin' })).json;
  return result as unknown as { status: string; result: Record<string, unknown>; progress: { done: number } | null };
}

const isOpen = ({ status }: { status: string }) => status === 'PENDING' || status === 'STARTED';

async function endOf(daemon: Daemon, id: string) {
  for (const end = Date.now() + LONGEST; ; await pause(50)) {
    const task = await taskAt(daemon, id);
    if (task && !isOpen(task)) return task;
    if (Date.now() > end) throw new Error(`it takes too long: ${JSON.stringify(task)}`);
  }
}

/** An image on the node. */
async function pulled(daemon: Daemon, name: string) {
  const image = await imageAt(daemon, name);
  const { task_id } = await ask(daemon, 'POST', `/api/node/disks/storage/${POOL}/image/${name}`, {}, 201);
  const task = await endOf(daemon, task_id);
  if (task.status !== 'SUCCESS') throw new Error(JSON.stringify(task));
  return image;
}

/** Started while a door is open until so many bytes have gone through. */
async function through(door: Door, bytes: number, start: () => Promise<string>, check: Begun['check']): Promise<Begun> {
  const { held } = door.shutAfter(bytes);
  return { id: await start(), half: held, open: () => door.open(), check };
}

/** How each kind is begun, and what has to be true at its end. */
const rows: Record<string, (a: Daemon, b: Daemon) => Promise<Begun>> = {
  'bulk images': async (a, b) => {
    const images: string[] = [];
    for (let n = 0; n < 200; n += 1) {
      images.push((await ask(a, 'POST', '/images', { ...disk, name: `bulk-${n}`, version: '1' }, 200)).uuid);
    }
    // anew where all were done before the other one stood still
    for (let label = 'red'; ; label = label === 'red' ? 'blue' : 'red') {
      const { task_id: id } = await ask(a, 'POST', '/api/bulk/image', { action: 'label', label, images }, 201);
      const [runner, other] = (await runnerOf([a, b], id)) === 0 ? [a, b] : [b, a];
      while (isOpen(await taskAt(runner, id)) && !(await taskAt(runner, id)).progress?.done);
      // no write ends before all have taken it in: the images that are left wait for this one
      other.child.kill('SIGSTOP');
      const open = () => void other.child.kill('SIGCONT');
      const task = await taskAt(runner, id);
      if (isOpen(task) && task.progress && task.progress.done < images.length / 2) {
        const check: Begun['check'] = async (t, survivor, result) => {
          const { result: labelled } = (await survivor.ask('GET', `/api/image?label=${label}`, { as: 'admin' })).json;
          t.is((labelled as unknown as unknown[]).length, images.length);
          t.is(JSON.stringify(result).split(images[0]!).length - 1, 1, 'each is told of once');
        };
        return { id, half: Promise.resolve(), open, check };
      }
      open();
      await endOf(a, id);
    }
  },
  follow: async (a) => {
    const { uuid, bytes } = await imageAt(lab.other, 'followed');
    await ask(a, 'POST', '/api/follow/some', { repository: 'other', match: 'followed' }, 201);
    const start = async () => (await ask(a, 'POST', '/api/follow/some/run', {}, 201)).task_id;
    return through(lab.toOther, 0, start, async (t, survivor) => {
      for (const end = Date.now() + LONGEST; Date.now() < end; await pause(50)) {
        if ((await survivor.ask('GET', `/images/${uuid}`)).json.state === 'active') break;
      }
      await holds(t, survivor, uuid, bytes);
      t.deepEqual(await tasksCalled(survivor, 'import', 'followed'), ['SUCCESS'], 'it came once');
    });
  },
  import: async (a) => {
    const { uuid, bytes } = await imageAt(lab.other, 'imported');
    const start = async () => (await ask(a, 'POST', `/api/imagestore/other/image/${uuid}`, {}, 201)).task_id;
    return through(lab.toOther, MIB, start, (t, survivor) => holds(t, survivor, uuid, bytes));
  },
  'import docker image': async (a) => {
    const image = testImage([randomBytes(SIZE), 'top']);
    lab.registry.put('app', '1', image);
    const body = { image: `127.0.0.1:${lab.toRegistry.port}/app:1` };
    const start = async () => (await ask(a, 'POST', '/api/registry/docker', body, 201)).task_id;
    return through(lab.toRegistry, MIB, start, async (t, survivor, result) => {
      const [layer] = image.layers;
      const { list } = await survivor.ask('GET', '/images?type=docker');
      t.is(list.length, 2);
      const base = list.find((one) => one.origin === undefined);
      await holds(t, survivor, String(base?.uuid), layer!);
      t.true(list.some(({ uuid }) => uuid === result.uuid));
    });
  },
  'import lxd image': async (a) => {
    const start = async () => (await ask(a, 'POST', '/api/registry/lxd', { image: 'images:alpine/3' }, 201)).task_id;
    return through(lab.toLxd, MIB, start, (t, survivor, { uuid }) => holds(t, survivor, String(uuid), lab.lxd));
  },
  campaign: async (a) => {
    const { uuid } = await imageAt(a, 'base');
    const start = async () =>
      (await ask(a, 'POST', '/api/campaign/all', { image: 'base', nodes: ['disks'] }, 201)).task_id;
    return through(lab.fromNodes, MIB, start, async (t, survivor) => {
      const { result } = (await survivor.ask('GET', '/api/campaign/all', { as: 'admin' })).json;
      t.like(result, { state: 'done', done: 1, total: 1 });
      t.true((await lab.node.images()).includes(uuid));
      t.deepEqual(await lab.node.left(), []);
    });
  },
  'create from snapshot': async (a) => {
    const vm = await lab.smartos.addVm({ alias: 'web' });
    await vm.write('bytes', randomBytes(SIZE));
    await vm.snapshot('s1');
    await ask(a, 'PUT', `/api/vm/${vm.uuid}`, { hostname: 'web', dc: 'main', node: 'zones' }, 200);
    const body = { compression: 'none' };
    const start = async () => (await ask(a, 'POST', '/api/vm/web/snapshot/s1/image/made', body, 201)).task_id;
    return through(lab.toSmartos, MIB, start, async (t, survivor, { uuid }) => {
      t.like((await survivor.ask('GET', `/images/${uuid}`)).json, { state: 'active', name: 'made' });
      const { bytes } = await survivor.ask('GET', `/images/${uuid}/file`);
      t.true(bytes.length > SIZE);
      const holds = await lab.smartos.pool.zfs('get', '-H', '-o', 'value', 'userrefs', `${vm.disks[0]}@s1`);
      t.is(holds, '0', 'its snapshot is free');
      await lab.smartos.sshd.nothingRuns();
    });
  },
  'pull image': async (a) => {
    const { uuid } = await imageAt(a, 'fetched');
    const path = `/api/node/disks/storage/${POOL}/image/fetched`;
    const start = async () => (await ask(a, 'POST', path, {}, 201)).task_id;
    return through(lab.fromNodes, MIB, start, async (t) => {
      t.true((await lab.node.images()).includes(uuid));
      t.deepEqual(await lab.node.left(), []);
    });
  },
  'remove image': async (a) => {
    const { uuid } = await pulled(a, 'removed');
    const path = `/api/node/disks/storage/${POOL}/image/removed`;
    const start = async () => (await ask(a, 'DELETE', path, {}, 201)).task_id;
    return through(lab.removing, 0, start, async (t) => {
      t.false((await lab.node.images()).includes(uuid));
      t.deepEqual(await lab.node.left(), []);
    });
  },
  'remove unused images': async (a) => {
    await pulled(a, 'unused');
    const start = async () => (await ask(a, 'DELETE', `/api/node/disks/storage/${POOL}/image`, {}, 201)).task_id;
    return through(lab.removing, 0, start, async (t) => {
      t.deepEqual(await lab.node.images(), []);
      t.deepEqual(await lab.node.left(), []);
    });
  },
  'delete image': async (a) => {
    const { uuid } = await pulled(a, 'deleted');
    const start = async () => (await ask(a, 'DELETE', '/api/image/deleted', {}, 201)).task_id;
    return through(lab.removing, 0, start, async (t, survivor) => {
      t.false((await lab.node.images()).includes(uuid));
      t.is((await survivor.ask('GET', `/images/${uuid}`)).status, 404);
    });
  },
  'copy image': async (a) => {
    const { uuid, bytes } = await imageAt(a, 'copied');
    const start = async () => (await ask(a, 'POST', '/api/image/copied/copy', { to: 'other' }, 201)).task_id;
    return through(lab.toOther, MIB, start, (t) => holds(t, lab.other, uuid, bytes));
  },
};

/** Which of them works on it, by what it says. */
function runnerOf(daemons: readonly Daemon[], id: string): Promise<number> {
  return Promise.any(
    daemons.map(async (daemon, place) => {
      await daemon.logged(({ msg, task }) => task === id && isBegun(msg));
      return place;
    }),
  );
}

const isBegun = (msg: string) => msg === 'a task begins' || msg === 'a task goes on';

test(`there is a row for each kind of task${why}`, (t) => {
  t.deepEqual(Object.keys(rows).sort(), Object.keys(taskKinds).sort());
});

for (const [kind, begin] of Object.entries(rows)) {
  test(`${kind}: the daemon that works on it is killed, and the other one finishes it, once${why}`, async (t) => {
    t.timeout(300_000);
    const { cluster, fromNodes } = lab;
    const [a, b] = cluster.daemons as [Daemon, Daemon];
    const { id, half, open, check } = await begin(a, b);
    try {
      const place = await runnerOf([a, b], id);
      await half;
      const survivor = place === 0 ? b : a;
      fromNodes.to(survivor.port);
      await (place === 0 ? a : b).kill('SIGKILL');
      open();
      await survivor.logged(({ msg, task }) => task === id && isBegun(msg));
      const task = await endOf(survivor, id);
      t.is(task.status, 'SUCCESS', JSON.stringify(task));
      await check(t, survivor, task.result ?? {});
    } finally {
      open();
      for (const [place, { child }] of cluster.daemons.entries()) {
        if (child.exitCode !== null || child.signalCode !== null) await cluster.start(place);
      }
    }
  });
}

/** An import of its own, half of which has come; where it runs, and where it does not. */
async function halfImported(name: string) {
  const [a, b] = lab.cluster.daemons as [Daemon, Daemon];
  const { uuid, bytes } = await imageAt(lab.other, name);
  const { held } = lab.toOther.shutAfter(MIB);
  const { task_id: id } = await ask(a, 'POST', `/api/imagestore/other/image/${uuid}`, {}, 201);
  const place = await runnerOf([a, b], id);
  await held;
  const [runner, survivor] = place === 0 ? [a, b] : [b, a];
  return { id, uuid, bytes, place, runner, survivor };
}

test(`a daemon that is told to stop leaves its task to the other at once${why}`, async (t) => {
  t.timeout(300_000);
  const { id, uuid, bytes, place, runner, survivor } = await halfImported('left');
  const ended = runner.kill('SIGTERM');
  await survivor.logged(({ msg, task }) => task === id && isBegun(msg));
  lab.toOther.open();
  t.is((await endOf(survivor, id)).status, 'SUCCESS');
  await holds(t, survivor, uuid, bytes);
  t.is((await ended).code, 0);
  await lab.cluster.start(place);
});

test(`a task is cancelled at the daemon that does not work on it, and leaves nothing${why}`, async (t) => {
  t.timeout(300_000);
  const { id, uuid, runner, survivor } = await halfImported('cancelled');
  t.is((await survivor.ask('PUT', `/api/task/${id}/cancel`, { as: 'admin' })).status, 410);
  t.is((await endOf(runner, id)).status, 'REVOKED');
  lab.toOther.open();
  for (const daemon of [runner, survivor]) t.is((await daemon.ask('GET', `/images/${uuid}`)).status, 404);
});

test(`a daemon that sleeps for longer than its lease changes nothing when it wakes${why}`, async (t) => {
  t.timeout(300_000);
  const { id, uuid, bytes, runner, survivor } = await halfImported('slept');
  runner.child.kill('SIGSTOP');
  await survivor.logged(({ msg, task }) => task === id && isBegun(msg));
  lab.toOther.open();
  const task = await endOf(survivor, id);
  t.is(task.status, 'SUCCESS');
  runner.child.kill('SIGCONT');
  for (const end = Date.now() + LONGEST; Date.now() < end; await pause(50)) {
    if ((await runner.ask('GET', `/images/${uuid}`)).status === 200) break;
  }
  await holds(t, runner, uuid, bytes);
  t.deepEqual(await endOf(runner, id), task);
  t.deepEqual(await tasksCalled(runner, 'import', 'slept'), ['SUCCESS']);
});
