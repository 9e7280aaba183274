import { isUuid } from '../../imgapi/image.js';
import type { SeenEntry } from './audit.js';
import type { Progress, Task } from './task.js';

/** What those who listen are told of one thing that happened. */
export interface Told {
  kind: string;
  action: string;
  uuid?: string;
  name: string;
  datacenters: readonly string[];
}

const named = (id: string, name: string) => ({ ...(isUuid(id) && { uuid: id }), name });

export const toldOf = ({ objects, time, what, who }: Pick<SeenEntry, 'objects' | 'time' | 'what' | 'who'>) =>
  objects.map(
    ({ kind, action = 'changed', id, name, datacenters }): Told & { time: string; what: string; who: string } => ({
      kind,
      action,
      ...named(id, name),
      datacenters,
      time,
      what,
      who: who.name,
    }),
  );

export const toldOfProgress = ({ id, what, datacenter }: Task, progress: Progress): Told & { progress: Progress } => ({
  kind: 'tasks',
  action: 'progress',
  ...named(id, what),
  datacenters: datacenter === undefined ? [] : [datacenter],
  progress,
});

/** An event as it is sent; one without an id can not be gone on from. */
export function written(event: string, data: unknown, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
