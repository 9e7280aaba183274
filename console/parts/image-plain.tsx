import type { ComponentChildren } from 'preact';
import type { Wish } from '../api/ask.js';
import { type Action, askOf, pathOf, type ShownImage } from './image-ask.js';
import { type Doing, ImageForm } from './image-form.js';
import { mistyped } from './mistyped.js';
import { bytes } from './words.js';

/** An action that takes no more than a yes. */
export interface Plain {
  title: (name: string) => string;
  label: string;
  said: (name: string) => string;
  wish: Wish;
  /** Behind the path of the image. */
  path?: string;
  isGrave?: boolean;
  /** Its name has to be typed: it can not be taken back, or the whole world may see it. */
  isTyped?: boolean;
  told: (image: ShownImage) => ComponentChildren;
}

const put = (body: object): Wish => ({ method: 'PUT', body });

export const plain = {
  golden: {
    title: (name) => `Mark ${name} as golden`,
    label: 'Mark it',
    said: (name) => `${name} is golden`,
    wish: put({ golden: true }),
    told: () => 'Pickers recommend it.',
  },
  ungolden: {
    title: (name) => `Take golden from ${name}`,
    label: 'Take it away',
    said: (name) => `${name} is golden no more`,
    wish: put({ golden: false }),
    told: () => 'Pickers go on to offer it, and recommend it no more.',
  },
  publish: {
    title: (name) => `Make ${name} public`,
    label: 'Make it public',
    said: (name) => `${name} is public`,
    wish: put({ access: 1 }),
    isGrave: true,
    isTyped: true,
    told: ({ global, dcs }) => (
      <>
        All users and nodes of {global ? 'all data centers' : dcs.join(', ') || 'its data centers'} see it and may use
        it. <strong>Where a data center is open to anonymous callers, so does the whole world.</strong> Whoever has
        taken it keeps it, also when it is private again.
      </>
    ),
  },
  unpublish: {
    title: (name) => `Make ${name} private`,
    label: 'Make it private',
    said: (name) => `${name} is private`,
    wish: put({ access: 3 }),
    told: () => 'Only its owner, administrators and those with whom it is shared see it then. Machines keep it.',
  },
  retire: {
    title: (name) => `Retire ${name}`,
    label: 'Retire it',
    said: (name) => `${name} is retired`,
    wish: put({ access: 4 }),
    isGrave: true,
    told: () => 'Its access becomes “deleted”: lists and pickers leave it out, and machines that use it keep it.',
  },
  restore: {
    title: (name) => `Offer ${name} again`,
    label: 'Offer it again',
    said: (name) => `${name} is offered again, and private`,
    wish: put({ access: 3 }),
    told: () => 'It becomes private, and stands in lists again.',
  },
  undeprecate: {
    title: (name) => `Take the deprecation of ${name} back`,
    label: 'Take it back',
    said: (name) => `${name} is not deprecated any more`,
    wish: { method: 'DELETE', body: {} },
    path: '/deprecate',
    told: ({ deprecated }) => `Pickers offer it again. ${deprecated?.reason ? `It said: ${deprecated.reason}` : ''}`,
  },
  activate: {
    title: (name) => `Activate ${name}`,
    label: 'Activate it',
    said: (name) => `${name} is active`,
    wish: put({}),
    path: '/activate',
    told: ({ files: [file] }) =>
      `From then on it is offered, and its file of ${bytes(file?.size ?? 0)} stays as it is for ever.`,
  },
  bind: {
    title: (name) => `Bind ${name} to its data center`,
    label: 'Bind it',
    said: (name) => `${name} is bound`,
    wish: put({ dc_bound: true }),
    told: ({ dcs }) => `The image administrators of ${dcs[0]} manage it from then on.`,
  },
  unbind: {
    title: (name) => `Share ${name} among data centers`,
    label: 'Unbind it',
    said: (name) => `${name} is shared`,
    wish: put({ dc_bound: false }),
    told: ({ dcs }) => `It stays in ${dcs[0]}, and only SuperAdmins change it from then on.`,
  },
  globalize: {
    title: (name) => `Attach ${name} to all data centers`,
    label: 'Attach to all',
    said: (name) => `${name} is in all data centers`,
    wish: put({ global: true }),
    told: () => 'Also to those that are yet to come. Access and groups stay as they are; no data center owns it.',
  },
  unglobalize: {
    title: (name) => `Attach ${name} to chosen data centers only`,
    label: 'Only to chosen ones',
    said: (name) => `${name} is in chosen data centers only`,
    wish: put({ global: false }),
    told: () => 'It stays where it was attached before it was in all of them, and vanishes elsewhere.',
  },
  delete: {
    title: (name) => `Delete ${name}`,
    label: 'Delete',
    said: (name) => `${name} is deleted, or will be as soon as no node has it any more`,
    wish: { method: 'DELETE', body: {} },
    isGrave: true,
    told: (image) => <Lost image={image} />,
  },
} as const satisfies Partial<Record<Action, Plain>>;

export type PlainAction = keyof typeof plain;

/** What goes with an image. */
function Lost({ image: { alias, version, uuid, files, global, dcs, nodes } }: { image: ShownImage }) {
  const stored = files.reduce((sum, { size }) => sum + size, 0);
  return (
    <>
      This can not be taken back. With{' '}
      <strong>
        {alias} {version}
      </strong>{' '}
      (<code>{uuid}</code>) go
      <ul>
        <li>{files.length === 0 ? 'no file: it has none' : `its file of ${bytes(stored)}, from the store`}</li>
        <li>its place in {global ? 'all data centers' : dcs.join(', ') || 'no data center'}</li>
        {nodes.map(({ node, pool }) => (
          <li key={`${node} ${pool}`}>
            its copy on node {node}, pool {pool}
          </li>
        ))}
      </ul>
      Retire it instead if machines may still need it.
    </>
  );
}

interface Props extends Doing {
  action: PlainAction;
  again: () => unknown;
}

export function PlainDialog({ action, image, ...doing }: Props) {
  const { title, label, said, wish, path = '', isGrave, isTyped, told }: Plain = plain[action];
  const { name } = image;
  const submit = async (seen: ShownImage, { typed }: { typed: string }) => {
    if (isTyped && typed.trim() !== name) throw mistyped(name);
    await askOf(seen, wish, pathOf(seen) + path);
  };
  return (
    <ImageForm
      {...doing}
      image={image}
      title={title(name)}
      label={label}
      fields={isTyped ? [{ name: 'typed', label: `Type ${name} to go on`, isRequired: true, isProof: true }] : []}
      initial={{ typed: '' }}
      submit={submit}
      said={said(name)}
      isGrave={isGrave ?? false}
    >
      <div>{told(image)}</div>
    </ImageForm>
  );
}
