import { useCallback, useEffect, useState } from 'preact/hooks';
import { Refusal, signedIn, Unreachable, whenForbidden, whenSignedOut } from './api/ask.js';
import { connect, disconnect } from './api/live.js';
import { useAgain, useFresh } from './api/use-asked.js';
import { base } from './base.js';
import { forgetDrafts, keepDraftsOf } from './parts/draft.js';
import { type Account, signOut, whoAmI } from './session.js';
import { hearTabs, tellTabs } from './tabs.js';

export type State =
  | { is: 'asking' }
  | { is: 'away'; failure: Unreachable | Refusal }
  /** The page stays behind the sign-in, with all that was typed. */
  | { is: 'out'; last?: Account }
  | { is: 'in'; account: Account };

const knownOf = (state: State) => (state.is === 'in' ? state.account : state.is === 'out' ? state.last : undefined);

/** Who is signed in, in this window as in the others; what somebody may changes while a page is open. */
export function useSession() {
  const [state, setState] = useState<State>({ is: 'asking' });

  const enter = useCallback((account: Account) => {
    keepDraftsOf(account.uuid);
    setState((now) => {
      const known = knownOf(now);
      if (known && known.uuid !== account.uuid) {
        // Somebody else must not see what was open; and nothing of it can ask whether to leave, when it is gone.
        setTimeout(() => location.reload());
        return { is: 'asking' };
      }
      const isSame = now.is === 'in' && JSON.stringify(now.account) === JSON.stringify(account);
      return isSame ? now : { is: 'in', account };
    });
  }, []);

  /** Whether the server has said who it is, or that it is nobody. */
  const look = useCallback(async (): Promise<boolean> => {
    try {
      const account = await whoAmI();
      enter(account);
      if (account.token.expires !== null) tellTabs({ what: 'ends', at: account.token.expires });
      return true;
    } catch (failure) {
      if (!(failure instanceof Refusal || failure instanceof Unreachable)) throw failure;
      const isNobody = failure instanceof Refusal && failure.status === 401;
      if (isNobody) setState(signedOut);
      else setState((now) => (now.is === 'in' || now.is === 'out' ? now : { is: 'away', failure }));
      return isNobody;
    }
  }, [enter]);

  useEffect(() => {
    whenSignedOut(() => setState(signedOut));
    whenForbidden(() => void look());
    void look();
    return hearTabs((told) => {
      if (told.what === 'signed in') void look();
      else if (told.what === 'signed out') leave(setState);
      else setState((now) => (now.is === 'in' ? { is: 'in', account: lasting(now.account, told.at) } : now));
    });
  }, [look]);
  useEffect(() => {
    if (state.is !== 'in') return;
    signedIn();
    connect();
    return disconnect;
  }, [state.is]);
  useFresh(['datacenters', 'groups', 'users'], look);
  useAgain(state.is === 'away' ? state.failure : undefined, look);

  return {
    state,
    account: knownOf(state),
    look,
    /** Who has just proven to be somebody. */
    enter: (account: Account) => {
      enter(account);
      tellTabs({ what: 'signed in' });
    },
    /** Asks again who it is, before the session has ended. */
    proveAgain: () => setState(signedOut),
    /** Throws where the server is away: then one is signed in still. */
    leave: async () => {
      const { result } = await signOut();
      tellTabs({ what: 'signed out' });
      leave(setState, result.go_to);
    },
  };
}

const signedOut = (now: State): State =>
  now.is === 'in' ? { is: 'out', last: now.account } : now.is === 'out' ? now : { is: 'out' };

const lasting = (account: Account, expires: string): Account =>
  account.token.expires === expires ? account : { ...account, token: { ...account.token, expires } };

/** On purpose: nothing of it stays, neither on the page nor in the memory of the browser. */
function leave(setState: (state: State) => void, goTo?: string | null): void {
  forgetDrafts();
  setState({ is: 'asking' });
  // when the page is gone, with what would ask whether to leave it
  setTimeout(() => location.replace(goTo ?? `${base}/`));
}
