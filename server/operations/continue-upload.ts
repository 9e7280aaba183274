import { createHash, type Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { ImgapiError } from '../../imgapi/errors.js';
import { append } from '../../storage/append.js';
import { giveBack } from '../../storage/give-back.js';
import { inHandsOf, partials } from '../../storage/partials.js';
import { TransferRefused } from '../../storage/transfer.js';
import type { Deps } from '../deps.js';
import { holderOf, type Upload, uploads } from '../model/upload.js';
import { attach, attachWhole, isShort, resumed } from './attach-upload.js';
import { checkTurn } from './check-turn.js';
import { endUpload } from './end-upload.js';
import { findUpload, noSuchUpload, type Sender, targetOfUpload } from './find-upload.js';
import { findUploadTarget } from './upload-file.js';
import { uploadToResume } from './upload-to-resume.js';
import { takeTurn } from './upload-turns.js';
import type { Part } from './uploads-under-way.js';

export interface Checksum {
  algorithm: 'md5' | 'sha1' | 'sha256';
  /** In hex. */
  digest: string;
}

/** Some of the bytes of a file. The body ends where they end, also where that is too early. */
export interface SentPart extends Part {
  offset: number;
  /** Where its sender tells. */
  size: number | undefined;
  checksum?: Checksum | undefined;
  body: Readable;
  /** Did it end before its sender meant it to? */
  isCut(): boolean;
}

export interface Standing {
  upload: Upload;
  offset: number;
}

/** Where somebody may go on who was cut off: what is still being sent ends here. */
export async function standingOf(deps: Deps, sender: Sender, id: string): Promise<Standing> {
  await takeTurn(deps, await findUpload(deps, sender.caller, id), { cutOff: true });
  await deps.uploads.interrupt({ id });
  const upload = await findUpload(deps, sender.caller, id);
  if (!isWhole(deps, upload)) return { upload, offset: deps.uploads.offsetOf(upload) };
  // all had come when the daemon was killed, or the disk failed
  await deps.uploads.alone(upload, { end: () => {} }, () => attachWhole(deps, sender, upload));
  return { upload, offset: upload.size };
}

/** The next bytes of an upload; with the last one it is verified, and the image has its file. */
export async function continueUpload(deps: Deps, sender: Sender, id: string, part: SentPart): Promise<Standing> {
  const known = await findUpload(deps, sender.caller, id);
  if (known.attached) {
    checkOffset(known, part, known.size);
    return { upload: known, offset: known.size };
  }
  await findUploadTarget(deps, targetOfUpload(deps, sender.caller, known.image));
  await takeTurn(deps, known, { cutOff: false });
  return deps.uploads.alone(known, part, async () => {
    const upload = await findUpload(deps, sender.caller, id);
    checkOffset(upload, part, deps.uploads.offsetOf(upload));
    await receivePart(deps, sender, upload, part);
    const offset = deps.uploads.offsetOf(upload);
    return { upload: await prolonged(deps, upload), offset };
  });
}

const isWhole = ({ uploads }: Deps, upload: Upload) => !upload.attached && uploads.offsetOf(upload) === upload.size;

function checkOffset({ id, size }: Upload, part: SentPart, offset: number): void {
  if (part.offset !== offset) {
    throw new ImgapiError('OffsetMismatch', `upload ${id} goes on at byte ${offset}, not at ${part.offset}`);
  }
  if (offset + (part.size ?? 0) > size) {
    const message = `upload ${id} has ${size} bytes: ${part.size} more than the ${offset} that are here are too many`;
    throw new ImgapiError('RequestEntityTooLarge', message);
  }
}

/** What comes in one go is verified on its way; what comes in parts, when all of it is here. */
async function receivePart(deps: Deps, sender: Sender, upload: Upload, part: SentPart): Promise<void> {
  const inOneGo = part.offset === 0 && part.checksum === undefined && (part.size ?? upload.size) === upload.size;
  try {
    await (inOneGo ? receiveAll(deps, sender, upload, part) : receiveSome(deps, upload, part));
  } catch (error) {
    if (!isTooMuch(error)) throw error;
    await endUpload(deps, upload);
    const message = `upload ${upload.id} has ended: more than its ${upload.size} bytes have come`;
    throw new ImgapiError('RequestEntityTooLarge', message, { cause: error });
  }
  if (isWhole(deps, upload) && !inOneGo) await attachWhole(deps, sender, upload);
}

const isTooMuch = (error: unknown) => {
  const refused = error instanceof ImgapiError ? error.cause : error;
  return refused instanceof TransferRefused && refused.reason === 'size';
};

async function receiveAll(deps: Deps, sender: Sender, upload: Upload, { body, offset }: SentPart): Promise<void> {
  const staged = await resumed(deps, upload, offset);
  const report = (bytes: number) => deps.uploads.advance(upload, bytes);
  try {
    await attach(deps, sender, upload, body, staged, { report, release: giveBack });
  } catch (error) {
    await measure(deps, upload);
    if (!isShort(error, upload)) throw error;
  }
}

async function receiveSome(deps: Deps, upload: Upload, part: SentPart): Promise<void> {
  const { checksum, body, offset } = part;
  const hash = createHash(checksum?.algorithm ?? 'md5');
  const staged = await resumed(deps, upload, offset);
  try {
    const report = (bytes: number) => deps.uploads.advance(upload, bytes);
    await append(checksum ? seen(body, hash) : body, staged, { most: upload.size, report, release: giveBack });
  } catch (error) {
    if (!isTooMuch(error)) await measure(deps, upload);
    throw error;
  }
  // a part that was cut can not be held against anything: the digest of the whole can
  if (!checksum || part.isCut() || hash.digest('hex') === checksum.digest) return;
  await cutBack(deps, upload, offset);
  throw new ImgapiError('ChecksumMismatch', `the ${checksum.algorithm} of the part from byte ${offset} on is another`);
}

async function* seen(body: Readable, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of body) {
    hash.update(chunk);
    yield chunk;
  }
}

