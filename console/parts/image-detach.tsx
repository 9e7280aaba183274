import { useState } from 'preact/hooks';
import { Refusal } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { askOf, pathOf, type ShownImage } from './image-ask.js';
import { type Doing, ImageForm } from './image-form.js';
import { placeOf } from './image-place.js';
import { mistyped } from './mistyped.js';

type Machines = Results['ListImageMachines'];

interface Place {
  dc: string;
  /** The name, typed by whoever takes it from machines that use it. */
  sure: string;
}

interface Props extends Doing {
  again: () => unknown;
  /** From which, where nobody has to choose. */
  dc?: string;
}

/** So many machines are named. */
const MOST = 10;

/** From one of its data centers: says who uses it there, which takes more than a yes. */
export function DetachImage({ image, dc, ...doing }: Props) {
  const { name, dcs, dc_bound: isBound } = image;
  const { answer } = useAsked<Machines>(`${pathOf(image)}/vm`, { query: { full: true }, kinds: ['vms'] });
  // The server knows of machines that are listed in no data center, and of those that came meanwhile.
  const [refused, setRefused] = useState<readonly string[]>([]);
  const places = dc === undefined ? dcs : [dc];
  const usersIn = (place: string) =>
    (answer?.result ?? []).flatMap((one) => (typeof one === 'object' && one.dc === place ? one.hostname : []));
  const isUsed = (place: string) => refused.includes(place) || usersIn(place).length > 0;

  const detach = async (seen: ShownImage, { dc: chosen, sure }: Place) => {
    const place = dc ?? chosen;
    // What is not asked for there was typed for another one.
    const typed = isUsed(place) ? sure.trim() : '';
    if (typed !== '' && typed !== name) throw mistyped(name, 'sure');
    const body = typed === '' ? {} : { force: true };
    try {
      await askOf(seen, { method: 'DELETE', body }, placeOf(place, seen));
    } catch (error) {
      if (error instanceof Refusal && error.code === 'ImageInUse') setRefused([...refused, place]);
      throw error;
    }
  };
  return (
    <ImageForm<Place>
      {...doing}
      image={image}
      title={dc === undefined ? `Detach ${name} from a data center` : `Detach ${name} from ${dc}?`}
      label="Detach it"
      said={`${name} is detached`}
      isGrave
      fields={[
        {
          name: 'dc',
          label: 'Data center',
          kind: 'choice',
          choices: dcs.map((place) => [place, place] as const),
          when: () => dc === undefined,
        },
        {
          name: 'sure',
          label: `Type ${name} to detach it all the same`,
          isProof: true,
          when: ({ dc: chosen }) => isUsed(dc ?? chosen),
        },
      ]}
      initial={{ dc: dcs[0] ?? '', sure: '' }}
      submit={detach}
    >
      <p>
        It vanishes there, for users and nodes, and stays on this server.
        {isBound && ' It was bound to it, and is shared from then on: only SuperAdmins can change it.'}
      </p>
      {places.map((place) => (
        <Users key={place} of={usersIn(place)} place={place} />
      ))}
    </ImageForm>
  );
}

function Users({ of: users, place }: { of: readonly string[]; place: string }) {
  if (users.length === 0) return null;
  return (
    <p>
      Machines of {place} use it: {users.slice(0, MOST).join(', ')}
      {users.length > MOST && ` and ${users.length - MOST} more`}. They keep what they have, and their nodes can not get
      it again.
    </p>
  );
}
