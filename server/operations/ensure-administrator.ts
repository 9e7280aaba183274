import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Catalog, Tx } from '../../storage/catalog.js';
import { syncDirectory } from '../../storage/durable.js';
import { OperatorMistake } from '../model/operator-mistake.js';
import { FIRST, hashToken, isFirst, type Token, tokenKey, tokens } from '../model/token.js';
import { ADMIN, users } from '../model/user.js';
import { keepPrivate } from './keep-private.js';
import { makeSecret } from './token-secret.js';

export interface Administrator {
  tokenFile: string;
  /** What is wrong with that file, for the log. */
  warning: string | undefined;
}

/**
 * The first administrator, and the token that stands in DATA/admin-token: written there when there is none or when it
 * was revoked, and read from there at every start. So a start that was cut off is made good by the next, and a token
 * that was lost, or is to be another, by removing or editing the file.
 */
export async function ensureAdministrator(catalog: Catalog, directory: string, now: Date): Promise<Administrator> {
  const tokenFile = join(directory, 'admin-token');
  const found = await readToken(tokenFile);
  const known = found === undefined ? undefined : await catalog.get(tokens, hashToken(found));
  if (known && !isFirst(known)) {
    throw new OperatorMistake(`${tokenFile} holds the secret of token "${known.name}": write another, or remove it`);
  }
  const secret = found === undefined || known?.revoked ? await writeToken(tokenFile) : found;
  const token: Token = { ...FIRST, hash: hashToken(secret), created: now.toISOString() };
  if (known?.hash !== token.hash) await catalog.write((tx) => register(tx, token));
  return { tokenFile, warning: await keepPrivate(tokenFile) };
}

/**
 * The same, where several daemons are one server: the token is in the directory of the one that made it, and the others
 * have none. One that was lost is made good by a file with another one, on any of them.
 */
export function ensureSharedAdministrator(
  catalog: Catalog,
  directory: string,
  now: Date,
): Promise<Administrator | undefined> {
  return catalog.members.alone('administrator', async () => {
    const first = await catalog.find(tokens, tokenKey(FIRST.user, FIRST.name));
    const isElsewhere = first && !first.revoked && (await readToken(join(directory, 'admin-token'))) === undefined;
    return isElsewhere ? undefined : ensureAdministrator(catalog, directory, now);
  });
}

async function register(tx: Tx, token: Token): Promise<void> {
  const { created } = token;
  if (!(await tx.get(users, ADMIN.uuid))) await tx.insert(users, { ...ADMIN, superAdmin: true, created });
  const earlier = await tx.find(tokens, tokenKey(token.user, token.name));
  if (earlier) await tx.delete(tokens, earlier.hash);
  await tx.insert(tokens, token);
}

const USABLE = /^[\x21-\x7e]{16,512}$/;

async function readToken(path: string): Promise<string | undefined> {
  const content = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new OperatorMistake(`the token in ${path} can not be read: ${cause.message}`, { cause });
  });
  const secret = content?.trim();
  if (secret === undefined || USABLE.test(secret)) return secret;
  throw new OperatorMistake(`${path} holds no token: remove it to have one made, or write 16 characters or more`);
}

async function writeToken(path: string): Promise<string> {
  const secret = makeSecret();
  const partial = `${path}.new`;
  // Of an earlier start, and perhaps readable by others.
  await rm(partial, { force: true });
  const file = await open(partial, 'wx', 0o600);
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
