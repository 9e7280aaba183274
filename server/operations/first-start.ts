import { randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Catalog } from '../../storage/catalog.js';
import { syncDirectory } from '../../storage/durable.js';
import { ADMIN, hashToken, tokens, type User, users } from '../model/user.js';

const TOKEN_NAME = 'first';

/**
 * The first administrator and a token, made once. The file is written before the catalog knows the token: a start that
 * is cut off between the two finds the file again and registers what stands in it.
 */
export async function ensureAdministrator(
  catalog: Catalog,
  directory: string,
  now: Date,
): Promise<{ tokenFile: string }> {
  const tokenFile = join(directory, 'admin-token');
  const created = now.toISOString();
  const known = await catalog.find(tokens, `name:${ADMIN.uuid}/${TOKEN_NAME}`);
  if (!known) {
    const secret = (await readToken(tokenFile)) ?? (await writeToken(tokenFile));
    await catalog.write(async (tx) => {
      const admin: User = { ...ADMIN, superAdmin: true, created };
      if (!(await tx.get(users, ADMIN.uuid))) await tx.insert(users, admin);
      await tx.insert(tokens, { hash: hashToken(secret), name: TOKEN_NAME, user: ADMIN.uuid, created });
    });
  }
  return { tokenFile };
}

async function readToken(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim() || undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function writeToken(path: string): Promise<string> {
  const secret = `slipway_${randomBytes(24).toString('base64url')}`;
  const partial = `${path}.new`;
  const file = await open(partial, 'w', 0o600);
  try {
    await file.writeFile(`${secret}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, path);
  await syncDirectory(dirname(path));
  return secret;
}
