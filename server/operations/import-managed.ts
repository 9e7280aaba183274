import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import { type Caller, isOperator, nameOfCaller } from '../model/caller.js';
import { images } from '../model/image.js';
import {
  BadSource,
  type DescribedStep,
  type ImportSource,
  type SourceAccess,
  type SourcePart,
  wantedAt,
} from '../model/import.js';
import { type ManagedImage, slugOf } from '../model/registration.js';
import type { Started } from '../model/task.js';
import type { Viewer } from '../model/visibility.js';
import { activeUser, checkName } from './check-managed-fields.js';
import { checkQuota } from './check-quota.js';
import { checkWidening } from './check-widening.js';
import { type ImageWish, placeFor, prepareManaged, type Standing } from './create-managed-image.js';
import { usableSecret } from './find-secret.js';
import { keepsRecordsOnly } from './image-server.js';
import { alreadyExists, prepareImport } from './import-image.js';
import { planImport, probeFile } from './plan-import.js';
import { findRepository } from './repositories.js';
import { saveImage } from './save-image.js';
import { startImport } from './start-import.js';

/** What management says of an image that is imported; what it does not say is as in the manifest. */
export interface ImportWish extends Omit<ImageWish, 'name' | 'manifest'> {
  name?: string | undefined;
}

export interface Addresses {
  manifest_url?: string | undefined;
  file_url?: string | undefined;
  secret?: string | undefined;
}

/** An image by the address of its manifest: as a task, or as its record alone where the server keeps no more. */
export async function importFromUrl(
  deps: Deps,
  caller: Caller,
  wish: ImportWish,
  addresses: Addresses & { manifest_url: string },
): Promise<Started | ManagedImage> {
  const order = await orderOf(deps, caller, wish);
  const access = await accessOf(deps, caller, wish, addresses);
  const { manifest_url: url, file_url: file } = addresses;
  return told({ manifest: 'manifest_url', file: file === undefined ? 'manifest_url' : 'file_url' }, async () => {
    const steps = await planImport(deps, order.viewer, wantedAt(url, file, access));
    const [wanted] = steps.slice(-1);
    const existing = wanted && (await deps.catalog.get(images, wanted.uuid));
    if (existing) throw field('manifest_url', alreadyExists(order.viewer, existing).message);
    return begin(deps, order, steps);
  });
}

export interface InRepository {
  repository: string;
  uuid: string;
}

/** An image of a repository. */
export async function importFromRepository(
  deps: Deps,
  caller: Caller,
  wish: ImportWish,
  { repository, uuid }: InRepository,
): Promise<Started | ManagedImage> {
  const order = await orderOf(deps, caller, wish);
  const { name } = findRepository(deps, caller, repository);
  await refuseRegistered(deps, order, uuid);
  return told({ manifest: 'manifest_url', file: 'manifest_url' }, async () => {
    const from: ImportSource = { kind: 'repository', name };
    const steps = await planImport(deps, order.viewer, { from, uuid, origins: from }).catch((error: unknown) => {
      if (!(error instanceof BadSource) || !error.isGone) throw error;
      throw new ImgapiError('ResourceNotFound', `repository ${name} has no image ${uuid}`, { cause: error });
    });
    return begin(deps, order, steps);
  });
}

/** What refuses that before the repository is asked. */
export async function checkRepositoryImport(
  deps: Deps,
  caller: Caller,
  wish: ImportWish,
  { repository, uuid }: InRepository,
): Promise<void> {
  const order = await orderOf(deps, caller, wish);
  findRepository(deps, caller, repository);
  await refuseRegistered(deps, order, uuid);
  await checkOwnerOf(deps, wish);
}

/** What refuses an import by addresses before any other machine is asked. */
export async function checkImport(
  deps: Deps,
  caller: Caller,
  wish: ImportWish,
  addresses: Addresses = {},
): Promise<void> {
  await orderOf(deps, caller, wish);
  await accessOf(deps, caller, wish, addresses);
  await checkOwnerOf(deps, wish);
}

