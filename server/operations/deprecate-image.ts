import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Reader, Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { type Caller, nameOfCaller } from '../model/caller.js';
import { deprecated, notDeprecated } from '../model/managed-fields.js';
import type { ManagedImage } from '../model/registration.js';
import type { Directory } from './directory.js';
import { findManagedImage, type Named } from './find-managed-image.js';
import { manageImage } from './manage-image.js';

export interface Deprecation {
  reason?: string | undefined;
  /** What to take instead, by name or uuid. */
  replacement?: string | undefined;
}

type Along = { along?: ((tx: Tx) => Promise<void>) | undefined };

/** Out of pickers, and nothing else: whoever uses it goes on to. Again changes what is said of it, and nothing where nothing is. */
export function deprecateImage(
  deps: Deps,
  caller: Caller,
  named: Named,
  { reason, replacement }: Deprecation,
  { along }: Along = {},
): Promise<ManagedImage> {
  const { directory, now } = deps;
  return manageImage(deps, { caller, operation: 'update', named, along }, async (image, tx) => {
    const instead = replacement === undefined ? undefined : await find(tx, directory, caller, named, replacement);
    if (instead === image.uuid) throw wrong(`replacement: an image does not replace itself`);
    return deprecated(image, {
      at: now().toISOString(),
      by: nameOfCaller(caller),
      ...image.registration.deprecated,
      ...(reason !== undefined && { reason }),
      ...(instead !== undefined && { replacement: instead }),
    });
  });
}

export function undeprecateImage(
  deps: Deps,
  caller: Caller,
  named: Named,
  { along }: Along = {},
): Promise<ManagedImage> {
  return manageImage(deps, { caller, operation: 'update', named, along }, (image) => {
    if (image.registration.deprecated) return notDeprecated(image);
    throw new ImgapiError('AlreadyDone', `image ${image.registration.name} is not deprecated`);
  });
}

async function find(
  reader: Reader,
  directory: Directory,
  caller: Caller,
  { dc }: Named,
  replacement: string,
): Promise<string> {
  try {
    const named = { image: replacement, dc };
    return (await findManagedImage(reader, directory, caller, 'show in a data center', named)).uuid;
  } catch (error) {
    if (!(error instanceof ImgapiError) || error.code !== 'ResourceNotFound') throw error;
    throw wrong(`replacement: there is no image "${replacement}"`);
  }
}

const wrong = (message: string) => invalidInput([{ field: 'replacement', code: 'Invalid', message }]);
