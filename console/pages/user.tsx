import { ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import type { PageProps } from '../pages.js';
import { ChangeOf } from '../parts/change.js';
import { Confirm } from '../parts/confirm.js';
import { Copy } from '../parts/copy.js';
import { Failure } from '../parts/failure.js';
import { Lines } from '../parts/lines.js';
import { Opens } from '../parts/open.js';
import { toast } from '../parts/toasts.js';
import { UserDelete } from '../parts/user-delete.js';
import { changedFields, userBody, wishOf } from '../parts/user-form.js';
import { UserKeys } from '../parts/user-keys.js';
import { UserPassword } from '../parts/user-password.js';
import { UserSessions } from '../parts/user-sessions.js';
import { UserTokens } from '../parts/user-tokens.js';
import { UserBadges } from '../parts/user-words.js';
import { Time } from '../parts/words.js';
import { go, Link } from '../router.js';
import { useAccount } from '../session.js';

type User = Results['GetUser'];
type Group = Results['GetGroup'];

export default function UserPage({ params: { name = '' } }: PageProps) {
  const self = useAccount();
  const path = `/user/${part(name)}`;
  const asked = useAsked<User>(path, { kinds: ['users'] });
  const { answer, failure, refresh } = asked;
  if (!answer) return failure ? <Failure of={failure} again={refresh} /> : <p class="loading">loading …</p>;
  const user = answer.result;
  const set = async (body: object, done: string) => {
    await ask(path, { method: 'PUT', body, ifMatch: answer.tag });
    toast(done);
    refresh();
  };
  return (
    <article>
      <header class="heading">
        <h1>
          {user.name} <span class="quiet">{user.display_name}</span>
        </h1>
        <Opens label="Set a password …" title={`A password for ${name}`}>
          {(close) => <UserPassword user={name} close={close} />}
        </Opens>
        <Activity user={user} set={set} />
        <Power user={user} set={set} />
        <Opens
          label="Delete …"
          isGrave
          reason={user.name === self.name ? 'it is you who asks: have somebody else do it' : undefined}
        >
          {(close) => (
            <UserDelete
              user={name}
              tag={answer.tag}
              close={close}
              done={() => {
                toast(`user ${name} is deleted`);
                go('/users');
              }}
            />
          )}
        </Opens>
      </header>
      <p>
        <UserBadges user={user} />
      </p>
      <div class="boxes">
        <section class="box">
          <h2>Who it is</h2>
          <dl class="facts">
            <dt>UUID</dt>
            <dd>
              <code>{user.uuid}</code> <Copy text={user.uuid} what="the uuid" />
            </dd>
            <dt>Password</dt>
            <dd>{user.has_password ? 'set' : 'none'}</dd>
            <dt>Created</dt>
            <dd>
              <Time at={user.created} />
            </dd>
          </dl>
          <ChangeOf
            path={path}
            answer={answer}
            refresh={refresh}
            fields={changedFields}
            from={wishOf}
            body={userBody}
            done={() => toast(`${name} is changed`)}
          />
        </section>
        <Groups user={name} />
        <UserKeys user={name} />
        <UserSessions user={name} isSelf={name === self.name} />
        <UserTokens user={name} />
      </div>
    </article>
  );
}

interface Doing {
  user: User;
  set: (body: object, done: string) => Promise<void>;
}

const Activity = ({ user: { name, active }, set }: Doing) =>
  active ? (
    <Opens label="Deactivate …">
      {(close) => (
        <Confirm
          title={`Deactivate ${name}?`}
          label="Deactivate"
          act={() => set({ active: false }, `${name} is locked out`)}
          close={close}
        >
          <p>Nobody can be this user then: neither by password nor by token, key or session. What it owns stays.</p>
        </Confirm>
      )}
    </Opens>
  ) : (
    <Opens label="Activate …">
      {(close) => (
        <Confirm
          title={`Activate ${name}?`}
          label="Activate"
          act={() => set({ active: true }, `${name} is active`)}
          close={close}
        >
          <p>The user is let in again by what it had before.</p>
        </Confirm>
      )}
    </Opens>
  );

const Power = ({ user: { name, super_admin: isSuper }, set }: Doing) =>
  isSuper ? (
    <Opens label="Take SuperAdmin away …">
      {(close) => (
        <Confirm
          title={`Is ${name} to be no SuperAdmin any more?`}
          label="Take it away"
          act={() => set({ super_admin: false }, `${name} is no SuperAdmin any more`)}
          close={close}
        >
          <p>What its groups give stays.</p>
        </Confirm>
      )}
    </Opens>
  ) : (
    <Opens label="Make SuperAdmin …">
      {(close) => (
        <Confirm
          title={`Make ${name} a SuperAdmin?`}
          label="Make SuperAdmin"
          typed={name}
          act={() => set({ super_admin: true }, `${name} is a SuperAdmin`)}
          close={close}
        >
          <p>A SuperAdmin may do everything, everywhere: also make others SuperAdmins, and delete all images.</p>
        </Confirm>
      )}
    </Opens>
  );

function Groups({ user }: { user: string }) {
  const { answer, failure } = useAsked<Group[]>('/group', { query: { full: true }, kinds: ['groups'] });
  return (
    <section class="box">
      <h2>Groups</h2>
      {failure && <Failure of={failure} />}
      <Lines
        label="groups"
        of={failure ? [] : answer?.result.filter(({ users }) => users.includes(user))}
        idOf={({ name }) => name}
        title={({ name }) => <Link to={`/groups/${part(name)}`}>{name}</Link>}
        details={({ permissions, dcs }) => (
          <>
            {permissions.join(', ') || 'members only'}; in {dcs.join(', ') || 'no data center'}
          </>
        )}
        empty="In none: the user sees public images only."
      />
    </section>
  );
}
