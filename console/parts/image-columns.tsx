import { part } from '../api/ask.js';
import { Link } from '../router.js';
import { Badge } from './badge.js';
import { type Deed, ImageMenu } from './image-actions.js';
import type { ShownImage } from './image-ask.js';
import { accessOf, ImageBadges, osOf } from './image-words.js';
import { LabelMark } from './label.js';
import { Rename } from './rename.js';
import type { Column } from './table.js';
import { bytes, Time } from './words.js';

/** What is told of each image, and its menu: `act` opens the dialog of an action. */
// biome-ignore format: a table is read down its columns
export const imageColumns = (act: (image: ShownImage, deed: Deed) => void): readonly Column<ShownImage>[] => [
  { name: 'label',   title: 'Label',        shown: true, order: 'label',   cell: (image) => <LabelMark image={image} /> },
  { name: 'alias',   title: 'Name',         shown: true, order: 'alias',   cell: (image) => <Title image={image} /> },
  { name: 'name',    title: 'Key',          shown: true, order: 'name',    cell: ({ uuid, name }) => <Link to={`/image/${part(uuid)}`}>{name}</Link> },
  { name: 'badges',  title: 'Status',       shown: true, order: 'status',  cell: (image) => <ImageBadges image={image} /> },
  { name: 'os',      title: 'OS',           shown: true, order: 'ostype',  cell: osOf },
  { name: 'size',    title: 'Size',         shown: true, order: 'size',    isNumber: true, cell: ({ size }) => (size === 0 ? '–' : bytes(size * 2 ** 20)) },
  { name: 'access',  title: 'Access',       shown: true, order: 'access',  cell: accessOf },
  { name: 'owner',   title: 'Owner',        shown: true, order: 'owner',   cell: ({ owner }) => owner },
  { name: 'dcs',     title: 'Data centers', shown: true,                   cell: placesOf },
  { name: 'vms',     title: 'Machines',     isNumber: true,                cell: ({ vms }) => vms },
  { name: 'stored',  title: 'Stored',       isNumber: true,                cell: ({ bytes: stored }) => bytes(stored) },
  { name: 'tags',    title: 'Tags',         order: 'tags',                 cell: ({ tags }) => tags.join(', ') },
  { name: 'desc',    title: 'Description',  order: 'desc',                 cell: ({ desc }) => desc },
  { name: 'resize',  title: 'Resizable',                                   cell: ({ resize }) => (resize ? 'yes' : 'no') },
  { name: 'deploy',  title: 'Deploys',                                     cell: ({ deploy }) => (deploy ? 'yes' : 'no') },
  { name: 'created', title: 'Created',      order: 'created',              cell: ({ created }) => <Time at={created} /> },
  { name: 'changed', title: 'Changed',      order: 'changed',              cell: ({ changed }) => <Time at={changed} /> },
  { name: 'uuid',    title: 'UUID',         order: 'uuid',                 cell: ({ uuid }) => <code>{uuid}</code> },
  { name: 'actions', title: 'Actions',      shown: true,                   cell: (image) => <ImageMenu image={image} act={(deed) => act(image, deed)} /> },
];

const Title = ({ image }: { image: ShownImage }) => (
  <span class="title">
    <Rename image={image} /> <span class="quiet">{image.version}</span>
  </span>
);

function placesOf({ global, dcs, dc_bound: isBound }: ShownImage) {
  if (global) return 'all';
  if (isBound) return <Badge text={`${dcs[0] ?? ''} only`} title="bound to its one data center" />;
  return dcs.join(', ') || <i>none</i>;
}
