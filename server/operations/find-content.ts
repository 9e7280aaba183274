import type { Stored } from '../../imgapi/image.js';
import { StorageDown } from '../../storage/errors.js';
import { locate } from '../../storage/holdings.js';
import type { Deps } from '../deps.js';

/** Where the bytes of a file or icon are. That an image has some which are nowhere is a failure of the storage. */
export async function findContent(
  { catalog }: Pick<Deps, 'catalog'>,
  { sha256 }: Stored,
): Promise<{ key: string; size: number }> {
  const content = await locate(catalog, sha256);
  if (!content) throw new StorageDown(`content ${sha256}`, 'no record of it');
  return content;
}
