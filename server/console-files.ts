import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A file of the console as it is sent, in each of the forms that a browser may take. */
export interface ConsoleFile {
  type: string;
  plain: Buffer;
  br?: Buffer;
  gzip?: Buffer;
}

export interface ConsoleFiles {
  /** The page, for a server that is reached below this prefix. */
  page(prefix: string): string;
  assets: ReadonlyMap<string, ConsoleFile>;
}

const types: Record<string, string> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** What the build has left; nothing where the console was not built, as in a package that leaves it out. */
export async function openConsole(directory: string): Promise<ConsoleFiles | undefined> {
  const page = await readFile(join(directory, 'index.html'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (page === undefined) return undefined;
  const assets = new Map<string, ConsoleFile>();
  const folder = join(directory, 'assets');
  const names = await readdir(folder);
  for (const name of names) {
    const type = types[name.split('.').at(-1) ?? ''];
    if (type === undefined) continue;
    const packed = async (end: string) => (names.includes(name + end) ? readFile(join(folder, name + end)) : undefined);
    const [plain, br, gzip] = await Promise.all([readFile(join(folder, name)), packed('.br'), packed('.gz')]);
    assets.set(name, { type, plain, ...(br && { br }), ...(gzip && { gzip }) });
  }
  return { page: (prefix) => page.replaceAll('{{prefix}}', escaped(prefix)), assets };
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
