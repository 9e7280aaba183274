import type { Image } from '../../imgapi/image.js';
import type { RegisteredImage } from './registration.js';

/** What the images of a data center, or of an owner, come to. Kept with every write of an image. */
export interface Usage {
  /** Whose they are: see the two functions below. */
  of: string;
  images: number;
  bytes: number;
}

export const usage = { name: 'usage', id: ({ of }: Usage) => of };

/** Of the images that are bound to it. */
export const ofDatacenter = (name: string) => `datacenter:${name}`;
export const ofOwner = (uuid: string) => `owner:${uuid}`;

/** Those that are on their way count already. */
export const bytesOf = ({ files, registration }: Pick<Image, 'files'> & Pick<RegisteredImage, 'registration'>) =>
  files.reduce((sum, { size }) => sum + size, registration?.pending?.bytes ?? 0);

/** How much more one count comes to. */
export interface Growth {
  of: string;
  images: number;
  bytes: number;
}

/** What has to be added to the counts when an image changes; they count registered images only. */
export function growthOf(before: RegisteredImage | undefined, after: RegisteredImage | undefined): Growth[] {
  const grown = new Map<string, Growth>();
  for (const [image, sign] of [[before, -1] as const, [after, 1] as const]) {
    for (const of of countsOf(image)) {
      const { images, bytes } = grown.get(of) ?? { images: 0, bytes: 0 };
      grown.set(of, { of, images: images + sign, bytes: bytes + sign * (image ? bytesOf(image) : 0) });
    }
  }
  return [...grown.values()].filter(({ images, bytes }) => images !== 0 || bytes !== 0);
}

/** Shared images count for their owner only. */
export function countsOf(image: Pick<RegisteredImage, 'owner' | 'registration'> | undefined): string[] {
  if (!image?.registration) return [];
  const { boundTo } = image.registration;
  return [...(boundTo === undefined ? [] : [ofDatacenter(boundTo)]), ofOwner(image.owner)];
}
