import type { Results } from '../api/types.js';
import type { Field } from './form.js';

type Setup = Results['GetRepositorySetup'];

export interface RepositoryWish {
  name: string;
  url: string;
  enabled: boolean;
  channel: string;
  secret: string;
  ca: string;
  insecure: boolean;
  every: string;
  authoritative: boolean;
}

export const newRepository: RepositoryWish = {
  name: '',
  url: '',
  enabled: true,
  channel: '',
  secret: '',
  ca: '',
  insecure: false,
  every: '',
  authoritative: false,
};

export const repositoryFields = (secrets: readonly string[]): readonly Field<RepositoryWish>[] => [
  { name: 'url', label: 'URL', isRequired: true, hint: 'of the image server; its path is kept' },
  { name: 'enabled', label: 'It is asked', kind: 'check' },
  { name: 'every', label: 'Refreshed every so many minutes', kind: 'number', hint: 'on demand only where it is 0' },
  { name: 'channel', label: 'Channel', hint: 'the usual one where it is empty; * for all' },
  {
    name: 'secret',
    label: 'Secret that proves who asks',
    kind: 'choice',
    choices: [['', 'none'], ...secrets.map((name) => [name, name] as const)],
  },
  { name: 'authoritative', label: 'Its uuids mean its images', kind: 'check', isAdvanced: true },
  {
    name: 'ca',
    label: 'Trusted certificates (CA)',
    kind: 'area',
    hint: 'in PEM; those of the system where it is empty',
    isAdvanced: true,
  },
  {
    name: 'insecure',
    label: 'Its certificate is not looked at',
    kind: 'check',
    hint: 'anybody between here and there can then hand out other images',
    isAdvanced: true,
  },
];

export const repositoryWish = ({ url, enabled, channel, secret, ca, insecure, every, authoritative }: Setup) => ({
  ...newRepository,
  ...{ url, enabled, insecure, authoritative },
  channel: channel ?? '',
  secret: secret ?? '',
  ca: ca ?? '',
  every: String(every),
});

/** Nothing is null where it was something. */
export const repositoryBody = ({ channel, secret, ca, ...typed }: Partial<RepositoryWish>) => ({
  ...typed,
  ...(channel !== undefined && { channel: channel || null }),
  ...(secret !== undefined && { secret: secret || null }),
  ...(ca !== undefined && { ca: ca || null }),
});
