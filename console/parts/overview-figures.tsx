import type { Results } from '../api/types.js';
import { bytes } from './words.js';

type Overview = Results['GetOverview'];

interface Props {
  overview: Overview;
  isWhole: boolean;
}

/** What is there. */
export function Stored({ overview: { images, logical_bytes: logical, stored, growth }, isWhole }: Props) {
  return (
    <section class="box">
      <h2>Stored</h2>
      {stored ? (
        <>
          <p class="sum">{bytes(stored.bytes)}</p>
          <p>
            {bytes(stored.saved_bytes)} saved by deduplication{shareOf(stored)}: the files of {counted(images, 'image')}{' '}
            are {bytes(logical)} together.
          </p>
        </>
      ) : (
        <>
          <p class="sum">{bytes(logical)}</p>
          <p>the files of {counted(images, 'image')}</p>
          {isWhole && <p class="quiet">What is stored is not known yet: the first sample comes within five minutes.</p>}
        </>
      )}
      <h3>Growth</h3>
      <Growth growth={growth} />
    </section>
  );
}

const shareOf = ({ bytes: kept, saved_bytes: saved }: NonNullable<Overview['stored']>) =>
  saved > 0 ? ` (${Math.round((saved / (kept + saved)) * 100)} %)` : '';

export const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;

const spans = ['day', 'week', 'month', 'year'] as const;

/** What came and went since then; of nothing known there is nothing to compare with. */
const Growth = ({ growth }: Pick<Overview, 'growth'>) => (
  <table class="small">
    <thead>
      <tr>
        <th scope="col">in the last</th>
        <th scope="col" class="number">
          images
        </th>
        <th scope="col" class="number">
          their files
        </th>
      </tr>
    </thead>
    <tbody>
      {spans.map((span) => {
        const grown = growth[span];
        return (
          <tr key={span}>
            <th scope="row">{span}</th>
            {grown ? (
              <>
                <td class="number">{signed(grown.images, String)}</td>
                <td class="number">{signed(grown.bytes, bytes)}</td>
              </>
            ) : (
              <td class="number quiet" colSpan={2}>
                not known yet
              </td>
            )}
          </tr>
        );
      })}
    </tbody>
  </table>
);

const signed = (value: number, words: (value: number) => string) =>
  value === 0 ? words(0) : `${value < 0 ? '−' : '+'}${words(Math.abs(value))}`;

/** How full the disk is, and when it will be. */
export function Disk({ disk }: { disk: NonNullable<Overview['disk']> }) {
  const { free_bytes: free, size_bytes: size } = disk;
  const { text, tone } = outlook(disk);
  return (
    <section class="box">
      <h2>Disk</h2>
      <p class="sum">{bytes(free)} free</p>
      <meter
        aria-label="used of the disk"
        aria-valuetext={`${bytes(free)} of ${bytes(size)} free`}
        min={0}
        max={size || 1}
        low={size * 0.8}
        high={size * 0.95}
        optimum={0}
        value={size - free}
      />
      <p>of {bytes(size)}</p>
      <p class={tone}>{text}</p>
    </section>
  );
}

/** Fewer days than these are worth a word in colour. */
const SOON = 14;
const IN_SIGHT = 60;

function outlook({ change_per_day: perDay, full_in_days: days }: NonNullable<Overview['disk']>) {
  if (perDay === null) return { tone: 'quiet', text: 'When it will be full is told after some days of samples.' };
  const pace = `${bytes(Math.abs(perDay))} a day`;
  if (days !== null) {
    const when = days === 0 ? 'within a day' : `in ${counted(days, 'day')}`;
    const tone = days <= SOON ? 'bad-text' : days <= IN_SIGHT ? 'warn-text' : '';
    return { tone, text: `It will be full ${when}, if it goes on to fill by ${pace}.` };
  }
  if (perDay >= 0) return { tone: '', text: 'It does not fill up.' };
  return { tone: '', text: `It fills by ${pace}: it will not be full within ten years.` };
}

const rows = [
  ['downloads', 'Downloads', false],
  ['served_bytes', 'served', true],
  ['uploads', 'Uploads', false],
  ['taken_bytes', 'taken in', true],
  ['imports', 'Imports', false],
  ['imported_bytes', 'fetched', true],
  ['failed_tasks', 'Failed tasks', false],
] as const;

/** What is moved. */
export function Transfers({ transfers: { now, day, week } }: Pick<Overview, 'transfers'>) {
  return (
    <section class="box">
      <h2>Transfers</h2>
      <p class="sum">
        {counted(now.downloads, 'download')} <small>and</small> {counted(now.uploads, 'upload')}
      </p>
      <p>now</p>
      <table class="small">
        <thead>
          <tr>
            <th scope="col">in the last</th>
            <th scope="col" class="number">
              day
            </th>
            <th scope="col" class="number">
              week
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, title, isBytes]) => (
            <tr key={name}>
              <th scope="row">{title}</th>
              <td class="number">{isBytes ? bytes(day[name]) : day[name]}</td>
              <td class="number">{isBytes ? bytes(week[name]) : week[name]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
