import type { Catalog } from '../../storage/catalog.js';
import { partials } from '../../storage/partials.js';
import { STREAMS } from '../model/pull-line.js';

/** At the start: streams end with the server, so nobody will come for what they had begun to bring. */
export async function forgetStreams(catalog: Catalog): Promise<void> {
  const left: string[] = [];
  for await (const { holder } of catalog.list(partials)) if (holder.startsWith(STREAMS)) left.push(holder);
  if (left.length === 0) return;
  await catalog.write(async (tx) => {
    for (const holder of left) await tx.delete(partials, holder);
  });
}
