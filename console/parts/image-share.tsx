import type { Field } from './form.js';
import { askOf, type ShownImage } from './image-ask.js';
import { type Doing, ImageForm } from './image-form.js';
import { useShareChoices } from './share-choices.js';

export interface Sharing {
  who: string;
  groups: readonly string[];
  users: readonly string[];
}

const sharingOf = ({ groups, users }: ShownImage): Sharing => ({
  who: groups ? 'groups' : 'all',
  groups: groups ?? [],
  users,
});

/** What is sent of it: what nobody has touched stays. */
export const bodyOf = ({ who, groups, users }: Sharing, typed: Partial<Sharing>) => ({
  ...((typed.who ?? typed.groups) !== undefined && { groups: who === 'all' ? null : groups }),
  ...(typed.users && { users }),
});

const choices = (offered: readonly string[], chosen: readonly string[]) =>
  [...new Set([...offered, ...chosen])].map((name) => [name, name] as const);

export const sharingFields = <T extends Sharing>(
  offered: { groups: readonly string[]; users: readonly string[] },
  { groups, users }: Pick<Sharing, 'groups' | 'users'>,
  /** Who sees it where no groups are chosen. */
  everybody: string,
): readonly Field<T>[] => [
  {
    name: 'who',
    label: 'Who sees it',
    kind: 'choice',
    choices: [
      ['all', everybody],
      ['groups', 'members of the chosen groups, and the users below'],
    ],
  },
  {
    name: 'groups',
    label: 'Groups',
    kind: 'checks',
    choices: choices(offered.groups, groups),
    hint: 'with none, only administrators see it',
    when: ({ who }) => who === 'groups',
  },
  {
    name: 'users',
    label: 'Users',
    kind: 'checks',
    choices: choices(offered.users, users),
    hint: 'they see and use it, and change nothing',
  },
];

/** With groups and users, in the data centers to which it is attached. */
export function ShareImage({ image, ...doing }: Doing & { again: () => unknown }) {
  const { name, dc_bound: isBound, dcs, global, access } = image;
  const offered = useShareChoices(isBound ? dcs[0] : undefined);
  return (
    <ImageForm
      {...doing}
      image={image}
      title={`Share ${name}`}
      label="Share it"
      said={`${name} is shared so`}
      fields={sharingFields<Sharing>(
        offered,
        sharingOf(image),
        access === 1 ? 'everybody in its data centers' : 'its owner, administrators and the users below',
      )}
      initial={sharingOf(image)}
      submit={(seen, values, typed) => askOf(seen, { method: 'PUT', body: bodyOf(values, typed) })}
    >
      <p>
        Only users of {global ? 'data centers' : dcs.join(', ') || 'its data centers'} see it at all. To let another
        data center have it, attach it there.
      </p>
    </ImageForm>
  );
}
