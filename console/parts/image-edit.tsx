import { useAsked } from '../api/use-asked.js';
import { askOf, pathOf, type ShownImage } from './image-ask.js';
import { type Doing, ImageForm } from './image-form.js';
import { labels } from './label.js';

type Props = Doing & { again: () => unknown };

const put = (image: ShownImage, body: object) => askOf(image, { method: 'PUT', body });

export function LabelImage({ image, ...doing }: Props) {
  return (
    <ImageForm
      {...doing}
      image={image}
      title={`Label ${image.name}`}
      label="Label it"
      said={`${image.name} is labelled`}
      fields={[
        {
          name: 'label',
          label: 'Label',
          kind: 'choice',
          choices: [['', 'none'], ...labels.map((label) => [label, label.replace('-', ', ')] as const)],
        },
      ]}
      initial={{ label: image.label ?? '' }}
      submit={(seen, { label }) => put(seen, { label: label || null })}
    />
  );
}

export function DeprecateImage({ image, ...doing }: Props) {
  const { answer } = useAsked<string[]>('/image', { query: { deleted: false, limit: 200 } });
  return (
    <ImageForm
      {...doing}
      image={image}
      title={`Deprecate ${image.name}`}
      label="Deprecate it"
      said={`${image.name} is deprecated`}
      fields={[
        { name: 'reason', label: 'Reason', hint: 'shown to everybody who sees the image' },
        {
          name: 'replacement',
          label: 'Take instead',
          hint: 'an image, by name or uuid',
          suggestions: (answer?.result ?? []).filter((name) => name !== image.name),
        },
      ]}
      initial={{ reason: '', replacement: '' }}
      submit={(seen, _, { reason, replacement }) =>
        askOf(
          seen,
          {
            method: 'PUT',
            body: { ...(reason && { reason }), ...(replacement && { replacement: replacement.trim() }) },
          },
          `${pathOf(seen)}/deprecate`,
        )
      }
    >
      <p>It is struck through, and pickers leave it out. Machines that use it go on to, and nodes can still get it.</p>
    </ImageForm>
  );
}
