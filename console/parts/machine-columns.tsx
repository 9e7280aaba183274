import type { Results } from '../api/types.js';
import { Badge } from './badge.js';
import { ImageName } from './image-name.js';
import type { Column } from './table.js';
import { Time } from './words.js';

/** A machine with the tag under which it was read. */
export type Machine = Results['GetMachine'] & { etag?: string | undefined };

const sources: Record<Machine['source'], string> = {
  registered: 'registered, and found on no node',
  inventory: 'found on its node, and not registered',
  both: 'registered, and found on its node',
};

/** Of which images its disks are made. */
const Images = ({ images, dc }: Pick<Machine, 'images' | 'dc'>) =>
  images.length === 0 ? (
    <i>none</i>
  ) : (
    images.map(({ disk, image }, at) => (
      <span key={disk}>
        {at > 0 && ', '}
        <ImageName uuid={image} dc={dc} title={`disk ${disk}`} />
      </span>
    ))
  );

// biome-ignore format: a table is read down its columns
export const machineColumns: readonly Column<Machine>[] = [
  { name: 'hostname', title: 'Name',        shown: true, order: 'hostname', cell: ({ hostname }) => hostname },
  { name: 'state',    title: 'State',       shown: true, order: 'state',    cell: ({ state, found, source }) => <Badge text={found?.state ?? state} title={sources[source]} /> },
  { name: 'dc',       title: 'Data center', shown: true,                    cell: ({ dc }) => dc ?? <i>unassigned</i> },
  { name: 'images',   title: 'Images',      shown: true,                    cell: (machine) => <Images {...machine} /> },
  { name: 'owner',    title: 'Owner',                                       cell: ({ owner }) => owner ?? '' },
  { name: 'tags',     title: 'Tags',                                        cell: ({ tags }) => tags.join(', ') },
  { name: 'brand',    title: 'Brand',                                       cell: ({ found }) => found?.brand ?? '' },
  { name: 'source',   title: 'Known as',                                    cell: ({ source }) => sources[source] },
  { name: 'seen',     title: 'Seen',                                        cell: ({ found }) => found && <Time at={found.seen} /> },
  { name: 'created',  title: 'Known since',              order: 'created',  cell: ({ created }) => <Time at={created} /> },
  { name: 'uuid',     title: 'UUID',                                        cell: ({ uuid }) => <code>{uuid}</code> },
];