/** How much is there, after something has failed. */
async function measure({ catalog, blobs, uploads: underWay }: Deps, { id }: Upload): Promise<void> {
  // What has become of it after a failed write nobody knows but the record.
  const upload = await uploadToResume(catalog, id).catch((error: unknown) => {
    // whoever goes on with it among several daemons looks anew
    if (!catalog.members.only) underWay.remove({ id });
    throw error;
  });
  if (!upload) return underWay.remove({ id });
  const staged = await blobs.resume(upload.key);
  await staged?.suspend();
  underWay.advance(upload, staged?.kept ?? 0);
}

/** A blob only grows: the one that begins in the same way takes its place. */
async function cutBack(deps: Deps, upload: Upload, length: number): Promise<void> {
  const { catalog, blobs } = deps;
  const before = await resumed(deps, upload, deps.uploads.offsetOf(upload));
  const staged = await blobs.stage();
  await staged.suspend();
  const after = (await blobs.resume(staged.key))!;
  await append(beginning(before.read(), length), after, { most: length });
  await before.suspend();
  await catalog.write(async (tx) => {
    await checkTurn(tx, catalog.members, upload);
    const current = await tx.get(uploads, upload.id);
    if (!current) return;
    await tx.replace(uploads, { ...current, key: after.key });
    await tx.replace(partials, { holder: holderOf(upload), key: after.key, ...inHandsOf(catalog.members) });
  });
  deps.uploads.advance(upload, length);
  await blobs.delete(upload.key);
}

async function* beginning(chunks: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  let left = length;
  for await (const chunk of chunks) {
    if (left > 0) yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) return;
  }
}

/** Waits anew from here; written down only once in a while. */
async function prolonged({ catalog, policy, now }: Deps, { id }: Upload): Promise<Upload> {
  const lifetime = policy.uploadLifetime * 1000;
  const expires = new Date(now().getTime() + lifetime);
  const isLater = (upload: Upload) => expires.getTime() - Date.parse(upload.expires) > lifetime / 20;
  const upload = await catalog.get(uploads, id);
  if (!upload) throw noSuchUpload(id);
  if (upload.attached || !isLater(upload)) return upload;
  return catalog.write(async (tx) => {
    const current = await tx.get(uploads, id);
    if (!current || current.attached) return current ?? upload;
    const later = { ...current, expires: expires.toISOString() };
    await tx.replace(uploads, later);
    return later;
  });
}
