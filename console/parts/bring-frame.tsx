import type { ComponentChildren } from 'preact';
import { Link } from '../router.js';
import { useAccount } from '../session.js';
import { type Way, ways, whyNot } from './bring-ways.js';
import '../style/bring.css';

/** What all ways of bringing an image in have around them: the others, and what this one does. */
export function BringFrame({ path, children }: { path: string; children: ComponentChildren }) {
  const account = useAccount();
  const way = ways.find((one) => one.path === path);
  const reason = way && whyNot(way, account);
  return (
    <section>
      <h1>Bring in an image</h1>
      <nav class="ways" aria-label="ways to bring an image in">
        {ways
          .filter(({ isFor }) => isFor(account))
          .map((one) => (
            <WayTo key={one.path} way={one} reason={whyNot(one, account)} isCurrent={one === way} />
          ))}
      </nav>
      {way && <p class="quiet">{way.does}</p>}
      {reason === undefined ? children : <p>It is not possible now: {reason}.</p>}
    </section>
  );
}

const WayTo = ({
  way: { path, title },
  reason,
  isCurrent,
}: {
  way: Way;
  reason: string | undefined;
  isCurrent: boolean;
}) =>
  reason === undefined ? (
    <Link to={path} aria-current={isCurrent ? 'page' : undefined}>
      {title}
    </Link>
  ) : (
    <span class="quiet" title={reason}>
      {title}
    </span>
  );
