import { randomBytes } from 'node:crypto';

/** 32 hex digits at random: nobody can guess one, and none can lead a path astray. */
export const newBlobKey = () => randomBytes(16).toString('hex');

export const isBlobKey = (name: string) => /^[0-9a-f]{32}$/.test(name);

export function assertBlobKey(key: string): void {
  if (!isBlobKey(key)) throw new TypeError(`"${key}" is not the key of a blob`);
}
