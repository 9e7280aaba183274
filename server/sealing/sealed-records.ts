import type { Reader } from '../../storage/catalog.js';
import { secrets } from '../model/secret.js';

/** Is there anything that can not be opened without the key that sealed it? */
export async function hasSealed(reader: Reader): Promise<boolean> {
  for await (const _ of reader.list(secrets)) return true;
  return false;
}
