import { PREFIX } from './instruments.js';
import { type Metric, metrics } from './metrics.js';

const processMetrics = [
  'process_start_time_seconds',
  'process_cpu_user_seconds_total',
  'process_cpu_system_seconds_total',
  'process_resident_memory_bytes',
  'nodejs_heap_size_used_bytes',
  'nodejs_external_memory_bytes',
  'nodejs_eventloop_lag_p50_seconds',
  'nodejs_eventloop_lag_p99_seconds',
  'nodejs_eventloop_lag_max_seconds',
  'nodejs_gc_duration_seconds',
  'nodejs_active_resources',
];

/** docs/metrics.md, from the table. */
export function metricsPage(): string {
  const rows = Object.entries<Metric>(metrics).map(
    ([name, { type, help, labels }]) => `| \`${PREFIX}${name}\` | ${type} | ${help} | ${labelsOf(labels)} |`,
  );
  return `# Metrics

Generated from \`server/metrics/metrics.ts\` by \`npm run docs\`; a test holds this page against the table.

\`GET /metrics\` answers in the text format of Prometheus. On the main port it is for operators: a token of scope
\`metrics\` is enough. Where \`metricsPort\` is set, that port serves it without credentials, together with \`/healthz\` and
\`/readyz\` and nothing else. \`etc/grafana-dashboard.json\` draws what is below.

Labels come from the server's own tables: no uuid, name, address or path is ever one.

| metric | type | what | labels |
|---|---|---|---|
${rows.join('\n')}

A histogram has \`_bucket\`, \`_sum\` and \`_count\`, in seconds. Bytes of requests are those on the connection; with TLS, those
inside it. Digest workers serve every transfer: \`rate(${PREFIX}digest_seconds_total[5m])\` near 1 means that one is the
limit of uploads.

## The process

Beside these there is what prom-client says of every Node process, with our prefix:

${processMetrics.map((name) => `- \`${PREFIX}${name}\``).join('\n')}
- and others, some of them on Linux only
`;
}

function labelsOf(labels: Metric['labels']): string {
  return Object.entries(labels)
    .map(([label, values]) => `\`${label}\`: ${typeof values === 'string' ? values : values.join(', ')}`)
    .join('<br>');
}
