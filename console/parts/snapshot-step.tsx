import { part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { Failure } from './failure.js';
import { bytes, Time } from './words.js';

type Snapshot = Results['ListSnapshots'][number];
type Machine = Results['GetMachine'];

/** Chosen instead of one that is there. */
export const NEW = '+';
const BUSY = 2;

interface Props {
  node: string;
  vm: string;
  disk: string;
  snapshot: string;
  choose: (disk: string, snapshot: string) => void;
}

/** Which disk, and which of its snapshots, as the node has them at the moment; or a new one. */
export function SnapshotStep({ node, vm, disk, snapshot, choose }: Props) {
  const query = { full: true, ...(node && { node }) };
  const { answer, failure, refresh } = useAsked<Snapshot[]>(`/vm/${part(vm)}/snapshot`, {
    query,
    kinds: ['tasks', 'images'],
    concerns: ({ action }) => action !== 'progress',
  });
  const machine = useAsked<Machine>(`/vm/${part(vm)}`).answer?.result;
  if (!answer) return failure ? <Failure of={failure} again={refresh} /> : <p class="loading">asking its node …</p>;
  const known = [...(machine?.images ?? []), ...(machine?.found?.images ?? [])].map(({ disk }) => disk);
  const disks = [...new Set([...known, ...answer.result.map(({ disk }) => disk)])].sort((a, b) => a - b);
  const all = disks.length > 0 ? disks : [1];
  const current = all.includes(Number(disk)) ? Number(disk) : all[0]!;
  const found = answer.result.filter((one) => one.disk === current);
  return (
    <section class="box sending" aria-label="disk and snapshot">
      <h2>Disk and snapshot</h2>
      <fieldset class="ways plain" aria-label="disk">
        {all.map((number) => (
          <button
            key={number}
            type="button"
            aria-pressed={number === current}
            onClick={() => choose(String(number), '')}
          >
            Disk {number}
          </button>
        ))}
      </fieldset>
      {all.length > 1 && (
        <p class="quiet">
          The image will have disk {current} only: {others(all.filter((number) => number !== current))} along.
        </p>
      )}
      <ul class="steps">
        <li>
          <button
            type="button"
            aria-pressed={snapshot === NEW}
            class={snapshot === NEW ? 'main' : ''}
            onClick={() => choose(String(current), NEW)}
          >
            A new one, taken now and removed afterwards
          </button>
        </li>
        {found.map(({ name, created, used, status }) => {
          const isBusy = status === BUSY;
          return (
            <li key={name}>
              <button
                type="button"
                aria-pressed={snapshot === name}
                aria-disabled={isBusy}
                class={snapshot === name ? 'main' : ''}
                onClick={() => isBusy || choose(String(current), name)}
              >
                {name} {created !== null && <Time at={created} />} {used !== null && bytes(used)}
                {isBusy && <small> an image is being made of it</small>}
              </button>
            </li>
          );
        })}
      </ul>
      {found.length === 0 && <p class="quiet">This disk has no snapshot yet.</p>}
    </section>
  );
}

const others = (disks: readonly number[]) =>
  disks.length === 1 ? `disk ${disks[0]} does not come` : `disks ${disks.join(', ')} do not come`;
