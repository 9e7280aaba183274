import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import { images } from '../model/image.js';
import { isOver, type Upload, uploads } from '../model/upload.js';
import { endUpload } from './end-upload.js';
import { findUpload, type Sender } from './find-upload.js';
import { takeTurn } from './upload-turns.js';

type Ending = Pick<Deps, 'catalog' | 'blobs' | 'uploads' | 'log'>;

/** As its user wishes; who sends to it is cut off first. */
export async function terminateUpload(deps: Deps, { caller }: Sender, id: string): Promise<void> {
  await takeTurn(deps, await findUpload(deps, caller, id), { cutOff: true });
  await deps.uploads.interrupt({ id });
  await endUpload(deps, await findUpload(deps, caller, id));
}

/** Ends those to an image that is gone; the sweep ends what is left behind here. */
export async function endUploadsTo(deps: Ending, image: string): Promise<void> {
  for await (const { record } of deps.catalog.range(uploads, 'image', { prefix: `${image}/` })) {
    await endWhole(deps, record).catch(() => {});
  }
}

async function endWhole(deps: Ending, upload: Upload): Promise<void> {
  await takeTurn(deps, upload, { cutOff: true });
  await deps.uploads.interrupt(upload);
  await endUpload(deps, upload);
}

/** Ends those that have waited too long, or whose image takes no file any more. */
export async function endStaleUploads(deps: Ending & Pick<Deps, 'now'>): Promise<number> {
  let ended = 0;
  for await (const upload of deps.catalog.list(uploads)) {
    if (!(await isStale(deps, upload)) || !(await isIdleHere(deps, upload))) continue;
    await endUpload(deps, upload);
    ended += 1;
  }
  await forgetUnwritten(deps);
  return ended;
}

/** In the hands of this daemon, and nothing is being sent to it. */
async function isIdleHere(deps: Ending, upload: Upload): Promise<boolean> {
  try {
    await takeTurn(deps, upload, { cutOff: false });
    return !deps.uploads.isBusy(upload);
  } catch (error) {
    if (error instanceof ImgapiError && error.code === 'Busy') return false;
    throw error;
  }
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
