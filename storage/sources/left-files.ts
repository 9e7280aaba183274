import { createReadStream, type Dirent } from 'node:fs';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import type { LeftFile, LeftRecord } from '../sources.js';

/** Nothing that is larger is a record or a list of keys. */
const MAX_TEXT = 16 << 20;

/** In the order of their names; none where there is no such directory. */
export async function entriesOf(path: string): Promise<Dirent[]> {
  const entries = (await ifThere(readdir(path, { withFileTypes: true }))) ?? [];
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Or a link, to what may be one. */
export const mayBeDirectory = (entry: Dirent) => entry.isDirectory() || entry.isSymbolicLink();

export async function isDirectory(path: string): Promise<boolean> {
  return (await ifThere(stat(path)))?.isDirectory() ?? false;
}

export async function leftFile(path: string): Promise<LeftFile | undefined> {
  const found = await ifThere(stat(path));
  // to open anything else may never return
  if (!found?.isFile()) return undefined;
  return {
    path,
    size: found.size,
    modified: found.mtime,
    open: () => createReadStream(path, { highWaterMark: 512 << 10 }),
    head: (length) => head(path, length),
  };
}

export async function leftRecord(path: string): Promise<LeftRecord | undefined> {
  const found = await ifThere(stat(path));
  return found && { path, text: () => textOf(path) };
}

async function textOf(path: string): Promise<string> {
  const found = await stat(path);
  if (!found.isFile()) throw new Error('it is no file');
  if (found.size > MAX_TEXT) throw new Error(`its ${found.size} bytes are too many`);
  return (await readFile(path, 'utf8')).replace(/^\uFEFF/, '');
}

async function head(path: string, length: number): Promise<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function ifThere<T>(wanted: Promise<T>): Promise<T | undefined> {
  try {
    return await wanted;
  } catch (error) {
    if (error instanceof Error && 'code' in error && absence.has(String(error.code))) return undefined;
    throw error;
  }
}

const absence = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);
