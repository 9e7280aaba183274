import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';

/** Refuses what the disk has no room for, beside what uploads and imports that go on were promised. Before a byte is written. */
export async function checkSpace(
  { space, uploads, imports }: Pick<Deps, 'space' | 'uploads' | 'imports'>,
  needed: number,
): Promise<void> {
  const { free } = await space();
  const available = Math.max(0, free - uploads.awaited() - imports.awaited());
  if (needed <= available) return;
  throw new ImgapiError('InsufficientSpace', `${needed} bytes are needed on the disk, ${available} are available`);
}
