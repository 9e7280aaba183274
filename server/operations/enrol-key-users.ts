import type { Catalog } from '../../storage/catalog.js';
import { users, userUuid } from '../model/user.js';

/**
 * Gives each of these names, for whom there are keys, a user. A new one is an operator: whoever may write the
 * configuration or the data directory is one already. `refused` are those who can not sign all the same.
 */
export async function enrolKeyUsers(catalog: Catalog, names: readonly string[], now: Date) {
  const found = await Promise.all(names.map((name) => catalog.find(users, `name:${name}`)));
  const missing = names.filter((_, at) => !found[at]);
  const refused = found.flatMap((user) =>
    user?.inactive ? [{ name: user.name, reason: 'the user is inactive' }] : [],
  );
  const made = missing.length === 0 ? { created: [], refused: [] } : await create(catalog, missing, now);
  return { created: made.created, refused: [...refused, ...made.refused] };
}

function create(catalog: Catalog, names: readonly string[], now: Date) {
  return catalog.write(async (tx) => {
    const created: string[] = [];
    const refused: { name: string; reason: string }[] = [];
    for (const name of names) {
      if (await tx.find(users, `name:${name}`)) continue;
      const uuid = userUuid(name);
      const holder = await tx.get(users, uuid);
      if (holder) {
        refused.push({ name, reason: `its uuid ${uuid} belongs to the user ${holder.name}` });
        continue;
      }
      await tx.insert(users, { uuid, name, superAdmin: true, created: now.toISOString() });
      created.push(name);
    }
    return { created, refused };
  });
}
