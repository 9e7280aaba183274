// Fills a data directory that no daemon has open. `load` imports a module of the build by its path.
import { join } from 'node:path';
import { images as plan } from './images.mjs';
import { busyHour, DAY, holdings, imageOf, nodesAt, samplesAt, tasksAt } from './records.mjs';

const HOURS = 30;

export async function fill(load, data, now) {
  const { openCatalog } = await load('storage/open.js');
  const { contents } = await load('storage/holdings.js');
  const { images, fileHolder } = await load('server/model/image.js');
  const { datacenters } = await load('server/model/datacenter.js');
  const { nodes } = await load('server/model/node.js');
  const { nodeStatuses } = await load('server/model/node-status.js');
  const { nodeImages } = await load('server/model/node-image.js');
  const { vms } = await load('server/model/vm.js');
  const { tasks } = await load('server/model/task.js');
  const { busyHours } = await load('server/model/traffic.js');
  const { densities, samples, samplings, startOf } = await load('server/model/sample.js');
  const { ADMIN } = await load('server/model/user.js');

  const owner = ADMIN.uuid;
  const site = { owner, settings: {}, description: '', created: new Date(now - 360 * DAY).toISOString() };
  const catalog = await openCatalog({ kind: 'leveldb', directory: join(data, 'catalog') });
  try {
    await catalog.write(async (tx) => {
      await tx.insert(datacenters, { ...site, name: 'fra', alias: 'Frankfurt', location: 'DE' });
      await tx.insert(datacenters, { ...site, name: 'ams', alias: 'Amsterdam', location: 'NL' });
      for (const one of plan) await tx.insert(images, imageOf(one, { owner, now }));
      for (const holding of holdings((uuid) => fileHolder(uuid, 0))) await tx.insert(contents, holding);
      for (const { node, status, copies, machines } of nodesAt(now)) {
        await tx.insert(nodes, node);
        await tx.insert(nodeStatuses, status);
        for (const copy of copies) await tx.insert(nodeImages, copy);
        for (const machine of machines) await tx.insert(vms, machine);
      }
      for (const task of tasksAt(now, { name: ADMIN.name, uuid: owner })) await tx.insert(tasks, task);
      for (const sample of samplesAt(now, densities)) await tx.insert(samples, sample);
      for (let hour = 0; hour < HOURS; hour += 1) await tx.insert(busyHours, busyHour(now, hour));
      // the daemon takes none of its own in this stretch of time
      await tx.insert(samplings, { from: startOf('minutes', new Date(now)), counted: {} });
    });
  } finally {
    await catalog.close();
  }
}
