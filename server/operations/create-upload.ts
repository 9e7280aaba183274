import { randomUUID } from 'node:crypto';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Tx } from '../../storage/catalog.js';
import { inHandsOf, partials } from '../../storage/partials.js';
import type { Deps } from '../deps.js';
import type { RegisteredImage } from '../model/registration.js';
import { holderOf, MOST_UPLOADS, type Upload, uploads } from '../model/upload.js';
import { bytesOf, countsOf } from '../model/usage.js';
import { roomFor } from './check-quota.js';
import { checkSpace } from './check-space.js';
import { endUpload } from './end-upload.js';
import { findUuid, type Sender, targetOfUpload } from './find-upload.js';
import { findUploadTarget } from './upload-file.js';

/** What somebody says of a file that will come. */
export interface UploadWish
  extends Pick<Upload, 'image' | 'size' | 'compression' | 'metadata'>,
    Partial<Pick<Upload, 'sha256' | 'sha1' | 'dataset_guid' | 'filename'>> {
  dc?: string | undefined;
}

/** Everything that can be refused is refused here, and the room for the whole file is kept: only bytes are missing then. */
export async function createUpload(deps: Deps, { caller }: Sender, wish: UploadWish): Promise<Upload> {
  const { catalog, blobs, directory, policy, now } = deps;
  const { user } = caller;
  if (!user) throw new ImgapiError('NotPermitted', 'uploads in parts are for users');
  const { dc, ...told } = wish;
  const target = targetOfUpload(deps, caller, await findUuid(deps, caller, { image: told.image, dc }));
  const { registration } = await findUploadTarget(deps, target);
  if (told.size > policy.maxFileSize) {
    const message = `the file has ${told.size} bytes, of which ${policy.maxFileSize} are allowed`;
    throw new ImgapiError('RequestEntityTooLarge', message);
  }
  await checkSpace(deps, told.size);
  const staged = await blobs.stage();
  await staged.suspend();
  const at = now();
  const upload: Upload = {
    ...told,
    id: randomUUID(),
    user: user.uuid,
    ...(caller.kind === 'user' && caller.rights.within !== undefined && { within: caller.rights.within }),
    ...(registration?.boundTo !== undefined && { datacenter: registration.boundTo }),
    image: target.uuid,
    key: staged.key,
    created: at.toISOString(),
    expires: new Date(at.getTime() + policy.uploadLifetime * 1000).toISOString(),
  };
  try {
    await catalog.write(async (tx) => {
      const image = await findUploadTarget({ catalog: tx, directory }, target);
      await checkCount(tx, user);
      // Inside the write, so that of two that would fit alone one is refused.
      await checkSpace(deps, upload.size);
      const room = await reserved(deps, tx, image, upload);
      deps.uploads.add(upload, 0);
      await tx.insert(uploads, { ...upload, reserved: room });
      await tx.insert(partials, { holder: holderOf(upload), key: upload.key, ...inHandsOf(catalog.members) });
    });
  } catch (error) {
    await endUpload(deps, upload).catch(() => {}); // the first error is the one to tell; the sweep ends what is left
    throw error;
  }
  return upload;
}

async function checkCount(tx: Tx, { uuid, name }: { uuid: string; name: string }): Promise<void> {
  let count = 0;
  for await (const { record } of tx.range(uploads, 'user', { prefix: `${uuid}/` })) if (!record.attached) count += 1;
  if (count < MOST_UPLOADS) return;
  throw new ImgapiError('QuotaExceeded', `${name} has ${count} uploads under way: end one of them first`);
}

/** For as long as the upload lives. The file that is there gives room to the new one. */
async function reserved(
  deps: Deps,
  tx: Tx,
  image: RegisteredImage,
  { size }: Upload,
): Promise<NonNullable<Upload['reserved']>> {
  const bytes = Math.max(0, size - bytesOf(image));
  await roomFor(deps, tx, image, undefined, bytes);
  return { counts: countsOf(image), bytes };
}
