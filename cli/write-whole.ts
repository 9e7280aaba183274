import { randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { atPath } from './at-path.js';

/** A small file, there as a whole or not at all. What was there before is replaced. */
export async function writeWhole(path: string, content: string | Buffer, mode = 0o666): Promise<void> {
  const fresh = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await atPath(path, writeFile(fresh, content, { flag: 'wx', mode, flush: true }));
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}
