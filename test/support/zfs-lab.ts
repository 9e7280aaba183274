import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Lab } from '../contracts/hypervisor.js';
import type { Sshd } from './sshd.js';
import type { Pool } from './zfs.js';

const FILE = 'bytes';

/** What the suite does by hand where disks are datasets: they hold one file. */
export function zfsLab(
  pool: Pool,
  sshd: Sshd,
  images: string,
): Pick<Lab, 'restore' | 'makeImage' | 'fill' | 'leftovers'> {
  let made = 0;
  const fresh = () => `${pool.name}/made-${made++}`;
  return {
    /** Each stream is received as a clone of what came before it, in a place of its own. */
    async restore(streams) {
      const received: string[] = [];
      try {
        for (const stream of streams) {
          const dataset = fresh();
          await pool.receive(stream, dataset);
          received.push(dataset);
        }
        return await readFile(join(pool.mountpoint, received.at(-1)!.slice(pool.name.length), FILE));
      } finally {
        for (const dataset of received.toReversed()) await pool.destroy(dataset);
      }
    },

    async makeImage(bytes) {
      const dataset = fresh();
      await pool.zfs('create', dataset);
      await pool.write(dataset, FILE, bytes);
      await pool.zfs('snapshot', `${dataset}@image`);
      const file = await pool.send(`${dataset}@image`);
      await pool.destroy(dataset);
      return { file, type: 'zone-dataset' };
    },

    async fill() {
      const free = Number(await pool.zfs('get', '-Hp', '-o', 'value', 'available', pool.name));
      await pool.zfs('create', `${pool.name}/full`);
      await pool.write(`${pool.name}/full`, 'bytes', randomBytes(free - (4 << 20)));
    },

    async leftovers() {
      await sshd.nothingRuns();
      const look = async () => {
        const lines = (await pool.zfs('list', '-H', '-r', '-t', 'all', '-o', 'name,userrefs', pool.name)).split('\n');
        return lines.map((line) => line.split('\t') as [name: string, count: string]);
      };
      const halfOf = (found: [name: string, count: string][]) =>
        found.map(([name]) => name).filter((name) => /-partial|receiving/.test(name) && name.startsWith(images));
      let rows = await look();
      // zfs-fuse receives for a moment longer than the process that was killed, and then takes away what came half.
      for (const end = Date.now() + 60_000; halfOf(rows).length > 0 && Date.now() < end; rows = await look()) {
        await pause(100);
      }
      const held = rows.filter(([, count]) => count !== '0' && count !== '-').map(([name]) => name);
      const marks =
        held.length === 0 ? '' : await pool.zfs('get', '-H', '-s', 'local', '-o', 'property', 'all', ...held);
      return [...held, ...marks.split('\n').filter((mark) => mark !== ''), ...halfOf(rows)];
    },
  };
}

export const writeDisk = (pool: Pool, dataset: string, bytes: Uint8Array) => pool.write(dataset, FILE, bytes);
