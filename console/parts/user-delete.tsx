import { useState } from 'preact/hooks';
import { ask, part, Refusal } from '../api/ask.js';
import { useUserNames } from './datacenter-form.js';
import { Dialog } from './dialog.js';
import { type Field, Form } from './form.js';

interface Props {
  user: string;
  tag: string | undefined;
  close: () => void;
  done: () => void;
}

const OWNS = 'UserOwnsImages';

/** Whoever owns something stays until it is somebody else's: the server says what that is. */
export function UserDelete({ user, tag, close, done }: Props) {
  const [owned, setOwned] = useState<string>();
  const others = useUserNames().filter((name) => name !== user);
  const fields: readonly Field<{ reassign: string }>[] = owned
    ? [
        {
          name: 'reassign',
          label: 'Give it to',
          isRequired: true,
          suggestions: others,
          hint: 'the login name of who owns it from then on',
        },
      ]
    : [];
  const submit = async ({ reassign }: { reassign: string }) => {
    try {
      await ask(`/user/${part(user)}`, { method: 'DELETE', ifMatch: tag, body: reassign ? { reassign } : {} });
    } catch (error) {
      if (!(error instanceof Refusal && error.code === OWNS)) throw error;
      const isAsked = owned !== undefined;
      setOwned(error.message);
      if (isAsked) throw new Refusal(error.status, error.code, error.message, { reassign: 'is missing' });
      return;
    }
    done();
  };
  return (
    <Dialog title={`Delete the user ${user}?`} close={close}>
      <Form
        name={`delete:user:${user}`}
        fields={fields}
        initial={{ reassign: '' }}
        submit={submit}
        label={owned ? 'Give it away and delete' : 'Delete'}
        cancel={close}
        isGrave
      >
        <p>Its tokens, keys, sessions and webhooks go with it. To lock it out, and keep it, deactivate it instead.</p>
        {owned && (
          <p class="failure" role="alert">
            {owned}
          </p>
        )}
      </Form>
    </Dialog>
  );
}
