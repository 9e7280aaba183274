import type { Compression } from '../../imgapi/image.js';
import { type Caller, isOperator } from './caller.js';
import { reservedIn } from './reservation.js';

/** A file on its way to an image, sent in as many parts as it takes. */
export interface Upload {
  id: string;
  /** Whose it is. */
  user: string;
  /** The one data center in which the credentials were good that began it. */
  within?: string;
  image: string;
  /** Whose administrators read of it in the audit. */
  datacenter?: string;
  size: number;
  /** Where its sender knows it. */
  sha256?: string;
  sha1?: string;
  compression: Compression;
  dataset_guid?: string;
  filename?: string;
  /** As it was sent, to be told again. */
  metadata: string;
  /** Of the blob in which its bytes gather. */
  key: string;
  created: string;
  expires: string;
  /** The room that is kept for it, and in whose counts, until the image has got it. */
  reserved?: { counts: readonly string[]; bytes: number };
  /** When the image got it: known for a while, to those who were cut off before they heard of it. */
  attached?: string;
}

export const uploads = {
  name: 'uploads',
  id: ({ id }: Upload) => id,
  index: ({ id, user, image, created, expires, reserved, attached }: Upload) => [
    `user:${user}/${created}`,
    `image:${image}/${created}`,
    `expires:${expires}`,
    ...(reserved && attached === undefined ? reservedIn({ id, counts: reserved.counts }) : []),
  ],
};

/** As which an upload holds its bytes, until its image does. */
export const holderOf = ({ id }: Pick<Upload, 'id'>) => `uploads/${id}`;

/** So many may be under way for a user. */
export const MOST_UPLOADS = 100;

/** Known for so long after the image has got it, in milliseconds. */
export const AFTERGLOW = 60 * 60 * 1000;

/** Whoever began it, and operators. Credentials for one data center know what was begun with such only. */
export function seesUpload(caller: Caller, { user, within }: Pick<Upload, 'user' | 'within'>): boolean {
  if (isOperator(caller)) return true;
  if (caller.kind !== 'user' || caller.user.uuid !== user) return false;
  return caller.rights.within === undefined || caller.rights.within === within;
}

export const isOver = ({ expires }: Pick<Upload, 'expires'>, now: Date) => Date.parse(expires) <= now.getTime();
