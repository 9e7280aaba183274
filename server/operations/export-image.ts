import { ImgapiError } from '../../imgapi/errors.js';
import type { Stored } from '../../imgapi/image.js';
import { serialize } from '../../imgapi/serialize.js';
import { type Bundle, type Bundling, bundle } from '../../storage/bundle.js';
import type { Reader, Snapshot } from '../../storage/catalog.js';
import { StorageDown } from '../../storage/errors.js';
import { locate } from '../../storage/holdings.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import type { RegisteredImage } from '../model/registration.js';
import { canRead } from '../model/visibility.js';
import { findManagedImage, type Named } from './find-managed-image.js';
import { originsOf } from './origins.js';

export interface Exported extends Bundle {
  uuid: string;
  /** To be called: until then nothing of it is collected. */
  close(): Promise<void>;
}

/** An image as a bundle, behind all that it builds on unless that is not wanted. */
export async function exportImage(
  deps: Deps,
  caller: Caller,
  named: Named,
  { origins }: { origins: 'with' | 'without' },
): Promise<Exported> {
  const snapshot = await deps.catalog.snapshot();
  try {
    const image = await findManagedImage(snapshot, deps.directory, caller, 'show', named);
    const chain = origins === 'with' ? await chainOf(deps, snapshot, caller, image) : [image];
    const bundling: Bundling[] = [];
    for (const one of chain) bundling.push(await bundlingOf(deps, snapshot, one));
    return { uuid: image.uuid, ...bundle(deps.blobs, bundling), close: () => snapshot.close() };
  } catch (error) {
    await snapshot.close();
    throw error;
  }
}

/** What it comes from first. One that is gone and one that is hidden are the same. */
async function chainOf(
  { policy, directory }: Deps,
  snapshot: Snapshot,
  caller: Caller,
  image: RegisteredImage,
): Promise<RegisteredImage[]> {
  const chain = [image];
  const viewer = { caller, mode: policy.mode, open: directory.openDatacenters };
  for await (const { uuid, record } of originsOf(snapshot, image)) {
    if (!record || !canRead(viewer, record)) {
      throw new ImgapiError('OriginDoesNotExist', `origin image ${uuid} is not here: export without origins`);
    }
    chain.unshift(record);
  }
  return chain;
}

async function bundlingOf({ policy }: Deps, reader: Reader, image: RegisteredImage): Promise<Bundling> {
  const { uuid, files, icon, activated } = image;
  const [file, ...others] = files;
  if (!file || !activated) throw new ImgapiError('NoActivationNoFile', `image ${uuid} is not whole yet`);
  if (others.length > 0) throw new ImgapiError('NotImplemented', `image ${uuid} has more than one file`);
  return {
    uuid,
    manifest: serialize(image, { mode: policy.mode, channels: false, admin: false }),
    file: await contentOf(reader, file),
    icon: icon && { ...(await contentOf(reader, icon)), contentType: icon.contentType },
  };
}

async function contentOf(reader: Reader, { sha256, size }: Stored) {
  const content = await locate(reader, sha256);
  if (!content) throw new StorageDown(`content ${sha256}`, 'no record of it');
  return { key: content.key, sha256, size };
}
