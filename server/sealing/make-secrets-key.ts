import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from '../../storage/durable.js';
import { OperatorMistake } from '../model/operator-mistake.js';

/** A key for the setting secretsKey, in a file that is new: whoever overwrites one loses what it has sealed. */
export async function makeSecretsKey(path: string): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(`${randomBytes(32).toString('base64')}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await syncDirectory(dirname(path));
  } catch (cause) {
    const isThere = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    const why = isThere ? 'it is there already, and what it has sealed needs it' : String(cause);
    throw new OperatorMistake(`--new-secrets-key ${path}: ${why}`, { cause });
  }
}
