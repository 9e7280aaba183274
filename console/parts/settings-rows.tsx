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

interface Row extends Field<Typed> {
  name: keyof Typed;
  /** What holds where nothing was ever set, in words; in main, and elsewhere where that is something else. */
  usual: string;
  elsewhere?: string;
}

export interface Group {
  title: string;
  words?: string;
  /** Only in main, for all. */
  isGlobal?: true;
  rows: readonly Row[];
}

const inherited = 'as in main';
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
        usual: 'on',
        elsewhere: 'off',
      },
      {
        name: 'privateUsableByDcAdmin',
        label: 'Private images for all of its administrators',
        kind: 'check',
        hint: 'they may use private images of others that are attached to it',
        usual: 'off',
        elsewhere: inherited,
      },
    ],
  },
  {
    title: 'Limits',
    words: 'Of the images that are bound to it; shared ones do not count.',
    rows: [
      { name: 'VMS_IMAGE_LIMIT', label: 'How many', kind: 'number', usual: 'any number', elsewhere: inherited },
      {
        name: 'imageBytesLimit',
        label: 'How many bytes together',
        hint: 'such as 500 GiB',
        usual: 'any number',
        elsewhere: inherited,
      },
    ],
  },
  {
    title: 'What is offered for new machines',
    words: 'The names of images that it has.',
    rows: [
      { name: 'VMS_DISK_IMAGE_DEFAULT', label: 'For disks', usual: 'none', elsewhere: inherited },
      { name: 'VMS_DISK_IMAGE_ZONE_DEFAULT', label: 'For SunOS zones', usual: 'base-64-es', elsewhere: inherited },
      { name: 'VMS_DISK_IMAGE_LX_ZONE_DEFAULT', label: 'For Linux zones', usual: 'alpine-3', elsewhere: inherited },
      {
        name: 'VMS_VM_SNAPSHOT_ENABLED',
        label: 'Images from snapshots',
        kind: 'check',
        hint: 'they can be made of snapshots of its machines',
        usual: 'on',
        elsewhere: inherited,
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
        usual: 'empty',
        elsewhere: inherited,
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
        usual: 'this server',
      },
      {
        name: 'VMS_IMAGE_VM',
        label: 'Machine',
        hint: 'its hostname or uuid',
        when: isMachine,
        isRequired: true,
        usual: 'none',
      },
      {
        name: 'VMS_IMAGE_VM_NIC',
        label: 'Which of its network cards nodes reach',
        kind: 'number',
        when: isMachine,
        usual: '1',
      },
      {
        name: 'VMS_IMAGE_SOURCES',
        label: 'Other image servers that nodes are told of',
        kind: 'area',
        hint: 'a URL in each line',
        usual: 'none',
      },
      {
        name: 'VMS_IMAGE_REPOSITORIES',
        label: 'Repositories',
        kind: 'area',
        hint: 'a name and a URL in each line; more of them is set on the page of repositories',
        usual: 'danubecloud and images.joyent.com',
      },
    ],
  },
];

/** Said with each: what would hold if nobody had ever set it. */
export const hintOf = ({ hint, usual, elsewhere }: Row, isMain: boolean) =>
  [hint, `unless set: ${isMain ? usual : (elsewhere ?? usual)}`].filter(Boolean).join('; ');

const limitOf = (limit: number | null) => (limit === null ? '' : String(limit));

export const typedFrom = (settings: Settings): Typed => ({
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
