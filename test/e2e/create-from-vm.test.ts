import { randomBytes } from 'node:crypto';
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import ava, { type ExecutionContext } from 'ava';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { isMet } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { sdcClient } from '../support/sdc-imgapi.js';
import { type SmartosNode, startSmartosNode } from '../support/smartos.js';

const lacking = (['sshd, to be talked to', 'zfs, to make a pool on a file'] as const).find((need) => !isMet[need]);
const test = lacking === undefined ? ava.serial : ava.serial.skip;
const why = lacking === undefined ? '' : ` (${lacking})`;

/** The daemon as a process, with a data center and the node in it, which lets it in. */
async function introduced(t: ExecutionContext, node: SmartosNode, data: string): Promise<Daemon> {
  const daemon = await startDaemon(t, { data, config: { mode: 'dc', authType: 'none', inventoryEvery: 0 } });
  const { result } = (await daemon.ask('GET', '/api/nodekey', { as: 'admin' })).json;
  await appendFile(join(node.sshd.directory, 'authorized_keys'), `${Object(result).line}\n`);
  const { address, port, user, hostKey } = { ...node.sshd.connection, hostKey: node.sshd.hostKey };
  const ways = { address, port, user, host_keys: [hostKey], platform: 'smartos' };
  await daemon.ask('POST', '/api/dc/north', { body: {}, as: 'admin' });
  const made = await daemon.ask('POST', '/api/node/node1', { body: { dcs: ['north'], ...ways }, as: 'admin' });
  t.is(made.status, 201, made.bytes.toString());
  return daemon;
}

const register = (daemon: Daemon, uuid: string, hostname: string) =>
  daemon.ask('PUT', `/api/vm/${uuid}`, { body: { hostname, dc: 'north', node: 'node1' }, as: 'admin' });

/** But for what was received back. */
async function snapshotsOf(node: SmartosNode) {
  const printed = await node.pool.zfs('list', '-H', '-r', '-t', 'snapshot', '-o', 'name,userrefs', node.pool.name);
  const lines = printed === '' ? [] : printed.split('\n').map((line) => line.split('\t'));
  return lines.filter(([name]) => !name?.startsWith(`${node.pool.name}/back`));
}

test(`sdc-clients make an image of a machine, and wait for it${why}`, async (t) => {
  const node = await startSmartosNode(t);
  const daemon = await introduced(t, node, await scratch(t));
  const vm = await node.addVm({ alias: 'web', brand: 'lx' });
  const bytes = randomBytes(100_000);
  await vm.write('bytes', bytes);
  await register(daemon, vm.uuid, 'web');
  const sdc = sdcClient(t, { url: daemon.url }, new Set());
  const { value } = await sdc.call('createImageFromVmAndWait', { name: 'made', version: '7' }, { vm_uuid: vm.uuid });
  t.like(value, { name: 'made', version: '7', state: 'active', type: 'lx-dataset', os: 'linux' });
  t.like(value.tags as object, { kernel_version: '5.10.0' });
  t.like(value.files?.[0], { compression: 'gzip' });
  const { bytes: file } = await daemon.ask('GET', `/images/${value.uuid}/file`);
  await node.pool.receive(gunzipSync(file), `${node.pool.name}/back`);
  t.deepEqual(await readFile(join(node.pool.mountpoint, 'back', 'bytes')), bytes);
  const { list } = await daemon.ask('GET', `/images/${value.uuid}/jobs?task=create-from-vm&execution=succeeded`);
  t.is(list.length, 1);
  t.like(list[0], { name: 'create-from-vm', params: { image_uuid: value.uuid, vm_uuid: vm.uuid, incremental: false } });
  t.deepEqual(await snapshotsOf(node), []);

  await node.tools.put('zfs', 'case "$1 $*" in *" -n"*) ;; send*) echo no luck >&2; exit 1;; esac; exec "$real" "$@"');
  const begun = await daemon.ask('POST', `/images?action=create-from-vm&vm_uuid=${vm.uuid}`, {
    body: { name: 'unmade', version: '1' },
  });
  t.is(begun.status, 200, begun.bytes.toString());
  let job = await daemon.ask('GET', `/jobs/${begun.json.job_uuid}`);
  for (; job.json.execution !== 'failed'; job = await daemon.ask('GET', `/jobs/${begun.json.job_uuid}`))
    await pause(20);
  const chain = job.json.chain_results as { name: string; error: { message: string } }[];
  t.regex(chain.at(-1)?.error.message ?? '', /no luck/);
  t.is((await daemon.ask('GET', `/images/${begun.json.image_uuid}`)).status, 404);
  t.deepEqual(await snapshotsOf(node), []);
});

test(`killed at any moment, a creation ends whole or not at all, and its snapshot is free again${why}`, async (t) => {
  const node = await startSmartosNode(t);
  const data = await scratch(t);
  let daemon = await introduced(t, node, data);
  const vm = await node.addVm({ alias: 'web' });
  const bytes = randomBytes(2_000_000);
  await vm.write('bytes', bytes);
  await vm.snapshot('s1');
  await register(daemon, vm.uuid, 'web');
  for (const [at, wait] of [0, 30, 60, 100, 150, 250, 400].entries()) {
    const path = `/api/vm/web/snapshot/s1/image/image-${at}`;
    const asked = daemon.ask('POST', path, { body: { take: at % 2 === 1, compression: 'none' }, as: 'admin' });
    asked.catch(() => {});
    await pause(wait);
    await daemon.kill('SIGKILL');
    const answer = await asked.catch(() => undefined);
    daemon = await startDaemon(t, { data, config: { mode: 'dc', authType: 'none', inventoryEvery: 0 } });
    const id = answer?.status === 201 ? String(answer.json.task_id) : undefined;
    for (let status = 'PENDING'; id !== undefined && ['PENDING', 'STARTED'].includes(status); await pause(20)) {
      status = String((await daemon.ask('GET', `/api/task/${id}/status`, { as: 'admin' })).json.status);
      if (!['PENDING', 'STARTED', 'SUCCESS'].includes(status)) t.fail(`${status} after a kill at ${wait} ms`);
    }
    const image = await daemon.ask('GET', `/api/image/image-${at}`, { as: 'admin' });
    if (id !== undefined) t.is(image.status, 200);
    if (image.status !== 200) continue;
    const uuid = String(Object(image.json.result).uuid);
    for (;;) {
      const { json } = await daemon.ask('GET', `/images/${uuid}`);
      if (json.state === 'active') break;
      await pause(20);
    }
    const { bytes: file } = await daemon.ask('GET', `/images/${uuid}/file`);
    await node.pool.receive(file, `${node.pool.name}/back-${at}`);
    t.deepEqual(await readFile(join(node.pool.mountpoint, `back-${at}`, 'bytes')), bytes);
  }
  // What a request has taken that was killed before it had a task is let go of a while later.
  for (;;) {
    if ((await snapshotsOf(node)).every(([name, count]) => count === '0' || !name?.endsWith('@s1'))) break;
    await pause(50);
  }
  t.is((await snapshotsOf(node)).find(([name]) => name === `${vm.disks[0]}@s1`)?.[1], '0');
  await node.sshd.nothingRuns();
  const removed = await daemon.ask('DELETE', '/api/vm/web/snapshot/s1', { body: {}, as: 'admin' });
  t.is(removed.status, 200, removed.bytes.toString());
});
