import type { Results } from '../api/types.js';
import { Badge } from './badge.js';

type Image = Results['GetManagedImage'];

const accesses: Record<number, string> = { 1: 'public', 3: 'private', 4: 'deleted', 9: 'internal' };
export const accessOf = ({ access }: Pick<Image, 'access'>) => accesses[access] ?? String(access);

const systems: Record<number, string> = {
  1: 'Linux',
  2: 'SunOS',
  3: 'BSD',
  4: 'Windows',
  5: 'SunOS zone',
  6: 'Linux zone',
};
export const osOf = ({ ostype, os = '' }: { ostype: number; os?: string }) => systems[ostype] ?? os;

/** To whom it is offered, and for which work: "System / Universal", "Group G / GPU". */
export function belongsTo(groups: readonly string[] | null, work: string | null): string {
  const whose = groups === null ? 'System' : `Group ${groups.join(', ')}`.trim();
  return `${whose} / ${work === null ? 'Universal' : /^[cg]pu$/.test(work) ? work.toUpperCase() : work}`;
}

const RETIRED = 4;

/** How an image stands, each with what is meant by it. */
export function ImageBadges({ image }: { image: Image }) {
  const { pending, not_ready: reason, deprecated, groups, class: work } = image;
  // What is retired is not ready for that reason.
  const badges = image.badges.filter((name) => name !== 'not ready' || image.access !== RETIRED);
  const shown: Record<string, { tone: string; title: string; isAsked?: boolean }> = {
    golden: { tone: 'good', title: 'recommended' },
    deprecated: { tone: 'warn', title: deprecated?.reason ?? 'not offered to new machines any more', isAsked: true },
    retired: { tone: 'bad', title: 'its access is deleted: it is kept for the machines that use it' },
    'not ready': { tone: 'warn', title: reason ?? '', isAsked: true },
    group: { tone: '', title: `${belongsTo(groups ?? [], work)}: for their members only`, isAsked: true },
    system: { tone: '', title: `${belongsTo(null, work)}: it belongs to no single data center`, isAsked: true },
  };
  return (
    <span class="badges">
      {pending && <Badge text={pending.what} title="something works on it: it can not be changed now" tone="warn" />}
      {badges.map((name) => (
        <Badge key={name} text={name} {...shown[name]} />
      ))}
      {!pending && badges.every((name) => name === 'system' || name === 'group' || name === 'golden') && (
        <Badge text="ready" tone="good" />
      )}
    </span>
  );
}
