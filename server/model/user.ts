import { createHash } from 'node:crypto';
import { ImgapiError } from '../../imgapi/errors.js';
import { bindingKey, type OpenIdBinding } from './openid-binding.js';

/** A public ssh key with which a user signs. */
export interface UserKey {
  title: string;
  /** As OpenSSH writes it, in a line. */
  key: string;
  fingerprint: string;
  added: string;
}

export interface User {
  uuid: string;
  name: string;
  superAdmin: boolean;
  created: string;
  /** Stands in for an owner of whom nothing else is known, or was locked out: nobody can be this user. */
  inactive?: true;
  /** Whatever proves this user, nothing is answered. */
  withoutApi?: true;
  displayName?: string;
  email?: string;
  /** As `model/password.ts` spells it. */
  password?: string;
  keys?: UserKey[];
  /** How many bytes the images may have together that the user owns; any number where it is absent. */
  imageBytesLimit?: number;
  /** Who it is where people sign in by OpenID Connect. */
  openid?: OpenIdBinding;
}

export const users = {
  name: 'users',
  id: (user: User) => user.uuid,
  unique: ({ name, openid }: User) => [`name:${name}`, ...(openid ? [bindingKey(openid)] : [])],
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

/** Can anybody be this user? */
export const isAdmitted = ({ inactive, withoutApi }: User) => !inactive && !withoutApi;

/** Whoever has proven to be a user is told why nothing is answered all the same. */
export function checkAdmitted({ name, inactive, withoutApi }: User): void {
  if (inactive) throw new ImgapiError('NotPermitted', `the user "${name}" is not active`);
  if (withoutApi) throw new ImgapiError('NotPermitted', `the user "${name}" may not use the API`);
}

/** As many keys as are tried against a signature. */
export const MOST_KEYS = 32;

export const KEY_TITLE = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;

export const presentKey = ({ title, key, fingerprint, added }: UserKey) => ({ title, key, fingerprint, added });

/** A user as operators see it, and each sees itself. The password is nobody's business. */
export function presentUser(user: User) {
  const { name, uuid, displayName = '', email = '', inactive, withoutApi, superAdmin, created, password, keys } = user;
  const { imageBytesLimit = null, openid } = user;
  return {
    name,
    uuid,
    display_name: displayName,
    email,
    active: !inactive,
    api_access: !withoutApi,
    super_admin: superAdmin,
    image_bytes_limit: imageBytesLimit,
    has_password: password !== undefined,
    openid_issuer: openid?.issuer ?? null,
    openid_subject: openid?.subject ?? null,
    keys: keys?.map(({ title }) => title) ?? [],
    created,
  };
}
