import { z } from 'zod';
import type { Deps } from '../../deps.js';
import type { Finding } from '../../operations/conditional-catalog.js';
import { findDatacenter } from '../../operations/find-datacenter.js';
import { findManagedImage } from '../../operations/find-managed-image.js';
import { listDatacenterImages } from '../../operations/list-managed-images.js';
import { attachImage, confineImage, detachImage } from '../../operations/place-image.js';
import { showImage } from '../../operations/show-image.js';
import { type Asked, endpoint, noBody, showing } from './endpoint.js';
import { listing, pageOfImages } from './image-list.js';
import { list as listed, shown } from './image-shape.js';
import { flag } from './values.js';

export const list = endpoint({
  name: 'ListDatacenterImages',
  summary: 'the images that are attached to a data center',
  operation: 'list in a data center',
  query: z.strictObject({
    ...listing,
    deleted: flag.describe('those that were retired, too; for those who manage images there'),
  }),
  body: noBody,
  status: 200,
  answer: listed,
  refusals: ['ResourceNotFound', 'InvalidInput'],
  perform: async ({ caller, own, params, query }, deps) =>
    pageOfImages(deps, { caller, own }, listDatacenterImages(deps, caller, params.dc ?? '', query), query),
});

export const show = showing({
  name: 'GetDatacenterImage',
  summary: 'an image that is attached to a data center',
  operation: 'show in a data center',
  query: z.strictObject({ full: flag, extended: flag }),
  body: noBody,
  status: 200,
  answer: shown,
  refusals: ['ResourceNotFound'],
  find: ({ caller, params }, deps) => {
    const { catalog, directory } = deps;
    const { name } = findDatacenter(deps, caller, 'list in a data center', params.dc ?? '');
    const named = { image: params.name ?? '', dc: name };
    return findManagedImage(catalog, directory, caller, 'show in a data center', named);
  },
  present: (image, { caller, own }, deps) => showImage(deps, { caller, own }, image),
});

function placed(
  operation: 'attach' | 'detach',
  { caller, params: { name: image = '', dc = '' } }: Pick<Asked<unknown, unknown>, 'caller' | 'params'>,
  deps: Deps,
): Finding {
  const meant = operation === 'attach' ? { image } : { image, dc };
  return (reader) => {
    findDatacenter(deps, caller, 'manage data centers', dc);
    return findManagedImage(reader, deps.directory, caller, operation, meant);
  };
}

export const attach = endpoint({
  name: 'AttachImage',
  summary: 'attaches an image to a data center; one that was bound to another is shared from now on',
  operation: 'attach',
  query: z.strictObject({}),
  body: z
    .strictObject({ only: z.boolean().optional().describe('there alone: it leaves all others, and is bound there') })
    .optional(),
  status: 201,
  answer: shown,
  refusals: ['ResourceNotFound', 'ObjectAlreadyExists', 'ImageInUse', 'ImagePending', 'InvalidInput'],
  changes: (asked, deps) => placed('attach', asked, deps),
  perform: async ({ caller, own, params: { name: image = '', dc: datacenter = '' }, body }, deps) => {
    const place = body?.only ? confineImage : attachImage;
    return showImage(deps, { caller, own }, await place(deps, caller, { image, datacenter }));
  },
});

export const detach = endpoint({
  name: 'DetachImage',
  summary: 'takes an image from a data center where no machine uses it; one that was bound is shared from now on',
  operation: 'detach',
  query: z.strictObject({}),
  body: z.strictObject({ force: z.boolean().optional().describe('though machines there use it') }).optional(),
  status: 200,
  answer: shown,
  refusals: ['ResourceNotFound', 'ImageInUse', 'ImagePending', 'InvalidInput'],
  changes: (asked, deps) => placed('detach', asked, deps),
  perform: async ({ caller, own, params: { name: image = '', dc: datacenter = '' }, body }, deps) => {
    const detaching = { image, datacenter, force: body?.force ?? false };
    return showImage(deps, { caller, own }, await detachImage(deps, caller, detaching));
  },
});
