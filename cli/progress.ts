import type { Io } from './command.js';
import { sizeText } from './output.js';
import { visible } from './visible.js';

export interface Task {
  label: string;
  /** How many bytes there are, where it is known. */
  total?: number | undefined;
  /** There may be fewer. */
  ceiling?: boolean | undefined;
  /** How many of them were there before. */
  done?: number;
  quiet?: boolean | undefined;
}

export type Advance = (bytes: number) => void;

/** How far it had come, and when. */
interface Sample {
  at: number;
  bytes: number;
}

const EVERY = 200;
/** The rate is that of the last so many samples. */
const SAMPLES = 25;
const BAR = 16;
/** The end of a path tells more than its beginning. */
const LABEL = 30;

/** Shows on a terminal, for as long as the work goes on, how far it has come. */
export async function withProgress<T>(io: Io, task: Task, work: (advance: Advance) => Promise<T>): Promise<T> {
  if (task.quiet || !io.stderr.isTTY) return work(() => {});
  let bytes = task.done ?? 0;
  const samples: Sample[] = [{ at: performance.now(), bytes }];
  const timer = setInterval(() => {
    samples.push({ at: performance.now(), bytes });
    if (samples.length > SAMPLES) samples.shift();
    io.stderr.write(`\r${progressLine(task, samples).slice(0, (io.stderr.columns || 80) - 1)}\x1b[K`);
  }, EVERY);
  try {
    return await work((more) => {
      bytes += more;
    });
  } finally {
    clearInterval(timer);
    io.stderr.write('\r\x1b[K');
  }
}

/** One line: what, how much of it, how fast, and for how long yet. */
export function progressLine({ label, total }: Pick<Task, 'label' | 'total'>, samples: readonly Sample[]): string {
  const [first, last] = [samples[0], samples.at(-1)];
  const bytes = last?.bytes ?? 0;
  const rate = first && last && last.at > first.at ? ((last.bytes - first.bytes) * 1000) / (last.at - first.at) : 0;
  return lineOf({ label, total }, bytes, rate);
}

/** With so many bytes done, and so many more each second. */
export function lineOf({ label, total, ceiling }: Omit<Task, 'done' | 'quiet'>, bytes: number, rate: number): string {
  const speed = `${sizeText(Math.round(rate))}/s`;
  const what = visible(label.length > LABEL ? `…${label.slice(1 - LABEL)}` : label);
  if (total === undefined) return `${what}  ${sizeText(bytes)}  ${speed}`;
  const share = total > 0 ? Math.min(bytes / total, 1) : 1;
  const bar = '#'.repeat(Math.floor(share * BAR)).padEnd(BAR, '-');
  const most = ceiling ? 'at most ' : '';
  const far = (percent: string) => `${what}  [${bar}] ${percent.padStart(4)} of ${most}${sizeText(total)}`;
  // what is left is the other side's: to verify what has come, and to write it down
  if (share === 1) return `${far('100%')}  finishing`;
  const left = rate > 0 ? `${most}${durationText((total - bytes) / rate)} left` : '';
  return `${far(`${Math.floor(share * 100)}%`)}  ${speed}  ${left}`.trimEnd();
}

/** Hours only where there are any: 0:07, 12:34, 1:02:03. */
function durationText(seconds: number): string {
  const whole = Math.ceil(Math.max(seconds, 0));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const parts = hours > 0 ? [hours, padded(minutes)] : [minutes];
  return [...parts, padded(whole % 60)].join(':');
}

const padded = (value: number) => String(value).padStart(2, '0');
