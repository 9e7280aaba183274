import type { Image } from '../../imgapi/image.js';
import { isZone, osTypeOf } from './os-types.js';

/** What management keeps in the tags of a manifest, beside those of others. */
export interface ManifestTags {
  /** Those that machines inherit. */
  tags: string[];
  resize: boolean;
  /** The machine switches itself off when it is configured. */
  deploy: boolean;
  internal: boolean;
}

export function tagsOf(image: Pick<Image, 'tags' | 'type' | 'os'>): ManifestTags {
  const { erigones, resize, deploy, internal } = image.tags ?? {};
  return {
    tags: Array.isArray(erigones) ? erigones.filter((tag) => typeof tag === 'string') : [],
    resize: typeof resize === 'boolean' ? resize : isZone(osTypeOf(image)),
    deploy: deploy === true,
    internal: internal === true,
  };
}

/** The class of work that it is for; none where it is for all. */
export const classOf = ({ tags }: Pick<Image, 'tags'>): string | undefined =>
  typeof tags?.class === 'string' ? tags.class : undefined;

/** Tags of others stay. */
export function withTags<I extends Pick<Image, 'tags' | 'type' | 'os'>>(image: I, wanted: Partial<ManifestTags>): I {
  const { tags, ...flags } = { ...tagsOf(image), ...wanted };
  return { ...image, tags: { ...image.tags, erigones: tags, ...flags } };
}
