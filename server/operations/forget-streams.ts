import type { Catalog } from '../../storage/catalog.js';
import { partials } from '../../storage/partials.js';
import { STREAMS, streamsOf } from '../model/pull-line.js';

/**
 * At the start: streams end with their daemon, so nobody will come for what they had begun to bring. Those of others who
 * are at work stay.
 */
export async function forgetStreams(catalog: Catalog): Promise<void> {
  const { members } = catalog;
  await members.look();
  const others = members.all().filter(({ id, name }) => id !== members.self.id && name !== members.self.name);
  const atWork = others.map(({ name }) => streamsOf(name));
  const left: string[] = [];
  for await (const { holder } of catalog.list(partials)) {
    if (holder.startsWith(STREAMS) && !atWork.some((theirs) => holder.startsWith(theirs))) left.push(holder);
  }
  if (left.length === 0) return;
  await catalog.write(async (tx) => {
    for (const holder of left) if (await tx.get(partials, holder)) await tx.delete(partials, holder);
  });
}
