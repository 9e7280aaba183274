import type { ComponentChildren } from 'preact';
import type { Results } from '../api/types.js';
import { type History, type Series, type Stretch, useHistory } from '../api/use-history.js';
import { Chart } from './chart.js';
import { foreseen, type Line } from './chart-data.js';
import { Failure } from './failure.js';

interface Props {
  overview: Results['GetOverview'];
  stretch: Stretch;
  dc: string;
  /** Whether what is told of the server as a whole is for the one who looks. */
  isWhole: boolean;
}

interface Plan {
  title: string;
  unit: 'bytes' | 'images' | 'downloads';
  isFlow: boolean;
  /** Of the whole server, or of some images. */
  isFor: 'all' | 'whole' | 'part';
  series: readonly { what: Series; title: string; tone: Line['tone'] }[];
}

const FREE = 'free_bytes';

// biome-ignore format: a table is read down its columns
const plans: readonly Plan[] = [
  { title: 'Stored over time', unit: 'bytes', isFlow: false, isFor: 'whole', series: [
    { what: 'stored_bytes', title: 'stored', tone: 'main' }, { what: 'saved_bytes', title: 'saved by deduplication', tone: 'good' } ] },
  { title: 'Files of images', unit: 'bytes', isFlow: false, isFor: 'part', series: [
    { what: 'logical_bytes', title: 'their size', tone: 'main' } ] },
  { title: 'Free on the disk', unit: 'bytes', isFlow: false, isFor: 'whole', series: [
    { what: FREE, title: 'free', tone: 'main' } ] },
  { title: 'Images', unit: 'images', isFlow: false, isFor: 'all', series: [
    { what: 'images', title: 'images', tone: 'main' } ] },
  { title: 'Served', unit: 'bytes', isFlow: true, isFor: 'all', series: [
    { what: 'served_bytes', title: 'served', tone: 'main' } ] },
  { title: 'Taken in', unit: 'bytes', isFlow: true, isFor: 'all', series: [
    { what: 'taken_bytes', title: 'uploaded', tone: 'main' }, { what: 'imported_bytes', title: 'imported', tone: 'good' } ] },
  { title: 'Downloads', unit: 'downloads', isFlow: true, isFor: 'all', series: [
    { what: 'downloads', title: 'downloads', tone: 'main' } ] },
];

/** How it went, in as many charts as there are things to tell the one who looks. */
export function OverviewCharts({ overview: { at, sampled, disk }, stretch, dc, isWhole }: Props) {
  const isMeant = ({ isFor }: Plan) => isFor === 'all' || isFor === (isWhole ? 'whole' : 'part');
  const meant = plans.filter(isMeant);
  const series = meant.flatMap((plan) => plan.series.map(({ what }) => what));
  const { of: courses, failure, again } = useHistory({ series, stretch, dc, at, sampled });
  if (failure && !courses) return <Failure of={failure} again={again} />;
  if (!courses) return <p class="loading">loading …</p>;
  // A server whose files lie in a bucket has no disk of its own.
  const has = ({ series }: Plan) => series.every(({ what }) => what !== FREE || disk !== null);
  return (
    <>
      {failure && <Failure of={failure} again={again} />}
      <div class="boxes loose figures charts">
        {meant.filter(has).map((plan) => chartOf(plan, courses, disk?.change_per_day ?? null))}
      </div>
    </>
  );
}

function chartOf(
  { title, unit, isFlow, series }: Plan,
  courses: ReadonlyMap<Series, History>,
  perDay: number | null,
): ComponentChildren {
  const first = courses.get(series[0]!.what);
  if (!first) return null;
  const { step } = first;
  const times = first.points.map(({ at }) => Date.parse(at) / 1000);
  const lines = series.map(({ what, title, tone }): Line => {
    return { title, tone, values: courses.get(what)?.points.map(({ value }) => value) ?? [] };
  });
  const look = { title, unit, isFlow, step };
  if (series[0]!.what !== FREE || perDay === null || perDay >= 0) {
    return <Chart key={title} {...look} times={times} lines={lines} />;
  }
  const { ahead, line } = foreseen({ times, values: lines[0]!.values }, perDay, step);
  const free = { ...lines[0]!, values: [...lines[0]!.values, ...ahead.map(() => null)] };
  const next: Line = { title: 'if it goes on', tone: 'warn', values: line.values, isForeseen: true };
  return <Chart key={title} {...look} times={[...times, ...ahead]} lines={[free, next]} />;
}
