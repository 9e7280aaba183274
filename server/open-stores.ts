import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { BlobStore } from '../storage/blobs.js';
import type { Catalog } from '../storage/catalog.js';
import { type BlobsConfig, type CatalogConfig, openBlobs, openCatalog } from '../storage/open.js';
import type { Closing } from './closing.js';
import type { Settings } from './config/settings.js';
import type { Metrics } from './metrics/instruments.js';
import { measuredBlobs } from './metrics/measured-blobs.js';
import { measuredCatalog } from './metrics/measured-catalog.js';
import { onceThere } from './once-there.js';
import { ensureIdentity } from './operations/ensure-identity.js';

/** As they are, and measured. */
export interface Stores {
  records: Catalog;
  stored: Catalog;
  files: BlobStore;
  blobs: BlobStore;
}

export interface StoreMeans {
  metrics: Metrics;
  log: Logger;
  version: string;
}

/** Records and bytes, where the settings have them: beside the daemon, or where others reach them too. */
export async function openStores(settings: Settings, means: StoreMeans, closing: Closing): Promise<Stores> {
  const { metrics } = means;
  const records = await openRecords(settings, means);
  const stored = closing.add(measuredCatalog(records, metrics), (opened) => opened.close());
  const files = await openFiles(settings, stored, means);
  const blobs = closing.add(measuredBlobs(files, metrics), (opened) => opened.close());
  return { records, stored, files, blobs };
}

const memberNameOf = ({ memberName }: Settings) => memberName ?? hostname();

/** Where records are kept. */
export type RecordsPlace = Extract<CatalogConfig, { kind: 'leveldb' | 'postgres' }>;

export function recordsPlace(settings: Settings, { log, version }: Omit<StoreMeans, 'metrics'>): RecordsPlace {
  const { data, database: url, lease } = settings;
  if (url === undefined) return { kind: 'leveldb', directory: join(data, 'catalog') };
  return {
    kind: 'postgres',
    url,
    replica: join(data, 'replica'),
    member: { name: memberNameOf(settings), version },
    lease: lease * 1000,
    log: (level, message, fields) => log[level](fields ?? {}, message),
  };
}

function openRecords(settings: Settings, means: StoreMeans): Promise<Catalog> {
  const place = recordsPlace(settings, means);
  return place.kind === 'leveldb' ? openCatalog(place) : onceThere('the database', () => openCatalog(place), means.log);
}

/** The bytes themselves, with nothing in between. */
export function filesPlace(settings: Settings, owner: string): Extract<BlobsConfig, { kind: 'filesystem' | 's3' }> {
  const { data, store } = settings;
  if (store === undefined) return { kind: 'filesystem', directory: join(data, 'files') };
  return { kind: 's3', ...placeIn(store), ...choiceOf(settings), owner };
}

async function openFiles(settings: Settings, catalog: Catalog, { log }: StoreMeans): Promise<BlobStore> {
  const { data, store, storeCache, storeCacheDirectory } = settings;
  const place = filesPlace(settings, store === undefined ? '' : await ensureIdentity(catalog));
  if (place.kind === 'filesystem') return openBlobs(place);
  const inside = await onceThere('the store', () => openBlobs(place), log);
  if (storeCache === 0) return inside;
  const directory = storeCacheDirectory ?? join(data, 'cache');
  return openBlobs({ kind: 'cached', inside, directory, limit: storeCache });
}

/** `s3://bucket/prefix` */
function placeIn(store: string): { bucket: string; prefix: string } {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(store) ?? [];
  return { bucket, prefix };
}

function choiceOf(settings: Settings) {
  return {
    endpoint: settings.storeEndpoint,
    region: settings.storeRegion,
    pathStyle: settings.storePathStyle,
    storageClass: settings.storeClass,
    encryption: settings.storeEncryption,
  };
}
