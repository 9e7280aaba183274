import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { listKeyFiles } from './auth/key-files.js';
import { type Beside, isBeside, isSecretBeside } from './operations/beside.js';

const SECRETS = ['admin-token', 'secrets-key', 'node-key', 'tls/certificate.pem', 'tls/key.pem'];

/** As they lie in the data directory, and `others` that need not lie there. */
export function filesBeside(data: string, others: Readonly<Record<string, string>>): Beside {
  const read = async (names: readonly string[], isWanted: (name: string) => boolean) => {
    const found = new Map<string, Buffer>();
    for (const name of names.filter(isWanted)) {
      const bytes = await readIfThere(join(data, name));
      if (bytes) found.set(name, bytes);
    }
    return found;
  };
  return {
    open: async () => {
      const keys = (await listKeyFiles(join(data, 'authkeys'))).map((path) => relative(data, path));
      return read(['takeover-report.json', ...keys], isBeside);
    },
    secret: async () => {
      const found = Object.entries(others).map(([name, content]) => [name, Buffer.from(content)] as const);
      return new Map([...found, ...(await read(SECRETS, isSecretBeside))]);
    },
  };
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
