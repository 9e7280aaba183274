import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';

const SUFFIX = '.keys';
const MAX_SIZE = 256 * 1024;

/** Of the operator; and where the reference has its operators', and those that it synchronizes. */
const FOLDERS = ['', 'local', 'manta'];

export async function listKeyFiles(directory: string): Promise<string[]> {
  const lists = await Promise.all(FOLDERS.map((folder) => listOne(join(directory, folder))));
  return lists.flat();
}

async function listOne(directory: string): Promise<string[]> {
  const names = await namesIn(directory);
  return names
    .filter((name) => name.endsWith(SUFFIX))
    .sort()
    .map((name) => join(directory, name));
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

export const userOf = (path: string): string => basename(path, SUFFIX);

export async function readKeyFile(path: string): Promise<string> {
  const found = await stat(path);
  if (!found.isFile()) throw new Error('it is not a file');
  if (found.size > MAX_SIZE) throw new Error(`its ${found.size} bytes are more than the ${MAX_SIZE} of a list of keys`);
  return readFile(path, 'utf8');
}
