import { z } from 'zod';
import { ImgapiError } from '../../../imgapi/errors.js';
import type { Deps } from '../../deps.js';
import type { Caller } from '../../model/caller.js';
import { accessLevels, type ManagedImage, type Registration } from '../../model/registration.js';
import { isOpen } from '../../model/visibility.js';
import { findSeenImage, readsAs, seesAs } from '../../operations/find-seen-image.js';
import { lineageOf } from '../../operations/lineage.js';
import type { ListedImage } from '../../operations/listing.js';
import { publicUrlIn } from '../../operations/url-of-node.js';
import { sendStored } from '../send-stored.js';
import { type Asked, endpoint, noBody, streamed } from './endpoint.js';
import { dc } from './image-shape.js';
import { whole } from './values.js';

type Meant = Pick<Asked<{ dc?: string | undefined }, unknown>, 'params' | 'query'>;
const named = ({ params, query }: Meant) => ({ image: params.name ?? '', dc: query.dc });

const relative = z.strictObject({
  uuid: z.string(),
  origin: z.string().nullable(),
  name: z.string().nullable().describe('the key by which it is addressed'),
  alias: z.string(),
  version: z.string(),
  os: z.string(),
  state: z.string(),
  access: z.number(),
});

const presented = ({ uuid, origin, managedAs, name, version, os, state, registration }: ListedImage) => ({
  uuid,
  origin: origin ?? null,
  name: managedAs ?? null,
  alias: name,
  version,
  os,
  state,
  access: accessLevels[registration.access],
});

export const lineage = endpoint({
  name: 'GetImageLineage',
  summary: 'what an image comes from, and what comes from it, of what the caller sees',
  query: z.strictObject({ dc }),
  body: noBody,
  status: 200,
  answer: z.strictObject({
    origins: z
      .array(z.strictObject({ uuid: z.string(), image: relative.nullable() }))
      .describe('the nearest first; one that is not here, or not for the caller to see, is null and the last'),
    descendants: z.array(relative).describe('each behind the one that it is built on'),
    more: z.boolean().describe('whether there are more than these'),
  }),
  refusals: ['ResourceNotFound', 'InvalidInput'],
  perform: async (asked, deps) => {
    const { caller } = asked;
    const image = await findSeenImage(deps, caller, named(asked), seesAs(deps, caller));
    const { origins, descendants, more } = lineageOf(deps, caller, image);
    return {
      origins: origins.map(({ uuid, image }) => ({ uuid, image: image ? presented(image) : null })),
      descendants: descendants.map(presented),
      more,
    };
  },
});

const readable = (asked: Meant & Pick<Asked<unknown, unknown>, 'caller'>, deps: Deps) =>
  findSeenImage(deps, asked.caller, named(asked), readsAs(deps, asked.caller));

export const manifest = endpoint({
  name: 'GetImageManifest',
  summary: 'the manifest of an image, as IMGAPI gives it to the caller, and how others reach it there',
  query: z.strictObject({ dc }),
  body: noBody,
  status: 200,
  answer: z.strictObject({
    manifest: z.record(z.string(), z.unknown()),
    open: z.boolean().describe('whether everybody gets it, without saying who that is'),
    url: z.string().nullable().describe('by which others reach this server; null where nobody has set it'),
    deprecated: z
      .strictObject({
        reason: z.string().nullable(),
        replacement: z
          .strictObject({ uuid: z.string(), name: z.string(), version: z.string() })
          .nullable()
          .describe('what to take instead, where the caller sees it'),
      })
      .nullable(),
  }),
  refusals: ['ResourceNotFound', 'InvalidInput'],
  perform: async (asked, deps) => {
    const { uuid, registration } = await readable(asked, deps);
    const listed = deps.listing.get(uuid);
    if (!listed) throw new ImgapiError('ResourceNotFound', `there is no image "${asked.params.name}"`);
    const { policy, directory } = deps;
    return {
      manifest: JSON.parse(deps.manifests.plain(listed.manifest).json),
      open: isOpen({ mode: policy.mode, open: directory.openDatacenters }, listed),
      url: publicUrlIn(deps, asked.query.dc === undefined ? [] : [asked.query.dc]) ?? null,
      deprecated: registration.deprecated ? toldOf(registration.deprecated, deps, asked.caller) : null,
    };
  },
});

/** Who has said so is not for everybody to know. */
function toldOf({ reason, replacement }: NonNullable<Registration['deprecated']>, deps: Deps, caller: Caller) {
  const image = replacement === undefined ? undefined : deps.listing.get(replacement);
  const isSeen = image !== undefined && seesAs(deps, caller)(image);
  return {
    reason: reason ?? null,
    replacement: isSeen ? { uuid: image.uuid, name: image.name, version: image.version } : null,
  };
}

const BYTES = 'application/octet-stream';

/** As browsers save it: they send no credentials to IMGAPI. */
export const file = streamed({
  name: 'GetManagedImageFile',
  summary: 'the file of an image, or a range of it, as IMGAPI gives it to the caller',
  query: z.strictObject({ dc, index: whole(0, 1000).default(0) }),
  body: noBody,
  status: 200,
  media: BYTES,
  refusals: ['ResourceNotFound', 'InvalidInput', 'RequestedRangeNotSatisfiable'],
  send: async (ctx, deps, asked) => {
    const image = await readable(asked, deps);
    const { uuid, files } = image;
    const stored = files[asked.query.index];
    if (!stored) throw new ImgapiError('ResourceNotFound', `image ${uuid} has no file at index ${asked.query.index}`);
    ctx.state.pulls = uuid;
    ctx.set('Content-Disposition', `attachment; filename="${fileNameOf(image, stored.compression)}"`);
    await sendStored(ctx, deps, stored, BYTES);
  },
});

const contents: Readonly<Record<string, string>> = {
  'zone-dataset': '.zfs',
  'lx-dataset': '.zfs',
  zvol: '.zfs',
  docker: '.tar',
};
const packings: Readonly<Record<string, string>> = { gzip: '.gz', bzip2: '.bz2', xz: '.xz' };

/** Names come from anywhere: nothing that a browser or a filesystem takes for something else is in it. */
function fileNameOf({ name, version, type }: ManagedImage, compression: string): string {
  const stem = `${name}-${version}`
    .replace(/[^\w.+-]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 200);
  return `${stem || 'image'}${contents[type] ?? '.img'}${packings[compression] ?? ''}`;
}
