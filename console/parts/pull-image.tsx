import { useState } from 'preact/hooks';
import { ask, part, Refusal } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import type { Tasks } from './begun.js';
import { Dialog } from './dialog.js';
import { Failure } from './failure.js';
import { Findings } from './findings.js';
import { type Field, Form } from './form.js';
import { type Image, ImagePicker } from './image-picker.js';

interface Wish {
  bandwidth: string;
}

const fields: readonly Field<Wish>[] = [
  {
    name: 'bandwidth',
    label: 'Bytes a second, at most',
    kind: 'number',
    hint: 'where the tool of the node can keep to it; as many as there are, where it is empty',
    isAdvanced: true,
  },
];

interface Props {
  node: string;
  pool: string;
  tasks: Tasks;
  close: () => void;
}

/** An image is chosen, looked at whether the node can have it, and fetched there. */
export function PullImage({ node, pool, tasks, close }: Props) {
  const [image, setImage] = useState<Image>();
  const path = `/node/${part(node)}/storage/${part(pool)}/image`;
  const there = new Set(useAsked<string[]>(path, { kinds: ['node-images'] }).answer?.result ?? []);
  const pull = async ({ bandwidth }: Wish) => {
    if (!image) throw new Refusal(400, 'NothingChosen', 'no image is chosen');
    const body = bandwidth === '' ? {} : { bandwidth };
    const { task } = await ask(`${path}/${part(image.uuid)}`, { method: 'POST', body });
    tasks.add(task, `Pull ${image.name} onto ${pool}`);
    close();
  };
  return (
    <Dialog title={`Pull an image onto pool ${pool} of ${node}`} close={close}>
      <ImagePicker
        chosen={image}
        choose={setImage}
        reasonOf={({ name, uuid, may_not: mayNot }) =>
          there.has(name) || there.has(uuid) ? 'it is there already' : mayNot.pull
        }
      />
      {image && <Preflight key={image.uuid} node={node} pool={pool} image={image} />}
      <Form
        name={`pull:${node}`}
        fields={fields}
        initial={{ bandwidth: '' }}
        submit={pull}
        label="Pull"
        cancel={close}
      />
    </Dialog>
  );
}

/** Whether the node can make machines of the image; what fails is said before anybody waits for it. */
function Preflight({ node, pool, image: { uuid, name } }: { node: string; pool: string; image: Image }) {
  const { answer, failure } = useAsked<Results['PreflightNode']>(`/node/${part(node)}/preflight/${part(uuid)}`, {
    query: { pool },
  });
  if (failure) return <Failure of={failure} />;
  if (!answer) return <p role="status">the node is asked whether it can have {name} …</p>;
  const { ok, failed, checks } = answer.result;
  return (
    <details open={!ok}>
      <summary>{ok ? `${node} can have ${name}` : `${node} can not make machines of ${name}: ${failed}`}</summary>
      <Findings label="preflight" all={checks.map(({ name, ok, detail }) => ({ name, ok, found: detail }))} />
    </details>
  );
}
