import type { Context } from '../context.js';
import type { Deps } from '../deps.js';
import type { Knocking } from '../operations/prove-password.js';

/** Who wants to be let in is known to the log and the audit as soon as that is proven. */
export const knockingOf = (ctx: Context, { directory }: Pick<Deps, 'directory'>): Knocking => ({
  address: ctx.state.address,
  userAgent: ctx.get('user-agent'),
  onProven: (user) => {
    ctx.state.caller = { kind: 'user', user, rights: directory.rightsOf(user) };
  },
});
