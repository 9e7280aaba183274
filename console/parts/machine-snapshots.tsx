import { useState } from 'preact/hooks';
import { part } from '../api/ask.js';
import { useAsked } from '../api/use-asked.js';
import { Link } from '../router.js';
import { holdsIn, useAccount, whyNoFiles } from '../session.js';
import { Act } from './act.js';
import { Badge } from './badge.js';
import { Dialog } from './dialog.js';
import { Failure } from './failure.js';
import { ImageName } from './image-name.js';
import type { Machine } from './machine-columns.js';
import { RemoveSnapshot, type Snapshot, TakeSnapshot } from './snapshot-change.js';
import { bytes, Time } from './words.js';
import '../style/fleet.css';

/** Where an image is made of a machine. */
const toMakeImage = ({ uuid, node }: Machine) =>
  `/bring/snapshot?vm=${part(uuid)}${node === null ? '' : `&node=${part(node)}`}`;

const whyNoNode = ({ node }: Machine) => (node === null ? 'nobody knows on which node it is' : undefined);

/** For those who manage images where the machine is. */
export function MakeImage({ machine, label = 'Make an image' }: { machine: Machine; label?: string }) {
  const account = useAccount();
  if (!holdsIn(account, 'image_admin', machine.dc)) return null;
  const reason = whyNoFiles(account) ?? whyNoNode(machine);
  if (reason !== undefined) return <Act label={label} reason={reason} act={() => {}} />;
  return (
    <Link class="button" to={toMakeImage(machine)}>
      {label}
    </Link>
  );
}

/** The disks of a machine and their snapshots, as its node has them at the moment. */
export function MachineSnapshots({ machine }: { machine: Machine }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Act label="Snapshots" what={`of ${machine.hostname}`} reason={whyNoNode(machine)} act={() => setOpen(true)} />
      {isOpen && <Look machine={machine} close={() => setOpen(false)} />}
    </>
  );
}

function Look({ machine, close }: { machine: Machine; close: () => void }) {
  const mayChange = holdsIn(useAccount(), 'image_admin', machine.dc);
  const { uuid, hostname, node, images } = machine;
  const path = `/vm/${part(uuid)}/snapshot`;
  const { answer, failure, isLoading, refresh } = useAsked<Snapshot[]>(path, {
    query: { full: true, ...(node !== null && { node }) },
    kinds: ['tasks', 'snapshots'],
    concerns: ({ action }) => action !== 'progress',
  });
  const [doomed, setDoomed] = useState<Snapshot>();
  const all = answer?.result ?? [];
  const disks = [...new Set([...images.map(({ disk }) => disk), ...all.map(({ disk }) => disk)])].sort((a, b) => a - b);
  return (
    <Dialog title={`Snapshots of ${hostname}`} close={close}>
      {isLoading && !answer && <p role="status">its node is asked …</p>}
      {failure && <Failure of={failure} again={refresh} />}
      {answer && all.length === 0 && <p>There is none.</p>}
      {disks.map((disk) => (
        <section key={disk} aria-label={`disk ${disk}`}>
          <h3>
            Disk {disk} <ImageOf images={images} disk={disk} dc={machine.dc} />
          </h3>
          <ul class="snapshots">
            {all
              .filter((one) => one.disk === disk)
              .map((one) => (
                <li key={one.name}>
                  {one.name}{' '}
                  <span class="quiet">
                    {one.created !== null && <Time at={one.created} />} {one.used !== null && bytes(one.used)}
                  </span>{' '}
                  {one.task !== null && <Badge text="in use" tone="warn" title="an image is made of it" />}
                  {mayChange && (
                    <Act
                      label="Remove"
                      what={one.name}
                      reason={one.task === null ? undefined : 'an image is made of it'}
                      act={() => setDoomed(one)}
                    />
                  )}
                </li>
              ))}
          </ul>
        </section>
      ))}
      {answer && mayChange && <TakeSnapshot machine={machine} disks={disks} done={refresh} />}
      <p>
        <MakeImage machine={machine} label="Make an image of it" />
      </p>
      {doomed && (
        <RemoveSnapshot machine={machine} snapshot={doomed} close={() => setDoomed(undefined)} done={refresh} />
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
