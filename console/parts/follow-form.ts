import type { Results } from '../api/types.js';
import type { Field } from './form.js';

type Follow = Results['GetFollow'];

export interface FollowWish {
  name: string;
  repository: string;
  match: string;
  os: string;
  type: string;
  channel: string;
  newest: string;
  dc: string;
  shared: boolean;
  access: string;
  every: string;
  retire: boolean;
  enabled: boolean;
}

export const newFollow: FollowWish = {
  name: '',
  repository: '',
  match: '',
  os: '',
  type: '',
  channel: '',
  newest: '',
  dc: 'main',
  shared: false,
  access: '3',
  every: '1440',
  retire: false,
  enabled: true,
};

const choicesOf = (names: readonly string[], none: string) => [
  ['', none] as const,
  ...names.map((name) => [name, name] as const),
];

export const followFields = (repositories: readonly string[], dcs: readonly string[]): readonly Field<FollowWish>[] => [
  { name: 'repository', label: 'Repository', kind: 'choice', choices: choicesOf(repositories, 'choose one') },
  { name: 'match', label: 'Those of this name', hint: '* for any letters, ? for one; all where it is empty' },
  { name: 'newest', label: 'How many of each name, the newest', kind: 'number', hint: 'all where it is empty' },
  { name: 'os', label: 'OS', hint: 'such as linux; any where it is empty', isAdvanced: true },
  { name: 'type', label: 'Type', hint: 'such as zvol; any where it is empty', isAdvanced: true },
  { name: 'channel', label: 'In this channel there', isAdvanced: true },
  { name: 'dc', label: 'Data center', kind: 'choice', choices: choicesOf(dcs, 'choose one') },
  { name: 'shared', label: 'Shared', kind: 'check', hint: 'they are bound to that data center otherwise' },
  {
    name: 'access',
    label: 'Access',
    kind: 'choice',
    choices: [
      ['3', 'private'],
      ['1', 'public'],
    ],
  },
  { name: 'every', label: 'Every so many minutes', kind: 'number', hint: 'on demand only where it is 0' },
  {
    name: 'retire',
    label: 'Retire what is gone from the repository',
    kind: 'check',
    hint: 'after three lists without it; what is used or was changed here is spared',
  },
  { name: 'enabled', label: 'Its schedule holds', kind: 'check' },
];

export const followWish = (follow: Follow): FollowWish => ({
  ...newFollow,
  repository: follow.repository,
  match: follow.match ?? '',
  os: follow.os ?? '',
  type: follow.type ?? '',
  channel: follow.channel ?? '',
  newest: follow.newest === null ? '' : String(follow.newest),
  dc: follow.dc,
  shared: follow.shared,
  access: String(follow.access),
  every: String(follow.every),
  retire: follow.retire,
  enabled: follow.enabled,
});

const nullable = new Set(['match', 'os', 'type', 'channel', 'newest']);

/** Where nothing is wanted it is null. */
export const followBody = (typed: Partial<FollowWish>) =>
  Object.fromEntries(
    Object.entries(typed).map(([name, value]) => [name, nullable.has(name) && value === '' ? null : value]),
  );
