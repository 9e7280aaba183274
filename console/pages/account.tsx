import { part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { CallbackKey } from '../parts/callback-key.js';
import { ChangeOf } from '../parts/change.js';
import { Copy } from '../parts/copy.js';
import { Failure } from '../parts/failure.js';
import { Lines } from '../parts/lines.js';
import { Opens } from '../parts/open.js';
import { Rights } from '../parts/rights.js';
import { toast } from '../parts/toasts.js';
import { UserKeys } from '../parts/user-keys.js';
import { UserPassword } from '../parts/user-password.js';
import { UserSessions } from '../parts/user-sessions.js';
import { UserTokens } from '../parts/user-tokens.js';
import { Time } from '../parts/words.js';
import { useAccount } from '../session.js';

/** Who asks, with what the server knows of them now: rights change while a page is open. */
export default function AccountPage() {
  const known = useAccount();
  const { answer, failure, refresh } = useAsked<Results['GetAccount']>('/account', {
    kinds: ['users', 'groups', 'datacenters'],
  });
  const { name, uuid, super_admin: isSuper, groups, roles, token } = answer?.result ?? known;
  return (
    <article>
      <header class="heading">
        <h1>
          My account <span class="quiet">{name}</span>
        </h1>
        <Opens label="Set a password …" title="A new password">
          {(close) => <UserPassword user={name} close={close} />}
        </Opens>
      </header>
      {failure && <Failure of={failure} again={refresh} />}
      <div class="boxes">
        <section class="box">
          <h2>Who I am</h2>
          <dl class="facts">
            <dt>Login name</dt>
            <dd>{name}</dd>
            <dt>UUID</dt>
            <dd>
              <code>{uuid}</code> <Copy text={uuid} what="the uuid" />
            </dd>
            <dt>Groups</dt>
            <dd>{groups.join(', ') || 'none'}</dd>
            <dt>Signed in for</dt>
            <dd>
              {scopeWords[token.scope] ?? token.scope}
              {token.dc && `, in ${token.dc} only`}, <Until at={token.expires} />
            </dd>
          </dl>
          <Called name={name} />
        </section>
        <section class="box">
          <h2>What I may</h2>
          {isSuper && <p>Everything, everywhere: I am a SuperAdmin.</p>}
          <Lines
            label="data centers"
            of={isSuper ? [] : Object.entries(roles)}
            idOf={([dc]) => dc}
            title={([dc]) => <strong>{dc}</strong>}
            details={([, held]) => <Rights held={held} />}
            empty={isSuper ? '' : 'See and use what is open to everybody.'}
          />
        </section>
        <UserKeys user={name} />
        <UserSessions user={name} isSelf />
        <UserTokens user={name} />
        <CallbackKey />
      </div>
    </article>
  );
}

const scopeWords: Record<string, string> = {
  full: 'all that I may do',
  admin: 'all that I may do',
  write: 'images; no users or settings',
  read: 'reading only',
  metrics: 'metrics only',
};

const Until = ({ at }: { at: string | null }) =>
  at === null ? (
    <>until it is revoked</>
  ) : (
    <>
      ends <Time at={at} />
    </>
  );

type User = Results['GetUser'];

const pick = ({ display_name, email }: Pick<User, 'display_name' | 'email'>) => ({ display_name, email });

/** What everybody may change of themselves. */
function Called({ name }: { name: string }) {
  const path = `/user/${part(name)}`;
  const { answer, failure, refresh } = useAsked<User>(path, { kinds: ['users'] });
  if (!answer) return failure ? <Failure of={failure} again={refresh} /> : <p class="loading">loading …</p>;
  return (
    <ChangeOf
      path={path}
      answer={answer}
      refresh={refresh}
      fields={[
        { name: 'display_name', label: 'What people call me', autocomplete: 'name' },
        { name: 'email', label: 'Mail address', autocomplete: 'email' },
      ]}
      from={pick}
      done={() => toast('your account is changed')}
    />
  );
}
