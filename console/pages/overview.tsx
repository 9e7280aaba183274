import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { useCalm } from '../api/use-calm.js';
import { type Stretch, stretches } from '../api/use-history.js';
import { Failure } from '../parts/failure.js';
import { BusyImages, BusyNodes } from '../parts/overview-busy.js';
import { OverviewCharts } from '../parts/overview-charts.js';
import { Disk, Stored, Transfers } from '../parts/overview-figures.js';
import { Repositories, Tasks } from '../parts/overview-wrong.js';
import { useEvery } from '../parts/use-every.js';
import { useQuery } from '../router.js';
import { useAccount } from '../session.js';
import '../style/overview.css';

/** Nobody tells of transfers: they are asked for again, in milliseconds. */
const AGAIN = 5000;
/** However much happens, it is not asked for more often. */
const PAUSE = 2000;

const every = Object.keys(stretches) as Stretch[];

/** How the server stands, to be left open: what is stored and moved, what is busy and what is wrong. */
export default function Overview() {
  const { super_admin: isOperator, roles } = useAccount();
  const [dc, setDc] = useQuery('dc');
  const [asked, setStretch] = useQuery('stretch');
  const stretch = every.find((one) => one === asked) ?? 'day';
  const known = useAsked<string[]>('/dc', { kinds: ['datacenters'] }).answer?.result ?? [];
  const names = known.filter((name) => isOperator || roles[name]?.includes('admin'));
  const { answer, failure, refresh } = useAsked<Results['GetOverview']>('/overview', { query: { dc } });
  // Asked for on purpose: what hangs on a wall stays signed in.
  useEvery(AGAIN, refresh);
  useCalm(['images', 'tasks', 'repositories', 'datacenters'], PAUSE, refresh);
  const overview = answer?.result;
  const isWhole = isOperator && dc === '';
  const span = stretch === 'hour' || stretch === 'day' ? 'day' : 'week';

  return (
    <section>
      <h1>Overview</h1>
      <div class="bar">
        <select aria-label="data center" value={dc} onChange={(event) => setDc(event.currentTarget.value)}>
          <option value="">{isOperator ? 'the whole server' : 'all of mine'}</option>
          {names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <select
          aria-label="how far back"
          value={stretch}
          onChange={(event) => setStretch(event.currentTarget.value === 'day' ? '' : event.currentTarget.value)}
        >
          {every.map((name) => (
            <option key={name} value={name}>
              the last {name}
            </option>
          ))}
        </select>
      </div>
      {failure && <Failure of={failure} again={refresh} />}
      {!overview && !failure && <p class="loading">loading …</p>}
      {overview && (
        <>
          <div class="boxes figures">
            <Stored overview={overview} isWhole={isWhole} />
            {(overview.disk || overview.repositories) && (
              <div class="pile">
                {overview.disk && <Disk disk={overview.disk} />}
                {overview.repositories && <Repositories repositories={overview.repositories} />}
              </div>
            )}
            <Tasks tasks={overview.tasks} />
          </div>
          <OverviewCharts overview={overview} stretch={stretch} dc={dc} isWhole={isWhole} />
          <div class="boxes figures charts">
            <Transfers transfers={overview.transfers} />
            <BusyImages busy={overview.busiest[span]} span={span} />
            <BusyNodes busy={overview.busiest[span]} span={span} />
          </div>
        </>
      )}
    </section>
  );
}
