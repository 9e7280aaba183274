import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import ava from 'ava';
import { nodes } from '../../server/model/node.js';
import { addDatacenter, addMachine, stored } from '../support/datacenters.js';
import { endOf } from '../support/imports.js';
import { isMet } from '../support/needs.js';
import { qemuLab } from '../support/qemu.js';
import { scratch } from '../support/scratch.js';
import { startServer } from '../support/server.js';

const run = promisify(execFile);

const needs = [
  'sshd, to be talked to',
  'qemu-img',
  'nbdcopy, to read disks without a copy',
  'root, to mount a tmpfs',
] as const;
const lacking = needs.find((need) => !isMet[need]);
const test = lacking === undefined ? ava : ava.skip;
const why = lacking === undefined ? '' : ` (${lacking})`;

test(`a snapshot of a qcow2 disk becomes an image, which qemu-img finds identical to it${why}`, async (t) => {
  const lab = await qemuLab(t);
  const { uuid } = await lab.addVm(randomBytes(300_000), { hostname: 'web' });
  const disk = join(lab.place, 'web.qcow2');
  await run('qemu-img', ['snapshot', '-c', 's1', disk]);
  const then = join(await scratch(t), 'then.raw');
  await run('qemu-img', ['convert', '-O', 'raw', disk, then]);

  const server = await startServer(t, { nodeKey: lab.sshd.key });
  await addDatacenter(server, 'north');
  const created = server.deps.now().toISOString();
  await server.deps.catalog.write((tx) => tx.insert(nodes, { ...lab.node, datacenters: ['north'], created }));
  await addMachine(server, { uuid, hostname: 'web', datacenter: 'north', node: lab.node.name });

  const wishes = [
    { compression: 'none' },
    {},
    { compress_on: 'here', format: 'raw' },
    { take: true },
    { format: 'qcow2' },
    { format: 'qcow2', compression: 'none', take: true },
  ];
  for (const [at, packing] of wishes.entries()) {
    // Of what is written after the snapshot nothing comes along, but with one that is taken then.
    await lab.hypervisor.inventory(AbortSignal.timeout(60_000));
    const begun = await server.ask('POST', `/api/vm/web/snapshot/s1/image/web-${at}`, { body: packing, as: 'admin' });
    t.is(begun.status, 201, begun.bytes.toString());
    const task = await endOf(server, begun.json.task_id);
    t.is(task.status, 'SUCCESS', JSON.stringify(task.result));
    const image = Object(task.result).uuid;
    const { bytes } = await server.ask('GET', `/images/${image}/file`, { as: 'admin' });
    const back = join(await scratch(t), 'back.raw');
    await writeFile(back, packing.compression === 'none' ? bytes : gunzipSync(bytes));
    const form = packing.format ?? 'raw';
    const compared = await run('qemu-img', ['compare', '-f', form, '-F', 'raw', back, then]);
    t.regex(compared.stdout, /identical/);
    const manifest =
      form === 'raw'
        ? { type: 'zvol', image_size: 1, tags: { format: 'raw' } }
        : { type: 'other', tags: { format: 'qcow2' } };
    t.like(await stored(server, image), { ...manifest, state: 'active' });
  }
  t.deepEqual(await lab.leftovers(), []);
  const { stdout } = await run('qemu-img', ['snapshot', '-l', disk]);
  t.is(stdout.split('\n').filter((line) => /^\d/.test(line)).length, 1, stdout);
});
