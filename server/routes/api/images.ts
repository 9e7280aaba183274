import { z } from 'zod';
import { invalidInput } from '../../../imgapi/errors.js';
import type { Deps } from '../../deps.js';
import type { Operation } from '../../model/permissions.js';
import { type ManagedImage, NAME } from '../../model/registration.js';
import { Started } from '../../model/task.js';
import { activateManagedImage } from '../../operations/activate-managed-image.js';
import type { Finding } from '../../operations/conditional-catalog.js';
import { createManagedImage } from '../../operations/create-managed-image.js';
import { deleteManagedImage } from '../../operations/delete-managed-image.js';
import { deprecateImage, undeprecateImage } from '../../operations/deprecate-image.js';
import { findManagedImage, type Named } from '../../operations/find-managed-image.js';
import { importFile } from '../../operations/import-file.js';
import { checkImport, importFromUrl } from '../../operations/import-managed.js';
import { listManagedImages } from '../../operations/list-managed-images.js';
import { showImage } from '../../operations/show-image.js';
import { updateManagedImage } from '../../operations/update-managed-image.js';
import { ofFile, parted } from './bare-file.js';
import { type Asked, endpoint, noBody, showing } from './endpoint.js';
import { AtOnce } from './envelope.js';
import { listing, pageOfImages } from './image-list.js';
import { dc, fields, list as listed, named, shown } from './image-shape.js';
import { flag, line, listOf, truth } from './values.js';

const meant = (
  { params }: Pick<Asked<unknown, unknown>, 'params'>,
  where: { dc?: string | undefined } = {},
): Named => ({
  image: params.name ?? '',
  dc: where.dc,
});

export const list = endpoint({
  name: 'ListManagedImages',
  summary: 'the images that the caller manages, wherever they are',
  operation: 'list all',
  query: z.strictObject({
    ...listing,
    dc,
    deleted: truth.optional().describe('false: without those that were retired'),
    internal: flag.describe('those of the system, too; for SuperAdmins'),
  }),
  body: noBody,
  status: 200,
  answer: listed,
  refusals: ['InvalidInput'],
  perform: async ({ caller, own, query }, deps) =>
    pageOfImages(deps, { caller, own }, listManagedImages(deps, caller, query), query),
});

export const show = showing({
  name: 'GetManagedImage',
  summary: 'an image, by its name or uuid',
  operation: 'show',
  query: z.strictObject({ dc, full: flag, extended: flag }),
  body: noBody,
  status: 200,
  answer: shown,
  refusals: ['ResourceNotFound', 'InvalidInput'],
  find: (asked, { catalog, directory }) =>
    findManagedImage(catalog, directory, asked.caller, 'show', meant(asked, asked.query)),
  present: (image, { caller, own }, deps) => showImage(deps, { caller, own }, image),
});

const changing =
  (operation: Operation) =>
  (asked: Asked<unknown, { dc?: string | undefined } | undefined>, { directory }: Deps): Finding =>
  (reader) =>
    findManagedImage(reader, directory, asked.caller, operation, meant(asked, asked.body));

const wrongField = (field: string, message: string) => invalidInput([{ field, code: 'Invalid', message }]);

const nameRule = 'name is not 1 to 32 letters, digits, ".", "_" and "-" that begin with a letter or digit';

/** Of what is made: of what is there the name is found or not. */
export function newName(name = ''): string {
  if (NAME.test(name)) return name;
  throw invalidInput([{ field: 'name', code: 'Invalid', message: nameRule }]);
}

const address = z.string().min(1).max(1024);

/** What both an import by an address and one from a repository answer: a task, or the record where files are left to others. */
export async function outcomeOf(
  deps: Deps,
  who: Pick<Asked<unknown, unknown>, 'caller' | 'own'>,
  importing: Promise<Started | ManagedImage>,
): Promise<Started | AtOnce> {
  const outcome = await importing;
  return outcome instanceof Started ? outcome : new AtOnce(await showImage(deps, who, outcome));
}

const wanted = z.strictObject({
  ...fields,
  manifest: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('as IMGAPI has it; with a uuid, the image keeps that'),
  manifest_url: address.optional().describe('where the manifest is: the image is imported from there'),
  file_url: address
    .optional()
    .describe(
      'where its file is: with /file behind the address of the manifest; without a manifest_url, of a bare file',
    ),
  ...ofFile,
  secret: z.string().max(200).optional().describe('the name of a secret, which proves us to that host'),
  dc: dc.describe('the data center to which it is bound, or attached; where the role is held once, that one'),
});

/** Of what the image is made, with what is said of it; refuses what does not go together. */
function orderIn(params: Asked<unknown, unknown>['params'], body: z.output<typeof wanted>) {
  const { manifest, manifest_url, file_url, secret, dc_bound = true, ...more } = body;
  const [said, fields] = parted(more);
  const wish = { ...fields, name: newName(params.name), dc_bound };
  if (manifest_url !== undefined) {
    if (manifest !== undefined) throw wrongField('manifest', 'manifest: there is a manifest_url as well');
    for (const [field, value] of Object.entries(said)) {
      if (value !== undefined) throw wrongField(field, `${field}: is said by the manifest of manifest_url`);
    }
    return { of: 'url', wish, addresses: { manifest_url, file_url, secret } } as const;
  }
  if (file_url !== undefined) return { of: 'file', wish, addresses: { ...said, file_url, secret, manifest } } as const;
  for (const [field, value] of Object.entries({ secret, ...said })) {
    if (value !== undefined) throw wrongField(field, `${field}: is said of a manifest_url or file_url only`);
  }
  if (manifest === undefined) throw wrongField('manifest', 'manifest: is missing, and so is a manifest_url');
  return { of: 'manifest', wish: { ...wish, manifest } } as const;
}

