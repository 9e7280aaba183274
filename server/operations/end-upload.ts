import { settle } from '../../storage/receive.js';
import type { Deps } from '../deps.js';
import { images } from '../model/image.js';
import { holderOf, isOver, type Upload, uploads } from '../model/upload.js';
import { findUpload, type Sender } from './find-upload.js';

type Stores = Pick<Deps, 'catalog' | 'blobs' | 'uploads'>;

/** Nothing of it is left: no record, no bytes, no room. What an image has of it stays. */
export async function endUpload(deps: Stores, { id, key }: Upload): Promise<void> {
  const { catalog, blobs } = deps;
  const mayGo = await catalog.write(async (tx) => {
    const found = await tx.get(uploads, id);
    if (found) await tx.delete(uploads, id);
    await settle(tx, holderOf({ id }));
    return !found?.attached;
  });
  deps.uploads.remove({ id });
  if (mayGo) await blobs.delete(key);
}

/** As its user wishes; who sends to it is cut off first. */
export async function terminateUpload(deps: Deps, { caller }: Sender, id: string): Promise<void> {
  await findUpload(deps, caller, id);
  await deps.uploads.interrupt({ id });
  await endUpload(deps, await findUpload(deps, caller, id));
}

/** Ends those to an image that is gone; the sweep ends what is left behind here. */
export async function endUploadsTo(deps: Pick<Deps, 'catalog' | 'blobs' | 'uploads'>, image: string): Promise<void> {
  for await (const { record } of deps.catalog.range(uploads, 'image', { prefix: `${image}/` })) {
    await deps.uploads.interrupt(record);
    await endUpload(deps, record).catch(() => {});
  }
}

/** Ends those that have waited too long, or whose image takes no file any more. */
export async function endStaleUploads(deps: Pick<Deps, 'catalog' | 'blobs' | 'uploads' | 'now'>): Promise<number> {
  let ended = 0;
  for await (const upload of deps.catalog.list(uploads)) {
    if (deps.uploads.isBusy(upload) || !(await isStale(deps, upload))) continue;
    await endUpload(deps, upload);
    ended += 1;
  }
  await forgetUnwritten(deps);
  return ended;
}

/** A failed write of which nobody knew what had become: where there is no record, there is no upload. */
async function forgetUnwritten({ catalog, uploads: underWay }: Pick<Deps, 'catalog' | 'uploads'>): Promise<void> {
  // Behind all writes that have begun: those put what they make into memory first.
  await catalog.write(async (tx) => {
    for (const id of underWay.ids()) if (!(await tx.get(uploads, id))) underWay.remove({ id });
  });
}

async function isStale({ catalog, now }: Pick<Deps, 'catalog' | 'now'>, upload: Upload): Promise<boolean> {
  if (isOver(upload, now())) return true;
  if (upload.attached) return false;
  const image = await catalog.get(images, upload.image);
  return !image || image.activated;
}
