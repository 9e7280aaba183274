import { part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { useAccount } from '../session.js';
import { useUserNames } from './datacenter-form.js';

type Groups = Exclude<Results['ListGroups'], string[]>;

interface Choices {
  groups: readonly string[];
  users: readonly string[];
}

/** With whom an image can be shared: SuperAdmins choose among all, others among those of its data center. */
export function useShareChoices(dc: string | undefined): Choices {
  const { super_admin: isSuper } = useAccount();
  const path = isSuper ? '/group' : dc === undefined ? undefined : `/dc/${part(dc)}/group`;
  const groups = useAsked<Groups>(path, { query: { full: true } }).answer?.result ?? [];
  const all = useUserNames();
  return {
    groups: groups.map(({ name }) => name),
    users: isSuper ? all : [...new Set(groups.flatMap(({ users }) => users))].sort(),
  };
}
