import { useState } from 'preact/hooks';
import { ask, part, Refusal } from '../api/ask.js';
import { Confirm } from './confirm.js';
import type { Task } from './task-words.js';
import { toast } from './toasts.js';

/** Answered to whoever asks for a task that was cancelled, also to who has done it. */
const CANCELLED = 410;

async function cancelTask({ id, name, object }: Task): Promise<void> {
  await ask(`/task/${part(id)}/cancel`, { method: 'PUT' }).catch((error: unknown) => {
    if (!(error instanceof Refusal && error.status === CANCELLED)) throw error;
  });
  toast(`${name} of ${object} is cancelled`);
}

/** For those who may, while it is not over. */
export function CancelTask({ task }: { task: Task }) {
  const [isOpen, setOpen] = useState(false);
  const { name, object, may } = task;
  // A task that has ended while the question stood is none to be cancelled: the server says so there.
  return (
    <>
      {may.includes('cancel') && (
        <button type="button" aria-label={`Cancel ${name} of ${object}`} onClick={() => setOpen(true)}>
          Cancel …
        </button>
      )}
      {isOpen && (
        <Confirm
          title={`Cancel ${name} of ${object}`}
          label="Cancel it"
          act={() => cancelTask(task)}
          close={() => setOpen(false)}
        >
          <p>What it has done so far stays done; what is half done is taken away.</p>
        </Confirm>
      )}
    </>
  );
}
