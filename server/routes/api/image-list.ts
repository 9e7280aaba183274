import { z } from 'zod';
import type { Deps } from '../../deps.js';
import type { ShownImage } from '../../model/present-image.js';
import { accessLevels, labels, type ManagedImage } from '../../model/registration.js';
import type { SoughtImage } from '../../model/sought-image.js';
import { keepsRecordsOnly } from '../../operations/image-server.js';
import { managedRecordsOf } from '../../operations/list-managed-images.js';
import type { ListedImage } from '../../operations/listing.js';
import { type Onlooker, showImage } from '../../operations/show-image.js';
import { soughtImages } from '../../operations/sought-images.js';
import { Page, type Paging, pageOf, paging } from './page.js';
import { listed } from './tags.js';
import { flag, truth, whole } from './values.js';

const narrowing = {
  label: z.enum([...labels, 'none']).optional(),
  golden: truth.optional(),
  deprecated: truth.optional(),
  ready: truth.optional(),
  ostype: whole(1, 6).optional(),
  access: whole(1, 9)
    .optional()
    .describe(`one of ${Object.values(accessLevels).join(', ')}`),
  status: whole(1, 2).optional(),
  owner: z.string().optional(),
  tag: z.string().optional(),
};

/** Of every list of images: how it is paged, and what it can be narrowed to. */
export const listing = {
  ...paging,
  full: flag.describe('whole objects instead of names'),
  extended: flag.describe('the same as full'),
  ...narrowing,
};

interface Narrowing {
  label?: string | undefined;
  golden?: boolean | undefined;
  deprecated?: boolean | undefined;
  ready?: boolean | undefined;
  ostype?: number | undefined;
  access?: number | undefined;
  status?: number | undefined;
  owner?: string | undefined;
  tag?: string | undefined;
}

type Query = Narrowing & Paging & { full: boolean; extended: boolean };

/** A list by name is cut from memory, and the records of that page are read; all else from what was read once. */
export async function pageOfImages(
  deps: Deps,
  onlooker: Onlooker,
  found: readonly ListedImage[],
  query: Query,
): Promise<Page<ShownImage | string>> {
  const shown = (image: ManagedImage) => listed(deps, image, showImage(deps, onlooker, image));
  const isWhole = query.full || query.extended;
  if (isByNameOnly(query)) {
    const { result, total, offset } = pageOf(found, query, { name: nameOf });
    return new Page<ShownImage | string>(
      isWhole ? (await managedRecordsOf(deps, result)).map(shown) : result.map(nameOf),
      total,
      offset,
    );
  }
  const { result, total, offset } = sought(deps, await soughtImages(deps, found), query);
  return new Page<ShownImage | string>(
    isWhole ? (await managedRecordsOf(deps, result)).map(shown) : result.map(({ name }) => name),
    total,
    offset,
  );
}

const nameOf = ({ managedAs = '' }: ListedImage) => managedAs;

const isByNameOnly = (query: Query) =>
  /^[+-]?name$/.test(query.order_by ?? 'name') && query.search === undefined && narrowingsOf(query).length === 0;

const narrowingsOf = (query: Query) =>
  (Object.keys(narrowing) as (keyof Narrowing)[]).filter((name) => query[name] !== undefined);

function sought({ directory }: Deps, found: readonly SoughtImage[], query: Query): Page<SoughtImage> {
  const recordsOnly = keepsRecordsOnly(directory);
  const ownerOf = ({ owner }: SoughtImage) => directory.users.get(owner)?.name ?? owner;

  /** A filter that is not asked for lets everything through. */
  const filters: { [Name in keyof Narrowing]-?: (image: SoughtImage) => unknown } = {
    label: ({ label = 'none' }) => label,
    golden: ({ golden }) => golden,
    deprecated: ({ deprecated }) => deprecated,
    ready: ({ ready, readyWithoutFiles }) => (recordsOnly ? readyWithoutFiles : ready),
    ostype: ({ ostype }) => ostype,
    access: ({ access }) => access,
    status: ({ status }) => status,
    owner: ownerOf,
    tag: ({ tags }) => tags.includes(query.tag ?? '') && query.tag,
  };

  const fields = {
    name: ({ name }: SoughtImage) => name,
    alias: ({ alias }: SoughtImage) => alias,
    version: ({ version }: SoughtImage) => version,
    owner: ownerOf,
    desc: ({ desc }: SoughtImage) => desc,
    access: ({ access }: SoughtImage) => access,
    ostype: ({ ostype }: SoughtImage) => ostype,
    os: ({ os }: SoughtImage) => os,
    size: ({ size }: SoughtImage) => size,
    status: ({ status }: SoughtImage) => status,
    state: ({ state }: SoughtImage) => state,
    label: ({ label }: SoughtImage) => label ?? '',
    tags: ({ tags }: SoughtImage) => tags.join(','),
    created: ({ created }: SoughtImage) => created,
    changed: ({ changed }: SoughtImage) => changed,
    uuid: ({ uuid }: SoughtImage) => uuid,
  };

  const asked = narrowingsOf(query);
  const narrowed = found.filter((image) => asked.every((name) => filters[name](image) === query[name]));
  return pageOf(narrowed, query, fields);
}
