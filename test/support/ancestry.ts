import { Readable } from 'node:stream';
import { addImage, type Fleet, manifest } from './managed.js';

export const numberedMachine = (at: number) => `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`;

/** An image of east between the one that it is built on and the one that is built on it, with machines that use it. */
export async function addFamily(fleet: Fleet, { machines = 0 } = {}) {
  const { root } = fleet;
  const on = (origin: string, version: string) => ({ manifest: { ...manifest, version, origin } });
  const base = await addImage(fleet, 'base', { alias: 'base' });
  const web = await addImage(fleet, 'web', { ...on(base, '2.0'), alias: 'web', desc: 'for shops' });
  const shop = await addImage(fleet, 'shop', { ...on(web, '3.0'), alias: 'shop' });
  const machine = async (at: number) => {
    await root('PUT', `/api/vm/${numberedMachine(at)}`, {
      hostname: `web-${String(at).padStart(3, '0')}`,
      dc: 'east',
      images: [{ disk: 1, image: web }],
    });
  };
  await Readable.from(Array.from({ length: machines }, (_, at) => at + 1)).forEach(machine, { concurrency: 8 });
  return { base, web, shop };
}
