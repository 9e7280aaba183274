import { Readable } from 'node:stream';
import { ImgapiError } from '../../imgapi/errors.js';
import { AnsweredBadly, Unreachable } from '../../imgapi/exchange-errors.js';
import type { Image } from '../../imgapi/image.js';
import { openUrlSource } from '../../storage/open.js';
import { watched } from '../../storage/receive.js';
import type { RemoteFile } from '../../storage/sources.js';
import type { Deps } from '../deps.js';
import { isOperator } from '../model/caller.js';
import { type ImportSource, stepOf } from '../model/import.js';
import type { Target } from './find-image.js';
import { openSource } from './open-source.js';
import { fetchManifest } from './plan-import.js';
import type { Expected } from './upload.js';
import { type FileDetails, findUploadTarget, uploadFile } from './upload-file.js';

/** The file that another server has of the image. Who asks waits for it, and so it is begun only once. */
export async function fetchFileFrom(
  deps: Deps,
  target: Target,
  from: ImportSource,
  signal: AbortSignal,
): Promise<Image> {
  await findUploadTarget(deps, target);
  const source = await openSource(deps, from);
  const manifest = await fetchManifest(deps, from, target.uuid);
  const { file } = stepOf(manifest, from, { wanted: target.uuid, what: source.what });
  return take(deps, target, source.file(target.uuid), file, file, signal).catch((error: unknown) => {
    if (!(error instanceof ImgapiError && isOfTheSource(error))) throw error;
    throw new ImgapiError('RemoteSourceError', error.message, { cause: error });
  });
}

/** A file by its address alone, without being sent on to another. */
export async function fetchFileAt(
  deps: Deps,
  target: Target,
  url: string,
  { expect, details }: { expect: Expected; details: FileDetails },
  signal: AbortSignal,
): Promise<Image> {
  const { outgoing, policy } = deps;
  const access = { trusted: isOperator(target.caller) };
  const problem = outgoing.problemWith(url, access);
  if (problem !== undefined) throw new ImgapiError('Download', `file_url ${problem}`);
  const source = await openUrlSource({ file: { ...outgoing.to(url, access), userAgent: policy.serverName } });
  try {
    return await take(deps, target, source.file(target.uuid), expect, details, signal);
  } catch (error) {
    if (!(error instanceof ImgapiError) || !isOfTheSource(error)) throw error;
    throw new ImgapiError('Download', error.message, { cause: error });
  }
}

const isOfTheSource = (error: ImgapiError) => error instanceof Unreachable || isAnswer(error) || isAnswer(error.cause);

const isAnswer = (error: unknown) => error instanceof AnsweredBadly;

async function take(
  deps: Deps,
  target: Target,
  remote: RemoteFile,
  expect: Expected & { sha256?: string },
  details: FileDetails,
  signal: AbortSignal,
): Promise<Image> {
  const { imports } = deps;
  const file = imports.bandwidth.limited(remote);
  const opened = await file.open({ from: 0 }, signal);
  try {
    const size = expect.size ?? opened.size;
    const body = Readable.from(watched(opened.body, file, imports.patience), { objectMode: false });
    return await uploadFile(deps, target, body, { ...expect, ...(size !== undefined && { size }) }, details);
  } finally {
    opened.body.destroy();
  }
}
