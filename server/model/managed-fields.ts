import { type ManifestTags, tagsOf, withTags } from './manifest-tags.js';
import { type Access, accessLevels, type Label, type ManagedImage, type Registration } from './registration.js';

/** Longer than this is not for management to write; images that come over IMGAPI may be so. */
export const ALIAS = /^[A-Za-z0-9._/-][A-Za-z0-9._/ -]{0,31}$/;
export const VERSION = /^[A-Za-z0-9._/+-]{1,16}$/;
export const DESCRIPTION = /^[^<>%$&;'"\p{Cc}]{0,128}$/u;
export const TAG = /^[A-Za-z0-9 :/_-]{1,64}$/;

/** What management writes of an image; what is absent stays. */
export interface ManagedFields extends Partial<Omit<ManifestTags, 'internal'>> {
  alias?: string | undefined;
  version?: string | undefined;
  desc?: string | undefined;
  /** None where it is null. */
  homepage?: string | null | undefined;
  access?: Access | undefined;
  /** By uuid. */
  owner?: string | undefined;
  /** None where it is null. */
  label?: Label | null | undefined;
  golden?: boolean | undefined;
}

/** Those that stand in the manifest; the others are ours alone. */
export function withFields(image: ManagedImage, wanted: ManagedFields): ManagedImage {
  const { alias, version, desc, homepage, access, owner, label, golden, ...tags } = wanted;
  const { label: ownLabel, golden: ownGolden, ...registration } = image.registration;
  const labelled = label === undefined ? ownLabel : (label ?? undefined);
  const isGolden = golden ?? ownGolden ?? false;
  const internal = access !== undefined && tagsOf(image).internal ? false : undefined;
  const given = Object.fromEntries(Object.entries({ ...tags, internal }).filter(([, value]) => value !== undefined));
  return {
    ...(Object.keys(given).length > 0 ? withTags(image, given) : image),
    ...(alias !== undefined && { name: alias }),
    ...(version !== undefined && { version }),
    ...(desc !== undefined && { description: desc }),
    ...(homepage !== undefined && { homepage: homepage ?? undefined }),
    ...(owner !== undefined && { owner }),
    registration: {
      ...registration,
      ...(access !== undefined && { access }),
      ...(labelled !== undefined && { label: labelled }),
      ...(isGolden && { golden: true as const }),
    },
  };
}

const levels = new Map<number, Access>(
  (Object.keys(accessLevels) as Access[]).map((access) => [accessLevels[access], access]),
);

/** The access that management calls by a number: nobody writes `internal`. */
export const accessFrom = (level: number): Access | undefined =>
  level === accessLevels.internal ? undefined : levels.get(level);

export function deprecated(image: ManagedImage, deprecation: NonNullable<Registration['deprecated']>): ManagedImage {
  return { ...image, registration: { ...image.registration, deprecated: deprecation } };
}

export function notDeprecated(image: ManagedImage): ManagedImage {
  const { deprecated: _, ...registration } = image.registration;
  return { ...image, registration };
}
