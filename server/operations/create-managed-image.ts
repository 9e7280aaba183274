import { randomUUID } from 'node:crypto';
import { nameOf, selectChannel } from '../../imgapi/channels.js';
import { type Draft, finishDraft, readDraft } from '../../imgapi/draft.js';
import { invalidInput } from '../../imgapi/errors.js';
import { isUuid } from '../../imgapi/image.js';
import type { Reader } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { type Caller, isOperator, nameOfCaller } from '../model/caller.js';
import { MAIN } from '../model/datacenter.js';
import { images } from '../model/image.js';
import { ALIAS, type ManagedFields, withFields } from '../model/managed-fields.js';
import { tagsOf, withTags } from '../model/manifest-tags.js';
import { answer, mayAsk, type Operation } from '../model/permissions.js';
import type { ManagedImage, Registration } from '../model/registration.js';
import type { Viewer } from '../model/visibility.js';
import { checkAuthorityOf } from './check-authority.js';
import { checkDatacenterStands } from './check-datacenter-stands.js';
import { activeUser, checkName, checkVersion } from './check-managed-fields.js';
import { checkQuota } from './check-quota.js';
import { checkAncestry, checkOrigin } from './check-relations.js';
import { checkWidening } from './check-widening.js';
import { checkDatacenter, notPermitted } from './find-managed-image.js';
import { alreadyExists } from './import-image.js';
import { rulesOf } from './rules.js';
import { saveImage } from './save-image.js';

export interface ImageWish extends Omit<ManagedFields, 'owner'> {
  name: string;
  manifest: unknown;
  owner?: string | undefined;
  dc?: string | undefined;
  /** Only SuperAdmins' are not. */
  dc_bound: boolean;
}

const MOST_DESCRIBED = 128;

/**
 * A new image of a manifest, with what management says of it: unactivated, until its file comes over IMGAPI. A manifest
 * that has a uuid keeps it, which is an import.
 */
export async function createManagedImage(deps: Deps, caller: Caller, wish: ImageWish): Promise<ManagedImage> {
  const { catalog, policy, directory, now } = deps;
  const kind = Object(wish.manifest).uuid === undefined ? 'create' : 'import';
  const place = placeFor(deps, caller, kind, wish);
  const draft = readDraft(kind, wish.manifest);
  if (kind === 'import') checkAuthorityOf(deps, caller, String(draft.uuid));
  const viewer = { caller, mode: policy.mode, open: directory.openDatacenters };
  const { manifest: _, dc: __, dc_bound: ___, ...said } = wish;
  return catalog.write(async (tx) => {
    const image = await prepareManaged(deps, tx, viewer, { wish: said, draft, kind, place });
    await checkWidening(tx, viewer, undefined, image);
    await checkQuota(deps, tx, undefined, image);
    await saveImage(tx, undefined, image, now());
    return image;
  });
}

interface Order {
  wish: Omit<ImageWish, 'manifest' | 'dc' | 'dc_bound'>;
  draft: Draft;
  kind: 'create' | 'import';
  place: Standing;
  /** Of what is created, where it is known already. */
  uuid?: string;
}

/** The image that is wished for, or what refuses it. Nothing is written. */
export async function prepareManaged(
  deps: Pick<Deps, 'policy' | 'now'>,
  reader: Reader,
  viewer: Viewer,
  { wish, draft, kind, place, uuid: known = randomUUID() }: Order,
): Promise<ManagedImage> {
  const { caller } = viewer;
  for (const datacenter of place.datacenters) await checkDatacenterStands(reader, datacenter);
  await checkName(reader, caller, { name: wish.name, ...place });
  const uuid = kind === 'create' ? known : await uuidOf(reader, viewer, draft);
  await checkOrigin(reader, viewer, draft.origin);
  const owner = wish.owner === undefined ? caller.user?.uuid : (await activeUser(reader, 'owner', wish.owner)).uuid;
  const image = withManaged(deps, wish, draft, { kind, uuid, owner: owner ?? '', place, by: nameOfCaller(caller) });
  await checkAncestry(reader, image);
  await checkVersion(reader, caller, image);
  return image;
}

export type Standing = Pick<Registration, 'datacenters' | 'boundTo'>;

/** Bound to the data center that is named, or to the one in which the role is held; SuperAdmins may share it from the start. */
export function placeFor(
  { directory }: Pick<Deps, 'directory'>,
  caller: Caller,
  operation: Operation,
  wish: Pick<ImageWish, 'dc' | 'dc_bound'>,
): Standing {
  if (!mayAsk(caller, operation)) throw notPermitted(operation);
  const held = [...directory.datacenters.keys()].filter(
    (name) => answer(caller, operation, { datacenter: name }) === 'yes',
  );
  const name = wish.dc ?? (held.length === 1 ? held[0] : isOperator(caller) ? MAIN : undefined);
  if (name === undefined) {
    const message = `dc is missing: it is one of ${held.join(', ')}`;
    throw invalidInput([{ field: 'dc', code: 'MissingParameter', message }]);
  }
  checkDatacenter(directory, caller, name);
  if (answer(caller, operation, { datacenter: name }) !== 'yes') throw notPermitted(operation);
  const isShared = !wish.dc_bound && isOperator(caller);
  return { datacenters: [name], ...(!isShared && { boundTo: name }) };
}

async function uuidOf(reader: Reader, viewer: Viewer, { uuid }: Draft): Promise<string> {
  if (!isUuid(uuid)) {
    throw invalidInput([{ field: 'manifest', code: 'Invalid', message: 'manifest: its uuid is not a uuid' }]);
  }
  const existing = await reader.get(images, uuid);
  if (existing) throw alreadyExists(viewer, existing);
  return uuid;
}

interface Given {
  kind: 'create' | 'import';
  uuid: string;
  owner: string;
  place: Standing;
  by: string;
}

/** What an image is called without an alias: as its manifest does, where management can hold that. */
function aliasFor({ alias, name }: Order['wish'], draft: Draft): string {
  return alias ?? (typeof draft.name === 'string' && ALIAS.test(draft.name) ? draft.name : name);
}

/** What is not given comes from the manifest, cut to what management can hold. */
function withManaged(
  { policy, now }: Pick<Deps, 'policy' | 'now'>,
  wish: Order['wish'],
  draft: Draft,
  given: Given,
): ManagedImage {
  const { kind, uuid, owner, place, by } = given;
  const channel = nameOf(selectChannel(policy.channels, undefined, { star: false }));
  const context = { uuid, owner, rules: rulesOf(policy), ...(channel !== undefined && { channel }) };
  const bare = finishDraft(kind, { version: wish.version, ...draft, name: aliasFor(wish, draft) }, context);
  const created = now().toISOString();
  const registration: Registration = {
    name: wish.name,
    access: wish.access ?? (bare.public ? 'public' : 'private'),
    ...place,
    provenance: { by },
    created,
    changed: created,
  };
  const description = bare.description?.slice(0, MOST_DESCRIBED);
  const image = { ...bare, ...(description !== undefined && { description }), registration };
  const { name: _, owner: __, ...fields } = wish;
  const made = withFields(withTags(image, tagsOf(image)), fields);
  return { ...made, public: made.registration.access === 'public' };
}
