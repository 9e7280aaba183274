import { ImgapiError } from '../../imgapi/errors.js';
import { giveBack } from '../../storage/give-back.js';
import { type Received, receive } from '../../storage/receive.js';
import type { RemoteFile } from '../../storage/sources.js';
import { TransferRefused } from '../../storage/transfer.js';
import type { Deps } from '../deps.js';

interface Promised {
  size: number;
  sha256: string;
}

interface Course {
  holder: string;
  signal: AbortSignal;
  report: (bytes: number) => void;
}

/** What a registry promises larger than files may be is not begun with. */
export function checkFileSize({ policy }: Deps, what: string, size: number): void {
  if (size <= policy.maxFileSize) return;
  throw new ImgapiError('ImageFileTooBig', `${what} has ${size} bytes, of which ${policy.maxFileSize} are allowed`);
}

/** A file that is known by its digest, in as many attempts as registries get. */
export async function receiveFromRegistry(
  { catalog, blobs, policy, imports }: Deps,
  file: RemoteFile,
  expect: Promised,
  { holder, ...course }: Course,
): Promise<Received> {
  try {
    const options = { ...course, expect, limit: expect.size, pauses: policy.registries.pauses, release: giveBack };
    return await receive({ catalog, blobs }, holder, imports.bandwidth.limited(file), options);
  } catch (error) {
    if (!(error instanceof TransferRefused)) throw error;
    throw new ImgapiError('Download', `${file.what}: ${error.message}`, { cause: error });
  }
}
