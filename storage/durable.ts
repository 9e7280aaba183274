import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** A name that was made, moved or removed is safe only when the directory that holds it has been synced. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The new content of a file or, whatever happens, its old one; readable by nobody else. */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const partial = `${path}.new`;
  // of an earlier attempt, and perhaps readable by others
  await rm(partial, { force: true });
  const file = await open(partial, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, path);
  await syncDirectory(dirname(path));
}

/** With those above it that are missing, readable by nobody else. */
export async function makeDirectory(path: string): Promise<void> {
  const above = dirname(resolve(path));
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    // Whoever made it may have been killed before its name was safe.
    if (is(error, 'EEXIST') && (await stat(path)).isDirectory()) return syncIfOurs(above);
    if (is(error, 'EEXIST')) throw new Error(`${path} is not a directory`, { cause: error });
    // Not mkdir's own `recursive`, which never ends where the kernel makes no directories, as below /proc.
    if (!is(error, 'ENOENT') || (await exists(above))) throw error;
    await makeDirectory(above);
    return makeDirectory(path);
  }
  await syncDirectory(above);
}

async function syncIfOurs(path: string): Promise<void> {
  try {
    await syncDirectory(path);
  } catch (error) {
    if (!is(error, 'EACCES')) throw error;
  }
}

const is = (error: unknown, code: string) => error instanceof Error && 'code' in error && error.code === code;

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (is(error, 'ENOENT')) return false;
    throw error;
  }
}
