import UPlot from 'uplot';
import { type Line, stacked } from './chart-data.js';

export interface Picture {
  /** Seconds. */
  times: readonly number[];
  /** Seconds from one to the next. */
  step: number;
  lines: readonly Line[];
  /** It adds up: each point has what came in its step. */
  isFlow: boolean;
  /** Bytes are counted by twos. */
  isBytes: boolean;
  format: (value: number) => string;
}

const HEIGHT = 180;

/** Pixels between figures of the axes. */
const APART = { time: 76, value: 34 };

const bytesApart = Array.from({ length: 60 }, (_, power) => 2 ** power);
const countsApart = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((n) => n * 10 ** power)).flat();

const clock = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const day = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short' });
const month = new Intl.DateTimeFormat('en', { month: 'short', year: 'numeric' });

const DAY = 86_400;

/** Days have no clock, and months no day. */
function timeWords(time: number, apart: number): string {
  const date = new Date(time * 1000);
  if (apart >= 28 * DAY) return month.format(date);
  const words = clock.format(date);
  return apart >= DAY || words === '00:00' ? day.format(date) : words;
}

/** Drawn into a box, as wide as that is; whatever is pointed at is told by its number. */
export function draw(box: HTMLElement, { times, step, lines, isFlow, isBytes, format }: Picture, point: PointAt) {
  const colour = coloursOf(box);
  const heights = stacked(lines);
  const drawn = lines.map((line, n) => ({ line, heights: heights[n]! })).toReversed();
  const axis = { stroke: colour('quiet'), grid: { stroke: colour('line'), width: 1 }, ticks: { show: false } };
  const end = (times.at(-1) ?? 0) + (isFlow ? step : 0);
  const chart = new UPlot(
    {
      width: box.clientWidth,
      height: HEIGHT,
      pxAlign: isFlow ? 1 : 0,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: !isFlow } },
      padding: [8, 12, 0, 0],
      scales: {
        x: { range: () => [times[0] ?? 0, end] },
        y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] },
      },
      axes: [
        {
          ...axis,
          size: 30,
          space: APART.time,
          values: (_, at, __, ___, apart) => at.map((time) => timeWords(time, apart)),
        },
        {
          ...axis,
          size: 78,
          space: APART.value,
          incrs: isBytes ? bytesApart : countsApart,
          values: (_, at) => at.map((value) => format(value)),
        },
      ],
      series: [
        {},
        ...drawn.map(({ line: { title, tone, isForeseen } }) => ({
          label: title,
          stroke: colour(tone),
          width: 1.5,
          // those before it are drawn over it
          ...(!isForeseen && { fill: isFlow ? colour(tone) : `${colour(tone)}30` }),
          ...(isForeseen && { dash: [5, 5] }),
          ...(isFlow && { paths: UPlot.paths.bars!({ align: 1, size: [0.85, 60] }) }),
          points: { show: false },
        })),
      ],
      hooks: { setCursor: [({ cursor }) => point(cursor.idx ?? undefined)] },
    },
    [[...times], ...drawn.map(({ heights }) => heights)],
    box,
  );
  const resized = new ResizeObserver(() => {
    if (box.clientWidth !== chart.width) chart.setSize({ width: box.clientWidth, height: HEIGHT });
  });
  resized.observe(box);
  return () => {
    resized.disconnect();
    chart.destroy();
  };
}

type PointAt = (index: number | undefined) => void;

function coloursOf(box: HTMLElement) {
  const style = getComputedStyle(box);
  return (name: string) => style.getPropertyValue(`--${name}`).trim();
}
