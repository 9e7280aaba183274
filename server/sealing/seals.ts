import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { ImgapiError } from '../../imgapi/errors.js';
import type { KeyPlace } from './secrets-key.js';

const CIPHER = 'aes-256-gcm';
const IV = 12;
const TAG = 16;

/**
 * Closes what has to be told to others later, so that whoever reads the catalog can not. A text is sealed for a purpose,
 * and opens for that one only: it can not be carried to another record.
 */
export class Seals {
  #key: Buffer | undefined;
  #making: Promise<Buffer> | undefined;

  /** `isNeeded`: is there anything that was sealed with a key that is not here? */
  constructor(
    private readonly place: KeyPlace,
    private readonly isNeeded: () => Promise<boolean> = async () => false,
  ) {
    this.#key = place.key;
  }

  async seal(text: string, purpose: string): Promise<string> {
    const key = this.#key ?? (await this.#made());
    const iv = randomBytes(IV);
    const cipher = createCipheriv(CIPHER, key, iv).setAAD(Buffer.from(purpose));
    const closed = Buffer.concat([cipher.update(text), cipher.final()]);
    return `${idOf(key)}.${Buffer.concat([iv, cipher.getAuthTag(), closed]).toString('base64url')}`;
  }

  /** Throws with what to do where the key is not the one that sealed it. */
  open(sealed: string, purpose: string): string {
    if (!this.opens(sealed)) throw this.#wrongKey();
    const bytes = Buffer.from(sealed.slice(sealed.indexOf('.') + 1), 'base64url');
    try {
      const decipher = createDecipheriv(CIPHER, this.#key!, bytes.subarray(0, IV))
        .setAAD(Buffer.from(purpose))
        .setAuthTag(bytes.subarray(IV, IV + TAG));
      return Buffer.concat([decipher.update(bytes.subarray(IV + TAG)), decipher.final()]).toString();
    } catch (cause) {
      throw new ImgapiError('ServiceUnavailableError', 'what was sealed has been changed: set it again', { cause });
    }
  }

  /** Was it sealed with the key that is here? */
  opens(sealed: string): boolean {
    return this.#key !== undefined && sealed.startsWith(`${idOf(this.#key)}.`);
  }

  get what(): string {
    return this.place.what;
  }

  #made(): Promise<Buffer> {
    this.#making ??= this.#make().finally(() => {
      this.#making = undefined;
    });
    return this.#making;
  }

  async #make(): Promise<Buffer> {
    const { make } = this.place;
    // A second key would hide that the first one is missing.
    if (!make || (await this.isNeeded())) throw this.#wrongKey();
    this.#key = await make();
    return this.#key;
  }

  #wrongKey(): ImgapiError {
    const message = `it was sealed with another key than the one in ${this.place.what}: put that key back, or set it again`;
    return new ImgapiError('ServiceUnavailableError', message);
  }
}

/** Tells keys apart, and nothing else. */
const idOf = (key: Buffer) => createHash('sha256').update('slipway key').update(key).digest('hex').slice(0, 12);
