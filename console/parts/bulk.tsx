import { useState } from 'preact/hooks';
import { ask } from '../api/ask.js';
import { useAccount } from '../session.js';
import { type BulkWish, bulkActions, bulkFields, initialWish, toType } from './bulk-fields.js';
import { useDatacenterNames } from './datacenter-form.js';
import { Dialog } from './dialog.js';
import { Failure } from './failure.js';
import { Form } from './form.js';
import { mistyped } from './mistyped.js';
import { ProgressBar } from './progress.js';
import type { Selection } from './selection.js';
import { useShareChoices } from './share-choices.js';
import type { Task } from './task-words.js';
import { useTask } from './use-task.js';

interface Props {
  selection: Selection;
  /** What they are called, by uuid. */
  names: ReadonlyMap<string, string>;
  close: () => void;
  done: () => void;
}

/** So many are called by their names. */
const NAMED = 30;

/** The same to many: one that can not be changed does not stop the others, and each has its line of the result. */
export function Bulk({ selection, names, close, done }: Props) {
  const account = useAccount();
  const [task, setTask] = useState<string>();
  const [images] = useState(() => [...selection.ids]);
  const nameOf = (uuid: string) => names.get(uuid) ?? uuid;
  const [home] = Object.entries(account.roles).flatMap(([dc, held]) => (held.includes('image_admin') ? dc : []));
  const offered = { ...useShareChoices(home), datacenters: useDatacenterNames() };
  const start = async (wish: BulkWish) => {
    const typed = toType(wish);
    if (typed !== undefined && wish.typed.trim() !== typed) throw mistyped(typed);
    const body = { action: wish.action, images, ...bulkActions[wish.action]?.body(wish) };
    setTask((await ask('/bulk/image', { method: 'POST', body })).task);
  };
  const leave = () => {
    close();
    if (task === undefined) return;
    selection.clear();
    done();
  };
  const count = images.length === 1 ? '1 image' : `${images.length} images`;
  return (
    <Dialog title={`Change ${count}`} close={leave}>
      {task === undefined ? (
        <Form
          // What was meant for these is not for others.
          name={`bulk:${images.toSorted().join()}`}
          fields={bulkFields(account, offered, initialWish)}
          initial={initialWish}
          submit={start}
          label="Do it"
          cancel={close}
        >
          <p class="quiet">
            {images.slice(0, NAMED).map(nameOf).join(', ')}
            {images.length > NAMED && ` and ${images.length - NAMED} more`}
          </p>
        </Form>
      ) : (
        <Outcome task={task} nameOf={nameOf} close={leave} />
      )}
    </Dialog>
  );
}

interface Row {
  image: string;
  status: string;
  code?: string;
  detail?: string;
}

interface OutcomeProps {
  task: string;
  nameOf: (uuid: string) => string;
  close: () => void;
}

function Outcome({ task: id, nameOf, close }: OutcomeProps) {
  const { answer, failure } = useTask(id);
  const task = answer?.result;
  const rows = Array.isArray(task?.result) ? (task.result as Row[]) : [];
  const isAtWork = task?.status === 'PENDING' || task?.status === 'STARTED';
  const failed = rows.filter(({ status }) => status !== 'SUCCESS').length;
  const partly = `done, but not with ${failed} of ${rows.length}`;
  return (
    <>
      {failure && <Failure of={failure} />}
      {isAtWork && task.progress && <ProgressBar progress={task.progress} what="images changed" />}
      <p role="status">{task ? (failed > 0 && !isAtWork ? partly : words[task.status]) : 'waiting …'}</p>
      <ul class="outcome">
        {rows.map(({ image, status, detail, code }) => (
          <li key={image} class={status === 'SUCCESS' ? '' : 'error'}>
            {nameOf(image)}: {status === 'SUCCESS' ? (detail ?? 'done') : (detail ?? code)}
          </li>
        ))}
      </ul>
      <footer>
        <button type="button" class="main" onClick={close}>
          Close
        </button>
      </footer>
    </>
  );
}

const words: Record<Task['status'], string> = {
  PENDING: 'waiting for its turn',
  STARTED: 'at work',
  SUCCESS: 'done',
  FAILURE: 'it has failed',
  REVOKED: 'cancelled',
};
