import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { inWords, isKnown, type Line } from './chart-data.js';
import { draw, type Picture } from './chart-draw.js';
import { bytes } from './words.js';
import '../style/overview.css';

interface Props extends Omit<Picture, 'format' | 'isBytes'> {
  title: string;
  unit: 'bytes' | 'images' | 'downloads';
}

const exact = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23' });
const timeOf = (seconds: number) => exact.format(new Date(seconds * 1000));
const count = new Intl.NumberFormat('en');

/** A figure over time, with its numbers for those who do not see it. */
export function Chart({ title, unit, times, step, lines, isFlow }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<number>();
  const scheme = useScheme();
  const isBytes = unit === 'bytes';
  const format = isBytes ? bytes : (value: number) => count.format(value);
  const key = JSON.stringify([times, lines]);
  // what is told again and is the same is not drawn again
  const picture = useMemo(() => ({ times, step, lines, isFlow, isBytes, format }), [key]);
  const isThere = isKnown(lines);

  useEffect(() => {
    if (isThere && box.current) return draw(box.current, picture, setAt);
  }, [picture, isThere, scheme]);

  const told = at === undefined ? undefined : times[at];
  return (
    <figure class="box chart">
      <figcaption>
        <h2>{title}</h2>
        <span class="quiet">
          {unit}
          {isFlow && `, in each ${spanOf(step)}`}
        </span>
      </figcaption>
      {isThere ? (
        <>
          <div class="chart-box" ref={box} role="img" aria-label={`${title}: ${inWords(lines, isFlow, format)}`} />
          <ul class="legend" aria-hidden="true">
            {lines.map(({ title, tone, values, isForeseen }) => (
              <li key={title} class={`${tone} ${isForeseen ? 'foreseen' : ''}`}>
                {title} {at !== undefined && <b>{shown(values[at], format)}</b>}
              </li>
            ))}
            {told !== undefined && <li class="quiet">{timeOf(told)}</li>}
          </ul>
          <Numbers title={title} times={times} lines={lines} format={format} />
        </>
      ) : (
        <p class="quiet">Nothing is known of it yet: the first sample comes within five minutes.</p>
      )}
    </figure>
  );
}

const shown = (value: number | null | undefined, format: (value: number) => string) =>
  value === null || value === undefined ? '–' : format(Math.round(value));

const spans: readonly (readonly [string, number])[] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

function spanOf(seconds: number): string {
  const [name, length] = spans.find(([, length]) => seconds % length === 0) ?? ['second', 1];
  const many = seconds / length;
  return many === 1 ? name : `${many} ${name}s`;
}

interface NumbersProps {
  title: string;
  times: readonly number[];
  lines: readonly Line[];
  format: (value: number) => string;
}

/** Made only for those who look at it. */
function Numbers({ title, times, lines, format }: NumbersProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        Numbers<span class="unseen"> of {title}</span>
      </summary>
      {isOpen && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
        <section class="numbers" tabIndex={0} aria-label={`numbers of ${title}`}>
          <table class="small">
            <thead>
              <tr>
                <th scope="col">From</th>
                {lines.map(({ title }) => (
                  <th key={title} scope="col" class="number">
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {times.map((time, n) => (
                <tr key={time}>
                  <th scope="row">{timeOf(time)}</th>
                  {lines.map(({ title, values }) => (
                    <td key={title} class="number">
                      {shown(values[n], format)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </details>
  );
}

const dark = matchMedia('(prefers-color-scheme: dark)');

/** A picture has to be drawn anew where the colours are others. */
function useScheme(): boolean {
  const [isDark, setDark] = useState(dark.matches);
  useEffect(() => {
    const look = () => setDark(dark.matches);
    dark.addEventListener('change', look);
    return () => dark.removeEventListener('change', look);
  }, []);
  return isDark;
}
