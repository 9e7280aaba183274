import { z } from 'zod';
import type { Deps } from '../../deps.js';
import type { ShownImage } from '../../model/present-image.js';
import { accessLevels, labels, type ManagedImage } from '../../model/registration.js';
import { type Onlooker, showImages } from '../../operations/show-images.js';
import { Page, type Paging, pageOf, paging } from './page.js';
import { flag, whole } from './values.js';

const either = z
  .enum(['true', 'True', 'false', 'False'], 'is neither true nor false')
  .transform((text) => text.toLowerCase() === 'true')
  .optional();

/** Of every list of images: how it is paged, and what it can be narrowed to. */
export const listing = {
  ...paging,
  full: flag.describe('whole objects instead of names'),
  extended: flag.describe('the same as full'),
  label: z.enum([...labels, 'none']).optional(),
  golden: either,
  deprecated: either,
  ready: either,
  ostype: whole(1, 6).optional(),
  access: whole(1, 9)
    .optional()
    .describe(`one of ${Object.values(accessLevels).join(', ')}`),
  status: whole(1, 2).optional(),
  owner: z.string().optional(),
  tag: z.string().optional(),
};

interface Narrowing extends Paging {
  full: boolean;
  extended: boolean;
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

/** A filter that is not asked for lets everything through. */
const filters: {
  [Name in keyof Omit<Narrowing, keyof Paging | 'full' | 'extended'>]-?: (image: ShownImage) => unknown;
} = {
  label: ({ label }) => label ?? 'none',
  golden: ({ golden }) => golden,
  deprecated: ({ deprecated }) => deprecated !== null,
  ready: ({ ready }) => ready,
  ostype: ({ ostype }) => ostype,
  access: ({ access }) => access,
  status: ({ status }) => status,
  owner: ({ owner }) => owner,
  tag: ({ tags }) => tags,
};

const fields = {
  name: ({ name }: ShownImage) => name,
  alias: ({ alias }: ShownImage) => alias,
  version: ({ version }: ShownImage) => version,
  owner: ({ owner }: ShownImage) => owner,
  desc: ({ desc }: ShownImage) => desc,
  access: ({ access }: ShownImage) => access,
  ostype: ({ ostype }: ShownImage) => ostype,
  size: ({ size }: ShownImage) => size,
  status: ({ status }: ShownImage) => status,
  state: ({ state }: ShownImage) => state,
  label: ({ label }: ShownImage) => label ?? '',
  tags: ({ tags }: ShownImage) => tags.join(','),
  created: ({ created }: ShownImage) => created,
  changed: ({ changed }: ShownImage) => changed,
};

export function pageOfImages(
  deps: Deps,
  onlooker: Onlooker,
  found: readonly ManagedImage[],
  query: Narrowing,
): Page<ShownImage | string> {
  const images = showImages(deps, onlooker, found);
  const narrowed = images.filter((image) =>
    Object.entries(filters).every(([name, shownIn]) => {
      const wanted = query[name as keyof typeof filters];
      const value = shownIn(image);
      return wanted === undefined || (Array.isArray(value) ? value.includes(wanted) : value === wanted);
    }),
  );
  const { result, total, offset } = pageOf(narrowed, query, fields);
  return new Page<ShownImage | string>(
    query.full || query.extended ? result : result.map(({ name }) => name),
    total,
    offset,
  );
}
