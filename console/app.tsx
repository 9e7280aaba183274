import type { ComponentType } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { Refusal, Unreachable, whenSignedOut } from './api/ask.js';
import { type Connection, connect, disconnect, watchConnection } from './api/live.js';
import { useFresh } from './api/use-asked.js';
import { Navigation } from './navigation.js';
import { isOffered, type Page, type PageProps, pages } from './pages.js';
import { Boundary } from './parts/boundary.js';
import { Failure } from './parts/failure.js';
import { Menu, MenuActions } from './parts/menu.js';
import { NoFiles } from './parts/no-files.js';
import { Toasts, toast } from './parts/toasts.js';
import { go, Link, matched, usePlace } from './router.js';
import { type Account, AccountContext, signOut, whoAmI } from './session.js';
import { SignIn } from './sign-in.js';

type State =
  | { is: 'asking' }
  | { is: 'away'; failure: Unreachable | Refusal }
  /** The page stays behind the sign-in, with all that was typed. */
  | { is: 'out'; last?: Account }
  | { is: 'in'; account: Account };

/** The frame: who is signed in, where one can go, and the page that the address names. */
export function App() {
  const [state, setState] = useState<State>({ is: 'asking' });
  const look = useCallback(async () => {
    try {
      setState({ is: 'in', account: await whoAmI() });
    } catch (failure) {
      if (failure instanceof Refusal && failure.status === 401) setState({ is: 'out' });
      else if (failure instanceof Refusal || failure instanceof Unreachable) setState({ is: 'away', failure });
      else throw failure;
    }
  }, []);

  useEffect(() => {
    whenSignedOut(() => setState((now) => (now.is === 'in' ? { is: 'out', last: now.account } : now)));
    void look();
  }, [look]);
  const lookAgain = useCallback(() => {
    // Who is signed out by now is told so by the call itself.
    whoAmI().then(
      (account) => setState((now) => (now.is === 'in' ? { is: 'in', account: later(now.account, account) } : now)),
      () => {},
    );
  }, []);
  useFresh(['datacenters', 'groups', 'users'], lookAgain);
  useEffect(() => {
    if (state.is !== 'in') return;
    connect();
    return disconnect;
  }, [state.is]);

  const account = state.is === 'in' ? state.account : state.is === 'out' ? state.last : undefined;
  return (
    <>
      {state.is === 'away' && <Failure of={state.failure} again={look} />}
      {account && (
        <AccountContext.Provider value={account}>
          <Frame account={account} leave={() => setState({ is: 'out' })} look={lookAgain} />
        </AccountContext.Provider>
      )}
      {state.is === 'out' && (
        <SignIn
          last={state.last}
          enter={(account) => {
            // Somebody else must not see what was open.
            if (state.last && state.last.uuid !== account.uuid) location.reload();
            setState({ is: 'in', account });
          }}
        />
      )}
      <Toasts />
    </>
  );
}

/** What somebody may, and what the server does, changes while a page is open. */
function later(before: Account, account: Account): Account {
  if (account.uuid !== before.uuid) location.reload(); // somebody else has signed in by another window
  return JSON.stringify(account) === JSON.stringify(before) ? before : account;
}

function Frame({ account, leave, look }: { account: Account; leave: () => void; look: () => void }) {
  const { path } = usePlace();
  const first = useRef(path);
  useEffect(() => {
    // Whoever reads by ear, or goes by keys, is told of the new page and goes on from there.
    if (first.current !== path) {
      document.getElementById('page')?.focus({ preventScroll: true });
      // Not everybody is told of what changes in main.
      look();
    }
    first.current = '';
  }, [path]);
  const offered = pages.filter((page) => isOffered(page, account));
  const out = async () => {
    await signOut().catch((error: Error) => toast(error.message, { isBad: true }));
    leave();
  };
  return (
    <div class="frame">
      <a class="skip" href="#page">
        To the page
      </a>
      <header class="top">
        <Link to="/" class="name">
          Slipway
        </Link>
        <Navigation path={path} offered={offered} />
        <Live />
        <Menu key={path} label={account.display_name || account.name}>
          <MenuActions
            actions={[
              { label: 'My account', act: () => go('/account') },
              { label: 'Sign out', act: out },
            ]}
          />
        </Menu>
      </header>
      <main id="page" tabIndex={-1}>
        <NoFiles />
        <Current path={path} offered={offered} />
      </main>
    </div>
  );
}

/** The page that the address names. One that is not offered says no more than one that is not there. */
function Current({ path, offered }: { path: string; offered: readonly Page[] }) {
  for (const page of offered) {
    const params = matched(page.path, path);
    if (params) return <Loaded key={path} page={page} params={params} />;
  }
  return (
    <section>
      <h1>There is no such page</h1>
      <p>
        It is not there, or not for you. <Link to="/">Go to the images</Link>
      </p>
    </section>
  );
}

function Loaded({ page, params }: { page: Page; params: PageProps['params'] }) {
  const [Shown, setShown] = useState<ComponentType<PageProps>>();
  const [failure, setFailure] = useState<Unreachable>();
  const load = useCallback(() => {
    setFailure(undefined);
    page.load().then(
      ({ default: component }) => setShown(() => component),
      () => setFailure(new Unreachable('this page could not be fetched')),
    );
  }, [page]);
  useEffect(load, [load]);
  useEffect(() => {
    document.title = `${page.title} · Slipway`;
  }, [page]);
  if (failure) return <Failure of={failure} again={load} />;
  if (!Shown) return <p class="loading">loading …</p>;
  return (
    <Boundary>
      <Shown params={params} />
    </Boundary>
  );
}

const words: Record<Connection, string> = {
  connecting: 'connecting …',
  live: 'live',
  cut: 'the server is out of reach: what is shown may be old',
};

function Live() {
  const [connection, setConnection] = useState<Connection>('connecting');
  useEffect(() => watchConnection(setConnection), []);
  return (
    <span class={`live ${connection}`} role="status">
      {words[connection]}
    </span>
  );
}
