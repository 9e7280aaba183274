import { invalidParameter } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import { datacenters } from '../model/datacenter.js';

/** Inside the write that places something: a data center may have been deleted since it was looked up. */
export async function checkDatacenterStands(reader: Reader, name: string): Promise<void> {
  if (await reader.get(datacenters, name)) return;
  throw invalidParameter('dc', 'Invalid', `there is no data center "${name}"`);
}
