import { part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { Link } from '../router.js';
import { useAccount } from '../session.js';
import { Badge } from './badge.js';
import { counted } from './overview-figures.js';
import { Time } from './words.js';

type Overview = Results['GetOverview'];

const SHOWN = 8;

/** What is at work, and what has failed: each leads to its task. */
export function Tasks({ tasks: { running, waiting, failed } }: Pick<Overview, 'tasks'>) {
  return (
    <section class="box">
      <h2>Tasks</h2>
      <p>
        <Link to="/tasks?status=STARTED">{running} at work</Link>,{' '}
        <Link to="/tasks?status=PENDING">{waiting} waiting</Link>
      </p>
      <h3>Failed in the last week</h3>
      {failed.length === 0 ? (
        <p class="quiet">None has failed.</p>
      ) : (
        <ul class="lines" aria-label="failed tasks">
          {failed.slice(0, SHOWN).map(({ id, name, object, user, dc, ended, result }) => (
            <li key={id}>
              <div>
                <Link to={`/tasks/${part(id)}`}>
                  {name} {object}
                </Link>{' '}
                <small class="quiet">
                  by {user}
                  {dc !== null && ` in ${dc}`}, <Time at={ended} />
                </small>
                <div class="error">{whyOf(result)}</div>
              </div>
            </li>
          ))}
        </ul>
      )}
      {failed.length > SHOWN && <Link to="/tasks?status=FAILURE">All that have failed</Link>}
    </section>
  );
}

const whyOf = (result: unknown) =>
  result && typeof result === 'object' && 'detail' in result ? String(result.detail) : '';

const reasons = {
  failed: { word: 'failed', title: 'the last time it was asked' },
  never: { word: 'never read', title: 'it is asked, and nothing has come yet' },
  old: { word: 'old', title: 'it was not asked for longer than is agreed' },
} as const;

/** Of what is imported from: what has not answered as it should. */
export function Repositories({
  repositories: { enabled, stale },
}: {
  repositories: NonNullable<Overview['repositories']>;
}) {
  const { super_admin: isOperator } = useAccount();
  const pathOf = (name: string) => (isOperator ? `/repositories?search=${part(name)}` : '/bring/repository');
  return (
    <section class="box">
      <h2>Repositories</h2>
      <p>
        {counted(enabled, 'repository').replace(/ys$/, 'ies')} asked, {stale.length} stale
      </p>
      {stale.length === 0 ? (
        <p class="quiet">{enabled === 0 ? 'There is none to import from.' : 'All of them are up to date.'}</p>
      ) : (
        <ul class="lines" aria-label="stale repositories">
          {stale.slice(0, SHOWN).map(({ name, why, last_update: last, error }) => (
            <li key={name}>
              <div>
                <Link to={pathOf(name)}>{name}</Link>{' '}
                <Badge text={reasons[why].word} title={reasons[why].title} tone={why === 'failed' ? 'bad' : 'warn'} />{' '}
                <small class="quiet">
                  read last: <Time at={last} />
                </small>
                {error !== null && <div class="error">{error}</div>}
              </div>
            </li>
          ))}
        </ul>
      )}
      {stale.length > SHOWN && <p class="quiet">and {stale.length - SHOWN} more</p>}
    </section>
  );
}
