import { rename } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import type { Logger } from 'pino';
import { invalidInput } from '../imgapi/errors.js';
import type { BlobStore } from '../storage/blobs.js';
import type { Catalog } from '../storage/catalog.js';
import { syncDirectory } from '../storage/durable.js';
import { lockDirectory } from '../storage/lock.js';
import { clearCatalog, openBlobs, openCatalog } from '../storage/open.js';
import { readConfig } from './config/read-config.js';
import type { Settings } from './config/settings.js';
import { identities, SERVER } from './model/identity.js';
import { MOVE, moves } from './model/move.js';
import { filesPlace, type RecordsPlace, recordsPlace } from './open-stores.js';
import { type KeyPlace, readSecretsKey } from './sealing/secrets-key.js';

/** It can not go there, and why. */
export const canNot = (message: string) => invalidInput([{ field: 'config', code: 'Invalid', message }]);

/** Where a server goes: the stores of another configuration. */
export interface Target {
  settings: Settings;
  secretsKey: KeyPlace;
}

/** As a daemon would read it that is started with nothing else. */
export function readTarget(path: string, env: NodeJS.ProcessEnv): Target {
  if (!isAbsolute(path)) throw canNot(`${path}: say the whole path of the file, as the server sees it`);
  const other = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('SLIPWAY_')));
  try {
    const { settings } = readConfig(['--config', path], other);
    return { settings, secretsKey: readSecretsKey(settings.secretsKey, join(settings.data, 'secrets-key'), other) };
  } catch (error) {
    throw canNot(error instanceof Error ? error.message : String(error));
  }
}

/** What a server that goes from one configuration to the other could not find again there. */
export function checkTarget(from: Settings, secretsKey: Buffer | undefined, { settings: to, secretsKey: key }: Target) {
  const placeOf = ({ data, database, store, storeEndpoint = '' }: Settings) => ({
    records: database ?? data,
    files: store === undefined ? data : `${storeEndpoint} ${store}`,
  });
  const [here, there] = [placeOf(from), placeOf(to)];
  if (here.records === there.records) throw canNot('its records are where those of this server are already');
  if (here.files === there.files) throw canNot('its files are where those of this server are already');
  if (from.mode !== to.mode) throw canNot(`its mode is ${to.mode}, and that of this server is ${from.mode}`);
  if (secretsKey && key.key && !key.key.equals(secretsKey)) {
    throw canNot(
      `its secretsKey, ${key.what}, holds another key than this server has: what is sealed could not be opened there; ` +
        `put the key of this server there, which is in ${from.secretsKey ?? join(from.data, 'secrets-key')}`,
    );
  }
}

export interface OpenTarget {
  blobs: BlobStore;
  close(): Promise<void>;
}

/** Its bytes, for as long as they come; nobody else is started in its DATA meanwhile. */
export async function openTargetFiles(from: Settings, { settings }: Target, identity: string): Promise<OpenTarget> {
  const lock = settings.data === from.data ? undefined : await lockDirectory(settings.data);
  try {
    const blobs = await openBlobs(filesPlace(settings, identity));
    return {
      blobs,
      close: async () => {
        await blobs.close();
        await lock?.release();
      },
    };
  } catch (error) {
    await lock?.release();
    throw error;
  }
}

interface Arriving {
  /** Of the server that moves. */
  identity: string;
  log: Logger;
  version: string;
}

export interface TargetRecords {
  catalog: Catalog;
  /** When all are there, and the catalog is closed: puts it where a daemon looks for it. */
  arrive(): Promise<void>;
}

/**
 * Its catalog, empty. What this server has brought there and nobody has started goes, and what it has left there itself;
 * anything else is somebody's.
 */
export async function openTargetRecords({ settings }: Target, arriving: Arriving): Promise<TargetRecords> {
  const place = recordsPlace(settings, arriving);
  const catalog = await openEmpty(place, arriving);
  if (place.kind === 'postgres') return { catalog, arrive: async () => {} };
  // PostgreSQL takes all or nothing, a directory page by page: a part of it would be started as if it were all
  await catalog.close();
  await clearCatalog(place);
  const aside = { ...place, directory: `${place.directory}.arriving` };
  await clearCatalog(aside);
  return {
    catalog: await openCatalog(aside),
    arrive: async () => {
      await rename(aside.directory, place.directory);
      await syncDirectory(dirname(place.directory));
    },
  };
}

async function openEmpty(place: RecordsPlace, arriving: Arriving): Promise<Catalog> {
  const catalog = await openCatalog(place);
  let is: Standing;
  try {
    is = await standingOf(catalog, arriving);
  } catch (error) {
    await catalog.close();
    throw error;
  }
  if (is === 'empty') return catalog;
  await catalog.close();
  if (is === 'foreign') throw canNot('a server is there already: say where there is none, or remove it first');
  if (is === 'shared') throw canNot('daemons are at work there: stop them first');
  await clearCatalog(place);
  return openCatalog(place);
}

type Standing = 'empty' | 'ours' | 'foreign' | 'shared';

async function standingOf(catalog: Catalog, { identity }: Arriving): Promise<Standing> {
  await catalog.members.look();
  if (catalog.members.all().length > 1) return 'shared';
  if (await isEmpty(catalog)) return 'empty';
  // A server that was started there has taken this away.
  const isIdle = (await catalog.get(moves, MOVE)) !== undefined;
  return isIdle && (await catalog.get(identities, SERVER))?.uuid === identity ? 'ours' : 'foreign';
}

async function isEmpty(catalog: Catalog): Promise<boolean> {
  const snapshot = await catalog.snapshot();
  try {
    for await (const page of snapshot.entries()) if (page.length > 0) return false;
    return true;
  } finally {
    await snapshot.close();
  }
}
