import { createHash } from 'node:crypto';

export interface User {
  uuid: string;
  name: string;
  superAdmin: boolean;
  created: string;
  /** Stands in for an owner of whom nothing else is known: nobody can be this user. */
  inactive?: true;
}

export const users = {
  name: 'users',
  id: (user: User) => user.uuid,
  unique: (user: User) => [`name:${user.name}`],
};

/** The same name gets the same uuid on every installation (RFC 4122, version 5, under a namespace of our own). */
export function userUuid(name: string): string {
  const namespace = Buffer.from('5b1d2f0e4c0a4b7e9a7c5c6a3d1f8e42', 'hex');
  const bytes = createHash('sha1').update(namespace).update(name).digest().subarray(0, 16);
  bytes[6] = (bytes.readUInt8(6) & 0x0f) | 0x50;
  bytes[8] = (bytes.readUInt8(8) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** The first administrator, who also stands in for the unset owner in mode dc. */
export const ADMIN = { name: 'admin', uuid: userUuid('admin') };
