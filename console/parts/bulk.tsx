import { useState } from 'preact/hooks';
import { ask } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { Dialog } from './dialog.js';
import { Failure } from './failure.js';
import { type Field, Form } from './form.js';
import { labels } from './label.js';
import { ProgressBar } from './progress.js';
import type { Selection } from './selection.js';

interface Props {
  selection: Selection;
  close: () => void;
  done: () => void;
}

interface Wish {
  action: string;
  label: string;
  access: string;
  reason: string;
  groups: string[];
  users: string[];
  dc: string;
}

const actions = [
  ['label', 'Label'],
  ['access', 'Change access'],
  ['share', 'Share with groups and users'],
  ['deprecate', 'Deprecate'],
  ['undeprecate', 'Take deprecation back'],
  ['attach', 'Attach to a data center'],
  ['detach', 'Detach from a data center'],
  ['delete', 'Delete'],
] as const;

const isFor =
  (...names: string[]) =>
  ({ action }: Wish) =>
    names.includes(action);

const fields: readonly Field<Wish>[] = [
  { name: 'action', label: 'What to do', kind: 'choice', choices: actions },
  {
    name: 'label',
    label: 'Label',
    kind: 'choice',
    choices: [['', 'none'], ...labels.map((label) => [label, label] as const)],
    when: isFor('label'),
  },
  {
    name: 'access',
    label: 'Access',
    kind: 'choice',
    choices: [
      ['1', 'public in its data centers'],
      ['3', 'private'],
      ['4', 'deleted: no longer offered'],
    ],
    when: isFor('access'),
  },
  { name: 'reason', label: 'Reason', when: isFor('deprecate') },
  { name: 'groups', label: 'Groups', kind: 'words', hint: 'separated by commas', when: isFor('share') },
  { name: 'users', label: 'Users', kind: 'words', hint: 'separated by commas', when: isFor('share') },
  { name: 'dc', label: 'Data center', when: isFor('attach', 'detach') },
];

const initial: Wish = { action: 'label', label: '', access: '3', reason: '', groups: [], users: [], dc: '' };

/** What of a wish is said for each action. */
const bodies: Record<string, (wish: Wish) => object> = {
  label: ({ label }) => ({ label: label || null }),
  access: ({ access }) => ({ access: Number(access) }),
  share: ({ groups, users }) => ({ groups, users }),
  deprecate: ({ reason }) => (reason ? { reason } : {}),
  attach: ({ dc }) => ({ dc }),
  detach: ({ dc }) => ({ dc }),
};

/** The same to many: one that can not be changed does not stop the others, and each has its line of the result. */
export function Bulk({ selection, close, done }: Props) {
  const [task, setTask] = useState<string>();
  const images = [...selection.ids];
  const start = async (wish: Wish) => {
    const body = { action: wish.action, images, ...bodies[wish.action]?.(wish) };
    setTask((await ask('/bulk/image', { method: 'POST', body })).task);
  };
  const leave = () => {
    close();
    if (task === undefined) return;
    selection.clear();
    done();
  };
  return (
    <Dialog title={`Change ${images.length} images`} close={leave}>
      {task === undefined ? (
        <Form name="bulk" fields={fields} initial={initial} submit={start} label="Do it" cancel={close} />
      ) : (
        <Outcome task={task} close={leave} />
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

function Outcome({ task: id, close }: { task: string; close: () => void }) {
  const { answer, failure } = useAsked<Results['GetTask']>(`/task/${id}`, {
    kinds: ['tasks'],
    concerns: ({ uuid, name }) => uuid === undefined || uuid === id || name === id,
  });
  const task = answer?.result;
  const rows = Array.isArray(task?.result) ? (task.result as Row[]) : [];
  return (
    <>
      {failure && <Failure of={failure} />}
      {task?.progress && <ProgressBar progress={task.progress} what="images changed" />}
      <p role="status">{task ? words[task.status] : 'waiting …'}</p>
      <ul class="outcome">
        {rows.map(({ image, status, detail, code }) => (
          <li key={image} class={status === 'SUCCESS' ? '' : 'error'}>
            {image}: {status === 'SUCCESS' ? 'done' : (detail ?? code)}
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

const words: Record<Results['GetTask']['status'], string> = {
  PENDING: 'waiting for its turn',
  STARTED: 'at work',
  SUCCESS: 'done',
  FAILURE: 'done, but not all of it was possible',
  REVOKED: 'cancelled',
};
