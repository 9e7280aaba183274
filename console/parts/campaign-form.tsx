import { useState } from 'preact/hooks';
import { ask, part, Refusal } from '../api/ask.js';
import type { Bodies } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { go } from '../router.js';
import { Dialog } from './dialog.js';
import { type Field, Form } from './form.js';
import type { Doing } from './image-form.js';
import { type Image, ImagePicker } from './image-picker.js';
import { nameIn } from './make.js';
import { toast } from './toasts.js';

interface Wish {
  name: string;
  where: 'all' | 'dcs' | 'nodes';
  nodes: string[];
  dcs: string[];
  pool: string;
  at_once: string;
  bandwidth: string;
  until: string;
}

const initial: Wish = {
  name: '',
  where: 'all',
  nodes: [],
  dcs: [],
  pool: '',
  at_once: '',
  bandwidth: '',
  until: '',
};

const choicesOf = (names: readonly string[]) => names.map((name) => [name, name] as const);

const fieldsOf = (nodes: readonly string[], dcs: readonly string[]): readonly Field<Wish>[] => [
  { name: 'name', label: 'Name of the campaign', isRequired: true },
  {
    name: 'where',
    label: 'Onto',
    kind: 'choice',
    choices: [
      ['all', 'all nodes that serve the image'],
      ['dcs', 'those of some data centers'],
      ['nodes', 'nodes by name'],
    ],
  },
  {
    name: 'nodes',
    label: 'Nodes',
    kind: 'checks',
    choices: choicesOf(nodes),
    when: ({ where }) => where === 'nodes',
  },
  {
    name: 'dcs',
    label: 'Data centers',
    kind: 'checks',
    choices: choicesOf(dcs),
    when: ({ where }) => where === 'dcs',
  },
  {
    name: 'pool',
    label: 'Pool',
    hint: '"zones", or the only one that a node has, where it is empty',
    isAdvanced: true,
  },
  { name: 'at_once', label: 'Nodes side by side', kind: 'number', hint: '4 where it is empty', isAdvanced: true },
  { name: 'bandwidth', label: 'Bytes a second, of all together', kind: 'number', isAdvanced: true },
  {
    name: 'until',
    label: 'Nodes that are away are waited for until',
    hint: 'a date, or a duration such as 24h, which it is where it is empty',
    isAdvanced: true,
  },
];

function bodyOf(image: Image, { where, nodes, dcs, pool, at_once, bandwidth, until }: Wish): Bodies['CreateCampaign'] {
  return {
    image: image.uuid,
    ...(where === 'nodes' && { nodes }),
    ...(where === 'dcs' && { dcs }),
    ...(pool !== '' && { pool }),
    ...(at_once !== '' && { at_once }),
    ...(bandwidth !== '' && { bandwidth }),
    ...(until !== '' && { until }),
  };
}

/** An image is chosen, and brought onto nodes. */
export function NewCampaign({ close }: { close: () => void }) {
  const [image, setImage] = useState<Image>();
  return (
    <Dialog title="Bring an image onto nodes" close={close}>
      <ImagePicker chosen={image} choose={setImage} reasonOf={({ may_not: mayNot }) => mayNot.pull} />
      <CampaignForm image={image} draft="campaign" close={close} />
    </Dialog>
  );
}

/** This one. */
export const BringOntoNodes = ({ image, close }: Pick<Doing, 'image' | 'close'>) => (
  <Dialog title={`Bring ${image.name} onto nodes`} close={close}>
    <CampaignForm image={image} draft={`campaign:${image.uuid}`} close={close} />
  </Dialog>
);

interface Props {
  image: Image | undefined;
  /** Under which what is typed is kept. */
  draft: string;
  close: () => void;
}

function CampaignForm({ image, draft, close }: Props) {
  const nodes = useAsked<string[]>('/node').answer?.result ?? [];
  const dcs = useAsked<string[]>('/dc').answer?.result ?? [];
  const orderOf = (wish: Wish): [path: string, order: { method: 'POST'; body: Bodies['CreateCampaign'] }] => {
    if (!image) throw new Refusal(400, 'NothingChosen', 'no image is chosen');
    return [`/campaign/${part(nameIn(wish, 'name'))}`, { method: 'POST', body: bodyOf(image, wish) }];
  };
  const check = async (wish: Wish, _: Partial<Wish>, signal: AbortSignal) => {
    const [path, order] = orderOf(wish);
    return ask(path, { ...order, isCheck: true, signal });
  };
  const submit = async (wish: Wish) => {
    const [path, order] = orderOf(wish);
    await ask(path, order);
    const name = nameIn(wish, 'name');
    close();
    toast(`campaign ${name} has begun`);
    go(`/campaigns/${part(name)}`);
  };
  return (
    <Form
      name={draft}
      about={image?.uuid}
      fields={fieldsOf(nodes, dcs)}
      initial={initial}
      submit={submit}
      check={check}
      label="Begin"
      cancel={close}
    />
  );
}
