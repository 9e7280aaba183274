import { part } from '../api/ask.js';
import { useDatacenterNames } from './datacenter-form.js';
import { askOf, readImage, type ShownImage } from './image-ask.js';
import { type Doing, ImageForm } from './image-form.js';

type Props = Doing & { again: () => unknown };

export const placeOf = (dc: string, { uuid }: ShownImage) => `/dc/${part(dc)}/image/${part(uuid)}`;
const choices = (names: readonly string[]) => names.map((name) => [name, name] as const);

interface Place {
  dc: string;
  only: boolean;
}

/** Each step is done or refused by itself: where one is refused, the image is where the steps before have put it. */
async function put(image: ShownImage, { dc, only }: Place): Promise<void> {
  await askOf(image, { method: 'POST', body: {} }, placeOf(dc, image));
  if (!only) return;
  // Who detaches is told no tag of what is left.
  for (const other of image.dcs) {
    await askOf(await readImage(image), { method: 'DELETE', body: {} }, placeOf(other, image));
  }
  await askOf(await readImage(image), { method: 'PUT', body: { dc_bound: true } });
}

export function AttachImage({ image, ...doing }: Props) {
  const names = useDatacenterNames();
  const others = names.filter((name) => !image.dcs.includes(name));
  return (
    <ImageForm<Place>
      {...doing}
      image={image}
      title={`Attach ${image.name} to a data center`}
      label="Attach it"
      said={`${image.name} is attached`}
      fields={[
        { name: 'dc', label: 'Data center', kind: 'choice', choices: choices(others) },
        {
          name: 'only',
          label: 'Only there',
          kind: 'check',
          hint: `it leaves ${image.dcs.join(', ')}, and is bound to that data center`,
          when: () => image.dcs.length > 0,
        },
      ]}
      initial={{ dc: others[0] ?? '', only: false }}
      submit={put}
    >
      {others.length === 0 && names.length > 0 && <p>It is attached to all of them already.</p>}
      {image.dc_bound && (
        <p>
          It is bound to {image.dcs[0]}: unless it is only there from now on, it will be shared, and only SuperAdmins
          change it from then on.
        </p>
      )}
    </ImageForm>
  );
}
