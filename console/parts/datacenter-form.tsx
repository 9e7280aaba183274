import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { useAccount } from '../session.js';
import type { Field } from './form.js';

export interface DatacenterWish {
  dc: string;
  alias: string;
  owner: string;
  location: string;
  description: string;
}

export const newDatacenter: DatacenterWish = { dc: '', alias: '', owner: '', location: '', description: '' };

/** What is said of a data center; its name only once. */
export function useDatacenterFields(isNew: boolean): readonly Field<DatacenterWish>[] {
  const users = useUserNames();
  return [
    ...(isNew ? ([{ name: 'dc', label: 'Name', isRequired: true, hint: 'it stays as it is' }] as const) : []),
    { name: 'alias', label: 'Alias', hint: 'how people call it' },
    { name: 'owner', label: 'Owner', hint: 'administers it, with or without a group', suggestions: users },
    { name: 'location', label: 'Location' },
    { name: 'description', label: 'Description' },
  ];
}

/** For those who may know them. */
export function useUserNames(): readonly string[] {
  const { super_admin: isSuper } = useAccount();
  return useAsked<string[]>(isSuper ? '/user' : undefined).answer?.result ?? [];
}

export function useNodeNames(): readonly string[] {
  const { super_admin: isSuper } = useAccount();
  return useAsked<string[]>(isSuper ? '/node' : undefined).answer?.result ?? [];
}

export const useDatacenterNames = (): readonly string[] => useAsked<string[]>('/dc').answer?.result ?? [];

export const wishFrom = ({ alias, owner, location, description }: Results['GetDatacenter']): DatacenterWish => ({
  ...newDatacenter,
  alias,
  owner,
  location,
  description,
});