async function checkOwnerOf({ catalog }: Pick<Deps, 'catalog'>, { owner }: Pick<ImportWish, 'owner'>): Promise<void> {
  if (owner !== undefined) await activeUser(catalog, 'owner', owner);
}

async function refuseRegistered({ catalog }: Deps, { viewer }: Order, uuid: string): Promise<void> {
  const existing = await catalog.get(images, uuid);
  if (existing) throw alreadyExists(viewer, existing);
}

export interface Order {
  viewer: Viewer;
  place: Standing;
  wish: ImportWish;
}

export async function orderOf(deps: Deps, caller: Caller, wish: ImportWish): Promise<Order> {
  const { catalog, policy, directory } = deps;
  const place = placeFor(deps, caller, 'import', wish);
  // Before anybody is asked; in the write that announces the image it is looked at again.
  if (wish.name !== undefined) await checkName(catalog, caller, { name: wish.name, ...place });
  return { viewer: { caller, mode: policy.mode, open: directory.openDatacenters }, place, wish };
}

export async function accessOf(
  { catalog, outgoing }: Deps,
  caller: Caller,
  { dc }: ImportWish,
  { manifest_url, file_url, secret }: Addresses,
): Promise<SourceAccess> {
  const trusted = isOperator(caller);
  for (const [name, url] of Object.entries({ manifest_url, file_url })) {
    const problem = url === undefined ? undefined : outgoing.problemWith(url, { trusted });
    if (problem !== undefined) throw field(name, `it ${problem}`);
  }
  if (secret === undefined) return { trusted };
  return {
    trusted,
    secret: await usableSecret(catalog, caller, { name: secret, dc, url: manifest_url ?? file_url ?? '' }),
  };
}

const field = (name: string, message: string) =>
  invalidInput([{ field: name, code: 'Invalid', message: `${name}: ${message}` }]);

/** What a source sent, or how it failed, is said of the field that named it. */
export async function told<T>(fields: Record<SourcePart, string>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BadSource) throw field(fields[error.part], error.message);
    throw error;
  }
}

export async function begin(
  deps: Deps,
  { viewer, place, wish }: Order,
  steps: readonly DescribedStep[],
): Promise<Started | ManagedImage> {
  const last = steps.at(-1);
  if (!last) throw new Error('a plan without steps');
  const { dc: _, dc_bound: __, name = slugOf(String(last.draft.name)), ...fields } = wish;
  const said = { ...fields, name };
  const make = (reader: Parameters<typeof prepareManaged>[1], { draft }: Pick<DescribedStep, 'draft'>) =>
    prepareManaged(deps, reader, viewer, { wish: said, draft, kind: 'import', place });
  if (keepsRecordsOnly(deps.directory)) return saveRecord(deps, viewer, (reader) => make(reader, last));
  const options = {
    place: { ...place, by: nameOfCaller(viewer.caller) },
    skipOwnerCheck: false,
    replaceMinPlatform: false,
  };
  return startImport(deps, {
    viewer,
    steps: [...steps.slice(0, -1), await probeFile(deps, last)],
    datacenter: place.boundTo,
    wanted: async (tx, step) => ({ existing: undefined, image: await make(tx, step) }),
    // What it builds on is shown to no more than it is itself.
    origin: async (tx, { uuid, draft }) => {
      const shown = wish.access === undefined || wish.access === 'public' ? draft : { ...draft, public: false };
      return prepareImport(deps, tx, { ...viewer, uuid, channel: undefined }, shown, options);
    },
  });
}

/** Where files are left to others. */
function saveRecord(
  deps: Deps,
  viewer: Viewer,
  make: (reader: Parameters<typeof prepareManaged>[1]) => Promise<ManagedImage>,
): Promise<ManagedImage> {
  return deps.catalog.write(async (tx) => {
    const image = await make(tx);
    await checkWidening(tx, viewer, undefined, image);
    await checkQuota(deps, tx, undefined, image);
    await saveImage(tx, undefined, image, deps.now());
    return image;
  });
}
