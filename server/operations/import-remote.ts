import { ImgapiError, wrongParameter } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import { isOperator } from '../model/caller.js';
import { BadSource, type DescribedStep, type ImportSource } from '../model/import.js';
import type { RegisteredImage } from '../model/registration.js';
import type { Started } from '../model/task.js';
import { checkAuthority } from './check-authority.js';
import type { Target } from './find-image.js';
import { type ImportOptions, importImage, prepareImport, readImport, refuseExisting } from './import-image.js';
import { fetchManifest, planImport } from './plan-import.js';
import { type Make, startImport } from './start-import.js';

/** Another image server by its address, which may say a channel. */
export function serverAt({ outgoing }: Deps, { caller }: Pick<Target, 'caller'>, source: string): ImportSource {
  const access = { trusted: isOperator(caller) };
  const problem = outgoing.problemWith(source, access);
  if (problem !== undefined) throw wrongParameter('source', 'Invalid', `source ${problem}`);
  const { origin, pathname, searchParams } = new URL(source);
  const channel = searchParams.get('channel');
  return { kind: 'imgapi', url: origin + pathname.replace(/\/+$/, ''), ...(channel && { channel }), access };
}

/** An image of another server and what it builds on, as a task. */
export async function importRemote(
  deps: Deps,
  target: Target,
  from: ImportSource,
  options: ImportOptions,
): Promise<Started> {
  await refuseExisting(deps.catalog, target);
  const steps = await planImport(deps, target, { from, uuid: target.uuid, origins: from });
  return start(deps, target, steps, options);
}

/** The same for an account, of the server of another data center: only what it owns comes along. */
export async function importFromDatacenter(
  deps: Deps,
  target: Target,
  datacenter: string,
  options: ImportOptions,
): Promise<Started> {
  const { datacenters } = deps.policy;
  const url = Object.hasOwn(datacenters, datacenter) ? datacenters[datacenter] : undefined;
  if (url === undefined) {
    const names = Object.keys(datacenters).join(', ') || 'none is';
    const message = `datacenter "${datacenter}" is not configured: ${names}`;
    throw wrongParameter('datacenter', 'Invalid', message);
  }
  const { account } = target;
  const from: ImportSource = { kind: 'imgapi', url, access: { trusted: true } };
  const manifest = await fetchManifest(deps, from, target.uuid).catch(asThere);
  if (manifest.state !== 'active') {
    throw wrongParameter('state', 'Invalid', `image ${target.uuid} is not active in ${datacenter}`);
  }
  if (manifest.owner !== account) {
    throw new ImgapiError('UnauthorizedError', `account ${account} does not own image ${target.uuid} in ${datacenter}`);
  }
  await refuseExisting(deps.catalog, target);
  const steps = await planImport(deps, target, { from, uuid: target.uuid, origins: from });
  const foreign = steps.find(({ draft }) => draft.owner !== account);
  if (foreign) {
    throw new ImgapiError('ResourceNotFound', `origin image ${foreign.uuid} belongs to others, and is not here`);
  }
  return start(deps, target, steps, options);
}

/** What the other server has not is not found. */
function asThere(error: unknown): never {
  if (error instanceof BadSource && error.isGone) throw new ImgapiError('ResourceNotFound', error.message);
  throw error;
}

/** Only the manifest; the file follows. */
export async function importManifestFrom(
  deps: Deps,
  target: Target,
  from: ImportSource,
  options: ImportOptions,
): Promise<RegisteredImage> {
  await refuseExisting(deps.catalog, target);
  checkAuthority(deps, from, target.uuid);
  const manifest = await fetchManifest(deps, from, target.uuid);
  return importImage(deps, target, readImport(target, manifest), options);
}

function start(deps: Deps, target: Target, steps: readonly DescribedStep[], options: ImportOptions): Promise<Started> {
  const make: Make = (tx, { uuid, draft }) => prepareImport(deps, tx, { ...target, uuid }, draft, options);
  return startImport(deps, {
    viewer: target,
    steps,
    datacenter: options.place?.boundTo,
    wanted: make,
    origin: make,
  });
}
