import type { Results } from '../api/types.js';
import type { Field } from './form.js';

export interface SecretWish {
  name: string;
  dc: string;
  host: string;
  type: string;
  username: string;
  value: string;
  /** A key has lines, and stands in an area. */
  key: string;
}

export const newSecret: SecretWish = { name: '', dc: '', host: '', type: 'basic', username: '', value: '', key: '' };

const isKey = ({ type }: SecretWish) => type === 'ssh-key';

export const secretFields: readonly Field<SecretWish>[] = [
  {
    name: 'type',
    label: 'What it is',
    kind: 'choice',
    choices: [
      ['basic', 'a user name and a password'],
      ['bearer', 'a token'],
      ['ssh-key', 'a private ssh key'],
    ],
  },
  {
    name: 'host',
    label: 'Host',
    hint: 'it is told to this one only; with the port where that is not the usual one, and http:// before it where plain HTTP is meant',
    when: (wish) => !isKey(wish),
  },
  { name: 'username', label: 'User name', when: ({ type }) => type === 'basic' },
  {
    name: 'value',
    label: 'The password or the token',
    kind: 'password',
    autocomplete: 'new-password',
    hint: 'kept sealed, and never shown again',
    when: (wish) => !isKey(wish),
  },
  {
    name: 'key',
    label: 'The private key',
    kind: 'secret-area',
    hint: 'without a passphrase; kept sealed, and never shown again',
    when: isKey,
  },
];

export const secretWish = ({ host, type, username }: Results['GetSecret']): SecretWish => ({
  ...newSecret,
  host,
  type,
  username: username ?? '',
});

/** Only what was typed: what is secret is not sent where it stays. */
export const secretBody = ({ key, value, ...typed }: Partial<SecretWish>) => ({
  ...typed,
  ...((value || key) && { value: value || key }),
});
