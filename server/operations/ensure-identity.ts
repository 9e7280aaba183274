import { randomUUID } from 'node:crypto';
import type { Catalog } from '../../storage/catalog.js';
import { identities, SERVER } from '../model/identity.js';

/** Who this server is, whichever of its daemons asks. */
export async function ensureIdentity(catalog: Catalog): Promise<string> {
  const known = await catalog.get(identities, SERVER);
  if (known) return known.uuid;
  return catalog.write(async (tx) => {
    const first = await tx.get(identities, SERVER);
    if (first) return first.uuid;
    const made = { id: SERVER, uuid: randomUUID() } as const;
    await tx.insert(identities, made);
    return made.uuid;
  });
}
