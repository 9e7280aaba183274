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
  const names = await ifThere(readdir(directory));
  return (names ?? [])
    .filter((name) => name.endsWith(SUFFIX))
    .sort()
    .map((name) => join(directory, name));
}

export const userOf = (path: string): string => basename(path, SUFFIX);

/** None where the file has gone meanwhile. */
export async function readKeyFile(path: string): Promise<string | undefined> {
  const found = await ifThere(stat(path));
  if (!found) return undefined;
  if (!found.isFile()) throw new Error('it is not a file');
  if (found.size > MAX_SIZE) throw new Error(`its ${found.size} bytes are more than the ${MAX_SIZE} of a list of keys`);
  return ifThere(readFile(path, 'utf8'));
}

async function ifThere<T>(wanted: Promise<T>): Promise<T | undefined> {
  try {
    return await wanted;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
