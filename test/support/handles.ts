import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** Connections and files of blobs that a process has open, as Linux tells it. */
export async function openHandles(pid: number): Promise<string[]> {
  const directory = `/proc/${pid}/fd`;
  const links = (await readdir(directory)).map((fd) => readlink(join(directory, fd)).catch(() => 'closed meanwhile'));
  return (await Promise.all(links)).filter((link) => link.startsWith('socket:') || link.includes('/files/'));
}
