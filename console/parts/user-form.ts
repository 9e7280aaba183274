import type { Results } from '../api/types.js';
import type { Field } from './form.js';
import { bytesFrom, sizeOf } from './sizes.js';

type User = Results['GetUser'];

export interface UserWish {
  name: string;
  display_name: string;
  email: string;
  password: string;
  api_access: boolean;
  super_admin: boolean;
  openid_subject: string;
  image_bytes_limit: string;
}

export const newUser: UserWish = {
  name: '',
  display_name: '',
  email: '',
  password: '',
  api_access: true,
  super_admin: false,
  openid_subject: '',
  image_bytes_limit: '',
};

const fields: readonly Field<UserWish>[] = [
  { name: 'display_name', label: 'What people call the user' },
  { name: 'email', label: 'Mail address' },
  {
    name: 'api_access',
    label: 'May use the API',
    kind: 'check',
    hint: 'without it nothing is answered to this user, here neither',
    isAdvanced: true,
  },
  {
    name: 'image_bytes_limit',
    label: 'How many bytes the images may have that the user owns',
    hint: 'such as 500 GiB; any number where it is empty',
    isAdvanced: true,
  },
  {
    name: 'openid_subject',
    label: 'What the OpenID issuer calls the user',
    hint: 'its subject there: whoever signs in with it is this user; nobody where it is empty',
    isAdvanced: true,
  },
];

export const changedFields = fields;

export const newFields: readonly Field<UserWish>[] = [
  { name: 'name', label: 'Login name', isRequired: true, hint: 'it stays as it is' },
  {
    name: 'password',
    label: 'Password',
    kind: 'password',
    autocomplete: 'new-password',
    hint: 'none where it is empty: tokens and keys let the user in as well',
  },
  ...fields,
  {
    name: 'super_admin',
    label: 'SuperAdmin',
    kind: 'check',
    hint: 'may do everything, everywhere',
    isAdvanced: true,
  },
];

export const wishOf = (user: User): UserWish => ({
  ...newUser,
  display_name: user.display_name,
  email: user.email,
  api_access: user.api_access,
  openid_subject: user.openid_subject ?? '',
  image_bytes_limit: sizeOf(user.image_bytes_limit),
});

/** As the server takes it. */
export const userBody = ({ image_bytes_limit: limit, ...typed }: Partial<UserWish>) => ({
  ...typed,
  ...(limit !== undefined && { image_bytes_limit: bytesFrom(limit) }),
});
