import { ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { Confirm } from './confirm.js';
import { Failure } from './failure.js';
import type { Field } from './form.js';
import { Lines } from './lines.js';
import { Make } from './make.js';
import { Opens } from './open.js';
import { Time } from './words.js';

type Key = Exclude<Results['ListUserKeys'], string[]>[number];

interface Wish {
  title: string;
  key: string;
}

const fields: readonly Field<Wish>[] = [
  { name: 'title', label: 'What to call it', isRequired: true },
  {
    name: 'key',
    label: 'Its public half',
    kind: 'area',
    isRequired: true,
    hint: 'a line as ssh-keygen writes it into a file that ends in .pub',
  },
];

/** The ssh keys with which somebody signs. */
export function UserKeys({ user }: { user: string }) {
  const path = `/user/${part(user)}/key`;
  const { answer, failure, refresh } = useAsked<Key[]>(path, { query: { full: true }, kinds: ['users'] });
  return (
    <section class="box">
      <h2>SSH keys</h2>
      {failure && <Failure of={failure} again={refresh} />}
      <Lines
        label="ssh keys"
        of={answer?.result}
        idOf={({ title }) => title}
        title={({ title }) => title}
        details={({ fingerprint, added }) => (
          <>
            <code>{fingerprint}</code>, added <Time at={added} />
          </>
        )}
        actions={({ title }) => (
          <Opens label="Remove …" of={title}>
            {(close) => (
              <Confirm
                title={`Remove the key ${title} of ${user}?`}
                label="Remove"
                act={async () => {
                  await ask(`${path}/${part(title)}`, { method: 'DELETE' });
                  refresh();
                }}
                close={close}
              >
                <p>From the next request on, nothing that it has signed is believed.</p>
              </Confirm>
            )}
          </Opens>
        )}
        empty="None, beside those in files and in the configuration."
      />
      <Opens label="Add a key …" title={`A new key of ${user}`}>
        {(close) => (
          <Make
            name={`key:${user}`}
            called="title"
            path={path}
            fields={fields}
            initial={{ title: '', key: '' }}
            done={() => {
              refresh();
              close();
            }}
            cancel={close}
            label="Add"
          />
        )}
      </Opens>
    </section>
  );
}
