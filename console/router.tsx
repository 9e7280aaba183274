import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { base } from './base.js';

/** Where the person is: the part of the address that is ours, without the prefix of the server. */
export interface Place {
  path: string;
  query: URLSearchParams;
}

const here = (): Place => ({
  path: location.pathname.slice(base.length).replace(/\/+$/, '') || '/',
  query: new URLSearchParams(location.search),
});

const followers = new Set<() => void>();
const tell = () => {
  for (const follower of [...followers]) follower();
};

/** Whether to leave a page that holds something which was typed and not sent. */
type Guard = () => boolean;
const guards = new Set<Guard>();
const isHeld = () => [...guards].some((guard) => !guard());

/** What is shown: where the browser goes back, its own address is another one already. */
let shown = new URL(location.href);

addEventListener('popstate', () => {
  if (location.pathname !== shown.pathname && isHeld()) return history.pushState(null, '', shown);
  shown = new URL(location.href);
  tell();
});

const hrefOf = (to: string) => base + to;

/** A change of the query alone replaces the address where it is only a look at the same page. */
export function go(to: string, { replace = false }: { replace?: boolean } = {}): void {
  const isElsewhere = new URL(hrefOf(to), location.href).pathname !== location.pathname;
  if (isElsewhere && isHeld()) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', hrefOf(to));
  shown = new URL(location.href);
  if (isElsewhere) scrollTo(0, 0);
  tell();
}

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const follow = () => setPlace(here());
    followers.add(follow);
    follow();
    return () => void followers.delete(follow);
  }, []);
  return place;
}

/** Asks before the page is left, also by closing the window. */
export function useGuard(isDirty: boolean, ask: Guard): void {
  useEffect(() => {
    if (!isDirty) return;
    const stay = (event: BeforeUnloadEvent) => event.preventDefault();
    guards.add(ask);
    addEventListener('beforeunload', stay);
    return () => {
      guards.delete(ask);
      removeEventListener('beforeunload', stay);
    };
  }, [isDirty, ask]);
}

/** A part of the query as state: what is filtered and sorted stands in the address, so that it can be sent to others. */
export function useQuery(name: string): [string, (value: string) => void] {
  const { path, query } = usePlace();
  const set = (value: string) => {
    const next = new URLSearchParams(location.search);
    if (value === '') next.delete(name);
    else next.set(name, value);
    const text = next.toString();
    go(path + (text && `?${text}`), { replace: true });
  };
  return [query.get(name) ?? '', set];
}

interface LinkProps {
  to: string;
  children: ComponentChildren;
  class?: string;
  title?: string;
  'aria-current'?: 'page' | undefined;
}

export function Link({ to, children, ...rest }: LinkProps) {
  const follow = (event: MouseEvent) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a {...rest} href={hrefOf(to)} onClick={follow}>
      {children}
    </a>
  );
}

/** `/images/:name` against `/images/base-64` gives `{ name: 'base-64' }`. */
export function matched(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/');
  const found = path.split('/');
  if (wanted.length !== found.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    const given = found[at] ?? '';
    if (part.startsWith(':')) params[part.slice(1)] = decoded(given);
    else if (part !== given) return undefined;
  }
  return params;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // somebody typed a lone percent sign
  }
}
