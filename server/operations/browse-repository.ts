import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { answer } from '../model/permissions.js';
import { isKnown } from '../model/repository.js';
import { type ListedRemote, repositoryImageId, repositoryImages } from '../model/repository-image.js';
import type { Repository, RepositoryBook } from './repository-book.js';

/** Which images of a repository are meant; all where nothing is said. */
export interface RemoteFilter {
  os?: string | undefined;
  ostype?: number | undefined;
  /** Published then or later, and not later than that. */
  since?: Date | undefined;
  until?: Date | undefined;
}

/** The newest first; nothing until a whole list of its URL has come. */
export function imagesOf(book: RepositoryBook, { name, url }: Pick<Repository, 'name' | 'url'>) {
  return isKnown(book.records.get(name)?.state, url) ? book.imagesOf(name) : [];
}

export function browseRepository(deps: Deps, repository: Repository, filter: RemoteFilter): ListedRemote[] {
  const { os, ostype } = filter;
  const since = filter.since?.getTime() ?? Number.NEGATIVE_INFINITY;
  const until = filter.until?.getTime() ?? Number.POSITIVE_INFINITY;
  return imagesOf(deps.repositories, repository).filter(
    (image) =>
      (os === undefined || image.os === os) &&
      (ostype === undefined || image.ostype === ostype) &&
      image.at >= since &&
      image.at <= until,
  );
}

/** The whole of what was listed: all that an import needs to know, and whether the caller finds it here already. */
export interface ShownRemote extends Omit<ListedRemote, 'repository' | 'digest' | 'at' | 'channels'> {
  manifest: Record<string, unknown>;
  manifest_url: string;
  registered: boolean;
}

/** One that was forgotten meanwhile is left out. */
export async function showRemotes(
  deps: Deps,
  caller: Caller,
  source: Repository,
  found: readonly ListedRemote[],
): Promise<ShownRemote[]> {
  const shown: ShownRemote[] = [];
  for (const { repository, digest, at, channels, ...image } of found) {
    const record = await deps.catalog.get(repositoryImages, repositoryImageId(repository, image.uuid));
    if (!record) continue;
    const { manifest } = record;
    const manifest_url = source.manifestUrl(image.uuid);
    shown.push({ ...image, manifest, manifest_url, registered: isRegistered(deps, caller, image.uuid) });
  }
  return shown;
}

/** An image by its uuid; one that was never listed is not there. */
export async function showRemote(
  deps: Deps,
  caller: Caller,
  repository: Repository,
  uuid: string,
): Promise<ShownRemote> {
  const listed = imagesOf(deps.repositories, repository).find((image) => image.uuid === uuid);
  const [shown] = await showRemotes(deps, caller, repository, listed ? [listed] : []);
  if (shown) return shown;
  throw new ImgapiError('ResourceNotFound', `there is no image ${uuid} in repository "${repository.name}"`);
}

/** Of an image that is hidden from the caller this does not tell that it is here: the import says what it may. */
function isRegistered({ listing }: Deps, caller: Caller, uuid: string): boolean {
  const image = listing.get(uuid);
  return image !== undefined && answer(caller, 'show in a data center', { image }) === 'yes';
}
