import type { ComponentType } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { Unreachable } from './api/ask.js';
import { type Connection, watchConnection } from './api/live.js';
import { useAgain } from './api/use-asked.js';
import { Navigation } from './navigation.js';
import { isOffered, landingOf, type Page, type PageProps, pages, whomFor } from './pages.js';
import { Boundary } from './parts/boundary.js';
import { Ending } from './parts/ending.js';
import { Failure } from './parts/failure.js';
import { Menu, MenuActions } from './parts/menu.js';
import { NoFiles } from './parts/no-files.js';
import { Toasts, toast } from './parts/toasts.js';
import { useNews } from './parts/use-news.js';
import { go, Link, matched, usePlace } from './router.js';
import { type Account, AccountContext } from './session.js';
import { SignIn } from './sign-in.js';
import { useSession } from './use-session.js';

/** The frame: who is signed in, where one can go, and the page that the address names. */
export function App() {
  const { state, account, look, enter, proveAgain, leave } = useSession();
  return (
    <>
      {state.is === 'away' && <Failure of={state.failure} again={look} />}
      {account && (
        <AccountContext.Provider value={account}>
          <Frame account={account} leave={leave} look={look} />
          {state.is === 'in' && <Ending look={look} proveAgain={proveAgain} />}
        </AccountContext.Provider>
      )}
      {state.is === 'out' && <SignIn last={state.last} enter={enter} />}
      <Toasts />
    </>
  );
}

interface FrameProps {
  account: Account;
  leave: () => Promise<void>;
  look: () => void;
}

function Frame({ account, leave, look }: FrameProps) {
  const { path } = usePlace();
  useNews(account.name);
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
  const out = () => leave().catch((error: Error) => toast(error.message, { isBad: true }));
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
              { label: 'Sign out', act: () => void out() },
            ]}
          />
        </Menu>
      </header>
      <main id="page" tabIndex={-1}>
        <NoFiles />
        <Current path={path} account={account} offered={offered} />
      </main>
    </div>
  );
}

interface CurrentProps {
  path: string;
  account: Account;
  offered: readonly Page[];
}

/** The page that the address names. Which pages there are is no secret: one that is for others says for whom. */
function Current({ path, account, offered }: CurrentProps) {
  const start = landingOf(account);
  const isLost = path === '/' && start !== '/';
  useEffect(() => {
    if (isLost) go(start, { replace: true });
  }, [isLost, start]);
  if (isLost) return null;
  for (const page of offered) {
    const params = matched(page.path, path);
    if (params) return <Loaded key={path} page={page} params={params} />;
  }
  const others = pages.find((page) => matched(page.path, path));
  return (
    <section>
      <h1>{others ? 'This page is not for you' : 'There is no such page'}</h1>
      <p>
        {others && `“${others.title}” is for ${whomFor(others)}. Ask one of them if you need something of it. `}
        <Link to={start}>Go to the images</Link>
      </p>
    </section>
  );
}

function Loaded({ page, params }: { page: Page; params: PageProps['params'] }) {
  const [Shown, setShown] = useState<ComponentType<PageProps>>();
  const [failure, setFailure] = useState<Unreachable>();
  const load = useCallback(() => {
    page.load().then(
      ({ default: component }) => {
        setFailure(undefined);
        setShown(() => component);
      },
      () => setFailure(new Unreachable('this page could not be fetched')),
    );
  }, [page]);
  useEffect(load, [load]);
  useEffect(() => {
    document.title = `${page.title} · Slipway`;
  }, [page]);
  useAgain(failure, load);
  // Where the server is another version by now, its files have other names, which only the whole page knows.
  if (failure) return <Failure of={failure} again={() => location.reload()} />;
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
    <span class={`connection ${connection}`} role="status">
      {words[connection]}
    </span>
  );
}
