import { rm } from 'node:fs/promises';
import type { ImgapiClient } from '../imgapi/client.js';
import type { Call, ExchangeOptions } from '../imgapi/exchange.js';
import type { BlobStore } from './blobs.js';
import type { Catalog } from './catalog.js';
import type { RegistryOptions, Repository, RepositoryName } from './registry.js';
import type { Simplestreams, StreamsOptions } from './simplestreams.js';
import type { Folder, LeftDirectory, Source } from './sources.js';

export type CatalogConfig =
  | { kind: 'leveldb'; directory: string }
  | { kind: 'memory' }
  | ({ kind: 'postgres' } & PostgresChoice);
export type BlobsConfig =
  | { kind: 'filesystem'; directory: string }
  | { kind: 'memory' }
  | ({ kind: 's3' } & S3Choice)
  | { kind: 'cached'; inside: BlobStore; directory: string; limit: number };

/** Records that several daemons share. */
export interface PostgresChoice {
  url: string;
  /** The directory of what this daemon reads from. */
  replica: string;
  member: { name: string; version: string };
  /** In milliseconds. */
  lease: number;
  log?: (level: 'info' | 'warn', message: string, fields?: object) => void;
}

export interface S3Choice {
  bucket: string;
  prefix: string;
  endpoint?: string | undefined;
  region?: string | undefined;
  pathStyle: boolean;
  storageClass?: string | undefined;
  /** `AES256`, or `aws:kms:KEY`. */
  encryption?: string | undefined;
  /** Who stages. */
  owner: string;
}

type Openers<C extends { kind: string }, S> = { [K in C['kind']]: (config: Extract<C, { kind: K }>) => Promise<S> };

// A driver is loaded only by those who have chosen it.
const catalogs: Openers<CatalogConfig, Catalog> = {
  leveldb: async ({ directory }) => (await import('./catalog/leveldb.js')).openLevelCatalog(directory),
  memory: async () => (await import('./catalog/leveldb.js')).openMemoryCatalog(),
  postgres: async (choice) => (await import('./catalog/postgres.js')).openPostgresCatalog(choice),
};

const blobStores: Openers<BlobsConfig, BlobStore> = {
  filesystem: async ({ directory }) => (await import('./blobs/filesystem.js')).openFilesystemBlobs(directory),
  memory: async () => (await import('./blobs/memory.js')).openMemoryBlobs(),
  s3: async (choice) => (await import('./blobs/s3.js')).openS3Blobs(choice),
  cached: async (choice) => (await import('./blobs/cached.js')).openCachedBlobs(choice),
};

export function openCatalog<K extends CatalogConfig['kind']>(
  config: Extract<CatalogConfig, { kind: K }>,
): Promise<Catalog> {
  return catalogs[config.kind as K](config);
}

/** What is kept there is gone for good; nobody may have it open. */
export async function clearCatalog(config: Extract<CatalogConfig, { kind: 'leveldb' | 'postgres' }>): Promise<void> {
  if (config.kind === 'postgres') return (await import('./catalog/postgres-clear.js')).clearPostgres(config);
  await rm(config.directory, { recursive: true, force: true });
}

export function openBlobs<K extends BlobsConfig['kind']>(
  config: Extract<BlobsConfig, { kind: K }>,
): Promise<BlobStore> {
  return blobStores[config.kind as K](config);
}

const directories: ((path: string) => Promise<LeftDirectory | undefined>)[] = [
  async (path) => (await import('./sources/reference-directory.js')).openReferenceDirectory(path),
  async (path) => (await import('./sources/danube-directory.js')).openDanubeDirectory(path),
];

/** What another image server left at a path, if it is one that is known. */
export async function openLeftDirectory(path: string): Promise<LeftDirectory | undefined> {
  for (const open of directories) {
    const found = await open(path);
    if (found) return found;
  }
  return undefined;
}

/** The images of another image server. `host` is what people are told of it. */
export async function openImgapiSource(
  client: ImgapiClient,
  host: string,
  call: Pick<Call, 'redirects'> = {},
): Promise<Source> {
  return (await import('./sources/imgapi.js')).imgapiSource(client, host, call);
}

/** What an operator has put into a directory of this machine. */
export async function openFolder(path: string): Promise<Folder> {
  return (await import('./sources/folder.js')).openFolder(path);
}

/** One image, by the addresses of its manifest and file. */
export async function openUrlSource(
  places: { manifest?: ExchangeOptions; file: ExchangeOptions },
  call: Pick<Call, 'redirects'> = {},
): Promise<Source> {
  return (await import('./sources/url.js')).urlSource(places, call);
}

/** A repository at a registry of containers. */
export async function openRegistry(name: RepositoryName, options: RegistryOptions): Promise<Repository> {
  return (await import('./sources/registry.js')).openRegistry(name, options);
}

/** The images of LXD and Incus that a server offers. */
export async function openSimplestreams(options: StreamsOptions): Promise<Simplestreams> {
  return (await import('./sources/simplestreams.js')).openSimplestreams(options);
}