export const create = endpoint({
  name: 'CreateManagedImage',
  summary:
    'a new image: of a manifest, and then it waits for its file (PUT /images/UUID/file or POST /api/upload, then activate it); or of the address of a manifest, whose image a task imports',
  operation: 'create',
  query: z.strictObject({}),
  body: wanted,
  status: 201,
  atOnce: true,
  answer: shown,
  refusals: [
    'InsufficientSpace',
    'NoImageServer',
    'ObjectAlreadyExists',
    'OriginIsNotActive',
    'ImageUuidAlreadyExists',
    'InvalidParameter',
    'ValidationFailed',
    'OriginDoesNotExist',
    'QuotaExceeded',
  ],
  check: async ({ caller, params, body }, deps) => {
    const order = orderIn(params, body);
    if (order.of === 'manifest') return createManagedImage(deps, caller, order.wish);
    return checkImport(deps, caller, order.wish, order.addresses);
  },
  perform: async ({ caller, own, params, body }, deps) => {
    const order = orderIn(params, body);
    const who = { caller, own };
    if (order.of === 'url') return outcomeOf(deps, who, importFromUrl(deps, caller, order.wish, order.addresses));
    if (order.of === 'file') return outcomeOf(deps, who, importFile(deps, caller, order.wish, order.addresses));
    return showImage(deps, who, await createManagedImage(deps, caller, order.wish));
  },
});

export const sharing = {
  groups: listOf(z.string().max(100)).nullable().optional().describe('only their members see it; all again with null'),
  users: listOf(z.string().max(100)).optional().describe('they see it too'),
  global: z.boolean().optional().describe('attached to all data centers, those to come included; for SuperAdmins'),
};

const changed = z.strictObject({ ...fields, ...sharing, dc }).optional();

function updated(asked: Asked<unknown, z.output<typeof changed>>, deps: Deps): Promise<ManagedImage> {
  const { dc: where, ...body } = asked.body ?? {};
  return updateManagedImage(deps, asked.caller, meant(asked, { dc: where }), body);
}

export const update = endpoint({
  name: 'UpdateManagedImage',
  summary: 'an image as changed; what is not named stays',
  operation: 'update',
  query: z.strictObject({}),
  body: changed,
  status: 200,
  answer: shown,
  refusals: ['ResourceNotFound', 'InvalidInput', 'ImagePending', 'QuotaExceeded'],
  changes: changing('update'),
  check: updated,
  perform: async (asked, deps) => showImage(deps, asked, await updated(asked, deps)),
});

export const activate = endpoint({
  name: 'ActivateManagedImage',
  summary: 'offers an image that has got its file: from here on neither changes',
  operation: 'update',
  query: z.strictObject({}),
  body: named,
  status: 200,
  answer: shown,
  refusals: ['ResourceNotFound', 'ImagePending', 'ImageAlreadyActivated', 'NoActivationNoFile'],
  changes: changing('update'),
  perform: async (asked, deps) =>
    showImage(deps, asked, await activateManagedImage(deps, asked.caller, meant(asked, asked.body))),
});

export const remove = endpoint({
  name: 'DeleteManagedImage',
  summary:
    'removes an image that no machine uses: at once, or, where nodes have it, by a task that first takes it from all of them, and waits for those that are away',
  operation: 'delete',
  query: z.strictObject({}),
  body: z
    .strictObject({
      dc,
      force: z.boolean().optional().describe('though machines use it, and without clearing nodes; for SuperAdmins'),
    })
    .optional(),
  status: 201,
  atOnce: true,
  refusals: ['ResourceNotFound', 'ImageInUse', 'ImageHasDependentImages', 'ImagePending'],
  changes: changing('delete'),
  perform: async (asked, deps) => {
    const { force = false } = asked.body ?? {};
    return (await deleteManagedImage(deps, asked.caller, meant(asked, asked.body), { force })) ?? new AtOnce(null);
  },
});

export const reason = line(256).optional();
export const replacement = z.string().max(100).optional().describe('the image to take instead, by name or uuid');

export const deprecate = endpoint({
  name: 'DeprecateImage',
  summary: 'takes an image out of pickers; whoever uses it goes on to',
  operation: 'update',
  query: z.strictObject({}),
  body: z.strictObject({ reason, replacement, dc }).optional(),
  status: 200,
  answer: shown,
  refusals: ['ResourceNotFound', 'ImagePending'],
  changes: changing('update'),
  perform: async (asked, deps) => {
    const { caller, own, body = {} } = asked;
    return showImage(deps, { caller, own }, await deprecateImage(deps, caller, meant(asked, body), body));
  },
});

export const undeprecate = endpoint({
  name: 'UndeprecateImage',
  summary: 'offers it in pickers again',
  operation: 'update',
  query: z.strictObject({}),
  body: named,
  status: 200,
  answer: shown,
  refusals: ['ResourceNotFound', 'AlreadyDone', 'ImagePending'],
  changes: changing('update'),
  perform: async (asked, deps) => {
    const { caller, own, body = {} } = asked;
    return showImage(deps, { caller, own }, await undeprecateImage(deps, caller, meant(asked, body)));
  },
});
