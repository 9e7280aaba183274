import { readFileSync } from 'node:fs';
import test from 'ava';
import { measuredSweep } from '../../server/metrics/measured-sweep.js';
import { sweep } from '../../server/operations/sweep.js';
import { scraped } from '../support/scraped.js';
import { startServer } from '../support/server.js';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { h: number; w: number; x: number; y: number };
  targets?: { refId: string; expr: string; datasource: { uid: string } }[];
}

const dashboard: {
  schemaVersion: number;
  templating: { list: { name: string; type: string; definition?: string }[] };
  panels: Panel[];
} = JSON.parse(read('etc/grafana-dashboard.json'));

const targets = dashboard.panels.flatMap(({ targets = [] }) => targets);
const queries = [
  ...targets.map(({ expr }) => expr),
  ...dashboard.templating.list.flatMap(({ definition }) => definition ?? []),
];
const drawn = new Set(queries.flatMap((query) => query.match(/\bslipway_[a-z0-9_]+/g) ?? []));
const family = (name: string) => name.replace(/_(bucket|sum|count)$/, '');

test('the dashboard is one that Grafana reads, on any Prometheus', (t) => {
  t.true(dashboard.schemaVersion >= 36);
  t.true(dashboard.templating.list.some(({ name, type }) => name === 'datasource' && type === 'datasource'));
  for (const { datasource, expr } of targets) {
    t.is(datasource.uid, '$' + '{datasource}');
    t.is(expr.split('(').length, expr.split(')').length, expr);
  }
  const ids = dashboard.panels.map(({ id }) => id);
  t.is(new Set(ids).size, ids.length);
  for (const { title, gridPos } of dashboard.panels) t.true(gridPos.x + gridPos.w <= 24, title);
  for (const { type, title, targets = [] } of dashboard.panels) t.is(type === 'row', targets.length === 0, title);
});

test('it has a row for each thing that operators ask about', (t) => {
  const rows = dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title);
  t.deepEqual(rows, [
    'At a glance',
    'Requests',
    'Latency',
    'Transfers and bytes',
    'Storage',
    'Catalog and blobs',
    'Jobs',
    'Process',
    'Nodes',
    'Several daemons',
  ]);
});

test('all that it draws is there on a server that has done one of everything, and in docs/metrics.md', async (t) => {
  const server = await startServer(t);
  server.deps.metrics.watchProcess('0.0.0-test');
  const { uuid } = await server.image();
  await server.ask('GET', `/images/${uuid}/file`);
  await measuredSweep(server.deps.metrics, () => sweep(server.deps));
  // garbage collections are told of by the engine, when it sees fit; a certificate where there is TLS
  const rare = ['slipway_nodejs_gc_duration_seconds', 'slipway_certificate_expiry_timestamp_seconds'];
  const found = scraped(await server.ask('GET', '/metrics', { as: 'admin' }));
  const page = read('docs/metrics.md');
  t.true(drawn.size > 30);
  for (const name of drawn) {
    const known = rare.includes(family(name))
      ? found.text.includes(`# TYPE ${family(name)} `)
      : found.names.has(family(name));
    t.true(known, `${name} is measured`);
    t.true(page.includes(`\`${family(name)}\``), `${name} is in docs/metrics.md`);
  }
});

test('it leaves nothing out that the server measures itself', async (t) => {
  const listed = [...read('docs/metrics.md').matchAll(/^\| `(slipway_[a-z_]+)`/gm)].map(([, name = '']) => name);
  t.true(listed.length > 25);
  const families = new Set([...drawn].map(family));
  t.deepEqual(
    listed.filter((name) => !families.has(name)),
    [],
  );
});
