import { ask, part, Refusal } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { Confirm } from './confirm.js';
import { type Field, Form } from './form.js';
import type { Machine } from './machine-columns.js';
import { toast } from './toasts.js';

export type Snapshot = Results['ListSnapshots'][number];

/** Of which disk of which machine; on which node, where several have it. */
const meant = ({ node }: Machine, disk: number) => ({ disk_id: disk, ...(node !== null && { node }) });
const pathOf = ({ uuid }: Machine, name: string) => `/vm/${part(uuid)}/snapshot/${part(name)}`;

interface Wish {
  snap: string;
  disk_id: string;
}

interface TakeProps {
  machine: Machine;
  disks: readonly number[];
  done: () => void;
}

/** A new one; a machine without disks that are known has its first. */
export function TakeSnapshot({ machine, disks, done }: TakeProps) {
  const all = disks.length === 0 ? [1] : disks;
  const fields: readonly Field<Wish>[] = [
    { name: 'snap', label: 'Name of a new snapshot', isRequired: true },
    {
      name: 'disk_id',
      label: 'Disk',
      kind: 'choice',
      choices: all.map((disk) => [String(disk), `disk ${disk}`] as const),
      when: () => all.length > 1,
    },
  ];
  const submit = async ({ snap, disk_id: disk }: Wish) => {
    const name = snap.trim();
    if (name === '') throw new Refusal(400, 'InvalidInput', 'it has no name yet', { snap: 'is missing' });
    await ask(pathOf(machine, name), { method: 'POST', body: meant(machine, Number(disk)) });
    toast(`snapshot ${name} of ${machine.hostname} is taken`);
    done();
  };
  return (
    <Form
      name={`snapshot:${machine.uuid}`}
      fields={fields}
      initial={{ snap: '', disk_id: String(all[0]) }}
      submit={submit}
      label="Take it"
    />
  );
}

interface RemoveProps {
  machine: Machine;
  snapshot: Snapshot;
  close: () => void;
  done: () => void;
}

export function RemoveSnapshot({ machine, snapshot: { name, disk }, close, done }: RemoveProps) {
  const act = async () => {
    await ask(pathOf(machine, name), { method: 'DELETE', body: meant(machine, disk) });
    toast(`snapshot ${name} of ${machine.hostname} is removed`);
    done();
  };
  return (
    <Confirm title={`Remove snapshot ${name} of ${machine.hostname}`} label="Remove" act={act} close={close}>
      <p>What disk {disk} was at that time can not be had again. Images that were made of it stay.</p>
    </Confirm>
  );
}
