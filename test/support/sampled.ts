import type { ExecutionContext } from 'ava';
import { DAY } from '../../server/model/sample.js';
import { takeSample } from '../../server/operations/take-sample.js';
import { addNodeToken } from './datacenters.js';
import { addImage, type Fleet, startFleet } from './managed.js';
import type { ServerOptions } from './server.js';

export const START = Date.parse('2030-06-15T12:00:00.000Z');

/** A fleet whose time goes on when it is told, and which looks at itself then. */
export interface SampledFleet extends Fleet {
  now(): Date;
  /** Milliseconds later, a sample is taken. */
  later(ms: number): Promise<void>;
  pull(uuid: string, headers?: Record<string, string>): Promise<void>;
}

export async function startSampled(t: ExecutionContext, options: ServerOptions = {}): Promise<SampledFleet> {
  let time = START;
  const now = () => new Date(time);
  const fleet = await startFleet(t, { ...options, now });
  return {
    ...fleet,
    now,
    later: async (ms) => {
      time += ms;
      await fleet.deps.audit.flush();
      await takeSample(fleet.deps);
    },
    pull: async (uuid, headers) => {
      const as = headers ? ({ as: 'anonymous', headers } as const) : ({ as: 'admin' } as const);
      await fleet.ask('GET', `/images/${uuid}/file`, as);
    },
  };
}

/** Has it run for a week: images in each data center, pulled by nodes of both, and a disk that fills up. */
export async function afterAWeek(t: ExecutionContext, options: ServerOptions = {}) {
  let free = 1000 * 2 ** 30;
  const fleet = await startSampled(t, { ...options, space: async () => ({ free, size: 2000 * 2 ** 30 }) });
  await fleet.later(0);
  const east = await addImage(fleet, 'east-1');
  const west = await addImage(fleet, 'west-1', { dc: 'west' });
  const nodes = {
    east: await addNodeToken(fleet, 'n-east', ['east']),
    west: await addNodeToken(fleet, 'n-west', ['west']),
  };
  for (let day = 0; day < 7; day += 1) {
    free -= 20 * 2 ** 30;
    await fleet.pull(east, nodes.east);
    await fleet.pull(west, nodes.west);
    await fleet.pull(west, nodes.west);
    await fleet.later(DAY);
  }
  return { ...fleet, east, west };
}
