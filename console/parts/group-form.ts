import type { Results } from '../api/types.js';
import type { Field } from './form.js';
import { permissionChoices } from './rights-words.js';

export interface GroupWish {
  name: string;
  alias: string;
  permissions: string[];
}

export const newGroup: GroupWish = { name: '', alias: '', permissions: [] };

export const groupFields: readonly Field<GroupWish>[] = [
  { name: 'alias', label: 'Alias', hint: 'how people call it' },
  {
    name: 'permissions',
    label: 'What its members may in its data centers',
    kind: 'checks',
    choices: permissionChoices,
  },
];

export const groupWish = ({ alias, permissions }: Results['GetGroup']): GroupWish => ({
  ...newGroup,
  alias,
  permissions,
});
