import type { Answer } from './ask.js';

export interface Scraped {
  text: string;
  /** Of the sample with exactly these labels; undefined where there is none. */
  value(name: string, labels?: Record<string, string>): number | undefined;
  /** Every value that a label has, whatever the metric. */
  labelValues(label: string): Set<string>;
  /** Metrics that have samples, without the endings of histograms. */
  names: Set<string>;
}

const SAMPLE = /^([a-z_0-9]+)(?:\{(.*)\})? (\S+)$/i;
const LABEL = /([a-z_]+)="((?:[^"\\]|\\.)*)"/g;

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** What a scrape says, line by line; throws where a line is none of the format. */
export function scraped({ bytes }: Pick<Answer, 'bytes'>): Scraped {
  const text = bytes.toString();
  const samples = text.split('\n').flatMap((line) => (line === '' || line.startsWith('#') ? [] : [sampleOf(line)]));
  return {
    text,
    value: (name, labels = {}) =>
      samples.find((sample) => sample.name === `slipway_${name}` && isSame(sample.labels, labels))?.value,
    labelValues: (label) => new Set(samples.flatMap(({ labels }) => labels[label] ?? [])),
    names: new Set(samples.map(({ name }) => name.replace(/_(bucket|sum|count)$/, ''))),
  };
}

function sampleOf(line: string): Sample {
  const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
  if (name === undefined) throw new Error(`not a sample: ${line}`);
  const pairs = [...labels.matchAll(LABEL)].map(([, label = '', text = '']) => [label, text] as const);
  return { name, labels: Object.fromEntries(pairs), value: Number(value) };
}

function isSame(a: Record<string, string>, b: Record<string, string>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
