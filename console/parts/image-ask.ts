import { type Answer, ask, part, Refusal, type Wish } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { differencesOf, type Looks } from './differences.js';
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

/** What this person has made of an image, by the tag that it had before: a row may not have followed yet. */
const own = new Map<string, string>();
/** Older ones have been followed long since. */
const OWN_AT_MOST = 100;

function keepOwn(before: string | undefined, after: string | undefined): void {
  if (before === undefined || after === undefined || before === after) return;
  own.set(before, after);
  for (const oldest of own.keys()) {
    if (own.size <= OWN_AT_MOST) return;
    own.delete(oldest);
  }
}

function latestOf(tag: string | undefined): string | undefined {
  let latest = tag;
  for (let next = tag; next !== undefined; next = own.get(next)) latest = next;
  return latest;
}

/** Done only while the image is what the person has seen, or has made of it; else the refusal says what somebody else has made of it. */
export async function askOf<T = unknown>(image: ShownImage, wish: Wish, path = pathOf(image)): Promise<Answer<T>> {
  const seen = latestOf(image.etag);
  try {
    const answer = await ask<T>(path, { ...wish, ifMatch: seen });
    keepOwn(seen, answer.tag);
    return answer;
  } catch (error) {
    if (!(error instanceof Refusal && error.status === 412)) throw error;
    const now = await readImage(image);
    const words = `somebody else has changed it meanwhile: ${differencesOf(looks, image, now).join('; ') || 'see its history'}`;
    throw new Refusal(412, error.code, words, {}, now.etag);
  }
}

/** What people look at, in the words of the list. */
const looks: Looks<ShownImage> = [
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
