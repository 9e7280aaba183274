import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type Metric, metrics } from './metrics.js';

export const PREFIX = 'slipway_';

type Table = typeof metrics;
type LabelOf<Name extends keyof Table> = keyof Table[Name]['labels'] & string;

interface Kinds<Label extends string> {
  counter: Counter<Label>;
  gauge: Gauge<Label>;
  histogram: Histogram<Label>;
}

export type Instruments = { [Name in keyof Table]: Kinds<LabelOf<Name>>[Table[Name]['type']] };

/** What was measured since the start. Each server has its own, so that two in a process do not count for each other. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #readings: (() => void | Promise<void>)[] = [];
  readonly instruments = Object.fromEntries(
    Object.entries(metrics).map(([name, metric]) => [name, instrument(name, metric, this.#registry)]),
  ) as Instruments;

  /** Sets what is not counted as it happens but looked at when somebody asks. */
  atScrape(reading: () => void | Promise<void>): void {
    this.#readings.push(reading);
  }

  /** Adds what the process as a whole does. Once in a process: its collectors live as long. */
  watchProcess(version: string): void {
    collectDefaultMetrics({ register: this.#registry, prefix: PREFIX });
    this.instruments.build_info.set({ version, node: process.version }, 1);
  }

  async scrape(): Promise<{ contentType: string; text: string }> {
    for (const read of this.#readings) await read();
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}

function instrument(name: string, { type, help, labels, buckets = [] }: Metric, registry: Registry) {
  const options = { name: `${PREFIX}${name}`, help, labelNames: Object.keys(labels), registers: [registry] };
  if (type === 'histogram') return new Histogram({ ...options, buckets: [...buckets] });
  if (type === 'gauge') return unset(new Gauge(options));
  const counter = new Counter(options);
  // A counter that begins with its first event hides that event from increase() and rate().
  for (const combination of combinations(labels)) counter.inc(combination, 0);
  return counter;
}

/** What nobody has looked at is absent, not 0. */
function unset(gauge: Gauge): Gauge {
  gauge.remove({});
  return gauge;
}

/** Every combination of the labels' values; none where one of them has values that are not known beforehand. */
function combinations(labels: Metric['labels']): Record<string, string>[] {
  return Object.entries(labels).reduce<Record<string, string>[]>(
    (found, [label, values]) =>
      typeof values === 'string' ? [] : found.flatMap((some) => values.map((value) => ({ ...some, [label]: value }))),
    [{}],
  );
}
