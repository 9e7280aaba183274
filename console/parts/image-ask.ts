import { type Answer, ask, part, Refusal, type Wish } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { accessOf } from './image-words.js';

/** An image with the tag under which it was read. */
export type ShownImage = Results['GetManagedImage'] & { etag?: string | undefined };

export type Action = ShownImage['may'][number];

/** Names are unique in a data center only. */
export const pathOf = ({ uuid }: Pick<ShownImage, 'uuid'>) => `/image/${part(uuid)}`;

export async function readImage(image: Pick<ShownImage, 'uuid'>): Promise<ShownImage> {
  const { result, tag } = await ask<Results['GetManagedImage']>(pathOf(image), { query: { full: true } });
  return { ...result, etag: tag };
}

/** Done only while the image is what the person has seen; else the refusal says what somebody else has made of it. */
export async function askOf<T = unknown>(image: ShownImage, wish: Wish, path = pathOf(image)): Promise<Answer<T>> {
  try {
    return await ask<T>(path, { ...wish, ifMatch: image.etag });
  } catch (error) {
    if (!(error instanceof Refusal && error.status === 412)) throw error;
    const now = await readImage(image);
    const words = `somebody else has changed it meanwhile: ${differencesOf(image, now).join('; ') || 'see its history'}`;
    throw new Refusal(412, error.code, words, {}, now.etag);
  }
}

/** What people look at, in the words of the list. */
const looks: readonly (readonly [name: string, word: (image: ShownImage) => string])[] = [
  ['name', ({ alias }) => alias],
  ['version', ({ version }) => version],
  ['status', ({ pending, state }) => pending?.what ?? state],
  ['access', accessOf],
  ['owner', ({ owner }) => owner],
  ['description', ({ desc }) => desc],
  ['homepage', ({ homepage }) => homepage ?? ''],
  ['tags', ({ tags }) => tags.join(', ')],
  ['label', ({ label }) => label ?? ''],
  ['golden', ({ golden }) => (golden ? 'yes' : 'no')],
  ['deprecated', ({ deprecated }) => (deprecated ? (deprecated.reason ?? 'yes') : 'no')],
  ['data centers', ({ global, dcs }) => (global ? 'all' : dcs.join(', '))],
  ['bound', ({ dc_bound: isBound }) => (isBound ? 'yes' : 'no')],
  ['groups', ({ groups }) => groups?.join(', ') ?? 'all'],
  ['users', ({ users }) => users.join(', ')],
  ['resize', ({ resize }) => (resize ? 'yes' : 'no')],
  ['deploy', ({ deploy }) => (deploy ? 'yes' : 'no')],
];

export const differencesOf = (before: ShownImage, after: ShownImage): string[] =>
  looks.flatMap(([name, word]) => {
    const [one, other] = [word(before), word(after)];
    return one === other ? [] : [`its ${name} was “${one || 'empty'}” and is “${other || 'empty'}”`];
  });
