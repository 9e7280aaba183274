import { randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Catalog } from '../../storage/catalog.js';
import { syncDirectory } from '../../storage/durable.js';
import { OperatorMistake } from '../model/operator-mistake.js';
import { hashToken, type Token, tokens } from '../model/token.js';
import { ADMIN, users } from '../model/user.js';

const TOKEN_NAME = 'first';

/**
 * The first administrator, and the token that stands in DATA/admin-token: written there when there is none, and read
 * from there at every start. So a start that was cut off is made good by the next, and a token that was lost, or is to
 * be another, by removing or editing the file.
 */
export async function ensureAdministrator(catalog: Catalog, directory: string, now: Date): Promise<string> {
  const tokenFile = join(directory, 'admin-token');
  const secret = (await readToken(tokenFile)) ?? (await writeToken(tokenFile));
  const created = now.toISOString();
  const token: Token = { hash: hashToken(secret), name: TOKEN_NAME, user: ADMIN.uuid, created };
  if (!(await catalog.get(tokens, token.hash))) {
    await catalog.write(async (tx) => {
      if (!(await tx.get(users, ADMIN.uuid))) await tx.insert(users, { ...ADMIN, superAdmin: true, created });
      const earlier = await tx.find(tokens, `name:${ADMIN.uuid}/${TOKEN_NAME}`);
      if (earlier) await tx.delete(tokens, earlier.hash);
      await tx.insert(tokens, token);
    });
  }
  return tokenFile;
}

const USABLE = /^[\x21-\x7e]{16,512}$/;

async function readToken(path: string): Promise<string | undefined> {
  try {
    const secret = (await readFile(path, 'utf8')).trim();
    if (USABLE.test(secret)) return secret;
    throw new OperatorMistake(`${path} holds no token: remove it to have one made, or write 16 characters or more`);
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
