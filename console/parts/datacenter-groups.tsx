import { ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { Link } from '../router.js';
import { Confirm } from './confirm.js';
import { Failure } from './failure.js';
import { type Field, Form } from './form.js';
import { Lines } from './lines.js';
import { Opens } from './open.js';
import { Rights } from './rights.js';

type Group = Results['GetGroup'];

/** The groups that are attached to a data center, with what that gives to whom. */
export function DatacenterGroups({ dc, mayChange }: { dc: string; mayChange: boolean }) {
  const path = `/dc/${part(dc)}/group`;
  const { answer, failure, refresh } = useAsked<Group[]>(path, {
    query: { full: true },
    kinds: ['groups', 'datacenters'],
  });
  const detach = async ({ name }: Group) => {
    await ask(`${path}/${part(name)}`, { method: 'DELETE' });
    refresh();
  };
  return (
    <section class="box">
      <h2>Groups</h2>
      {failure && <Failure of={failure} again={refresh} />}
      <Lines
        label="groups"
        of={failure ? [] : answer?.result}
        idOf={({ name }) => name}
        title={({ name, alias }) => (
          <>
            <Link to={`/groups/${part(name)}`}>{name}</Link> {alias !== name && <span class="quiet">{alias}</span>}
          </>
        )}
        details={(group) => (
          <>
            {membersOf(group)} may
            <Rights held={group.permissions} />
          </>
        )}
        actions={(group) =>
          mayChange && (
            <Opens label="Detach …" of={group.name}>
              {(close) => (
                <Confirm
                  title={`Detach ${group.name} from ${dc}?`}
                  label="Detach"
                  act={() => detach(group)}
                  close={close}
                >
                  <p>{membersOf(group)} may not do this here any more, unless another group lets them:</p>
                  <Rights held={group.permissions} />
                </Confirm>
              )}
            </Opens>
          )
        }
        empty="None: only its owner and SuperAdmins see it."
      />
      {mayChange && (
        <Opens label="Attach a group …" title={`Attach a group to ${dc}`}>
          {(close) => (
            <Attach
              path={path}
              attached={answer?.result ?? []}
              close={() => {
                close();
                refresh();
              }}
            />
          )}
        </Opens>
      )}
    </section>
  );
}

const membersOf = ({ users }: Group) =>
  users.length === 0 ? 'Nobody yet: its members' : users.length > 5 ? `Its ${users.length} members` : users.join(', ');

const NONE = '';

/** Says what it gives before it is done. */
function Attach({ path, attached, close }: { path: string; attached: readonly Group[]; close: () => void }) {
  const { answer, failure } = useAsked<Group[]>('/group', { query: { full: true }, kinds: ['groups'] });
  if (!answer) return failure ? <Failure of={failure} /> : <p class="loading">loading …</p>;
  const others = answer.result.filter(({ name }) => !attached.some((one) => one.name === name));
  if (others.length === 0) return <p>Every group is attached to it. Make another one on the page of groups.</p>;
  const fields: readonly Field<{ group: string }>[] = [
    {
      name: 'group',
      label: 'Group',
      kind: 'choice',
      choices: [
        [NONE, 'choose one'],
        ...others.map(({ name, permissions }) => [name, `${name}: ${permissions.join(', ') || 'members'}`] as const),
      ],
    },
  ];
  const submit = async ({ group }: { group: string }) => {
    await ask(`${path}/${part(group)}`, { method: 'POST' });
    close();
  };
  return (
    <Form
      name={`attach:${path}`}
      fields={fields}
      initial={{ group: NONE }}
      submit={submit}
      label="Attach"
      cancel={close}
      told={({ group }) => {
        const chosen = others.find(({ name }) => name === group);
        return (
          chosen && (
            <div>
              {membersOf(chosen)} will be able to
              <Rights held={chosen.permissions} />
            </div>
          )
        );
      }}
    />
  );
}
