import type { Results } from '../api/types.js';
import type { Field } from './form.js';

type Machine = Results['GetMachine'];

export interface MachineWish {
  uuid: string;
  hostname: string;
  dc: string;
  node: string;
  owner: string;
  tags: string[];
  /** One disk a line. */
  images: string;
  state: string;
}

export const newMachine: MachineWish = {
  uuid: '',
  hostname: '',
  dc: '',
  node: '',
  owner: '',
  tags: [],
  images: '',
  state: 'active',
};

export const machineUuid: Field<MachineWish> = { name: 'uuid', label: 'UUID', isRequired: true };

interface Names {
  dcs: readonly string[];
  nodes: readonly string[];
  users: readonly string[];
}

export const machineFields = ({ dcs, nodes, users }: Names, isNew: boolean): readonly Field<MachineWish>[] => [
  { name: 'hostname', label: 'Name', isRequired: true, hint: 'its host name' },
  {
    name: 'dc',
    label: 'Data center',
    kind: 'choice',
    choices: [['', isNew ? 'that of its node' : 'as it is'], ...dcs.map((dc) => [dc, dc] as const)],
  },
  {
    name: 'images',
    label: 'Disks',
    kind: 'area',
    hint: 'one a line: the image it is made of, by name or uuid, and its size in MiB where that is not the size of the image',
  },
  {
    name: 'state',
    label: 'State',
    kind: 'choice',
    choices: [
      ['wanted', 'wanted: it is going to be made'],
      ['active', 'active'],
      ['paused', 'paused'],
      ['template', 'template: others are made from it'],
    ],
    hint: 'in each of them it keeps its images from being deleted',
  },
  { name: 'tags', label: 'Tags', kind: 'words', hint: 'with commas between them', isAdvanced: true },
  {
    name: 'node',
    label: 'Node',
    suggestions: nodes,
    hint: 'the one it is registered with; empty: no node',
    isAdvanced: true,
  },
  { name: 'owner', label: 'Owner', suggestions: users, isAdvanced: true },
];

/** A line is the first disk, and so on; where one is left out, it says which it is. */
export const machineWish = ({
  uuid,
  hostname,
  dc,
  registered_node: node,
  owner,
  tags,
  images,
  state,
}: Machine): MachineWish => ({
  uuid,
  hostname,
  dc: dc ?? '',
  node: node ?? '',
  owner: owner ?? '',
  tags,
  images: images
    .map(
      ({ disk, image, size }, at) => `${disk === at + 1 ? '' : `${disk}: `}${image}${size === null ? '' : ` ${size}`}`,
    )
    .join('\n'),
  state,
});

const LINE = /^(?:(\d+):\s*)?(.*?)(?:\s+(\d+))?$/;

function diskOf(line: string, at: number): object {
  const [, disk, image, size] = LINE.exec(line) ?? [];
  return { disk: Number(disk ?? at + 1), image, ...(size !== undefined && { size: Number(size) }) };
}

/** The whole of it: it takes the place of what was registered before. */
export const machineBody = ({ uuid: _, dc, node, owner, images, ...rest }: MachineWish) => ({
  ...rest,
  ...(dc && { dc }),
  ...(node && { node }),
  ...(owner && { owner }),
  images: images
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map(diskOf),
});
