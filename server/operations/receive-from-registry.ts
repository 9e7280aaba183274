import type { Duplex } from 'node:stream';
import { ImgapiError } from '../../imgapi/errors.js';
import { giveBack } from '../../storage/give-back.js';
import { type Received, receive } from '../../storage/receive.js';
import { repacked } from '../../storage/repacked.js';
import type { RemoteFile } from '../../storage/sources.js';
import { TransferRefused } from '../../storage/transfer.js';
import { NoUnpacker } from '../../storage/unpack-head.js';
import type { Deps } from '../deps.js';

interface Promised {
  size: number;
  sha256: string;
}

interface Course {
  holder: string;
  signal: AbortSignal;
  report: (bytes: number) => void;
  through?: Duplex[];
  /** It is packed with zstd, and shall be kept packed with gzip. */
  repack?: boolean;
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
  { holder, repack = false, ...course }: Course,
): Promise<Received> {
  const { bandwidth } = imports;
  const common = { ...course, pauses: policy.registries.pauses, release: giveBack };
  try {
    // What comes out of it has another size and digest, which nobody has told.
    if (repack) {
      const sent = repacked(bandwidth.limited(file), expect);
      return await receive({ catalog, blobs }, holder, sent, { ...common, limit: policy.maxFileSize });
    }
    return await receive({ catalog, blobs }, holder, bandwidth.limited(file), { ...common, expect });
  } catch (error) {
    const isRefused = error instanceof TransferRefused || error instanceof NoUnpacker;
    if (!isRefused) throw error;
    const isTooBig = error instanceof TransferRefused && error.reason === 'too-big';
    throw new ImgapiError(isTooBig ? 'ImageFileTooBig' : 'Download', `${file.what}: ${error.message}`, {
      cause: error,
    });
  }
}
