import { useEffect, useRef, useState } from 'preact/hooks';
import { part, Refusal, type Unreachable, type Wish } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked, useFresh } from '../api/use-asked.js';
import { useQuery } from '../router.js';
import { type Account, holds, useAccount } from '../session.js';

/** An image with the tag under which it was read. */
export type Image = Results['GetManagedImage'] & { etag?: string | undefined };
export type Manifest = Results['GetImageManifest'];

interface Road {
  path: string;
  query: NonNullable<Wish['query']>;
  tells: 'image' | 'manifest';
}

/** Whoever manages images asks for it wherever it is; administrators in their data centers; members get its manifest. */
function roadsOf(account: Account, name: string, dc: string): readonly Road[] {
  const image = `/image/${part(name)}`;
  const own = Object.keys(account.roles).filter((one) => account.roles[one]?.includes('admin'));
  const within = [...own].sort((a, b) => Number(b === dc) - Number(a === dc));
  return [
    ...(holds(account, 'image_admin') ? [{ path: image, query: { full: true, dc }, tells: 'image' as const }] : []),
    ...within.map((one) => ({ path: `/dc/${part(one)}${image}`, query: { full: true }, tells: 'image' as const })),
    { path: `${image}/manifest`, query: { dc }, tells: 'manifest' as const },
  ];
}

export type Found =
  | { is: 'asking' }
  | { is: 'image'; image: Image; refresh: () => void }
  | { is: 'manifest'; told: Manifest }
  /** None of the roads leads to it. */
  | { is: 'nowhere'; failure: Refusal }
  /** Several have its name. */
  | { is: 'ambiguous'; failure: Refusal }
  | { is: 'away'; failure: Refusal | Unreachable; refresh: () => void };

const uuidOf = (told: Image | Manifest) => ('uuid' in told ? told.uuid : String(told.manifest.uuid));

const isElsewhere = (failure: unknown) =>
  failure instanceof Refusal && (failure.status === 403 || failure.status === 404);

/** One image, by the first road that leads to it for whoever looks; it is followed live. */
export function useImage(name: string): Found {
  const account = useAccount();
  const [dc] = useQuery('dc');
  const roads = roadsOf(account, name, dc);
  const [at, setAt] = useState(0);
  // What happens to other images is none of its business.
  const known = useRef<string | undefined>(undefined);
  const road = roads[Math.min(at, roads.length - 1)];
  const { answer, failure, refresh } = useAsked<Image | Manifest>(road?.path, {
    query: road?.query ?? {},
    kinds: ['images', 'vms', 'node-images', 'nodes', 'groups', 'datacenters'],
    concerns: ({ action, kind, uuid }) =>
      action !== 'progress' && (kind !== 'images' || known.current === undefined || uuid === known.current),
  });
  if (answer) known.current = uuidOf(answer.result);
  const isNowhere = isElsewhere(failure);
  const isLast = at >= roads.length - 1;
  useEffect(() => {
    if (isNowhere && !isLast) setAt(at + 1);
  }, [isNowhere, isLast, at]);
  // It may come, or come back, by another road.
  useFresh(isNowhere && isLast ? ['images', 'groups', 'datacenters'] : [], () => setAt(0));

  if (answer && road?.tells === 'image')
    return { is: 'image', image: { ...(answer.result as Image), etag: answer.tag }, refresh };
  if (answer) return { is: 'manifest', told: answer.result as Manifest };
  if (!failure || (isNowhere && !isLast)) return { is: 'asking' };
  if (failure instanceof Refusal && isNowhere) return { is: 'nowhere', failure };
  if (failure instanceof Refusal && failure.fields.dc !== undefined) return { is: 'ambiguous', failure };
  return { is: 'away', failure, refresh };
}
