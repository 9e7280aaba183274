import { useState } from 'preact/hooks';
import { useAccount } from '../session.js';
import { Change } from './change.js';
import { Confirm } from './confirm.js';
import { useDatacenterNames, useNodeNames, useUserNames } from './datacenter-form.js';
import { Form } from './form.js';
import { forget, pathOf, registerNew } from './machine-ask.js';
import type { Machine } from './machine-columns.js';
import { machineBody, machineFields, machineUuid, machineWish, newMachine } from './machine-form.js';
import { MachineMove } from './machine-move.js';
import { nameIn } from './make.js';
import { Opens } from './open.js';
import type { Column } from './table.js';
import { toast } from './toasts.js';

function useFields(isNew: boolean) {
  const names = { dcs: useDatacenterNames(), nodes: useNodeNames(), users: useUserNames() };
  return machineFields(names, isNew);
}

/** For whoever manages machines elsewhere: from then on the images of this one stay. */
export const RegisterMachine = ({ done }: { done: () => void }) => (
  <Opens label="Register a machine …" title="Register a machine">
    {(close) => <Register close={close} done={done} />}
  </Opens>
);

interface Props {
  close: () => void;
  done: () => void;
}

function Register({ close, done }: Props) {
  const fields = useFields(true);
  const { super_admin: isSuper } = useAccount();
  const [first = ''] = useDatacenterNames();
  return (
    <Form
      name="register:machine"
      fields={[machineUuid, ...fields]}
      initial={{ ...newMachine, dc: isSuper ? '' : first }}
      submit={async (values) => {
        const uuid = nameIn(values, 'uuid');
        await registerNew(uuid, machineBody(values));
        toast(`machine ${values.hostname} is registered`);
        done();
        close();
      }}
      label="Register"
      cancel={close}
    />
  );
}

/** What can be made of the record of a machine, which is not the machine. */
export const machineRecord = (done: () => void): Column<Machine> => ({
  name: 'record',
  title: 'Record',
  shown: true,
  cell: (machine) => <Actions machine={machine} done={done} />,
});

function Actions({ machine, done }: { machine: Machine; done: () => void }) {
  const { uuid, hostname, source } = machine;
  const isRegistered = source !== 'inventory';
  const [label, title] = isRegistered ? ['Change …', `Change ${hostname}`] : ['Register …', `Register ${hostname}`];
  return (
    <span class="line-actions">
      <Opens label={label} of={hostname} title={title}>
        {(close) => <ChangeRecord uuid={uuid} close={close} done={done} />}
      </Opens>
      <Opens label="Could it move? …" of={hostname} title={`Could ${hostname} move?`}>
        {(close) => <MachineMove machine={machine} close={close} />}
      </Opens>
      <Opens
        label="Forget …"
        of={hostname}
        reason={isRegistered ? undefined : 'nobody has registered it: it is here until its node no longer has it'}
      >
        {(close) => <Forget machine={machine} close={close} done={done} />}
      </Opens>
    </span>
  );
}

const ChangeRecord = ({ uuid, close, done }: Props & { uuid: string }) => (
  <Change
    path={pathOf({ uuid })}
    kinds={['vms']}
    fields={useFields(false)}
    from={machineWish}
    body={(_, values) => machineBody(values)}
    done={() => {
      toast('its record is changed');
      done();
      close();
    }}
    cancel={close}
  />
);

function Forget({ machine, close, done }: Props & { machine: Machine }) {
  // As it was when this was opened: what changes under somebody's hand is told before it is done.
  const [seen, see] = useState(machine);
  const { hostname, found } = seen;
  return (
    <Confirm
      title={`Forget machine ${hostname}?`}
      label="Forget"
      act={async () => {
        await forget(seen, see);
        toast(`machine ${hostname} is forgotten`);
        done();
      }}
      close={close}
    >
      <p>
        {found
          ? `Nothing happens to the machine. It stays here as ${found.node} has it, and keeps its images there.`
          : 'Nothing happens to the machine. What it uses can be deleted from then on.'}
      </p>
    </Confirm>
  );
}
