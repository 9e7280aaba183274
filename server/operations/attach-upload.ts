import { ImgapiError } from '../../imgapi/errors.js';
import type { ResumedBlob, StagedBlob } from '../../storage/blobs.js';
import type { Tx } from '../../storage/catalog.js';
import { checkStored } from '../../storage/check-stored.js';
import { StorageDown } from '../../storage/errors.js';
import { type Hold, publish } from '../../storage/holdings.js';
import { partials } from '../../storage/partials.js';
import { lasting, settle } from '../../storage/receive.js';
import { type Content, type TransferOptions, TransferRefused, transfer } from '../../storage/transfer.js';
import type { Deps } from '../deps.js';
import { fileHolder, withFile } from '../model/image.js';
import { AFTERGLOW, holderOf, type Upload, uploads } from '../model/upload.js';
import { checkQuota } from './check-quota.js';
import { checkStands } from './check-stands.js';
import { checkTurn, OutOfHands } from './check-turn.js';
import { currentCaller } from './current-caller.js';
import { endUpload } from './end-upload.js';
import { noSuchUpload, type Sender, targetOfUpload } from './find-upload.js';
import { saveImage } from './save-image.js';
import { storedForm } from './upload.js';
import { findUploadTarget } from './upload-file.js';
import { uploadToResume } from './upload-to-resume.js';

type Bytes = Parameters<typeof transfer>[0];

/** Its bytes are all here: they are read once more, to be verified, and become the image's. */
export async function attachWhole(deps: Deps, sender: Sender, upload: Upload): Promise<void> {
  const staged = await resumed(deps, upload, upload.size);
  await attach(deps, sender, upload, staged.read(), staged);
}

/** Its blob, as long as everybody believes it to be. */
export async function resumed(deps: Deps, upload: Upload, offset: number): Promise<ResumedBlob> {
  const { id, key } = upload;
  if (!(await uploadToResume(deps.catalog, id))) {
    deps.uploads.remove(upload);
    throw new ImgapiError('Busy', `upload ${id} has just ended`);
  }
  const staged = await deps.blobs.resume(key);
  if (staged?.kept === offset) return staged;
  if (!staged) {
    await endUpload(deps, upload);
    throw new ImgapiError('Gone', `the bytes of upload ${id} are gone: it has ended`);
  }
  await staged.suspend();
  deps.uploads.advance(upload, staged.kept);
  throw new ImgapiError('OffsetMismatch', `upload ${id} goes on at byte ${staged.kept}, not at ${offset}`);
}

/**
 * Verified, and attached in one write together with the end of the upload. What was not promised, or not permitted any
 * more, ends the upload; where too little has come, or the disk fails, it goes on.
 */
export async function attach(
  deps: Deps,
  sender: Sender,
  upload: Upload,
  source: Bytes,
  staged: StagedBlob,
  options: TransferOptions = {},
): Promise<void> {
  const { key, size, sha256, sha1 } = upload;
  const expect = { size, ...(sha256 !== undefined && { sha256 }), ...(sha1 !== undefined && { sha1 }) };
  try {
    const content = await transfer(source, { ...lasting(staged), key }, { ...options, expect });
    if ((await deps.catalog.get(partials, holderOf(upload)))?.isTorn) await checkStored(deps.blobs, key, content);
    await publish(deps, { key, content }, (tx, hold) => take(deps, tx, hold, sender, upload, content));
    deps.uploads.remove(upload);
  } catch (error) {
    if (error instanceof StorageDown || isShort(error, upload)) throw error;
    if (error instanceof OutOfHands) deps.uploads.remove(upload);
    else await endUpload(deps, upload);
    if (!(error instanceof TransferRefused)) throw error;
    throw new ImgapiError('Download', `upload ${upload.id} has ended: ${error.message}`, { cause: error });
  }
}

/** There is more to come. */
export const isShort = (error: unknown, { size }: Upload): boolean =>
  error instanceof TransferRefused &&
  (error.reason === 'empty' || (error.reason === 'size' && Number(error.found) < size));

async function take(deps: Deps, tx: Tx, hold: Hold, sender: Sender, upload: Upload, content: Content): Promise<void> {
  const at = deps.now();
  await checkTurn(tx, deps.catalog.members, upload);
  const caller = await stillThere(deps, tx, sender);
  const current = await tx.get(uploads, upload.id);
  if (!current) throw noSuchUpload(upload.id);
  const { compression, dataset_guid } = upload;
  const before = await findUploadTarget({ ...deps, catalog: tx }, targetOfUpload(deps, caller, upload.image));
  const file = { ...storedForm(content, at), compression, ...(dataset_guid !== undefined && { dataset_guid }) };
  const after = withFile(before, file);
  await checkQuota(deps, tx, before, after, upload);
  await hold(fileHolder(before.uuid, 0));
  await saveImage(tx, before, after, at);
  await settle(tx, holderOf(upload));
  await forgetEarlier(tx, upload);
  const expires = new Date(at.getTime() + AFTERGLOW).toISOString();
  await tx.replace(uploads, { ...current, attached: at.toISOString(), expires });
}

/** One that has ended is remembered for an image, and not all that ever came. */
async function forgetEarlier(tx: Tx, { image }: Upload): Promise<void> {
  const earlier: string[] = [];
  for await (const { record } of tx.range(uploads, 'image', { prefix: `${image}/` })) {
    if (record.attached) earlier.push(record.id);
  }
  for (const id of earlier) await tx.delete(uploads, id);
}

/** Who sends, with the rights of now: a file takes as long as it is large. */
async function stillThere(deps: Deps, tx: Tx, { caller, own }: Sender) {
  await checkStands(tx, caller, own);
  const current = caller.user && currentCaller(deps, caller.user, own);
  if (current) return current;
  throw new ImgapiError('UnauthorizedError', 'the credentials have run out while the file arrived');
}
