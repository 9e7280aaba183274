import type { Catalog } from '../../storage/catalog.js';
import type { Member } from '../../storage/members.js';
import { tasks } from '../model/task.js';

export interface SeenMember extends Member {
  /** Whether what is done once for all is done by it. */
  first: boolean;
  /** Whether it is the one that was asked. */
  self: boolean;
  /** How many tasks it performs. */
  tasks: number;
}

/** The daemons that are one server, whoever has been in for longest first. */
export async function listMembers(catalog: Catalog): Promise<SeenMember[]> {
  const { members } = catalog;
  const busy = new Map<string, number>();
  for await (const { record } of catalog.range(tasks, 'status', { prefix: 'STARTED/' })) {
    if (record.runner !== undefined) busy.set(record.runner, (busy.get(record.runner) ?? 0) + 1);
  }
  return members.all().map((member, at) => ({
    ...member,
    first: at === 0,
    self: member.id === members.self.id,
    tasks: busy.get(member.id) ?? 0,
  }));
}
