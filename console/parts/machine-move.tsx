import { useState } from 'preact/hooks';
import { ask, part } from '../api/ask.js';
import { useDatacenterNames } from './datacenter-form.js';
import { Form } from './form.js';
import type { Machine } from './machine-columns.js';

interface Props {
  machine: Machine;
  close: () => void;
}

/** Whether another data center has all that a machine is made of: whoever moves it asks before. */
export function MachineMove({ machine: { uuid, dc }, close }: Props) {
  const [told, setTold] = useState<string>();
  const others = useDatacenterNames().filter((name) => name !== dc);
  const [first = ''] = others;
  if (others.length === 0) return <p>There is no other data center that you administer.</p>;
  return (
    <Form
      name={`move:${uuid}`}
      fields={[{ name: 'dc', label: 'To', kind: 'choice', choices: others.map((name) => [name, name] as const) }]}
      initial={{ dc: first }}
      submit={async ({ dc: to }) => {
        setTold(undefined);
        await ask(`/vm/${part(uuid)}/move`, { query: { dc: to } });
        setTold(`${to} has all images of its disks.`);
      }}
      label="Ask"
      cancel={close}
    >
      <p class="hint">It stays where it is: only whether its images are there is looked at.</p>
      {told && <p role="status">{told}</p>}
    </Form>
  );
}
