import type { Catalog } from '../../storage/catalog.js';
import { OperatorMistake } from '../model/operator-mistake.js';
import { purposeOf, type ServerKeyName, serverKeys } from '../model/server-key.js';
import type { Seals } from './seals.js';

export interface KeyStores {
  catalog: Catalog;
  seals: Seals;
  now: () => Date;
}

/** The key that daemons share through their catalog; undefined where there is none yet. */
export async function readServerKey({ catalog, seals }: KeyStores, name: ServerKeyName): Promise<string | undefined> {
  const found = await catalog.get(serverKeys, name);
  if (!found) return undefined;
  if (seals.opens(found.sealed)) return seals.open(found.sealed, purposeOf(name));
  throw new OperatorMistake(
    `secretsKey: ${seals.what} holds another key than the one that the keys of this server are sealed with: ` +
      'all daemons need the same one, and it has to be the one that they had at first',
  );
}

/** The same, if it can be opened: one that can not be is as none. */
export async function knownServerKey({ catalog, seals }: KeyStores, name: ServerKeyName): Promise<string | undefined> {
  const found = await catalog.get(serverKeys, name);
  return found && seals.opens(found.sealed) ? seals.open(found.sealed, purposeOf(name)) : undefined;
}

/** The same, brought where there is none: of daemons that do so at once, what the first has brought is everybody's. */
export async function shareServerKey(
  stores: KeyStores,
  name: ServerKeyName,
  bring: () => Promise<string>,
): Promise<string> {
  const known = await readServerKey(stores, name);
  if (known !== undefined) return known;
  const { catalog, seals, now } = stores;
  const sealed = await seals.seal(await bring(), purposeOf(name));
  await catalog.write(async (tx) => {
    if (!(await tx.get(serverKeys, name))) await tx.insert(serverKeys, { name, sealed, created: now().toISOString() });
  });
  const shared = await readServerKey(stores, name);
  if (shared === undefined) throw new Error(`the ${name} key of the server was written, and is not there`);
  return shared;
}
