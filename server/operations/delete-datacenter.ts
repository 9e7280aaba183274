import { ImgapiError } from '../../imgapi/errors.js';
import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { datacenters, MAIN } from '../model/datacenter.js';
import { groups, notInDatacenter } from '../model/group.js';
import { images } from '../model/image.js';
import { nodes, withoutDatacenter } from '../model/node.js';
import { nodeTokens } from '../model/node-token.js';
import type { RegisteredImage, Registration } from '../model/registration.js';
import { secretRef, secrets } from '../model/secret.js';
import { type Grant, tokens } from '../model/token.js';
import { vms } from '../model/vm.js';
import { checkStands } from './check-stands.js';
import { placeFound } from './place-found.js';
import { freeName } from './register-image.js';
import { datacenterNamed } from './save-datacenter.js';
import { saveImage } from './save-image.js';

/** As many as a refusal names. */
const MOST_NAMED = 20;

/** Its images survive; those that were bound to it become shared. Whatever else spoke of it forgets it. */
export async function deleteDatacenter(
  { catalog, now }: Deps,
  caller: Caller,
  own: Grant,
  name: string,
): Promise<{ released: string[] }> {
  if (name === MAIN) throw new ImgapiError('NotPermitted', `data center "${MAIN}" can not be deleted`);
  return catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    await datacenterNamed(tx, name);
    await checkUnused(tx, name);
    const released = await releaseImages(tx, name, now());
    for (const group of await all(tx.range(groups, 'datacenter', { prefix: name }))) {
      if (group.datacenters.includes(name)) await tx.replace(groups, notInDatacenter(group, name));
    }
    for (const node of await all(tx.range(nodes, 'datacenter', { prefix: name }))) {
      if (!node.datacenters.includes(name)) continue;
      await tx.replace(nodes, withoutDatacenter(node, name));
      await placeFound(tx, node, now().toISOString());
    }
    await endTokens(tx, name);
    await forgetSecrets(tx, name);
    await tx.delete(datacenters, name);
    return { released };
  });
}

async function checkUnused(tx: Tx, name: string): Promise<void> {
  const here = (await all(tx.range(vms, 'datacenter', { prefix: name }))).filter(
    (vm) => vm.datacenter === name && !vm.unregistered,
  );
  if (here.length === 0) return;
  const named = here.slice(0, MOST_NAMED).map(({ hostname }) => hostname);
  const more = here.length > MOST_NAMED ? ` and ${here.length - MOST_NAMED} others` : '';
  throw new ImgapiError('DatacenterInUse', `data center "${name}" holds the machines ${named.join(', ')}${more}`);
}

/** Tells the names of those that were bound. */
async function releaseImages(tx: Tx, name: string, now: Date): Promise<string[]> {
  const attached: RegisteredImage[] = [];
  for await (const image of tx.list(images)) {
    const { registration } = image;
    if (registration?.datacenters.includes(name) || registration?.boundTo === name) attached.push(image);
  }
  const released: string[] = [];
  for (const image of attached) {
    const { registration } = image;
    if (!registration) continue;
    if (registration.pending) {
      throw new ImgapiError(
        'ImagePending',
        `something works on image ${image.uuid}, which is in data center "${name}"`,
      );
    }
    const { boundTo, ...shared } = registration;
    const rest = {
      datacenters: registration.datacenters.filter((other) => other !== name),
      changed: now.toISOString(),
    };
    const after: Registration =
      boundTo === name
        ? { ...shared, ...rest, name: await freeName(tx, image, {}, registration.name) }
        : { ...registration, ...rest };
    if (boundTo === name) released.push(after.name);
    await saveImage(tx, image, { ...image, registration: after }, now);
  }
  return released;
}

/** What was told to its administrators only is nobody's now. */
async function forgetSecrets(tx: Tx, name: string): Promise<void> {
  const forgotten: string[] = [];
  for await (const secret of tx.list(secrets)) if (secret.datacenter === name) forgotten.push(secretRef(secret));
  for (const ref of forgotten) await tx.delete(secrets, ref);
}

/** A data center that is given the same name one day is another one. */
async function endTokens(tx: Tx, name: string): Promise<void> {
  const ended: string[] = [];
  for await (const { hash, dc } of tx.list(tokens)) if (dc === name) ended.push(hash);
  for (const hash of ended) await tx.delete(tokens, hash);
  for (const { hash, publish } of await all(tx.range(nodeTokens, 'publish', { prefix: name }))) {
    if (publish === name) await tx.delete(nodeTokens, hash);
  }
}

async function all<T>(found: AsyncIterable<{ record: T }>): Promise<T[]> {
  const records: T[] = [];
  for await (const { record } of found) records.push(record);
  return records;
}
