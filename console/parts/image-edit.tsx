import { useAsked } from '../api/use-asked.js';
import { useUserNames } from './datacenter-form.js';
import { askOf, pathOf, type ShownImage } from './image-ask.js';
import { type Doing, ImageForm } from './image-form.js';
import { labels } from './label.js';

type Props = Doing & { again: () => void };

const put = (image: ShownImage, body: object) => askOf(image, { method: 'PUT', body });

/** What is said of an image. */
export function EditImage({ image, ...doing }: Props) {
  const { alias, version, desc, owner, tags, resize, deploy } = image;
  const owners = useUserNames();
  return (
    <ImageForm
      {...doing}
      image={image}
      title={`Change ${image.name}`}
      label="Save"
      said={`${image.name} is changed`}
      fields={[
        { name: 'alias', label: 'Name', isRequired: true, hint: 'as its manifest has it' },
        { name: 'version', label: 'Version', isRequired: true },
        { name: 'desc', label: 'Description', kind: 'area' },
        { name: 'owner', label: 'Owner', hint: 'an active user', suggestions: owners },
        { name: 'tags', label: 'Tags', kind: 'words', hint: 'with commas between them; machines inherit them' },
        { name: 'resize', label: 'Disks made of it may be larger', kind: 'check', isAdvanced: true },
        {
          name: 'deploy',
          label: 'Machines switch themselves off when they are configured',
          kind: 'check',
          isAdvanced: true,
        },
      ]}
      initial={{ alias, version, desc, owner, tags, resize, deploy }}
      submit={(seen, _, typed) => put(seen, typed)}
    />
  );
}

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
