import { BringFrame } from '../parts/bring-frame.js';
import { Brought, useBroughtBy } from '../parts/brought.js';
import { MachineStep } from '../parts/machine-step.js';
import { SnapshotForm } from '../parts/snapshot-form.js';
import { SnapshotStep } from '../parts/snapshot-step.js';
import { useQuery } from '../router.js';

/** Node, machine, disk, snapshot: each choice stands in the address. */
export default function BringSnapshot() {
  const [task, setTask] = useBroughtBy();
  const [node, setNode] = useQuery('node');
  const [vm, setVm] = useQuery('vm');
  const [disk, setDisk] = useQuery('disk');
  const [snapshot, setSnapshot] = useQuery('snapshot');
  const chooseMachine = (uuid: string, on: string) => {
    setSnapshot('');
    setDisk('');
    setNode(on);
    setVm(uuid);
  };
  return (
    <BringFrame path="/bring/snapshot">
      {task ? (
        <Brought task={task} again={() => setTask('')} />
      ) : (
        <div class="narrow">
          <MachineStep node={node} vm={vm} setNode={setNode} choose={chooseMachine} />
          {vm !== '' && (
            <SnapshotStep
              key={`${node}/${vm}`}
              node={node}
              vm={vm}
              disk={disk}
              snapshot={snapshot}
              choose={(disk, name) => {
                setDisk(disk);
                setSnapshot(name);
              }}
            />
          )}
          {vm !== '' && snapshot !== '' && (
            <SnapshotForm node={node} vm={vm} disk={disk || '1'} snapshot={snapshot} begun={setTask} />
          )}
        </div>
      )}
    </BringFrame>
  );
}
