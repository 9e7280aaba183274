import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import type { ImportSource } from '../model/import.js';
import { isKnown } from '../model/repository.js';
import { repositoryImageId } from '../model/repository-image.js';
import { setupsOf } from './repositories.js';

/** A uuid that an authoritative repository lists means its image: another source is not believed that it has it. */
export function checkAuthority(
  deps: Pick<Deps, 'directory' | 'repositories'>,
  from: ImportSource | undefined,
  uuid: string,
): void {
  const { images } = deps.repositories;
  for (const { name, url, enabled, authoritative, state } of setupsOf(deps)) {
    if (!enabled || !authoritative || !isKnown(state, url) || (from && isOf(from, { name, url }))) continue;
    if (!images.get(repositoryImageId(name, uuid))) continue;
    const message = `image ${uuid} is one of repository "${name}", which is authoritative: import it from there`;
    throw new ImgapiError('ImageUuidAlreadyExists', message);
  }
}

/** What no source has is said by whoever brings it, of whom only operators are believed. */
export function checkAuthorityOf(deps: Parameters<typeof checkAuthority>[0], caller: Caller, uuid: string): void {
  if (!isOperator(caller)) checkAuthority(deps, undefined, uuid);
}

const isOf = (from: ImportSource, { name, url }: { name: string; url: string }) =>
  (from.kind === 'repository' && from.name === name) || (from.kind === 'imgapi' && bare(from.url) === bare(url));

const bare = (url: string) => url.replace(/\/+$/, '');
