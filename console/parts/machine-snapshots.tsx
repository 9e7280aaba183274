import { useState } from 'preact/hooks';
import { part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { Link } from '../router.js';
import { holds, useAccount } from '../session.js';
import { Badge } from './badge.js';
import { Dialog } from './dialog.js';
import { Failure } from './failure.js';
import { ImageName } from './image-name.js';
import type { Machine } from './machine-columns.js';
import { bytes, Time } from './words.js';

/** Where an image is made of a machine. */
export const toMakeImage = ({ uuid, node }: Machine) =>
  `/bring/snapshot?vm=${part(uuid)}${node === null ? '' : `&node=${part(node)}`}`;

/** The disks of a machine and their snapshots, as its node has them at the moment. */
export function MachineSnapshots({ machine }: { machine: Machine }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" aria-label={`Snapshots of ${machine.hostname}`} onClick={() => setOpen(true)}>
        Snapshots
      </button>
      {isOpen && <Look machine={machine} close={() => setOpen(false)} />}
    </>
  );
}

type Snapshot = Results['ListSnapshots'][number];

function Look({ machine, close }: { machine: Machine; close: () => void }) {
  const account = useAccount();
  const { uuid, hostname, node, images } = machine;
  const { answer, failure, isLoading, refresh } = useAsked<Snapshot[]>(`/vm/${part(uuid)}/snapshot`, {
    query: { full: true, ...(node !== null && { node }) },
    kinds: ['tasks'],
    concerns: ({ action }) => action !== 'progress',
  });
  const all = answer?.result ?? [];
  const disks = [...new Set([...images.map(({ disk }) => disk), ...all.map(({ disk }) => disk)])].sort((a, b) => a - b);
  return (
    <Dialog title={`Snapshots of ${hostname}`} close={close}>
      {isLoading && !answer && <p role="status">its node is asked …</p>}
      {failure && <Failure of={failure} again={refresh} />}
      {answer && all.length === 0 && <p>There is none.</p>}
      {disks.map((disk) => (
        <section key={disk}>
          <h3>
            Disk {disk} <ImageOf images={images} disk={disk} dc={machine.dc} />
          </h3>
          <ul>
            {all
              .filter((one) => one.disk === disk)
              .map((one) => (
                <li key={one.name}>
                  {one.name}{' '}
                  <span class="quiet">
                    {one.created !== null && <Time at={one.created} />} {one.used !== null && bytes(one.used)}
                  </span>{' '}
                  {one.task !== null && <Badge text="in use" tone="warn" title="an image is made of it" />}
                </li>
              ))}
          </ul>
        </section>
      ))}
      {holds(account, 'image_admin') && (
        <p>
          <Link class="button main" to={toMakeImage(machine)}>
            Make an image of it
          </Link>
        </p>
      )}
    </Dialog>
  );
}

function ImageOf({ images, disk, dc }: Pick<Machine, 'images' | 'dc'> & { disk: number }) {
  const image = images.find((one) => one.disk === disk)?.image;
  if (image === undefined) return <span class="quiet">of no image that is known</span>;
  return (
    <>
      of <ImageName uuid={image} dc={dc} />
    </>
  );
}
