import { z } from 'zod';
import type { Deps } from '../../deps.js';
import type { Caller } from '../../model/caller.js';
import { type Rights, type Role, roleNames } from '../../model/rights.js';
import { scopes } from '../../model/scope.js';
import type { Grant } from '../../model/token.js';
import { keepsRecordsOnly } from '../../operations/image-server.js';
import { endpoint, noBody, noQuery } from './endpoint.js';

/** By data center, what the caller is there. */
function rolesOf(rights: Rights): Record<string, string[]> {
  const roles: Record<string, string[]> = {};
  for (const name of [...rights.member].sort()) {
    roles[name] = (Object.keys(roleNames) as Role[]).flatMap((role) => (rights[role].has(name) ? roleNames[role] : []));
  }
  return roles;
}

export const account = z.strictObject({
  name: z.string(),
  uuid: z.string(),
  display_name: z.string(),
  super_admin: z.boolean(),
  groups: z.array(z.string()),
  roles: z.record(z.string(), z.array(z.string())),
  token: z.strictObject({
    scope: z.enum(scopes),
    dc: z.string().nullable().describe('the one data center in which they are good'),
    expires: z.string().nullable().describe('of sessions of browsers: unless they are used'),
  }),
  records_only: z
    .boolean()
    .describe('whether the server takes no files, and so what needs some is refused to everybody'),
});

type Account = Extract<Caller, { kind: 'user' }>;

export const presentAccount = ({ directory }: Pick<Deps, 'directory'>, { user, rights }: Account, own: Grant) => ({
  name: user.name,
  uuid: user.uuid,
  display_name: user.displayName ?? '',
  super_admin: rights.superAdmin,
  groups: [...rights.groups].sort(),
  roles: rolesOf(rights),
  token: { scope: own.scope, dc: own.dc ?? null, expires: own.ends ?? own.expires ?? null },
  records_only: keepsRecordsOnly(directory),
});

export const show = endpoint({
  name: 'GetAccount',
  summary: 'who asks, with which rights in which data center, and what the credentials are good for',
  query: noQuery,
  body: noBody,
  status: 200,
  answer: account,
  refusals: [],
  perform: async ({ caller, own }, deps) => presentAccount(deps, caller as Account, own),
});
