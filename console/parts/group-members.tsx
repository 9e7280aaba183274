import { type Answer, ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { Link } from '../router.js';
import { useUserNames } from './datacenter-form.js';
import { type Field, Form } from './form.js';
import { Lines } from './lines.js';
import { toast } from './toasts.js';

type Group = Results['GetGroup'];

interface Props {
  answer: Answer<Group>;
  refresh: () => void;
  mayChange: boolean;
}

/** Who is in a group: each is put in, or taken out, of what the list is now. */
export function GroupMembers({ answer, refresh, mayChange }: Props) {
  const { name, users } = answer.result;
  const known = useUserNames();
  const save = async (next: readonly string[]) => {
    await ask(`/group/${part(name)}`, { method: 'PUT', body: { users: next }, ifMatch: answer.tag });
    refresh();
  };
  const remove = (user: string) =>
    save(users.filter((one) => one !== user)).then(
      () => toast(`${user} is in ${name} no more`),
      (error: Error) => toast(error.message, { isBad: true }),
    );
  const fields: readonly Field<{ users: string }>[] = [
    { name: 'users', label: 'Put in', suggestions: known.filter((one) => !users.includes(one)), hint: 'a login name' },
  ];
  return (
    <section class="box">
      <h2>Members</h2>
      <Lines
        label="members"
        of={users}
        idOf={(user) => user}
        title={(user) => (mayChange ? <Link to={`/users/${part(user)}`}>{user}</Link> : user)}
        actions={(user) =>
          mayChange && (
            <button type="button" aria-label={`Take out ${user}`} onClick={() => remove(user)}>
              Take out
            </button>
          )
        }
        empty="Nobody is in it."
      />
      {mayChange && (
        <Form
          name={`member:${name}`}
          fields={fields}
          initial={{ users: '' }}
          submit={async ({ users: user }) => {
            if (user.trim() !== '') await save([...users, user.trim()]);
          }}
          again={refresh}
          clears
          label="Put in"
        />
      )}
    </section>
  );
}
