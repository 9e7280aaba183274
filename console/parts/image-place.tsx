import { part } from '../api/ask.js';
import { useDatacenterNames } from './datacenter-form.js';
import { askOf, type ShownImage } from './image-ask.js';
import { type Doing, ImageForm } from './image-form.js';

type Props = Doing & { again: () => void };

const placeOf = (dc: string, { uuid }: ShownImage) => `/dc/${part(dc)}/image/${part(uuid)}`;
const choices = (names: readonly string[]) => names.map((name) => [name, name] as const);

export function AttachImage({ image, ...doing }: Props) {
  const names = useDatacenterNames();
  const others = names.filter((name) => !image.dcs.includes(name));
  return (
    <ImageForm
      {...doing}
      image={image}
      title={`Attach ${image.name} to a data center`}
      label="Attach it"
      said={`${image.name} is attached`}
      fields={[{ name: 'dc', label: 'Data center', kind: 'choice', choices: choices(others) }]}
      initial={{ dc: others[0] ?? '' }}
      submit={(seen, { dc }) => askOf(seen, { method: 'POST', body: {} }, placeOf(dc, seen))}
    >
      {others.length === 0 && names.length > 0 && <p>It is attached to all of them already.</p>}
      {image.dc_bound && (
        <p>It is bound to {image.dcs[0]}: it will be shared, and only SuperAdmins change it from then on.</p>
      )}
    </ImageForm>
  );
}

export function DetachImage({ image, ...doing }: Props) {
  const { dcs } = image;
  return (
    <ImageForm
      {...doing}
      image={image}
      title={`Detach ${image.name} from a data center`}
      label="Detach it"
      said={`${image.name} is detached`}
      isGrave
      fields={[{ name: 'dc', label: 'Data center', kind: 'choice', choices: choices(dcs) }]}
      initial={{ dc: dcs[0] ?? '' }}
      submit={(seen, { dc }) => askOf(seen, { method: 'DELETE', body: {} }, placeOf(dc, seen))}
    >
      <p>It vanishes there, for users and nodes.{image.dc_bound && ' It is not bound any more then.'}</p>
    </ImageForm>
  );
}
