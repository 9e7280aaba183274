import { createHash } from 'node:crypto';
import { ImgapiError } from '../../imgapi/errors.js';
import { AnsweredBadly } from '../../imgapi/exchange-errors.js';
import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { isKnown, type RepositoryRecord, type RepositoryState, repositories } from '../model/repository.js';
import { checkListed, type RepositoryImage, repositoryImageId, repositoryImages } from '../model/repository-image.js';
import { withoutSecrets } from '../model/token.js';
import { countMisses } from './count-misses.js';
import { urlOf } from './repositories.js';
import type { Repository, RepositoryBook } from './repository-book.js';

/** So many records are written at once: others write in between. */
const BATCH = 500;

/** As much of what went wrong as is told, in characters. */
const MOST_TOLD = 300;

/** What a list has that is not remembered yet, and what it has at all. */
interface Found {
  uuids: ReadonlySet<string>;
  fresh: Fresh[];
}

/** As JSON, which takes a fraction of the memory. */
interface Fresh {
  uuid: string;
  digest: string;
  json: string;
}

/**
 * Asks for the whole list and remembers it; what has gone is forgotten. Where that fails, what was remembered stays, and
 * why it failed is kept and thrown.
 */
export async function refreshRepository(deps: Deps, repository: Repository): Promise<RepositoryState> {
  const state = await deps.repositories.alone(repository.name, () => refresh(deps, repository));
  if (state) return state;
  throw new ImgapiError('Busy', `repository "${repository.name}" is being refreshed already`);
}

async function refresh(deps: Deps, repository: Repository): Promise<RepositoryState> {
  let found: Found;
  try {
    found = await ask(deps, repository);
  } catch (error) {
    deps.repositories.stopping.throwIfAborted();
    const reason = reasonOf(error);
    await noteFailure(deps, repository, reason ?? 'it failed on this side: the log tells why');
    if (reason === undefined) throw error;
    throw new ImgapiError('RepositoryFailed', `repository "${repository.name}": ${reason}`, { cause: error });
  }
  return remember(deps, repository, found);
}

/** Kept in memory until it is whole: of a list that breaks off nothing is remembered. */
async function ask({ repositories: book }: Deps, repository: Repository): Promise<Found> {
  const { name } = repository;
  const { time, ...caps } = book.limits;
  const timeout = AbortSignal.timeout(time);
  const uuids = new Set<string>();
  const fresh: Fresh[] = [];
  try {
    for await (const manifest of repository.list(AbortSignal.any([timeout, book.stopping]), caps)) {
      const uuid = checkListed(manifest, uuids.size + 1);
      if (uuids.has(uuid)) continue;
      uuids.add(uuid);
      const json = JSON.stringify(manifest);
      const digest = createHash('sha1').update(json).digest('base64');
      if (book.images.get(repositoryImageId(name, uuid))?.digest !== digest) fresh.push({ uuid, digest, json });
    }
  } catch (cause) {
    if (!timeout.aborted) throw cause;
    throw new ImgapiError('RemoteSourceError', `the whole list did not come within ${time / 1000} s`, { cause });
  }
  return { uuids, fresh };
}

/** In words of ours, and in one line: what a server says may repeat what it was told. */
function reasonOf(error: unknown): string | undefined {
  if (!(error instanceof ImgapiError)) return undefined;
  const { message } = error.cause instanceof AnsweredBadly ? error.cause : error;
  return withoutSecrets(message).replace(/\s+/g, ' ').trim().slice(0, MOST_TOLD);
}

async function remember(deps: Deps, repository: Repository, { uuids, fresh }: Found): Promise<RepositoryState> {
  const { catalog, repositories: book, now } = deps;
  const { name, url } = repository;
  const inBatches = async <T>(all: readonly T[], change: (tx: Tx, one: T) => Promise<void>) => {
    for (let at = 0; at < all.length; at += BATCH) {
      await catalog.write(async (tx) => {
        await checkIsSame(deps, tx, repository);
        for (const one of all.slice(at, at + BATCH)) await change(tx, one);
      });
    }
  };
  await inBatches(fresh, (tx, { uuid, digest, json }) =>
    put(tx, { repository: name, uuid, digest, manifest: JSON.parse(json) }, book),
  );
  const gone = book.imagesOf(name).filter(({ uuid }) => !uuids.has(uuid));
  await inBatches(gone, (tx, { uuid }) => tx.delete(repositoryImages, repositoryImageId(name, uuid)));
  const at = now().toISOString();
  const state: RepositoryState = { url, lastUpdate: at, tried: at, count: uuids.size };
  await catalog.write(async (tx) => {
    await checkIsSame(deps, tx, repository);
    await countMisses(tx, repository, uuids);
    await keepState(tx, name, state);
  });
  return state;
}

const put = (tx: Tx, image: RepositoryImage, { images }: RepositoryBook) =>
  images.get(repositoryImages.id(image)) ? tx.replace(repositoryImages, image) : tx.insert(repositoryImages, image);
/** It may have been set to another URL, or been removed, while it was asked. */
async function checkIsSame({ repositories: book }: Deps, tx: Tx, { name, url }: Repository): Promise<void> {
  if ((await urlOf(tx, book, name)) === url) return;
  throw new ImgapiError('Busy', `repository "${name}" was changed while it was refreshed: nothing of it is kept`);
}

async function keepState(tx: Tx, name: string, state: RepositoryState): Promise<void> {
  const record = await tx.get(repositories, name);
  if (record) await tx.replace(repositories, { ...record, state });
  else await tx.insert(repositories, { name, every: 0, state });
}

async function noteFailure(deps: Deps, repository: Repository, error: string): Promise<void> {
  const { catalog, repositories: book, now } = deps;
  const { name, url } = repository;
  await catalog.write(async (tx) => {
    if ((await urlOf(tx, book, name)) !== url) return;
    const before = (await tx.get(repositories, name))?.state;
    const kept = before?.url === url ? before : { url, count: 0 };
    await keepState(tx, name, { ...kept, tried: now().toISOString(), error });
  });
}

/** What is remembered of repositories that are not there any more, or not at that URL. */
export async function forgetStale(deps: Deps): Promise<void> {
  const { repositories: book } = deps;
  for (const name of new Set(book.images.sorted.map(({ repository }) => repository))) {
    await book.alone(name, async () => {
      while (await forgetSome(deps, name));
    });
  }
}

/** Whether there may be more. First what says that they are good, so that they are not when the old URL comes back. */
function forgetSome({ catalog, repositories: book }: Deps, name: string): Promise<boolean> {
  return catalog.write(async (tx) => {
    const url = await urlOf(tx, book, name);
    const record = await tx.get(repositories, name);
    if (record && isKnown(record.state, url)) return false;
    if (record?.state && record.state.url !== url) await tx.replace(repositories, withoutState(record));
    const stale = book.imagesOf(name).slice(0, BATCH);
    for (const { uuid } of stale) await tx.delete(repositoryImages, repositoryImageId(name, uuid));
    return stale.length > 0;
  });
}

const withoutState = ({ state: _, ...record }: RepositoryRecord): RepositoryRecord => record;
