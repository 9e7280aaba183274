/** What a request asks of the credentials that it carries. */
export type Need = 'read' | 'write' | 'admin' | 'metrics';

/** What credentials are good for, beside what their user may do; the last two are those of nodes. */
const permits = {
  full: ['read', 'write', 'admin', 'metrics'],
  admin: ['read', 'write', 'admin', 'metrics'],
  write: ['read', 'write', 'metrics'],
  read: ['read', 'metrics'],
  metrics: ['metrics'],
  node: ['read'],
  publish: ['read', 'write'],
} as const satisfies Record<string, readonly Need[]>;

export type Scope = keyof typeof permits;

/** Those that a user's token can have. `full` is how `admin` was called before there was `write`. */
export const scopes = ['full', 'admin', 'write', 'read', 'metrics'] as const satisfies Scope[];
export type UserScope = (typeof scopes)[number];

export function permitsNeed(scope: Scope, need: Need): boolean {
  return (permits[scope] as readonly Need[]).includes(need);
}

/** Is a scope good for all that another is? */
export function covers(scope: Scope, other: Scope): boolean {
  return permits[other].every((need) => permitsNeed(scope, need));
}
