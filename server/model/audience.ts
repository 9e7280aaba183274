import { placementOf } from './registration.js';
import { isOpen, type Visible } from './visibility.js';

type Who = 'everybody' | 'nodes' | 'managers' | 'admins' | 'members' | 'group' | 'user';

/** Some of those who can read an image: of a data center, or of all of them where that is `*`. */
export interface Part {
  who: Who;
  /** Which group or user. */
  name?: string;
  where?: string;
}

const EVERYWHERE = '*';

/** Whoever is of the first is among those of the others, too. */
const among: Record<Who, readonly Who[]> = {
  everybody: [],
  nodes: ['nodes'],
  managers: ['managers', 'admins', 'members'],
  admins: ['admins', 'members'],
  members: ['members'],
  group: ['group', 'members'],
  user: ['user', 'members'],
};

/** All who can read an image, by the rules of data centers: what `canRead` says of one caller, for all of them. */
export function audienceOf(image: Visible, open: ReadonlySet<string>): Part[] {
  const { access, datacenters, boundTo, global, groups } = placementOf(image);
  const places = global ? [EVERYWHERE] : datacenters;
  const there = (who: Who, name?: string): Part[] =>
    places.map((where) => ({ who, where, ...(name !== undefined && { name }) }));
  const nodes = image.activated ? there('nodes') : [];
  if (access === 'internal') return nodes;
  const owner: Part = { who: 'user', name: image.owner };
  if (!image.activated) return boundTo === undefined ? [owner] : [owner, { who: 'managers', where: boundTo }];
  const always = [owner, ...nodes, ...there('admins')];
  if (image.disabled || access === 'deleted') return always;
  return [
    ...always,
    ...(image.acl ?? []).flatMap((account) => there('user', account)),
    ...(groups ?? []).flatMap((group) => there('group', group)),
    ...(access === 'public' && groups === undefined ? there('members') : []),
    ...(isOpen({ mode: 'dc', open }, image) ? [{ who: 'everybody' } as const] : []),
  ];
}

/** Are all of the part among the audience? An owner, who may be from elsewhere, counts as one of the people there. */
export function isAmong(part: Part, audience: readonly Part[]): boolean {
  return audience.some((other) => {
    if (other.who === 'everybody') return true;
    if (!among[part.who].includes(other.who)) return false;
    if (other.who === part.who && other.name !== part.name) return false;
    return part.where === undefined || other.where === undefined || [EVERYWHERE, part.where].includes(other.where);
  });
}
