import { part } from '../api/ask.js';
import { useDatacenterNames } from './datacenter-form.js';
import { Dialog } from './dialog.js';
import { askOf, type ShownImage } from './image-ask.js';
import { type Doing, ImageForm } from './image-form.js';

type Props = Doing & { again: () => unknown };

export const placeOf = (dc: string, { uuid }: ShownImage) => `/dc/${part(dc)}/image/${part(uuid)}`;

interface Place {
  dc: string;
}

const put = (image: ShownImage, { dc }: Place, body: object) =>
  askOf(image, { method: 'POST', body }, placeOf(dc, image));

export function AttachImage({ image, ...doing }: Props) {
  const names = useDatacenterNames();
  const others = names.filter((name) => !image.dcs.includes(name));
  if (others.length === 0 && names.length > 0) return <NowhereElse image={image} {...doing} />;
  return (
    <ImageForm<Place>
      {...doing}
      image={image}
      title={`Attach ${image.name} to a data center`}
      label="Attach it"
      said={`${image.name} is attached`}
      fields={[{ name: 'dc', label: 'Data center', kind: 'choice', choices: others.map((name) => [name, name]) }]}
      initial={{ dc: others[0] ?? '' }}
      submit={(seen, place) => put(seen, place, {})}
    >
      {image.dc_bound && (
        <p>It is bound to {image.dcs[0]}: it will be shared, and only SuperAdmins change it from then on.</p>
      )}
    </ImageForm>
  );
}

const NowhereElse = ({ image: { name }, close }: Props) => (
  <Dialog title={`Attach ${name} to a data center`} close={close}>
    <p>It is attached to all of them already.</p>
  </Dialog>
);

/** There and nowhere else, wherever it was before. */
export function ConfineImage({ image, ...doing }: Props) {
  const { name, dcs, global } = image;
  const names = useDatacenterNames();
  const first = dcs[0] ?? names[0] ?? '';
  return (
    <ImageForm<Place>
      {...doing}
      image={image}
      title={`Share ${name} with one data center only`}
      label="Only there"
      said={`${name} is in one data center only`}
      fields={[
        {
          name: 'dc',
          label: 'Data center',
          kind: 'choice',
          choices: names.map((dc) => [dc, dcs.includes(dc) ? `${dc}: it is there` : dc]),
        },
      ]}
      initial={{ dc: first }}
      submit={(seen, place) => put(seen, place, { only: true })}
    >
      <p>
        It is in {global ? 'all data centers' : dcs.join(', ') || 'none'} now, and will be in the one that you choose,
        whose image administrators manage it from then on. It vanishes everywhere else at once. While machines use it
        there, nothing is done.
      </p>
    </ImageForm>
  );
}
