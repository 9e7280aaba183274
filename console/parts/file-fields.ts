import type { Field } from './field.js';

/** What is said by hand of a file that no manifest describes. */
export interface FileValues {
  os: string;
  type: string;
  format: string;
  compression: string;
  image_size: string;
  size: string;
  sha1: string;
  sha256: string;
}

export const noFile: FileValues = {
  os: 'linux',
  type: '',
  format: '',
  compression: '',
  image_size: '',
  size: '',
  sha1: '',
  sha256: '',
};

const found = ['', 'found in its bytes'] as const;
const each = (...names: string[]) => names.map((name) => [name, name] as const);

export const osChoices = each('linux', 'smartos', 'windows', 'bsd', 'illumos', 'other');
export const typeChoices = [
  ['zvol', 'zvol: the disk of a virtual machine'],
  ['zone-dataset', 'zone-dataset: the filesystem of a zone'],
  ['lx-dataset', 'lx-dataset: the filesystem of a Linux zone'],
  ['other', 'other'],
] as const;

export const fileFields = <T extends FileValues>(): Field<T>[] => [
  { name: 'os', label: 'OS', kind: 'choice', choices: osChoices },
  { name: 'type', label: 'Type', kind: 'choice', choices: [['', 'as its bytes suggest'], ...typeChoices] },
  {
    name: 'image_size',
    label: 'Size of the disk',
    kind: 'number',
    hint: 'in MiB; of a zvol, where its bytes do not say',
    when: ({ type }) => type === 'zvol' || type === '',
  },
  {
    name: 'format',
    label: 'Format',
    kind: 'choice',
    choices: [found, ...each('raw', 'qcow2', 'vmdk', 'zfs', 'tar')],
    hint: 'refused where its bytes are of another',
    isAdvanced: true,
  },
  {
    name: 'compression',
    label: 'Packed with',
    kind: 'choice',
    choices: [found, ...each('none', 'gzip', 'bzip2', 'xz', 'zstd')],
    isAdvanced: true,
  },
  { name: 'size', label: 'Bytes', kind: 'number', hint: 'of the file; refused where it has others', isAdvanced: true },
  { name: 'sha256', label: 'SHA-256', hint: 'of the file; refused where it has another', isAdvanced: true },
  { name: 'sha1', label: 'SHA-1', isAdvanced: true },
];

/** As the server takes it: what is not said is left out. */
export const fileBodyOf = ({ os, type, format, compression, image_size, size, sha1, sha256 }: FileValues) =>
  Object.fromEntries(
    Object.entries({ os, type, format, compression, image_size, size, sha1, sha256 }).filter(
      ([, value]) => value !== '',
    ),
  );
