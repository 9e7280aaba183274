import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const COST = { N: 1 << 16, r: 8, p: 1 };
const MEMORY = 256 << 20;

/** Bytes that nobody reads without the passphrase, and what is needed to try one. */
interface Closed {
  kdf: 'scrypt';
  cost: typeof COST;
  salt: string;
  iv: string;
  tag: string;
  bytes: string;
}

/** Not the passphrase that it was closed with, or somebody has changed it. */
export class WrongPassphrase extends Error {
  override name = 'WrongPassphrase';
}

export async function closeWith(passphrase: string, bytes: Buffer): Promise<Buffer> {
  const [salt, iv] = [randomBytes(16), randomBytes(12)];
  const cipher = createCipheriv(CIPHER, await keyOf(passphrase, salt, COST), iv);
  const hidden = Buffer.concat([cipher.update(bytes), cipher.final()]);
  const closed: Closed = {
    kdf: 'scrypt',
    cost: COST,
    salt: salt.toString('base64'),
    iv: iv.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
    bytes: hidden.toString('base64'),
  };
  return Buffer.from(`${JSON.stringify(closed)}\n`);
}

export async function openWith(passphrase: string, closed: Buffer): Promise<Buffer> {
  try {
    const { cost, salt, iv, tag, bytes }: Closed = JSON.parse(closed.toString());
    const key = await keyOf(passphrase, Buffer.from(salt, 'base64'), cost);
    const decipher = createDecipheriv(CIPHER, key, Buffer.from(iv, 'base64')).setAuthTag(Buffer.from(tag, 'base64'));
    return Buffer.concat([decipher.update(Buffer.from(bytes, 'base64')), decipher.final()]);
  } catch (cause) {
    throw new WrongPassphrase('the passphrase is not the one that was given for it', { cause });
  }
}

function keyOf(passphrase: string, salt: Buffer, { N, r, p }: typeof COST): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase, salt, 32, { N, r, p, maxmem: MEMORY }, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
