import { statfs } from 'node:fs/promises';
import { StorageDown } from './errors.js';

/** In bytes; what is kept for root does not count as free. */
export interface Space {
  free: number;
  size: number;
}

/** The disk on which a directory lies. */
export async function spaceOf(directory: string): Promise<Space> {
  try {
    const { bsize, bavail, blocks } = await statfs(directory);
    return { free: bavail * bsize, size: blocks * bsize };
  } catch (error) {
    throw new StorageDown(`looking at the disk of ${directory}`, error);
  }
}
