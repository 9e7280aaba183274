import { ImgapiError } from '../../imgapi/errors.js';
import type { RegisteredImage, Registration } from './registration.js';
import type { ListedRemote } from './repository-image.js';

/** Which images of a repository are followed; all where nothing is said. */
export interface FollowFilter {
  /** The name, in which * stands for any letters and ? for one. */
  match?: string;
  os?: string;
  type?: string;
  channel?: string;
  /** So many of each name, by when they were published. */
  newest?: number;
}

/** What a repository shows is brought here, and where wanted retired when it is shown no more. */
export interface Follow {
  name: string;
  repository: string;
  filter: FollowFilter;
  /** Where the images stand: bound to that data center unless they are shared. */
  datacenter: string;
  shared: boolean;
  access: Extract<Registration['access'], 'public' | 'private'>;
  /** It runs every so many minutes; on demand only where it is 0. */
  every: number;
  retire: boolean;
  enabled: boolean;
  created: string;
  state?: FollowState;
}

export interface FollowState {
  /** When it was started last. */
  tried: string;
  /** The task of that time. */
  task: string;
  /** When it came to its end. */
  lastRun?: string;
  imported?: number;
  retired?: number;
  /** Why it failed, or stopped before it retired anything. */
  error?: string;
}

export const follows = {
  name: 'follows',
  id: ({ name }: Follow) => name,
  index: ({ repository }: Follow) => [`repository:${repository}`],
};

export const FOLLOW_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** An image that a follow has brought. */
export interface FollowedImage {
  follow: string;
  uuid: string;
  /** Of the repository it came from: lists of another server say nothing of it. */
  url: string;
  /** When it was registered: one that came later by another way is not the same. */
  registered: string;
  /** Of the manifest: what was changed here since is left alone. */
  digest: string;
  /** So many complete lists in a row have been without it. */
  misses: number;
}

export const followedImages = {
  name: 'followed-images',
  id: ({ follow, uuid }: FollowedImage) => followedId(follow, uuid),
};

export const followedId = (follow: string, uuid: string) => `${follow}/${uuid}`;

/** An image is gone when so many complete lists in a row were without it. */
export const MISSES = 3;

/** At most this part of what a follow has brought is retired at once: more of it is a mistake of somebody's. */
const PART = 10;

export function isFollowDue({ enabled, every, state }: Follow, now: Date): boolean {
  if (!enabled || every === 0) return false;
  return !state || now.getTime() >= Date.parse(state.tried) + every * 60_000;
}

/** Those that match, the newest first. */
export function matching<T extends ListedRemote>(listed: readonly T[], filter: FollowFilter): T[] {
  const { match = '*', os, type, channel, newest = Number.POSITIVE_INFINITY } = filter;
  const glob = globOf(match);
  const counts = new Map<string, number>();
  return listed.filter((image) => {
    if (image.state !== 'active' || !glob(image.name)) return false;
    if (os !== undefined && image.os !== os) return false;
    if (type !== undefined && image.type !== type) return false;
    if (channel !== undefined && !image.channels.includes(channel)) return false;
    const count = (counts.get(image.name) ?? 0) + 1;
    counts.set(image.name, count);
    return count <= newest;
  });
}

/** Without going back more than once for each star, however many there are. */
function globOf(pattern: string): (name: string) => boolean {
  return (name) => {
    let [at, star, from] = [0, -1, 0];
    for (let here = 0; here < name.length; ) {
      if (pattern[at] === '*') {
        star = at;
        from = here;
        at += 1;
      } else if (pattern[at] === '?' || pattern[at] === name[here]) {
        at += 1;
        here += 1;
      } else if (star !== -1) {
        at = star + 1;
        from += 1;
        here = from;
      } else {
        return false;
      }
    }
    while (pattern[at] === '*') at += 1;
    return at === pattern.length;
  };
}

/** What is known here of an image that a follow has brought. */
export interface Brought {
  followed: FollowedImage;
  /** Nothing where it is not here any more. */
  image: RegisteredImage | undefined;
  digest: string | undefined;
  isUsed: boolean;
}

/** Why an image that is gone from the repository stays; nothing where it may be retired. */
export function reasonToSpare({ followed, image, digest, isUsed }: Brought): string | undefined {
  if (!image || image.registration?.created !== followed.registered) return 'it is not what was brought';
  const { registration } = image;
  if (registration.pending) return 'something works on it';
  if (isUsed) return 'machines or other images use it';
  if (registration.changed !== registration.created || digest !== followed.digest) return 'it was changed here';
  return undefined;
}

/** Throws where so many would be retired at once that somebody should look first. */
export function checkPart(retiring: number, of: number): void {
  if (retiring * PART <= of) return;
  const message = `${retiring} of the ${of} images that it has brought are gone: above a tenth nothing is retired`;
  throw new ImgapiError('PreconditionFailed', message);
}
