import type { Progress } from '../model/task.js';

/** The rate is that of so many milliseconds. */
const SPAN = 10_000;
/** Samples are no closer together than this. */
const EVERY = 250;

/** How fast something has gone on of late, by what is told of it now and then. */
export class Pace {
  readonly #samples: { at: number; done: number }[] = [];

  /** With the rate, and the seconds that are left at it; `at` in milliseconds. */
  of(progress: Progress, at: number): Progress {
    const { done, total } = progress;
    const first = this.#sample(done, at);
    const passed = at - first.at;
    if (passed < EVERY || done < first.done) return progress;
    const rate = Math.round(((done - first.done) * 1000) / passed);
    const left = total !== undefined && rate > 0 ? Math.ceil(Math.max(0, total - done) / rate) : undefined;
    return { ...progress, rate, ...(left !== undefined && { left }) };
  }

  #sample(done: number, at: number) {
    const samples = this.#samples;
    const last = samples.at(-1);
    if (!last || at - last.at >= EVERY) samples.push({ at, done });
    while (samples.length > 2 && at - samples[0]!.at > SPAN) samples.shift();
    return samples[0]!;
  }
}
