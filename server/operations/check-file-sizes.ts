import type { Policy } from '../deps.js';
import { BadSource, type ImportStep } from '../model/import.js';

/** Refuses files that are longer than any may be, as far as it is known how long they are. */
export function checkFileSizes({ maxFileSize }: Policy, steps: readonly Pick<ImportStep, 'uuid' | 'file'>[]): void {
  for (const { uuid, file } of steps) {
    if (file.size === undefined || file.size <= maxFileSize) continue;
    const message = `the file of image ${uuid} has ${file.size} bytes, of which ${maxFileSize} are allowed`;
    throw new BadSource('file', message);
  }
}
