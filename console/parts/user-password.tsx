import { ask, part, Refusal } from '../api/ask.js';
import { type Field, Form } from './form.js';
import { toast } from './toasts.js';

interface Typed {
  password: string;
  again: string;
}

const fields: readonly Field<Typed>[] = [
  { name: 'password', label: 'New password', kind: 'password', autocomplete: 'new-password', isRequired: true },
  { name: 'again', label: 'Once more', kind: 'password', autocomplete: 'new-password', isRequired: true },
];

/** Typed twice, as nobody sees it. */
export function UserPassword({ user, close }: { user: string; close: () => void }) {
  const submit = async ({ password, again }: Typed) => {
    if (password !== again) throw new Refusal(400, 'Mistyped', 'they differ', { again: 'is not the same' });
    await ask(`/user/${part(user)}`, { method: 'PUT', body: { password } });
    toast(`the password of ${user} is set`);
    close();
  };
  return (
    <Form
      name={`password:${user}`}
      fields={fields}
      initial={{ password: '', again: '' }}
      submit={submit}
      label="Set"
      cancel={close}
    />
  );
}
