import type { Bodies, Results } from '../api/types.js';
import type { Field } from './form.js';
import { bytesFrom, sizeOf } from './sizes.js';

type Settings = Results['GetSettings'];
type Change = Bodies['ChangeSettings'];

/** How settings are typed: text where they may be nothing. */
export interface Typed {
  anonymous: boolean;
  privateUsableByDcAdmin: boolean;
  VMS_IMAGE_LIMIT: string;
  imageBytesLimit: string;
  VMS_DISK_IMAGE_DEFAULT: string;
  VMS_DISK_IMAGE_ZONE_DEFAULT: string;
  VMS_DISK_IMAGE_LX_ZONE_DEFAULT: string;
  VMS_VM_SNAPSHOT_ENABLED: boolean;
  publicUrl: string;
  /** Which of the three ways: a machine has a name besides. */
  server: 'this' | 'none' | 'machine';
  VMS_IMAGE_VM: string;
  VMS_IMAGE_VM_NIC: string;
  VMS_IMAGE_SOURCES: string;
  VMS_IMAGE_REPOSITORIES: string;
}

export interface Row extends Field<Typed> {
  name: keyof Typed;
  /** What it means where nothing stands there. */
  nothing?: string;
}

export interface Group {
  title: string;
  words?: string;
  /** Only in main, for all. */
  isGlobal?: true;
  rows: readonly Row[];
}

const isMachine = ({ server }: Typed) => server === 'machine';

/** Every setting, by what it is about. */
export const groups: readonly Group[] = [
  {
    title: 'Who sees its images',
    rows: [
      {
        name: 'anonymous',
        label: 'Open to everybody',
        kind: 'check',
        hint: 'anonymous callers see its active public images',
      },
      {
        name: 'privateUsableByDcAdmin',
        label: 'Private images for all of its administrators',
        kind: 'check',
        hint: 'they may use private images of others that are attached to it',
      },
    ],
  },
  {
    title: 'Limits',
    words: 'Of the images that are bound to it; shared ones do not count.',
    rows: [
      { name: 'VMS_IMAGE_LIMIT', label: 'How many', kind: 'number', nothing: 'any number' },
      {
        name: 'imageBytesLimit',
        label: 'How many bytes together',
        hint: 'such as 500 GiB',
        nothing: 'any number',
      },
    ],
  },
  {
    title: 'What is offered for new machines',
    words: 'The names of images that it has.',
    rows: [
      { name: 'VMS_DISK_IMAGE_DEFAULT', label: 'For disks' },
      { name: 'VMS_DISK_IMAGE_ZONE_DEFAULT', label: 'For SunOS zones' },
      { name: 'VMS_DISK_IMAGE_LX_ZONE_DEFAULT', label: 'For Linux zones' },
      {
        name: 'VMS_VM_SNAPSHOT_ENABLED',
        label: 'Images from snapshots',
        kind: 'check',
        hint: 'they can be made of snapshots of its machines',
      },
    ],
  },
  {
    title: 'How nodes reach this server',
    rows: [
      {
        name: 'publicUrl',
        label: 'URL',
        hint: 'empty: by the publicUrl of the configuration',
        nothing: 'that of the configuration',
      },
    ],
  },
  {
    title: 'Image server',
    isGlobal: true,
    words: 'For all data centers.',
    rows: [
      {
        name: 'server',
        label: 'Files are kept and served by',
        kind: 'choice',
        choices: [
          ['this', 'this server'],
          ['machine', 'a machine'],
          ['none', 'nobody: records only'],
        ],
        hint: 'records only: imports, changes and deletions touch no files, and nothing is made of snapshots',
      },
      {
        name: 'VMS_IMAGE_VM',
        label: 'Machine',
        hint: 'its hostname or uuid',
        when: isMachine,
        isRequired: true,
      },
      {
        name: 'VMS_IMAGE_VM_NIC',
        label: 'Which of its network cards nodes reach',
        kind: 'number',
        when: isMachine,
      },
      {
        name: 'VMS_IMAGE_SOURCES',
        label: 'Other image servers that nodes are told of',
        kind: 'area',
        hint: 'a URL in each line',
      },
      {
        name: 'VMS_IMAGE_REPOSITORIES',
        label: 'Repositories',
        kind: 'area',
        hint: 'a name and a URL in each line; more of them is set on the page of repositories',
      },
    ],
  },
];

/** A value as it is read. */
export function wordsOf({ name, choices, nothing = 'none' }: Row, typed: Typed): string {
  const value = typed[name];
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return choices?.find(([one]) => one === value)?.[1] ?? (value.replace(/\n/g, ', ') || nothing);
}

/** Where it comes from, and what it would be if it were not set here. */
export function sourceOf(row: Row, { from, unset }: Settings): string | undefined {
  if (!from) return undefined;
  const source = from[row.name === 'server' ? 'VMS_IMAGE_VM' : row.name];
  if (source === 'here') return unset ? `set here, else: ${wordsOf(row, typedFrom(unset))}` : 'set here';
  return source === 'main' ? 'as set in main' : 'by default';
}

const limitOf = (limit: number | null) => (limit === null ? '' : String(limit));

export const typedFrom = ({ from: _, unset: __, ...settings }: Settings): Typed => ({
  ...settings,
  VMS_IMAGE_LIMIT: limitOf(settings.VMS_IMAGE_LIMIT),
  imageBytesLimit: sizeOf(settings.imageBytesLimit),
  publicUrl: settings.publicUrl ?? '',
  server: settings.VMS_IMAGE_VM === null ? 'this' : settings.VMS_IMAGE_VM === '' ? 'none' : 'machine',
  VMS_IMAGE_VM: settings.VMS_IMAGE_VM ?? '',
  VMS_IMAGE_VM_NIC: String(settings.VMS_IMAGE_VM_NIC),
  VMS_IMAGE_SOURCES: settings.VMS_IMAGE_SOURCES.join('\n'),
  VMS_IMAGE_REPOSITORIES: Object.entries(settings.VMS_IMAGE_REPOSITORIES)
    .map((row) => row.join(' '))
    .join('\n'),
});

const linesOf = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

const servers = { this: null, none: '' } as const;

const serverOf = (_: unknown, { server, VMS_IMAGE_VM: machine }: Typed) => ({
  VMS_IMAGE_VM: server === 'machine' ? machine.trim() : servers[server],
});

/** How each that is not sent as it was typed is sent. */
const sent: { [Name in keyof Typed]?: (value: Typed[Name], all: Typed) => object } = {
  VMS_IMAGE_LIMIT: (limit) => ({ VMS_IMAGE_LIMIT: limit.trim() === '' ? null : limit }),
  imageBytesLimit: (limit) => ({ imageBytesLimit: bytesFrom(limit) }),
  server: serverOf,
  VMS_IMAGE_VM: serverOf,
  VMS_IMAGE_SOURCES: (text) => ({ VMS_IMAGE_SOURCES: linesOf(text) }),
  VMS_IMAGE_REPOSITORIES: (text) => ({
    VMS_IMAGE_REPOSITORIES: Object.fromEntries(
      linesOf(text).map((line) => [line.split(/\s+/, 1)[0], line.replace(/^\S+\s*/, '')]),
    ),
  }),
};

/** What was typed, as the server takes it. */
export const bodyOf = (typed: Partial<Typed>, all: Typed): Change =>
  Object.assign(
    {},
    ...Object.entries(typed).map(([name, value]) => {
      const say = sent[name as keyof Typed] as ((value: unknown, all: Typed) => object) | undefined;
      return say ? say(value, all) : { [name]: value };
    }),
  );
