import { chmod, stat } from 'node:fs/promises';

const OTHERS = 0o077;

/** Takes a secret's file away from everybody but its owner, where that is us; returns what the operator has to know. */
export async function keepPrivate(path: string): Promise<string | undefined> {
  const { mode, uid } = await stat(path);
  if ((mode & OTHERS) === 0) return undefined;
  const found = `${path} can be read or written by others (mode ${(mode & 0o777).toString(8)})`;
  if (uid !== process.getuid?.()) return `${found} and belongs to another user: make its mode 600`;
  try {
    await chmod(path, 0o600);
  } catch (error) {
    return `${found} and could not be changed: ${error instanceof Error ? error.message : error}`;
  }
  return `${found}: its mode is 600 from now on, but whoever has read it knows the token`;
}
