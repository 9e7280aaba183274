import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { replaceFile } from '../../storage/durable.js';
import { OperatorMistake } from '../model/operator-mistake.js';

/** Where the key stands with which stored credentials are sealed. */
export interface KeyPlace {
  /** For people. */
  what: string;
  /** None where it is to be made at the first need. */
  key: Buffer | undefined;
  /** Keeps a new one there; absent where that is the operator's. */
  make?: () => Promise<Buffer>;
}

const BYTES = 32;
const VARIABLE = /^env:(.+)$/;

const HOW = 'make one with "slipwayd --new-secrets-key FILE"';

/** A file, a variable of the environment where it is spelled env:NAME, or else `own`, which is made when it is needed. */
export function readSecretsKey(
  setting: string | undefined,
  own: string,
  env: Readonly<Record<string, string | undefined>>,
): KeyPlace {
  const [, variable] = VARIABLE.exec(setting ?? '') ?? [];
  if (variable !== undefined) {
    const what = `the variable ${variable}`;
    const text = env[variable];
    if (!text) throw new OperatorMistake(`secretsKey: ${what} is not set: ${HOW}, or unset secretsKey`);
    return { what, key: keyIn(text, what) };
  }
  const path = setting ?? own;
  const text = readPrivate(path);
  if (text !== undefined) return { what: path, key: keyIn(text, path) };
  if (setting !== undefined) throw new OperatorMistake(`secretsKey: there is no file ${path}: ${HOW}`);
  const make = async () => {
    const key = randomBytes(BYTES);
    await replaceFile(path, `${key.toString('base64')}\n`);
    return key;
  };
  return { what: path, key: undefined, make };
}

function readPrivate(path: string): string | undefined {
  try {
    const { mode } = statSync(path);
    if ((mode & 0o077) !== 0) {
      throw new OperatorMistake(`secretsKey: others can read ${path}: "chmod 600" it, and think of who has`);
    }
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function keyIn(text: string, what: string): Buffer {
  const given = text.trim();
  const key = /^[0-9a-f]{64}$/i.test(given) ? Buffer.from(given, 'hex') : Buffer.from(given, 'base64');
  if (key.length === BYTES) return key;
  throw new OperatorMistake(`secretsKey: ${what} holds no key of ${BYTES} bytes in base64 or hex: ${HOW}`);
}
