import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { canonical, type Signed } from '../../imgapi/audit-chain.js';
import { replaceFile } from '../../storage/durable.js';

/** Signs how far the chains of the audit go, so that nobody without it can cut them. */
export class AuditKey {
  /** In PEM. */
  readonly public: string;

  constructor(private readonly key: KeyObject = generateKeyPairSync('ed25519').privateKey) {
    this.public = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
  }

  sign<T extends object>(content: T): Signed<T> {
    return { ...content, signature: sign(null, Buffer.from(canonical(content)), this.key).toString('base64') };
  }

  toPem(): string {
    return this.key.export({ type: 'pkcs8', format: 'pem' }).toString();
  }
}

/** The key that stands in the file, made where there is none. */
export async function openAuditKey(path: string): Promise<AuditKey> {
  const found = await findAuditKey(path);
  if (found) return found;
  const made = new AuditKey();
  await replaceFile(path, made.toPem());
  return made;
}

/** The key that stands in the file, if there is one. */
export async function findAuditKey(path: string): Promise<AuditKey | undefined> {
  const pem = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return pem === undefined ? undefined : auditKeyIn(pem, path);
}

/** `place`: where it stands, for people. */
export const auditKeyIn = (pem: string, place: string) => new AuditKey(keyIn(pem, place));

function keyIn(pem: string, path: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType !== 'ed25519') throw new Error(`it is of type ${key.asymmetricKeyType}`);
    return key;
  } catch (cause) {
    throw new Error(`${path} holds no ed25519 key in PEM: put the key back that stood there`, { cause });
  }
}
