import type { ComponentChildren } from 'preact';
import { Link } from '../router.js';
import { useAccount } from '../session.js';
import { ways } from './bring-ways.js';
import '../style/bring.css';

/** What all ways of bringing an image in have around them: the others, and what this one does. */
export function BringFrame({ path, children }: { path: string; children: ComponentChildren }) {
  const account = useAccount();
  const way = ways.find((one) => one.path === path);
  return (
    <section>
      <h1>Bring in an image</h1>
      <nav class="ways" aria-label="ways to bring an image in">
        {ways
          .filter(({ isFor }) => isFor(account))
          .map(({ path: to, title }) => (
            <Link key={to} to={to} aria-current={to === path ? 'page' : undefined}>
              {title}
            </Link>
          ))}
      </nav>
      {way && <p class="quiet">{way.does}</p>}
      {children}
    </section>
  );
}
