import { part } from '../api/ask.js';
import { useAsked } from '../api/use-asked.js';
import { BringFrame } from '../parts/bring-frame.js';
import { ways, whyNot } from '../parts/bring-ways.js';
import { Link } from '../router.js';
import { useAccount } from '../session.js';

/** Where images come from. */
export default function Bring() {
  const account = useAccount();
  const offered = ways.filter(({ isFor }) => isFor(account));
  const stores = useAsked<string[]>(account.super_admin ? '/imagestore' : undefined).answer?.result ?? [];
  // Names of repositories begin with a letter or digit; that of the folder does not.
  const folder = stores.find((name) => name.startsWith('_'));
  return (
    <BringFrame path="/bring">
      {offered.length === 0 && <p>Nobody has given you the right to bring images in. Ask an administrator for it.</p>}
      <div class="boxes">
        {offered.map((way) => {
          const { path, title, does } = way;
          const reason = whyNot(way, account);
          return (
            <section key={path} class="box">
              <h2>{reason === undefined ? <Link to={path}>{title}</Link> : <span class="quiet">{title}</span>}</h2>
              <p>{does}</p>
              {reason !== undefined && <p class="quiet">Not now: {reason}.</p>}
            </section>
          );
        })}
        {account.super_admin && (
          <section class="box">
            <h2>From the folder of the server</h2>
            <p>
              Files that were put there by hand are listed as a repository of its own, verified, and taken over without
              being copied{folder === undefined ? '. No folder is configured.' : ': look at '}
              {folder !== undefined && <Link to={`/bring/repository?repo=${part(folder)}`}>{folder}</Link>}
            </p>
          </section>
        )}
      </div>
    </BringFrame>
  );
}
