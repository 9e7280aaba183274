import { useState } from 'preact/hooks';
import { ask, part, Refusal } from '../api/ask.js';
import { useAsked } from '../api/use-asked.js';
import { Form } from './form.js';
import { ImageName } from './image-name.js';
import type { Machine } from './machine-columns.js';

interface Props {
  machine: Machine;
  close: () => void;
}

interface Answer {
  dc: string;
  /** By uuid. */
  missing: readonly string[];
}

const UUIDS = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** Whether another data center has all that a machine is made of: whoever moves it asks before. */
export function MachineMove({ machine: { uuid, dc }, close }: Props) {
  const [answer, setAnswer] = useState<Answer>();
  const { answer: names } = useAsked<string[]>('/dc');
  const others = (names?.result ?? []).filter((name) => name !== dc);
  const [first = ''] = others;
  if (!names) return <p class="loading">loading …</p>;
  if (others.length === 0) return <p>There is no other data center that you administer.</p>;
  const submit = async ({ dc: to }: { dc: string }) => {
    setAnswer(undefined);
    const missing = await ask(`/vm/${part(uuid)}/move`, { query: { dc: to } }).then(
      () => [],
      (error: unknown) => {
        // By uuid: what was found on its nodes counts as well as what is registered.
        const lacking = error instanceof Refusal ? error.fields.images?.match(UUIDS) : undefined;
        if (!lacking) throw error;
        return [...new Set(lacking)];
      },
    );
    setAnswer({ dc: to, missing });
  };
  return (
    <Form
      name={`move:${uuid}`}
      fields={[{ name: 'dc', label: 'To', kind: 'choice', choices: others.map((name) => [name, name] as const) }]}
      initial={{ dc: first }}
      submit={submit}
      label="Ask"
      cancel={close}
    >
      <p class="hint">It stays where it is: only whether its images are there is looked at.</p>
      {answer && <Told {...answer} from={dc} />}
    </Form>
  );
}

const Told = ({ dc, missing, from }: Answer & { from: string | null }) =>
  missing.length === 0 ? (
    <p role="status">Yes: {dc} has all images of its disks.</p>
  ) : (
    <div role="status">
      <p>No: {dc} lacks</p>
      <ul>
        {missing.map((image) => (
          <li key={image}>
            <ImageName uuid={image} dc={from} />
          </li>
        ))}
      </ul>
      <p>A SuperAdmin attaches them there.</p>
    </div>
  );
