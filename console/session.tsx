import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { ask } from './api/ask.js';

/** Who is signed in, as the server tells it. */
export interface Account {
  name: string;
  uuid: string;
  display_name: string;
  super_admin: boolean;
  groups: string[];
  /** By data center. */
  roles: Record<string, string[]>;
  token: { scope: string; dc: string | null; expires: string | null };
  /** The server takes no files. */
  records_only: boolean;
}

export const AccountContext = createContext<Account | undefined>(undefined);

/** Only below the frame, which shows nothing else while nobody is signed in. */
export function useAccount(): Account {
  const account = useContext(AccountContext);
  if (!account) throw new Error('nobody is signed in');
  return account;
}

export interface Ways {
  password: boolean;
  token: boolean;
  openid: { label: string; start: string } | null;
  /** What went wrong when somebody came back from the issuer. */
  problem?: string;
}

export const whoAmI = async () => (await ask<Account>('/account', { isSigningIn: true })).result;

export const signIn = async (proof: { username: string; password: string } | { token: string }) =>
  (await ask<Account>('/session', { method: 'POST', body: proof, isSigningIn: true })).result;

/** `go_to`: where one is signed out as well. */
export const signOut = () => ask<{ go_to: string | null }>('/session', { method: 'DELETE' });

/** Why what needs files is not possible now. */
export const whyNoFiles = ({ records_only }: Account) =>
  records_only ? 'this server keeps records only: it takes no files' : undefined;

/** What a page is for: it is not shown to others, and the server would not serve them either. */
export const holds = ({ super_admin, roles }: Account, role: string) =>
  super_admin || Object.values(roles).some((held) => held.includes(role));

export const holdsIn = ({ super_admin, roles }: Account, role: string, dc: string | null) =>
  super_admin || (dc !== null && roles[dc]?.includes(role) === true);
