import { executions } from '../model/job.js';

/** The values that a label can have, or, where there are too many to list, what they are. Never what a caller chose. */
type Label = readonly string[] | string;

export interface Metric<L extends string = string> {
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  labels: Record<L, Label>;
  buckets?: readonly number[];
}

const row =
  <T extends Metric['type']>(type: T, buckets?: readonly number[]) =>
  <L extends string = never>(help: string, labels?: Record<L, Label>) => ({
    type,
    help,
    labels: labels ?? ({} as Record<L, Label>),
    ...(buckets && { buckets }),
  });

const counter = row('counter');
const gauge = row('gauge');
const requestTimes = row('histogram', [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 600, 3600]);
const storeTimes = row('histogram', [0.0001, 0.0005, 0.0025, 0.01, 0.05, 0.25, 1, 5]);
const inventoryTimes = row('histogram', [0.1, 0.5, 2.5, 10, 60, 120]);
const sweepTimes = row('histogram', [0.1, 1, 10, 60, 600]);

const route = 'name of the route, as in the table of routes; none where no route was found';
const direction = ['upload', 'download'] as const;
const catalogOperation = ['get', 'find', 'range', 'list', 'write'] as const;
const blobOperation = [
  'stage',
  'resume',
  'adopt',
  'commit',
  'suspend',
  'discard',
  'stat',
  'open',
  'delete',
  'presign',
  'check',
] as const;

/** Everything that is measured, by its name without the prefix `slipway_`. */
export const metrics = {
  requests_total: counter('Requests that ended, answered or cut', {
    method: 'method of the request; other for those that no route has',
    route,
    status: ['1xx', '2xx', '3xx', '4xx', '5xx', 'none'],
  }),
  requests_running: gauge('Requests whose answer has not left yet'),
  request_duration_seconds: requestTimes('Time from a request to the end of its answer', { route }),
  received_bytes_total: counter('Bytes received, headers included; what runs counts as it comes', { route }),
  sent_bytes_total: counter('Bytes sent, headers included; what runs counts as it goes', { route }),
  authentications_total: counter('Requests whose sender was looked for, by what they sent and what came of it', {
    scheme: ['none', 'bearer', 'signature', 'api-key', 'path', 'other'],
    outcome: ['accepted', 'trusted', 'node', 'anonymous', 'ignored', 'refused', 'failed'],
  }),

  transfers_running: gauge('Files and icons on their way', { direction }),
  transfers_total: counter('Transfers that ended: whole, with their connection, or with a refusal', {
    direction,
    outcome: ['done', 'cut', 'refused'],
  }),

  images: gauge('Images', { state: 'state of the image', type: 'type of the image' }),
  stored_contents: gauge('Files and icons that are kept, each content once'),
  stored_bytes: gauge('Bytes of files and icons that are kept, each content once'),
  saved_bytes: gauge('Bytes that need not be kept, because several images hold the same content'),
  unheld_bytes: gauge('Bytes that no image holds any more, and that the sweep will delete'),
  disk_free_bytes: gauge('Free bytes on the disk of the data directory'),
  disk_size_bytes: gauge('Size of the disk of the data directory'),

  catalog_duration_seconds: storeTimes('Time that the catalog took', { operation: catalogOperation }),
  catalog_failures_total: counter('Operations of the catalog that failed', { operation: catalogOperation }),
  blob_duration_seconds: storeTimes('Time that the blob store took', { operation: blobOperation }),
  blob_failures_total: counter('Operations of the blob store that failed', {
    operation: [...blobOperation, 'read', 'write'],
  }),
  blobs_staged: gauge('Blobs that are being written, or not published yet'),
  digest_seconds_total: counter('Time for which a digest worker was busy', { algorithms: 'what the worker computes' }),
  digest_bytes_total: counter('Bytes that a digest worker has digested', { algorithms: 'what the worker computes' }),

  audit_waiting: gauge('Pulls and refusals that are not in the audit yet'),
  audit_lost_total: counter(
    'Pulls and refusals that the audit could not take, as it could not be written for too long',
  ),
  audit_webhook_failures_total: counter('Times that auditWebhook could not be told how far the audit goes'),

  nodes: gauge('Nodes that the server talks to', { state: ['online', 'offline', 'unknown'] }),
  oldest_inventory_timestamp_seconds: gauge(
    'When the inventory of a node was taken, of the node for which that is longest ago; absent before the first',
  ),
  inventories_total: counter('Inventories of nodes', { outcome: ['done', 'silent', 'failed'] }),
  inventory_duration_seconds: inventoryTimes('Time that the inventory of a node took, and what had waited for it'),

  deliveries_total: counter('Attempts to tell somebody else what has happened', {
    kind: ['callback', 'webhook'],
    outcome: ['arrived', 'failed'],
  }),

  jobs: gauge('Jobs', { execution: executions }),
  sweeps_total: counter('Sweeps', { outcome: ['done', 'failed'] }),
  sweep_duration_seconds: sweepTimes('Time that a sweep took'),
  last_sweep_timestamp_seconds: gauge('When the last sweep was done; absent before the first'),
  swept_total: counter('What sweeps have removed', { what: ['expired', 'uploads', 'unheld', 'orphans', 'staged'] }),

  members: gauge('Daemons that are this server together, as this one knows; 1 where it is alone'),
  member_current: gauge(
    '1 while this daemon knows all that the others have written, and answers; always, where it is alone',
  ),
  member_unheard_seconds: gauge('For how long the database has not heard of this daemon; 0 where it is alone'),
  catalog_behind: gauge('Groups of writes of others that this daemon has not taken in yet, as far as it knows'),

  certificate_expiry_timestamp_seconds: gauge('When the certificate in use expires; absent without TLS'),
  ready: gauge('1 while /readyz answers 200'),
  build_info: gauge('Always 1', { version: 'version of the daemon', node: 'version of Node' }),
} satisfies Record<string, Metric>;
